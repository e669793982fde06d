"""Asks the halves of a sandbox what happened in them, and knows what of it is new."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from wpk_sandbox.errors import UnavailableError
from wpk_sandbox.finding import Severity
from wpk_sandbox.run.deadline import Clock
from wpk_sandbox.run.measured import added, one_after_another, together
from wpk_sandbox.sandbox.sandbox import Attempt, Observed, Sample, SecurityEvent, Threat, Usage

# What comes so soon after a look, in seconds, needs no look of its own.
SOON = 0.05
# More than anybody reads, and more than an ordinary step tries; a hostile one must not fill the report.
MOST_ATTEMPTS = 200
MOST_EVENTS = 50

_Counted = TypeVar("_Counted", Attempt, SecurityEvent)


class Half(Protocol):
    """A part of the sandbox that can be asked."""

    def observed(self) -> Observed:
        """What happened since this was last asked."""


@dataclass(frozen=True)
class Seen:
    """What is new since the last look. `usage` is what all halves used meanwhile, `shell` what the shell did."""

    network: tuple[Attempt, ...] = ()
    events: tuple[SecurityEvent, ...] = ()
    usage: Usage = Usage()
    samples: tuple[Sample, ...] = ()
    shell: Usage = Usage()
    shell_samples: tuple[Sample, ...] = ()

    def __add__(self, later: "Seen") -> "Seen":
        return Seen(
            (*self.network, *later.network),
            (*self.events, *later.events),
            one_after_another((self.usage, later.usage)),
            (*self.samples, *later.samples),
            one_after_another((self.shell, later.shell)),
            (*self.shell_samples, *later.shell_samples),
        )


class Watcher:
    """What is new at each look, on one clock that starts with the watcher: `at` of samples is seconds since then.

    `aside` holds what belongs to no step, `trouble` why a half could not be asked the last time. `emulated` is true
    where the shell's seconds of CPU say nothing of those elsewhere.
    """

    def __init__(self, shell: Half | None, others: Iterable[Half] = (), clock: Clock | None = None) -> None:
        self._shell = shell
        self._halves = [*([shell] if shell else []), *others]
        self._totals = {number: Usage() for number in range(len(self._halves))}
        self._latest: dict[int, Sample] = {}
        self._clock = clock or Clock()
        self._began = self._asked = self._clock.now()
        self.aside = Seen()
        self.trouble: UnavailableError | None = None
        self.emulated = False
        # What opening and measuring it took is nobody's.
        self.look()

    @property
    def now(self) -> float:
        """Seconds since the watcher began."""
        return self._clock.now() - self._began

    def set_aside(self) -> None:
        """Keep what is new for the package, because no step runs."""
        if self._halves and self._clock.now() - self._asked > SOON:
            self.aside += self.look()

    def look(self) -> Seen:
        """Everything new."""
        looks = [(number, self._ask(number)) for number in self._totals]
        self._asked = self._clock.now()
        used = {number: self._added(number, observed) for number, observed in looks}
        mine = [observed for number, observed in looks if number == 0 and self._shell]
        self.emulated = self.emulated or any(observed.emulated for observed in mine)
        return Seen(
            network=tuple(attempt for _, observed in looks for attempt in observed.attempts),
            events=tuple(event for _, observed in looks for event in observed.events),
            usage=together(used.values()),
            samples=tuple(self._merged(looks)),
            shell=used[0] if mine else Usage(),
            shell_samples=mine[0].samples if mine else (),
        )

    def _ask(self, number: int) -> Observed:
        try:
            return self._halves[number].observed()
        except UnavailableError as error:
            self.trouble = error
            return Observed(usage=self._totals[number])

    def _added(self, number: int, observed: Observed) -> Usage:
        before, self._totals[number] = self._totals[number], observed.usage
        return added(before, observed.usage, observed.samples)

    def _merged(self, looks: Sequence[tuple[int, Observed]]) -> Iterator[Sample]:
        """The samples of all halves on our clock, each the sum of what was last known of every half."""
        shifted = [
            (round(self.now + sample.at - observed.samples[-1].at, 3), number, sample)
            for number, observed in looks
            for sample in observed.samples
        ]
        for at, number, sample in sorted(shifted, key=lambda row: row[:2]):
            self._latest[number] = sample
            known = self._latest.values()
            yield Sample(
                at,
                round(sum(each.cpu_seconds for each in known), 3),
                sum(each.memory for each in known),
                sum(each.processes for each in known),
                sum(each.stored for each in known),
            )


def distinct_attempts(attempts: Iterable[Attempt]) -> tuple[tuple[Attempt, ...], int]:
    """Each thing that was tried once, with how often; and how many more there were than are kept."""
    every = _counted(attempts)
    return every[:MOST_ATTEMPTS], len(every[MOST_ATTEMPTS:])


def distinct_events(events: Iterable[SecurityEvent], unlisted: int = 0) -> tuple[SecurityEvent, ...]:
    """Each event once, worst first; `unlisted` attempts at the network are told as one.

    Those about the network are counted apart, so that a flood of them hides nothing else.
    """
    every = sorted(_counted(events), key=lambda event: -event.severity.rank)
    of_network = [event for event in every if event.threat is Threat.NETWORK]
    others = [event for event in every if event.threat is not Threat.NETWORK]
    unlisted += len(of_network[MOST_ATTEMPTS:])
    more = [_more(Threat.NETWORK, unlisted, "attempts")] if unlisted else []
    more += [_more(others[-1].threat, len(others[MOST_EVENTS:]), "events")] if others[MOST_EVENTS:] else []
    kept = sorted([*others[:MOST_EVENTS], *of_network[:MOST_ATTEMPTS]], key=lambda event: -event.severity.rank)
    return (*kept, *more)


def _more(threat: Threat, number: int, what: str) -> SecurityEvent:
    return SecurityEvent(threat, Severity.LOW, f"{number} more {what} than are listed")


def _counted(items: Iterable[_Counted]) -> tuple[_Counted, ...]:
    counts: dict[_Counted, int] = {}
    for item in items:
        key = replace(item, count=1)
        counts[key] = counts.get(key, 0) + item.count
    return tuple(replace(key, count=number) for key, number in counts.items())
