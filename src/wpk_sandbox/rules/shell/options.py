"""The options and operands of a command, as getopt reads them."""

from collections.abc import Sequence
from dataclasses import dataclass

from wpk_sandbox.rules.shell.words import Word


def names(line: str) -> frozenset[str]:
    """The names of a line such as `"o output max-time"`: a set that reads like the manual it comes from."""
    return frozenset(line.split())


@dataclass(frozen=True)
class Options:
    """Flags without their dashes (`r`, `f`, `recursive`), values of options that take one, and the rest."""

    flags: frozenset[str]
    values: dict[str, tuple[Word, ...]]
    operands: tuple[Word, ...]

    def has(self, *names: str) -> bool:
        """True when one of the flags or options is given."""
        return any(name in self.flags or name in self.values for name in names)

    def value(self, *names: str) -> Word | None:
        """The last value of an option under one of its names."""
        return next((self.values[name][-1] for name in names if name in self.values), None)


def parse(
    words: Sequence[Word], takes: frozenset[str] = frozenset(), *, first_operand_ends: bool = False
) -> Options:
    """Read the words after a command's name; `takes` are the options with a value, without dashes.

    `first_operand_ends` is for commands whose operands may be another command's (`sudo rm -r`).
    """
    flags: set[str] = set()
    values: dict[str, list[Word]] = {}
    position = 0
    operands: list[Word] = []
    while position < len(words):
        word = words[position]
        position += 1
        text = word.when_empty
        if text == "--":
            operands += words[position:]
            break
        if not text.startswith("-") or text == "-":
            operands.append(word)
            if first_operand_ends:
                operands += words[position:]
                break
            continue
        needs = (
            _long(word, text, takes, flags, values) if text[1] == "-" else _short(word, text, takes, flags, values)
        )
        if needs and position < len(words):
            values.setdefault(needs, []).append(words[position])
            position += 1
    return Options(frozenset(flags), {name: tuple(given) for name, given in values.items()}, tuple(operands))


def _long(word: Word, text: str, takes: frozenset[str], flags: set[str], values: dict[str, list[Word]]) -> str:
    """Take in `--name` or `--name=value`; the name, if its value is the next word."""
    name, equals, _ = text[2:].partition("=")
    if equals:
        values.setdefault(name, []).append(word.after(len(name) + 3))
        return ""
    if name in takes:
        return name
    flags.add(name)
    return ""


def _short(word: Word, text: str, takes: frozenset[str], flags: set[str], values: dict[str, list[Word]]) -> str:
    """Take in `-rf` or `-ofile`; the letter, if its value is the next word."""
    if text[1:] in takes and len(text) > 2:  # `-exec`: a long name behind one dash
        return text[1:]
    for index, letter in enumerate(text[1:], 1):
        if letter in takes:
            if index + 1 == len(text) and all(piece.exact for piece in word.pieces):
                return letter
            values.setdefault(letter, []).append(word.after(index + 1))
            return ""
        flags.add(letter)
    return ""
