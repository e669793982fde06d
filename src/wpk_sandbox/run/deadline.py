"""Nested time limits: step inside handler inside package inside run, on a clock that is given."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from wpk_sandbox.package.units import human_seconds
from wpk_sandbox.run.result import Limit

# Limits of one length start a moment apart; a reader takes them for one, and the inner is named.
SAME = 0.05

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Clock:
    """Where time comes from: `now` in seconds that only grow, and a way to let them pass."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Pace:
    """How often we look whether something has happened: the first pause and the longest, in seconds."""

    first: float = 0.2
    longest: float = 1.0


class OutOfTimeError(Exception):
    """A limit ran out; `limit` is the innermost that did so first, None for a bound that the author chose."""

    def __init__(self, limit: Limit | None, seconds: float) -> None:
        super().__init__(f"the {limit or 'timeout'} of {human_seconds(seconds)} ran out")
        self.limit = limit
        self.seconds = seconds


@dataclass(frozen=True)
class Deadline:
    """A point in time within outer ones. `limit` is None for a `timeout` that belongs to the action itself."""

    limit: Limit | None
    seconds: float
    at: float
    clock: Clock
    outer: "Deadline | None" = None

    @classmethod
    def start(cls, limit: Limit, seconds: float, clock: Clock = Clock()) -> "Deadline":
        """The outermost deadline, from now on."""
        return cls(limit, seconds, clock.now() + seconds, clock)

    def within(self, limit: Limit | None, seconds: float) -> "Deadline":
        """A deadline inside this one, from now on."""
        return Deadline(limit, seconds, self.clock.now() + seconds, self.clock, self)

    @property
    def first(self) -> "Deadline":
        """The one of the nest that runs out first; the inner one where two run out together."""
        earlier = self.outer.first if self.outer else self
        return earlier if earlier.at < self.at - SAME else self

    def remaining(self) -> float:
        """Seconds until the first of the nest runs out, never below 0."""
        return max(0.0, self.first.at - self.clock.now())

    def check(self) -> None:
        """Raise `OutOfTimeError` when no time is left."""
        if self.remaining() <= 0:
            raise self.error()

    def error(self) -> OutOfTimeError:
        """The error that names the limit which runs out first."""
        return OutOfTimeError(self.first.limit, self.first.seconds)

    def sleep(self, seconds: float) -> None:
        """Wait, but not beyond the deadline; raises `OutOfTimeError` when it comes first."""
        self.clock.sleep(min(seconds, self.remaining()))
        self.check()

    def until(self, look: Callable[[], Answer | None], pace: Pace = Pace()) -> Answer:
        """Look again and again until there is an answer; raises `OutOfTimeError`."""
        for pause in _pauses(pace):
            answer = look()
            if answer is not None:
                return answer
            self.sleep(pause)
        raise AssertionError("unreachable")


def _pauses(pace: Pace) -> Iterator[float]:
    pause = pace.first
    while True:
        yield pause
        pause = min(pause * 1.5, pace.longest)
