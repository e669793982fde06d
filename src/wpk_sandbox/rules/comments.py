"""The comments of a YAML document, which no parser keeps; a `#` inside a value is none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from wpk_sandbox.finding import Location
from wpk_sandbox.package.package import Document
from wpk_sandbox.package.validate import value_at
from wpk_sandbox.pattern import Pattern

_COMMENT = Pattern(r"(?:^|(?<=\s))#.*")
# A block scalar may have a comment in its first line, after its style; everything below is text.
_BLOCK = Pattern(r"(?:[&!]\S*\s+)*[|>][-+0-9]*(?=\s|$)")
_LINE_END = Pattern("\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True)
class Comment:
    """A comment with its `#`. `about` is the line that it speaks of: its own, or the next that holds YAML."""

    text: str
    location: Location
    about: int


def comments(document: Document) -> Iterator[Comment]:
    """The comments between the first and the last line of a document's data, and right above it."""
    lines = lines_of(document)
    values = _values(document, lines)
    root = document.locate("")
    found = []
    for number in range(_first(lines, root.line), min(root.end_line, len(lines)) + 1):
        shown = _blanked(lines[number - 1], values.get(number, []))
        if match := _COMMENT.search(shown):
            alone = not shown[: match.start()].strip() and number not in values
            found.append((number, match.start(), alone))
    alone_at = {number for number, _, alone in found if alone}
    below: dict[int, int] = {}
    for number in sorted(alone_at, reverse=True):
        below[number] = below.get(number + 1, number + 1)
    for number, start, alone in found:
        about = below[number] if alone else number
        place = Location(document.path, number, start + 1, number, len(lines[number - 1]) + 1)
        yield Comment(lines[number - 1][start:], place, about)


def lines_of(document: Document) -> tuple[str, ...]:
    """The lines of the file, ended as YAML ends them."""
    return _lines(document.text)


@lru_cache(maxsize=2)
def _lines(text: str) -> tuple[str, ...]:
    """Made once for a file and its base, since each of a thousand waivers may ask for one."""
    return tuple(_LINE_END.split(text))


def _first(lines: Sequence[str], line: int) -> int:
    """The first of the comment lines right above a line."""
    while line > 1 and lines[line - 2].lstrip().startswith("#"):
        line -= 1
    return line


def _values(document: Document, lines: Sequence[str]) -> dict[int, list[tuple[int, int]]]:
    """The parts of each line that belong to a text value or a key, as ranges of columns from 0."""
    values = ((place, value_at(document.data, pointer)) for pointer, place in document.places.items())
    places = [place for place, value in values if not isinstance(value, dict | list)]
    taken: dict[int, list[tuple[int, int]]] = {}
    for place in {*places, *document.keys.values()}:
        last = max(place.line, place.end_line)
        for number in range(place.line, min(last, len(lines)) + 1):
            start = place.column - 1 if number == place.line else 0
            end = place.end_column - 1 if number == last else len(lines[number - 1])
            if number == place.line and (style := _BLOCK.match(lines[number - 1], start)):
                end = style.end()
            if start < end:
                taken.setdefault(number, []).append((start, end))
    return taken


def _blanked(line: str, ranges: list[tuple[int, int]]) -> str:
    """A line with crosses for its values, of which a line may have thousands."""
    marks = list(line)
    for start, end in ranges:
        last = min(end, len(line))
        marks[start:last] = "x" * (last - start)
    return "".join(marks)
