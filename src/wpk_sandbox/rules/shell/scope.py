"""What the variables of a script may hold at one of its points."""

from collections.abc import Iterator
from itertools import islice, product

from wpk_sandbox.rules.shell.words import Piece

MOST_VALUES = 16
# A value of more pieces or characters counts as unknown: `X=$X$X`, repeated, would grow without end.
MOST_PIECES = 64
MOST_CHARACTERS = 4096
# What all uses of variables in a script may put into its words; beyond it, variables count as unknown.
MOST_EXPANDED = 500_000

Value = tuple[Piece, ...]
Values = dict[str, tuple[Value | None, ...]]


class Scope:
    """Variables with every value that they may have: one after `X=/`, two after `if …; then X=/; fi`.

    While a command is read, each variable has one of its values; `choices` goes through all combinations of those
    that the command turns out to read.
    """

    def __init__(self) -> None:
        self._values: Values = {}
        self._chosen: dict[str, int] = {}
        self._read: dict[str, int] = {}
        self._expanded = 0

    def get(self, name: str) -> Value | None:
        """The value chosen for a variable; None if it is not known."""
        values = self._values.get(name)
        if not values:
            return None
        if len(values) > 1:
            self._read[name] = len(values)
        return values[self._chosen.get(name, 0)]

    def set(self, name: str, value: Value | None, *, certain: bool) -> None:
        """Assign; where it is not certain that the assignment is reached, the values before stay possible."""
        before = () if certain else self._values.get(name, (None,))
        self._values[name] = (*before, _bounded(value))[-MOST_VALUES:]

    def set_any(self, name: str, values: list[Value | None]) -> None:
        """Assign one of several values, as a `for` loop does."""
        self._values[name] = tuple(map(_bounded, values[:MOST_VALUES])) or (None,)

    def affords(self, value: Value) -> bool:
        """Count a use of a value; False when the script has used up what it may."""
        self._expanded += len(value) + sum(len(piece.text) for piece in value)
        return self._expanded <= MOST_EXPANDED

    def choices(self) -> Iterator[None]:
        """One turn for each combination of values of the variables that the first turn read."""
        self._chosen, self._read = {}, {}
        yield
        names = sorted(self._read)
        combinations = product(*(range(self._read[name]) for name in names))
        for combination in islice(combinations, 1, MOST_VALUES):
            self._chosen = dict(zip(names, combination, strict=True))
            yield
        self._chosen = {}

    def snapshot(self) -> Values:
        """What to give to `restore` when a subshell ends."""
        return dict(self._values)

    def merge(self, snapshots: list[Values]) -> None:
        """After branches of which one ran: each variable has the values that it has after any of them."""
        first = snapshots[0]
        merged = dict(first)
        for name in _changed(first, snapshots[1:]):
            values = [value for snapshot in snapshots for value in snapshot.get(name, (None,))]
            distinct = [value for index, value in enumerate(values) if value not in values[:index]]
            merged[name] = tuple(distinct[-MOST_VALUES:])
        self._values = merged

    def restore(self, snapshot: Values) -> None:
        """Forget every assignment since the snapshot."""
        self._values = snapshot


def _changed(first: Values, others: list[Values]) -> dict[str, None]:
    """The names whose values are not those of the first; branches leave most variables as they are."""
    names = {name: None for name in first if any(name not in other for other in others)}
    for other in others:
        names |= {name: None for name, values in other.items() if values is not first.get(name)}
    return names


def _bounded(value: Value | None) -> Value | None:
    if value and (len(value) > MOST_PIECES or sum(len(piece.text) for piece in value) > MOST_CHARACTERS):
        return None
    return value
