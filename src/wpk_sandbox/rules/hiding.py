"""Stars known texts out of others; what it costs grows with what is read, and not with how many texts there are."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

HIDDEN = "***"
SHORTEST = 3
# Where a rule has shortened what it shows, and how much it shows before that at most.
_CUT = re.compile(r"\.{3,}|…")
_LONGEST_SHOWN = 100
# Longer texts are looked for in pieces.
_PIECE = 256
# So much of a text at the end of what was shortened is no chance; of a short one its half.
_TELLING = 4


class Hiding:
    """The texts that nothing may show. Without any it changes nothing, and is false.

    They are kept in their order, long ones in overlapping pieces. Whichever is the last not to come after what
    stands at a place, every text that begins there is it, or the beginning of it.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self.texts = frozenset(text for text in texts if len(text) >= SHORTEST)
        self._pieces = sorted({piece for text in self.texts for piece in _pieces(text)})
        self._lengths = list(_lengths(self._pieces))
        self._starts = frozenset(piece[:SHORTEST] for piece in self._pieces)
        self._lines: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self.texts)

    def __or__(self, other: "Hiding") -> "Hiding":
        return Hiding(self.texts | other.texts)

    def holds(self, text: str) -> bool:
        """True where one of the texts stands in this one."""
        return next(self._ranges(text), None) is not None

    def line(self, text: str) -> str:
        """A line of a file, or a whole one, as long as before, so that columns stay true."""
        if text not in self._lines:
            self._lines[text] = _replaced(text, self._ranges(text), same_length=True)
        return self._lines[text]

    def told(self, text: str, *, cut: bool = False) -> str:
        """What somebody says, without the texts, and without the half of one where it was shortened.

        `cut` says that it was at its end, though it does not say so itself.
        """
        if not self.texts or not text:
            return text
        halves = (self._half(text, found.start()) for found in _CUT.finditer(text))
        ends = [self._half(text, len(text))] if cut else []
        return _replaced(text, sorted([*self._ranges(text), *halves, *ends]), same_length=False)

    def _ranges(self, text: str) -> Iterator[tuple[int, int]]:
        """Where the texts stand in this one, of each place the longest; they may overlap."""
        starts = self._starts
        for index in range(len(text) - SHORTEST + 1) if starts else ():
            if text[index : index + SHORTEST] in starts and (length := self._length(text, index)):
                yield index, index + length

    def _length(self, text: str, index: int) -> int:
        """How long the longest of the pieces is that begins at a place; 0 if none does."""
        here = text[index : index + _PIECE]
        last = bisect_right(self._pieces, here) - 1
        if last < 0:
            return 0
        piece, lengths = self._pieces[last], self._lengths[last]
        if here.startswith(piece):
            return len(piece)
        fitting = bisect_left(lengths, True, key=lambda length: not here.startswith(piece[:length]))
        return lengths[fitting - 1] if fitting else 0

    def _half(self, text: str, end: int) -> tuple[int, int]:
        """The range before a cut that one of the texts begins with; an empty one if there is none."""
        for start in range(max(0, end - _LONGEST_SHOWN), end):
            shown = text[start:end]
            if len(shown) >= SHORTEST and shown[:SHORTEST] not in self._starts:
                continue
            known = bisect_left(self._pieces, shown)
            text_of = self._pieces[known] if known < len(self._pieces) else ""
            if text_of.startswith(shown) and len(shown) >= min(_TELLING, len(text_of) / 2):
                return start, end
        return end, end


def _pieces(text: str) -> Iterator[str]:
    """A text, or pieces of a long one that each overlap the next, so that together they cover all of it."""
    for start in range(0, max(1, len(text) - _PIECE), _PIECE // 2):
        yield text[start : start + _PIECE]
    yield text[-_PIECE:]


def _lengths(pieces: list[str]) -> Iterator[tuple[int, ...]]:
    """Of each sorted piece how long those are that it begins with, and it itself: no more numbers than letters."""
    open_: list[str] = []
    for piece in pieces:
        while open_ and not piece.startswith(open_[-1]):
            open_.pop()
        open_.append(piece)
        yield tuple(map(len, open_))


def _replaced(text: str, ranges: Iterable[tuple[int, int]], *, same_length: bool) -> str:
    """The text with stars for these ranges, which come by their starts; those that overlap are one."""
    parts: list[str] = []
    last = begin = end = 0
    for start, stop in (*ranges, (len(text) + 1, len(text) + 1)):
        if start >= end > begin:
            parts += (text[last:begin], "*" * (end - begin) if same_length else HIDDEN)
            last = end
        if start >= end:
            begin, end = start, stop
        else:
            end = max(end, stop)
    return "".join((*parts, text[last:])) if parts else text
