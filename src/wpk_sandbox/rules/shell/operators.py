"""What `${NAME%%.*}`, `${NAME:0:4}`, `${NAME//a/b}` and their like make of a value that is known.

https://www.gnu.org/software/bash/manual/html_node/Shell-Parameter-Expansion.html
"""

import re
from collections.abc import Callable

# Steps that matching one pattern may take; beyond it the result counts as unknown.
MOST_STEPS = 100_000

_NAME = re.compile(r"\$\{(?:\w+|[@*])(?:\[\w+\])?")
_PART = re.compile(r":\s*(-?\d{1,6})(?:\s*:\s*(-?\d{1,6}))?")
_TRIM = re.compile(r"(##?|%%?)([^$`\"'{}]+)")
_REPLACE = re.compile(r"/([/#%]?)((?:[^$`\"'{}/\\]|\\.)+)(?:/([^$`\"'{}\\]*))?")
_CASES: dict[str, Callable[[str], str]] = {
    "^^": str.upper,
    ",,": str.lower,
    "^": lambda value: value[:1].upper() + value[1:],
    ",": lambda value: value[:1].lower() + value[1:],
}
_TOKEN = re.compile(r"\\.|\*+|\?|\[!?\]?[^\]]*\]|.", re.DOTALL)


def changed(written: str, value: str) -> str | None:
    """The value after the operator of an expansion, as it was written; None where it cannot be told."""
    name = _NAME.match(written)
    if name is None or not written.endswith("}"):
        return None
    rest = written[name.end() : -1]
    if rest in _CASES:
        return _CASES[rest](value)
    if found := _PART.fullmatch(rest):
        return _part(value, int(found[1]), None if found[2] is None else int(found[2]))
    if found := _TRIM.fullmatch(rest):
        return _trimmed(value, found[1], found[2])
    if found := _REPLACE.fullmatch(rest):
        return _replaced(value, found[1], found[2], found[3] or "")
    return None


def _part(value: str, start: int, length: int | None) -> str | None:
    """`${NAME:start:length}`; both count from the end where they are negative."""
    first = start if start >= 0 else len(value) + start
    if first < 0:
        return ""
    last = len(value) if length is None else first + length if length >= 0 else len(value) + length
    return value[first:last] if last >= first else None


def _trimmed(value: str, operator: str, glob: str) -> str | None:
    """`#` takes the shortest part off the front that the pattern matches, `##` the longest, `%` off the end."""
    pattern = _pattern(glob, len(value))
    if pattern is None:
        return None
    front, longest = operator[0] == "#", len(operator) > 1
    lengths = range(len(value) + 1)
    for length in reversed(lengths) if longest else lengths:
        cut = value[:length] if front else value[len(value) - length :]
        if pattern.fullmatch(cut):
            return value[length:] if front else value[: len(value) - length]
    return value


def _replaced(value: str, where: str, glob: str, text: str) -> str | None:
    """`/` replaces the first match, `//` each, `/#` one at the front and `/%` one at the end."""
    pattern = _pattern(glob, len(value))
    if pattern is None or "&" in text:
        return None
    if where == "#":
        found = pattern.match(value)
        return value if found is None else text + value[found.end() :]
    if where == "%":
        starts = (start for start in range(len(value) + 1) if pattern.fullmatch(value[start:]))
        start = next(starts, None)
        return value if start is None else value[:start] + text
    return pattern.sub(lambda _: text, value, count=0 if where == "/" else 1)


def _pattern(glob: str, length: int) -> re.Pattern[str] | None:
    """A pattern of the shell as a regular expression; None where matching it could take long, and for classes."""
    if "[:" in glob:
        return None
    parts: list[str] = []
    stars = 0
    for token in _TOKEN.findall(glob):
        if token[0] == "*":
            stars += 1
            parts.append(".*")
        elif token == "?":
            parts.append(".")
        elif token[0] == "[" and len(token) > 1:
            parts.append(_brackets(token))
        else:
            parts.append(re.escape(token[-1]))
    if (length + 1) ** (stars + 1) > MOST_STEPS:
        return None
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error:
        return None


def _brackets(token: str) -> str:
    """`[!a-z]` as a regular expression writes it."""
    inverted = token[1] == "!"
    inner = token[2 if inverted else 1 : -1].replace("\\", "\\\\")
    return f"[{'^' if inverted else ''}{inner}]"
