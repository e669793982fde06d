"""Stars known texts out of others; what it costs grows with what is read, and not with how many texts there are."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

HIDDEN = "***"
SHORTEST = 3
# Where a rule has shortened what it shows, and how much it shows before that at most.
_CUT = re.compile(r"\.{3,}|…")
_LONGEST_SHOWN = 100
# Of longer texts this much is looked up first.
_HEAD = 256
# So much of a text at the end of what was shortened is no chance; of a short one its half.
_TELLING = 4


class Hiding:
    """The texts that nothing may show. Without any it changes nothing, and is false.

    They are kept in their order, each with the longest other that it begins with: what comes last before a place
    of a text in that order either begins there, or begins with all that do.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self.texts = frozenset(text for text in texts if len(text) >= SHORTEST)
        self._heads = sorted({text[:_HEAD] for text in self.texts})
        self._within = list(_within(self._heads))
        self._starts = frozenset(text[:SHORTEST] for text in self._heads)
        self._long: dict[str, list[str]] = {}
        for text in sorted((text for text in self.texts if len(text) > _HEAD), key=len, reverse=True):
            self._long.setdefault(text[:_HEAD], []).append(text)
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
        """How long the longest of the texts is that begins at a place; 0 if none does."""
        here = text[index : index + _HEAD]
        for long in self._long.get(here, ()):
            if text.startswith(long, index):
                return len(long)
        known = bisect_right(self._heads, here) - 1
        while known >= 0 and not here.startswith(self._heads[known]):
            known = self._within[known]
        return len(self._heads[known]) if known >= 0 else 0

    def _half(self, text: str, end: int) -> tuple[int, int]:
        """The range before a cut that one of the texts begins with; an empty one if there is none."""
        for start in range(max(0, end - _LONGEST_SHOWN), end):
            shown = text[start:end]
            if len(shown) >= SHORTEST and shown[:SHORTEST] not in self._starts:
                continue
            known = bisect_left(self._heads, shown)
            text_of = self._heads[known] if known < len(self._heads) else ""
            if text_of.startswith(shown) and len(shown) >= min(_TELLING, len(text_of) / 2):
                return start, end
        return end, end


def _within(texts: list[str]) -> Iterator[int]:
    """Of each sorted text the place of the longest other that it begins with; -1 if there is none."""
    open_: list[int] = []
    for index, text in enumerate(texts):
        while open_ and not text.startswith(texts[open_[-1]]):
            open_.pop()
        yield open_[-1] if open_ else -1
        open_.append(index)


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
