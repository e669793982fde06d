"""The name that GitHub gives to a line, so that an alert is known again when its line has moved.

It is a hash of the 100 characters from the start of the line on, without blanks and with one line feed for each
line end. `github/codeql-action/upload-sarif` works it out itself, and warns of every result that says another one.
https://github.com/github/codeql-action, `src/fingerprints.ts`
"""

import re
from array import array
from collections import Counter

_LENGTH = 100
_BASE = 37
_BITS = 2**64 - 1
_END_OF_FILE = 65535
_LINE_FEED = 10


def line_hashes(text: str) -> list[str]:
    """For each line of a file its hash, and behind a colon its number among the lines of equal hash.

    A line feed, a carriage return or both end a line; a file that ends with one has an empty line behind it.
    """
    units = _units(text)
    sums = _sums(units)
    shift = pow(_BASE, _LENGTH, _BITS + 1)
    seen: Counter[str] = Counter()
    names = []
    for start in _starts(units):
        hashed = f"{sums[start + _LENGTH] - sums[start] * shift & _BITS:x}"
        seen[hashed] += 1
        names.append(f"{hashed}:{seen[hashed]}")
    return names


def _units(text: str) -> list[int]:
    """What is hashed, as UTF-16 code units, with a mark at the end of the file."""
    plain = re.sub(r"[ \t]", "", re.sub(r"\r\n?", "\n", text))
    units = array("H", plain.encode("utf-16", "surrogatepass"))
    return [*units[1:], _END_OF_FILE]  # without the byte order mark that the codec writes


def _starts(units: list[int]) -> list[int]:
    """Where each line begins; what is behind the last line feed is a line too, be it the mark alone."""
    return [0, *(index + 1 for index, unit in enumerate(units) if unit == _LINE_FEED)]


def _sums(units: list[int]) -> list[int]:
    """The hash of everything before each place, with zeros for what the last lines lack."""
    sums = [0]
    for unit in (*units, *[0] * _LENGTH):
        sums.append((sums[-1] * _BASE + unit) & _BITS)
    return sums
