"""Tables of commands by what they mean: `aws cloudtrail stop-logging|delete-trail`, one a line.

A line is a program (or several, `kubectl|oc`) and what its arguments must hold: words in this order, whatever
stands between them; options anywhere, with their value if one is named (`--lock=false` is `-lock=false` and
`--lock false` too); and `!word` or `!--option` for what must not be there. `|` parts alternatives, `*` stands for
anything (`[*]` for itself).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import pairwise

from wpk_sandbox.rules.shell.command import Command

Names = tuple[str, ...]
Table = Mapping[str, Sequence["Phrase"]]

# Only says what would be done, in the words of most programs.
_REHEARSES = frozenset({"dry-run", "dryrun", "what-if", "help", "generate-cli-skeleton"})
_NO = frozenset({"none", "false", "no", "0"})
# Letters behind one dash that are short options together.
_LONGEST_BUNDLE = 5
# A word can be a whole script, of which a cache would keep thousands.
_LONGEST_KEPT = 100


@dataclass(frozen=True, slots=True)
class _Said:
    """A command's arguments: its words, and its options without dashes, each with what may be its value."""

    words: Names
    options: tuple[tuple[str, str, bool], ...]

    def has(self, names: Names, values: Names = ()) -> bool:
        """True when an option of one of the names is given, with one of the values if any are asked for."""
        return any(
            _is_named(name, short, names) and (not values or _is_any(value, values))
            for name, value, short in self.options
        )


@dataclass(frozen=True, slots=True)
class Phrase:
    """One line of a table; `what` is the end of a sentence that begins with the command."""

    what: str
    words: tuple[Names, ...]
    options: tuple[tuple[Names, Names], ...]
    never: tuple[Names, ...]

    def fits(self, said: _Said) -> bool:
        """True when the arguments hold what the line asks for."""
        rest = iter(said.words)
        if not all(any(_is_any(word, names) for word in rest) for names in self.words):
            return False
        if not all(said.has(names, values) for names, values in self.options):
            return False
        return not any(said.has(names) or any(_is_any(word, names) for word in said.words) for names in self.never)


def table(*sections: tuple[str, str]) -> dict[str, list[Phrase]]:
    """The phrases by program, out of sections: what the commands do, and their lines."""
    found: dict[str, list[Phrase]] = {}
    for what, lines in sections:
        for line in lines.splitlines():
            program, *tokens = line.split() or [""]
            for name in program.split("|") if program else ():
                found.setdefault(name, []).append(_phrase(what, tokens))
    return found


def meaning(command: Command, known: Table) -> str:
    """What a command does by the first phrase that fits it; empty if none does."""
    phrases = known.get(command.name, ())
    if not phrases:
        return ""
    said = _said(command)
    if any(name in _REHEARSES and value not in _NO for name, value, _ in said.options):
        return ""
    return next((phrase.what for phrase in phrases if phrase.fits(said)), "")


def _phrase(what: str, tokens: Sequence[str]) -> Phrase:
    words, options, never = [], [], []
    for token in tokens:
        if token.startswith("!"):
            never.append(tuple(name.lstrip("-") for name in token[1:].split("|")))
        elif token.startswith("-"):
            name, _, value = token.partition("=")
            options.append((_names(name), tuple(value.split("|")) if value else ()))
        else:
            words.append(tuple(token.split("|")))
    return Phrase(what, tuple(words), tuple(options), tuple(never))


def _names(token: str) -> Names:
    return tuple(name.lstrip("-") for name in token.split("|"))


def _said(command: Command) -> _Said:
    texts = [word.template("$") for word in command.arguments]
    return _Said(tuple(text for text in texts if not text.startswith("-")), tuple(_options(texts)))


def _options(texts: Sequence[str]) -> Iterator[tuple[str, str, bool]]:
    for text, after in pairwise([*texts, ""]):
        if text.startswith("-"):
            name, equals, value = text.partition("=")
            yield name.lstrip("-"), value if equals else after, not text.startswith("--")


def _is_named(given: str, short: bool, names: Names) -> bool:
    if _is_any(given, names):
        return True
    return short and len(given) <= _LONGEST_BUNDLE and any(len(name) == 1 and name in given for name in names)


def _is_any(text: str, names: Names) -> bool:
    fits = _fits if len(text) <= _LONGEST_KEPT else fnmatchcase
    return any(text == name or ("*" in name and fits(text, name)) for name in names)


@lru_cache(maxsize=4096)
def _fits(text: str, pattern: str) -> bool:
    return fnmatchcase(text, pattern)
