"""A line for a terminal or a log, in spans that each have a meaning; colour is the terminal's own affair."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from unicodedata import category, east_asian_width

from wpk_sandbox.report import escape

WIDTH = 88
# A log or a file has no width: nothing is broken there, so that one line can be searched for.
ENDLESS = 10_000
_MOST = 2000


class Tone(StrEnum):
    """What a span means."""

    PLAIN = ""
    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    FAINT = "faint"
    STRONG = "strong"


@dataclass(frozen=True)
class Span:
    """Text of one tone, already harmless."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True)
class Line:
    """One line; `str()` is its text as a log shows it."""

    spans: tuple[Span, ...]

    def __str__(self) -> str:
        return escape.log_line("".join(span.text for span in self.spans)).rstrip()


def line(*parts: str | tuple[str, Tone]) -> Line:
    """Make a line. Every part passes the escaping here, which is why no report can forget it."""
    pairs = [(part, Tone.PLAIN) if isinstance(part, str) else part for part in parts]
    return Line(tuple(Span(_bounded(text), tone) for text, tone in pairs))


def _bounded(text: str) -> str:
    """Harmless, and no longer than anybody reads on one line."""
    return escape.one_line(text if len(text) <= _MOST else text[:_MOST] + "…")


def plain(lines: Iterable[Line]) -> str:
    """The lines as text."""
    return "".join(f"{each}\n" for each in lines)


def width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    """Marks stand on the character before them; wide and full-width characters take two columns."""
    if category(char) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def pad(text: str, columns: int) -> str:
    """The text, harmless, with spaces up to that many columns."""
    text = escape.one_line(text)
    return text + " " * max(0, columns - width(text))


def shorten(text: str, columns: int) -> str:
    """The text, harmless and cut to that many columns."""
    text = escape.one_line(text[: columns * 2])
    if width(text) <= columns:
        return text
    while text and width(text) > columns - 1:
        text = text[: -max(1, (width(text) - columns + 1) // 2)]
    return text + "…"


def folded(text: str, columns: int, taken: int = 0) -> list[str]:
    """The text, harmless, in lines of that many columns, broken between words; `taken` are gone of the first."""
    lines = [""]
    room = columns - taken
    for word in escape.one_line(text).split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if width(longer) > room and (lines[-1] or room < columns):
            lines.append(word)
            room = columns
        else:
            lines[-1] = longer
    return lines
