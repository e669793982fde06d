"""What a command can start: another command as its words, or a script as text."""

from dataclasses import dataclass

from wpk_sandbox.rules.shell.words import Word, joined


@dataclass(frozen=True)
class Text:
    """A script inside of a command, with the place of each character and of the end.

    `arguments` are its `$1`, `$2` and so on, None where it has those of the script around it (`eval`). `is_input`
    says that it came by the standard input, which is then used up.
    """

    text: str
    places: list[int]
    arguments: tuple[Word, ...] | None = None
    is_input: bool = False


Started = tuple[Word, ...] | Text


def text_of(words: tuple[Word, ...], arguments: tuple[Word, ...] | None = None, *, is_input: bool = False) -> Text:
    """Words with a space between each as a script."""
    text, places = joined(words, words[-1].span[1])
    return Text(text, places, arguments, is_input)
