"""The words for what a sandbox saw: what was tried, what was stopped, which limits came near."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from wpk_sandbox.finding import Severity
from wpk_sandbox.report.phrases import count, size
from wpk_sandbox.run.result import PackageResult, Requirements, StepResult
from wpk_sandbox.sandbox.sandbox import Answer, Attempt, SecurityEvent, Threat, Usage

# What the gate gives out for the names of routes; as an address it says nothing to a reader.
_GIVEN_OUT = ip_network("198.18.0.0/15")
_MOST_PROCESSES = 2
# Whose doing it is when no step runs.
AFTER = "after the steps"


@dataclass(frozen=True)
class Call:
    """One target with one answer, however often and by whomever it was tried; the addresses of a name are one."""

    what: str
    answer: Answer
    processes: tuple[str, ...]
    count: int
    severity: Severity | None = None

    @property
    def came_to(self) -> str:
        """`refused`, or `refused, high` where it is worse than to call out."""
        grave = self.severity is not None and self.severity.rank >= Severity.HIGH.rank
        return f"{self.answer}, {self.severity}" if grave else str(self.answer)

    def __str__(self) -> str:
        return f"{self.what} ({self.came_to}){times(self.count)}{_by(self.processes)}"


def calls(attempts: Sequence[Attempt], events: Sequence[SecurityEvent] = ()) -> list[Call]:
    """What a reader wants to know of the attempts, refused ones first; `events` say how bad each was.

    Left out is what only led to another: the question for the name of a host that was then called, the connection
    beneath a call to a mock; and calls to the sandbox's own cluster, which are what a runbook is for.
    """
    called = {attempt.name for attempt in attempts if attempt.protocol not in ("dns", "http", "https")}
    mocked = {_host(attempt) for attempt in attempts if attempt.protocol in ("http", "https")}
    found: dict[tuple[str, Answer], list[Attempt]] = {}
    for attempt in attempts:
        asked_first = attempt.protocol == "dns" and attempt.name in called
        beneath = attempt.protocol == "tcp" and attempt.answer is Answer.MOCKED and attempt.name in mocked
        if not asked_first and not beneath and attempt.answer is not Answer.CLUSTER:
            found.setdefault((what(attempt), attempt.answer), []).append(attempt)
    merged = [
        Call(
            tried,
            answer,
            tuple(dict.fromkeys(one.process for one in group if one.process)),
            sum(one.count for one in group),
            _worst(group, events),
        )
        for (tried, answer), group in found.items()
    ]
    return sorted(merged, key=_order)


def _order(call: Call) -> tuple[int, int]:
    """Refused ones first, and of them the worst."""
    return list(Answer).index(call.answer), -call.severity.rank if call.severity else 0


def _worst(attempts: Iterable[Attempt], events: Sequence[SecurityEvent]) -> Severity | None:
    told = [each for attempt in attempts if (each := severity(attempt, events)) is not None]
    return max(told, key=lambda each: each.rank, default=None)


def severity(attempt: Attempt, events: Iterable[SecurityEvent]) -> Severity | None:
    """How bad it was to try this; None for what was answered."""
    if attempt.answer is not Answer.REFUSED:
        return None
    told = [event.severity for event in events if _restates(event, attempt)]
    return max(told, key=lambda each: each.rank, default=Severity.MEDIUM)


def told_apart(events: Sequence[SecurityEvent], network: Sequence[Attempt]) -> list[SecurityEvent]:
    """The events without those that say of an attempt what stands there already."""
    return [event for event in events if not any(_restates(event, attempt) for attempt in network)]


def _restates(event: SecurityEvent, attempt: Attempt) -> bool:
    if event.threat is not Threat.NETWORK or event.process != attempt.process:
        return False
    return any(part and part in event.message for part in (attempt.name, attempt.address))


def what(attempt: Attempt) -> str:
    """`tried api.example.com:443`, `looked up api.example.com`, `POST https://hooks.example.com/x`."""
    if attempt.protocol in ("http", "https"):
        return target(attempt)
    if attempt.protocol == "dns":
        return f"looked up {attempt.name}"
    verb = "tried" if attempt.answer is Answer.REFUSED else "reached"
    return f"{verb} {target(attempt)}"


def target(attempt: Attempt) -> str:
    """`api.example.com:443`, `192.0.2.10:123/udp`, `[2001:db8::1]:443`, `2001:db8::1 by icmp`."""
    where = attempt.name or attempt.address or "an unknown target"
    if attempt.protocol in ("http", "https"):
        return where
    if attempt.port is None:
        return f"{where} by {attempt.protocol}" if attempt.protocol != "dns" else where
    where = f"[{where}]" if ":" in where and not attempt.name else where
    return f"{where}:{attempt.port}" + ("" if attempt.protocol == "tcp" else f"/{attempt.protocol}")


def address(attempt: Attempt) -> str:
    """The address, where it is one of the outside and not one that the gate made up for a name."""
    try:
        made_up = ip_address(attempt.address) in _GIVEN_OUT
    except ValueError:
        return attempt.address
    return "" if made_up and attempt.name else attempt.address


def event(seen: SecurityEvent) -> str:
    """`tried to mount a file system ×2, mount (33): mount(2) refused`, without what kind of event it is."""
    process = f", {seen.process}" if seen.process else ""
    evidence = f": {seen.evidence}" if seen.evidence and seen.evidence not in seen.message else ""
    return f"{seen.message}{times(seen.count)}{process}{evidence}"


def kind(seen: SecurityEvent) -> str:
    """`high escape attempt`."""
    return f"{seen.severity} {seen.threat}"


def times(number: int) -> str:
    """` ×3` of what was more than once."""
    return f" ×{number}" if number > 1 else ""


def steps(package: PackageResult) -> tuple[StepResult, ...]:
    """The steps of the run and of the rollback."""
    return (*package.steps, *package.rollback.steps)


def attempts(package: PackageResult) -> tuple[Attempt, ...]:
    """All of a package, those between its steps last."""
    return (*(one for step in steps(package) for one in step.network), *package.network)


def events(package: PackageResult) -> tuple[SecurityEvent, ...]:
    """All of a package, worst first."""
    return tuple(event for _, event in events_by_step(package))


def calls_by_step(package: PackageResult) -> list[tuple[str, Call]]:
    """Each target with the step that tried it, refused ones first."""
    rows = [(step.label, call) for step in steps(package) for call in calls(step.network, step.events)]
    rows += [(AFTER, call) for call in calls(package.network, package.events)]
    return sorted(rows, key=lambda row: _order(row[1]))


def events_by_step(package: PackageResult) -> list[tuple[str, SecurityEvent]]:
    """Each event with its step, worst first."""
    rows = [(step.label, event) for step in steps(package) for event in told_apart(step.events, step.network)]
    rows += [(AFTER, event) for event in told_apart(package.events, package.network)]
    return sorted(rows, key=lambda row: -row[1].severity.rank)


def network_tally(package: PackageResult) -> str:
    """`5 targets refused, 1 mocked`; empty where nothing was tried."""
    by = Counter(call.answer for call in calls(attempts(package)))
    refused = [f"{count(by[Answer.REFUSED], 'target')} refused"] if by[Answer.REFUSED] else []
    others = [f"{by[answer]} {answer}" for answer in (Answer.MOCKED, Answer.ALLOWED) if by[answer]]
    return ", ".join([*refused, *others])


def events_tally(package: PackageResult) -> str:
    """`2 high escape attempts, 1 low resource abuse`; empty where nothing was seen."""
    by = Counter((kind(one), one.threat) for one in events(package))
    return ", ".join(
        count(number, words, words if threat is Threat.ABUSE else "") for (words, threat), number in by.items()
    )


def is_grave(seen: SecurityEvent) -> bool:
    """True from high severity on."""
    return seen.severity.rank >= Severity.HIGH.rank


def requirements(suggested: Requirements) -> dict[str, str]:
    """What to write below `requirements:`, as far as it was measured."""
    known = {"cpu": suggested.cpu, "memory": suggested.memory, "storage": suggested.storage}
    # A parameter has braces, which end a mapping in YAML.
    return {name: value if value.isalnum() else json.dumps(value) for name, value in known.items() if value}


def requirements_line(suggested: Requirements) -> str:
    """`requirements: {cpu: 100m, memory: 64Mi}`."""
    inside = ", ".join(f"{name}: {value}" for name, value in requirements(suggested).items())
    return f"requirements: {{{inside}}}"


def requirements_yaml(suggested: Requirements) -> str:
    """The same where it stands in a package."""
    return f"spec:\n  runtime:\n    {requirements_line(suggested)}"


def usage_details(used: Usage) -> list[str]:
    """What is worth telling beside CPU, memory and processes."""
    parts: list[str] = []
    if used.throttled_seconds is not None and used.throttled_seconds >= 0.1:
        parts.append(f"held back for {used.throttled_seconds:.1f} s by the CPU limit")
    for number, words in (
        (used.stored_peak, "of files at most"),
        (used.read_bytes, "read from disks"),
        (used.written_bytes, "written to disks"),
        (used.output_bytes, "of output"),
    ):
        if number:
            parts.append(f"{size(number)} {words}")
    if used.out_of_memory:
        parts.append(count(used.out_of_memory, "kill", "kills") + " for want of memory")
    return parts


def _host(attempt: Attempt) -> str:
    url = attempt.name.partition(" ")[2]
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _by(processes: Iterable[str]) -> str:
    names = list(processes)
    more = len(names) - _MOST_PROCESSES
    shown = "".join(f", {name}" for name in names[:_MOST_PROCESSES])
    return shown + (f" and {more} more" if more > 0 else "")
