"""What the agent counts, over all guests that a shell booted: each begins at nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.sandbox import Sample, Usage


@dataclass(frozen=True)
class Counters:
    """Since the guest's boot, but for `memory` and `processes`, which are now."""

    cpu_seconds: float = 0.0
    memory: int = 0
    memory_peak: int = 0
    processes: int = 0
    out_of_memory: int = 0
    refused_forks: int = 0


def read_counters(words: Iterable[str]) -> Counters:
    """What the agent's `count` said. Raises `SandboxError` when it makes no sense."""
    try:
        micro, *others = (int(word) for word in words)
        memory, peak, processes, kills, refused = others
    except ValueError:
        raise SandboxError("the guest does not make sense") from None
    return Counters(micro / 1e6, memory, peak, processes, kills, refused)


class Meter:
    """Adds up guests. Times of samples are seconds since the shell opened, on the host's clock."""

    def __init__(self) -> None:
        self._now = Counters()
        self._earlier_seconds = 0.0
        self._earlier_kills = 0
        self._booted_at = 0.0
        self._memory_peak = self._processes_peak = self._stored_peak = 0

    def boot(self, at: float) -> None:
        """A new guest begins to count."""
        self._earlier_seconds += self._now.cpu_seconds
        self._earlier_kills += self._now.out_of_memory
        self._now = Counters()
        self._booted_at = at

    def take(self, counters: Counters) -> None:
        """Keep the newest counters."""
        self._now = counters
        self._memory_peak = max(self._memory_peak, counters.memory_peak)
        self._processes_peak = max(self._processes_peak, counters.processes)

    def samples(self, lines: Iterable[str]) -> Iterator[Sample]:
        """What the agent's `sample` said; a line that makes no sense is left out."""
        for line in lines:
            try:
                up, stored, *words = line.split()
                counters, at, used = read_counters(words), self._booted_at + float(up), int(stored)
            except (SandboxError, ValueError):
                continue
            self.take(counters)
            self._stored_peak = max(self._stored_peak, used)
            cpu = self._earlier_seconds + counters.cpu_seconds
            yield Sample(round(at, 3), cpu, counters.memory, counters.processes, used)

    @property
    def usage(self) -> Usage:
        """The most so far."""
        return Usage(
            cpu_seconds=self._earlier_seconds + self._now.cpu_seconds,
            memory_peak=self._memory_peak,
            processes_peak=self._processes_peak,
            stored_peak=self._stored_peak,
            out_of_memory=self._earlier_kills + self._now.out_of_memory,
        )
