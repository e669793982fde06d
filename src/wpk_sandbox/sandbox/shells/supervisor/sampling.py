"""Looks at what is used that are kept until somebody asks for them."""

import time

# Seconds between two samples, and how many are kept; when there are more, every second one goes.
EVERY = 0.5
KEPT = 512


class Samples:
    """A bounded series of looks, each a list: seconds since the start, CPU seconds, memory, processes, stored."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.taken: list[list[float]] = []
        self.every = EVERY
        self.due = self.began

    def add(self, cpu: float, memory: int, processes: int, stored: int, *, now: bool = False) -> None:
        """Keep a look when it is time for one."""
        at = time.monotonic()
        if at < self.due and not now:
            return
        self.due = at + self.every
        self.taken.append([round(at - self.began, 3), round(cpu, 3), memory, processes, stored])
        if len(self.taken) > KEPT:
            self.taken = self.taken[::2]
            self.every *= 2

    def take(self) -> list[list[float]]:
        """Those since this was last asked."""
        taken, self.taken, self.every = self.taken, [], EVERY
        return taken
