"""Changes of a text by position: what lies outside of them stays as it is, to the last blank and comment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Edit:
    """Replace the characters from `start` up to `end` (counted from 0) by `replacement`; equal ends insert."""

    start: int
    end: int
    replacement: str

    def overlaps(self, other: "Edit") -> bool:
        """True when the outcome would depend on which of the two is made first."""
        if self.start == other.start:
            return self.end == other.end or (self.end > self.start and other.end > other.start)
        first, second = sorted((self, other))
        return second.start < first.end


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits made at once. Raises ValueError when two overlap or one lies outside of the text."""
    ordered = sorted(edits)
    if clash := overlapping(ordered):
        raise ValueError(f"{clash[0]} and {clash[1]} overlap")
    parts, position = [], 0
    for edit in ordered:
        if not position <= edit.start <= edit.end <= len(text):
            raise ValueError(f"{edit} is not a part of a text of {len(text)} characters")
        parts += [text[position : edit.start], edit.replacement]
        position = edit.end
    return "".join([*parts, text[position:]])


def overlapping(ordered: Sequence[Edit]) -> tuple[Edit, Edit] | None:
    """The first two of sorted edits that overlap."""
    furthest: Edit | None = None
    for edit in ordered:
        if furthest is not None and furthest.overlaps(edit):
            return furthest, edit
        if furthest is None or edit.end >= furthest.end:
            furthest = edit
    return None
