"""Bytes to text that is safe to parse and to show, and the places of characters in it."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from wpk_sandbox.finding import Finding, Location
from wpk_sandbox.package import problems
from wpk_sandbox.pattern import Pattern

LARGE_FILE = 256 * 1024
# More marks than a report shows; a file made of nothing else could have 350,000.
MOST_MARKS = 1000
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
# The characters that YAML 1.2 lets stand in a file: https://yaml.org/spec/1.2.2/#51-character-set
_NOT_PRINTABLE = Pattern("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# The same of a text in ASCII, as most are: the table of the other takes 4 ms to make.
_NOT_PRINTABLE_ASCII = Pattern("[^\t\n\r\x20-\x7e]")
# Embeddings, overrides and isolates; the plain marks U+200E and U+200F are ordinary in right-to-left text.
BIDI = Pattern("[\u202a-\u202e\u2066-\u2069]")
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


def decode(data: bytes, path: str) -> str | Finding:
    """The text of UTF-8 bytes without their byte order mark, or what in them is not text."""
    if data.startswith(_WIDE_MARKS):
        return problems.YAML_ENCODING.at(Location(path), "the file is UTF-16 or UTF-32, not UTF-8")
    try:
        text = data.removeprefix(_BYTE_ORDER_MARK).decode("utf-8")
    except UnicodeDecodeError as error:
        place = _place(data[: error.start].decode("utf-8", "replace"), path)
        return problems.YAML_ENCODING.at(place, f"byte 0x{data[error.start]:02x} is not UTF-8")
    bad = (_NOT_PRINTABLE_ASCII if text.isascii() else _NOT_PRINTABLE).search(text)
    if bad is None:
        return text
    line, column = position(text, bad.start())
    return problems.YAML_ENCODING.at(
        Location(path, line, column, line, column + 1),
        f"character U+{ord(bad[0]):04X} may not stand in a YAML file",
    )


def remarks(data: bytes, text: str, path: str) -> Iterator[Finding]:
    """What a reader of the file should know before its contents: encoding, size, line ends, direction."""
    if data.startswith(_BYTE_ORDER_MARK):
        yield problems.YAML_BYTE_ORDER_MARK.at(Location(path), "the file begins with a byte order mark")
    if len(data) > LARGE_FILE:
        yield problems.FILE_LARGE.at(Location(path), f"the file has {len(data) // 1024} KiB")
    if "\r" in text and (lone := re.search(r"\r(?!\n)", text)):
        line, column = position(text, lone.start())
        yield problems.YAML_LINE_ENDINGS.at(
            Location(path, line, column, line, column), "this line ends with a carriage return alone"
        )
    if not text.isascii():
        for match in islice(BIDI.finditer(text), MOST_MARKS):
            line, column = position(text, match.start())
            yield problems.YAML_BIDI.at(
                Location(path, line, column, line, column + 1),
                f"U+{ord(match[0]):04X} changes the reading direction of this line",
                excerpt=excerpt(text, line),
            )


def position(text: str, index: int) -> tuple[int, int]:
    """Line and column of a character, both counted from 1, with the line ends of YAML."""
    starts = _starts(text)
    line = bisect_right(starts, index)
    # Both characters of CR LF are one line end, which has one column.
    between = text[index - 1 : index + 1] == "\r\n"
    return line, index - starts[line - 1] + 1 - between


def excerpt(text: str, line: int) -> str:
    """A line of the text for a finding, cut to what a report can show; empty beyond the end."""
    return line_of(text, line)[:200]


def line_of(text: str, line: int) -> str:
    """A line of the text, counted from 1, without its end; empty beyond the end of the text."""
    starts = _starts(text)
    if not 0 < line <= len(starts):
        return ""
    end = starts[line] if line < len(starts) else len(text)
    return text[starts[line - 1] : end].rstrip("\r\n\x85\u2028\u2029")


@lru_cache(maxsize=1)
def _starts(text: str) -> list[int]:
    """Where each line begins; made once for a file, since it may have thousands of findings."""
    return [0, *(match.end() for match in _LINE_END.finditer(text))]


def _place(before: str, path: str) -> Location:
    line, column = position(before, len(before))
    return Location(path, line, column, line, column + 1)
