"""The place in the file of a part of a text value, whichever way YAML writes the text."""

from bisect import bisect_right
from collections.abc import Iterator

from wpk_sandbox.finding import Location
from wpk_sandbox.package.package import Document
from wpk_sandbox.pattern import Pattern

Span = tuple[int, int]

# An anchor or a tag may stand before a scalar; the parser counts them in.
_PROPERTIES = Pattern(r"(?:[&!][^\s]*\s+)*")
_BLOCK_HEADER = Pattern("[|>][^\n\r\x85\u2028\u2029]*(?:\r\n|[\n\r\x85\u2028\u2029])")
_LINE_END = Pattern("\r\n|[\n\r\x85\u2028\u2029]")
_ESCAPE_LENGTHS = {"x": 4, "u": 6, "U": 10}


class Places:
    """Finds parts of the text values of a document; makes its tables only when it is first asked."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._lines: list[int] = []
        self._aligned: dict[str, list[int]] = {}

    def locate(self, pointer: str, value: str, span: Span) -> Location:
        """The place of `value[span[0]:span[1]]`, where `value` is the text at a pointer.

        The whole value is the answer when the range is empty, or when the file writes it in a way that cannot be
        followed (a reference to another place).
        """
        whole = self._document.locate(pointer)
        start, end = span[0], min(span[1], len(value))
        if not 0 <= start < end or pointer not in self._document.places:
            return whole
        places = self._places(pointer, value, whole)
        if not places:
            return whole
        line, column = self._position(places[start])
        end_line, end_column = self._position(places[end - 1])
        # A line end has no column of its own: a range that ends with it ends with its line.
        end_column = min(end_column, len(self.line(end_line))) + 1
        return Location(whole.path, line, min(column, len(self.line(line)) + 1), end_line, end_column)

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, with the line ends of YAML."""
        starts = self._starts()
        if not 0 < number <= len(starts):
            return ""
        end = starts[number] if number < len(starts) else len(self._document.text)
        return self._document.text[starts[number - 1] : end].rstrip("\r\n\x85\u2028\u2029")

    def written(self, location: Location) -> str:
        """The text of the file at a location."""
        start, end = self.range(location)
        return self._document.text[start:end]

    def range(self, location: Location) -> Span:
        """Where a location begins and ends in the text of the file, counted from 0."""
        start = self._index(location.line, location.column)
        return start, self._index(location.end_line, location.end_column)

    def _places(self, pointer: str, value: str, whole: Location) -> list[int]:
        if pointer not in self._aligned:
            start = self._index(whole.line, whole.column)
            end = self._index(whole.end_line, whole.end_column)
            self._aligned[pointer] = list(_align(self._document.text, start, end, value))
        aligned = self._aligned[pointer]
        return aligned if len(aligned) == len(value) else []

    def _starts(self) -> list[int]:
        if not self._lines:
            self._lines = [0, *(found.end() for found in _LINE_END.finditer(self._document.text))]
        return self._lines

    def _index(self, line: int, column: int) -> int:
        starts = self._starts()
        return starts[line - 1] + column - 1 if 0 < line <= len(starts) else len(self._document.text)

    def _position(self, index: int) -> tuple[int, int]:
        starts = self._starts()
        line = bisect_right(starts, index)
        return line, index - starts[line - 1] + 1


def _align(text: str, start: int, end: int, value: str) -> Iterator[int]:
    """The index in the file of each character of a scalar; fewer than it has when they cannot be followed.

    Works for all five styles alike: the characters that are not blank stand in the file in their order, only
    indentation, folded line ends, quotes and escapes lie between.
    """
    match = _PROPERTIES.match(text, start, end)
    index = match.end() if match else start
    style = text[index : index + 1]
    if style in ("|", ">"):
        header = _BLOCK_HEADER.match(text, index, end)
        index = header.end() if header else end
    elif style in ("'", '"'):
        index, end = index + 1, end - 1
    else:
        style = ""
    for char in value:
        index = _skip(text, index, end, char, style)
        if index >= end:
            # Line ends that YAML adds at the end of a block, or keeps beyond what the parser marks.
            if not char.isspace():
                return
            yield max(start, end - 1)
            continue
        length = _length(text, index, style)
        if length == 1 and text[index] != char and not (char.isspace() and text[index].isspace()):
            return
        yield index
        index += length


def _skip(text: str, index: int, end: int, char: str, style: str) -> int:
    """Where the next character of the value stands: past indentation and folded line ends."""
    if char.isspace():
        return index
    while index < end:
        if text[index].isspace():
            index += 1
        elif style == '"' and text[index] == "\\" and text[index + 1 : index + 2] in ("\n", "\r"):
            index += 2
        else:
            break
    return index


def _length(text: str, index: int, style: str) -> int:
    """How many characters of the file write one character of the value."""
    if style == '"' and text[index] == "\\":
        return _ESCAPE_LENGTHS.get(text[index + 1 : index + 2], 2)
    return 2 if style == "'" and text[index] == "'" else 1
