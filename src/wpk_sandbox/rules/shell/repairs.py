"""Shell syntax that the grammar does not know, as other spellings of the same that it knows.

All but the first are tried only on a text that cannot be read as it stands, so that what they do to text in quotes
matters little.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from wpk_sandbox.pattern import Pattern

if TYPE_CHECKING:
    from tree_sitter import Node

# What to put in place of the characters between two places.
Edit = tuple[int, int, str]

_LONGEST = 300
# What belongs to the character before it when it is put in.
_CLOSING = frozenset({"}", ";"})
# `$A/$B/c`, where the grammar reads a lone `$` before the second name.
_TWO_NAMES = re.compile(rb"\$\w+/\$\w")
_NAME = re.compile(rb"\w+")

_PATTERNS: tuple[tuple[Pattern, str], ...] = tuple(
    (Pattern(pattern, re.MULTILINE), spelling)
    for pattern, spelling in (
        # `for NAME do`, `while (…) do`, `if (…) then`
        (r"(?<=[\w)])(?=[ \t]+do\b)", ";"),
        (r"(?<=[)}])(?=[ \t]+then\b)", ";"),
        # `# a remark between arguments`
        (r"`#[^`\n]*`", ""),
        # a test for one `~`
        (r"(?<==\s)(?=~\s)", r"\\"),
        # `${@:$#}`, `${X:$start:$length}`
        (r"(?<=:)\$#(?=\})", " -1"),
        (r"(\$\{\w+(?::[^}:$\n]{0,40})?:)\$(\w+)(?=[:}])", r"\1${\2}"),
        # `${X:-`program`}`; `${X//'a'/b}`, which nobody works out in another form either
        (r"(\$\{\w+:?[-=+])`([^`\n]{0,300})`(?=\})", r"\1$(\2)"),
        (r"\$\{(\w+)//?'[^'\n]{0,300}'/[^}\n]{0,300}\}", r"${\1@E}"),
        # `[ "$TEST" "$FILE" ]`
        (r"(?:(?<=[\s;!&|(])|^)\[(?=[ \t]+(?:![ \t]+)?\"[^\"\n]{1,80}\"[ \t]+\"?\$)", "test"),
        # `[ -a \( … \) ]`
        (r"(?:(?<=[\s;!&|(])|^)\[(?=[ \t](?:\\\n|[^\n;]){0,300}?\\\()", "test"),
        # `V=4 log::info`
        (r"(?<![\w$\"'-])(\w+=[\"\w./-]{0,80})(?=[ \t]+\w+::\w)", r"\1;"),
        # `readonly -f log::info`, here-documents of nobody, a descriptor closed before the name of the program
        (r"\b(?:readonly|export|declare|typeset|unset)[ \t]+-f[ \t]+\w+::[\w:]+", ":"),
        (r"^(?=<<-?[\\'\"]?\w+['\"]?[ \t]*$)", ": "),
        (r"(?<=\s)\d?[<>]&-(?=\s)", ""),
        # a parenthesis or a blank in a pattern of `case`
        (r"(?<=[\w*?])' '(?=[\w*?\[])", r"\\ "),
        (r"\\\((?=\*\))", "?"),
        (r"\[([\"'])[ \t]*\1\](?=\*\))", "?"),
        # `grep ^lo$;`
        (r"(?<=[^\s$\\'\"(`])(?=\$(?:[\s;)|/]|\\\)))", r"\\"),
        # `1<> /dev/console 2<> /dev/console`
        (r"(?:(?<=\d)|\{\w+\})<>(?=[ \t]*(?:/dev/(?!tcp|udp)|\"?\$|<\())", ">"),
        # `$((16#$X))`
        (r"(?<![\w$.])\d{1,2}#(?=\$)", ""),
        # `[[ $X =~ ^\[(.*)\] ]]`
        (r"(?<==~)[ \t]+[^\n]{1,300}?(?=[ \t]+\]\])", " x"),
        # `[[ $X = *".a" || … ]]`
        (r"(=[ \t]+)\*(\"[^\"\n]*\")\*\"[^\"\n]*\"\*", r"\1\2"),
        (r"(=[ \t]+)\*\"([^\"\n]*)\"(?=[ \t]+(?:\|\||&&|\]\]))", r'\1"\2"'),
    )
)
# A subshell that begins a subshell; also a calculation, so that it is tried last.
_SUBSHELLS = Pattern(r"(?<=\()(?=\()")
_SILENCED = Pattern(r"(?<=[)`\"])(?:[ \t]+\d?>>?[ \t]*(?:/dev/null|&\d))+(?=[ \t]*(?:\|\||&&|;|$))", re.MULTILINE)
_ASSIGNED = Pattern(r"(?:^|[\s;!(|&])\w+\+?=[\"`$]", re.MULTILINE)
_MARK = Pattern(r"<<-?[ \t]*['\"]?=(\w+)")
_OPERATOR = Pattern(r"\$\{[\w@*#!]+(?:\[[^\]\n]{0,40}\])?:?[-+=?%#/]")
_SIGNS = frozenset("()<>;|&")


def applied(text: str, origin: Sequence[int], edits: Iterable[Edit]) -> tuple[str, list[int]]:
    """A text after edits in the order of their places, which do not overlap; and where each character came from."""
    parts: list[str] = []
    places: list[int] = []
    position = 0
    for start, end, spelling in edits:
        parts += [text[position:start], spelling]
        place = origin[start - 1] if start and spelling in _CLOSING else origin[start]
        places += [*origin[position:start], *[place] * len(spelling)]
        position = end
    return "".join([*parts, text[position:]]), [*places, *origin[position:]]


def names(root: "Node", data: bytes) -> list[Edit]:
    """Braces for the names that the grammar cuts off from their `$`; the places are those of bytes."""
    if _TWO_NAMES.search(data) is None:
        return []
    found: list[Edit] = []
    waiting = [(root, "")]
    while waiting:
        node, around = waiting.pop()
        if node.type == "$" and around == "concatenation":
            name = _NAME.match(data, node.end_byte)
            if name is not None:
                found += [(name.start(), name.start(), "{"), (name.end(), name.end(), "}")]
        waiting += [(child, node.type) for child in reversed(node.children)]
    return found


def spellings() -> Iterator[Callable[[str], list[Edit]]]:
    """What to try on a text that cannot be read, each on what the ones before it left."""
    yield _marks
    yield _alternatives
    yield _silenced
    for pattern, spelling in _PATTERNS:
        yield functools.partial(_spelled, pattern, spelling)


def _spelled(pattern: Pattern, spelling: str, text: str) -> list[Edit]:
    return [(*found.span(), found.expand(spelling)) for found in pattern.finditer(text)]


def subshells(text: str) -> list[Edit]:
    """A blank between two parentheses, without which the grammar reads a calculation."""
    return [(*found.span(), " ") for found in _SUBSHELLS.finditer(text)]


def _marks(text: str) -> list[Edit]:
    """`<<=cut`: the end of a here-document that begins with a sign."""
    edits: list[Edit] = []
    for found in _MARK.finditer(text):
        place = found.start(1) - 1
        end = f"{text}\n".find(f"\n={found[1]}\n", place)
        if end >= 0 and (not edits or place >= edits[-1][1]):
            edits += [(place, place + 1, "_"), (end + 1, end + 2, "_")]
    return edits


def _silenced(text: str) -> list[Edit]:
    """`X=$(program) 2>/dev/null || …`: a redirection of an assignment, which does nothing."""
    edits: list[Edit] = []
    for found in _SILENCED.finditer(text):
        start = max(text.rfind("\n", 0, found.start()) + 1, found.start() - _LONGEST)
        if _ASSIGNED.search(text, start, found.start()):
            edits.append((*found.span(), ""))
    return edits


def _alternatives(text: str) -> list[Edit]:
    """`${X:+ (more)}`: signs in the text that stands for a variable, which mean nothing there."""
    edits: list[Edit] = []
    seen: set[int] = set()
    for found in _OPERATOR.finditer(text):
        if found.start() not in seen and (not edits or found.end() >= edits[-1][1]):
            edits += _signs(text, found.end(), seen)
    return edits


def _signs(text: str, start: int, seen: set[int]) -> Iterator[Edit]:
    """The signs behind an operator, those of the variables inside of it among them, which are noted as seen."""
    depth, quoted, place, last = 0, False, start, min(start + _LONGEST, len(text))
    while place < last and text[place] != "\n":
        char, two = text[place], text[place : place + 2]
        if two == "$(" or char == "`":
            place = _behind(text, place, last)
            continue
        if two == "${":
            depth += 1
            if not quoted:
                seen.add(place)
        elif char == "}":
            depth -= 1
            if depth < 0:
                return
        elif char == '"':
            quoted = not quoted
        elif not quoted and (edit := _sign(two, place)):
            yield edit
            place = edit[1] - 1
        place += 1


def _sign(two: str, place: int) -> Edit | None:
    """A sign in quotes, and a backslash where it means something to nobody but to the grammar."""
    if two[0] in _SIGNS:
        return place, place + 1, f'"{two[0]}"'
    if two[0] != "\\" or not two[1:].strip() or two[1] in "$`\"\\'":
        return None
    if two[1] in _SIGNS:
        return place, place + 2, f'"{two}"'
    return place, place + 2, f'"{two[1]}"' if two[1] in "]}" else two[1]


def _behind(text: str, place: int, last: int) -> int:
    """The place behind a substitution of commands, whose signs mean something."""
    if text[place] == "`":
        end = text.find("`", place + 1, last)
        return end + 1 if end >= 0 else last
    depth = 0
    for index in range(place + 1, last):
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        if depth == 0:
            return index + 1
    return last
