"""Looks at what is used that are kept until somebody asks for them."""

import time

# Seconds between two samples, and how many are kept; when there are more, the lower one of each two goes.
EVERY = 0.5
KEPT = 512


class Samples:
    """A bounded series of looks, each a list: seconds since the start, CPU seconds, memory, processes, stored.

    Of the looks between two that are kept, the one that found the most memory is kept too where both found less.
    """

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.taken: list[list[float]] = []
        self.newest: list[float] = [0.0, 0.0, 0, 0, 0]
        self.highest = self.newest
        self.every = EVERY
        self.due = self.began

    def add(self, cpu: float, memory: int, processes: int, stored: int, *, now: bool = False) -> None:
        """Keep a look when it is time for one."""
        at = time.monotonic()
        self.newest = [round(at - self.began, 3), round(cpu, 3), memory, processes, stored]
        if at < self.due and not now:
            self.highest = max(self.highest, self.newest, key=_memory)
            return
        self.due = at + self.every
        if _memory(self.highest) > max(memory, _memory(self.taken[-1]) if self.taken else 0):
            self.taken.append(self.highest)
        self.taken.append(self.newest)
        self.highest = [0.0, 0.0, 0, 0, 0]
        if len(self.taken) > KEPT:
            self.taken = [max(self.taken[first : first + 2], key=_memory) for first in range(0, len(self.taken), 2)]
            self.every *= 2

    def told(self, memory: int) -> None:
        """What a process tells at its end of the most that it ever used, which no look may have found."""
        at = round(time.monotonic() - self.began, 3)
        self.highest = max(self.highest, [at, self.newest[1], memory, *self.newest[3:]], key=_memory)

    def take(self) -> list[list[float]]:
        """Those since this was last asked."""
        taken, self.taken, self.every = self.taken, [], EVERY
        return taken


def _memory(look: list[float]) -> float:
    return look[2]
