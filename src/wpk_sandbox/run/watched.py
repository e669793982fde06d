"""Puts what was seen while a step ran into its result, and says what of all that fails the package."""

from collections.abc import Iterable
from dataclasses import replace

from wpk_sandbox.finding import Severity
from wpk_sandbox.run.escapes import escapes
from wpk_sandbox.run.measured import measured
from wpk_sandbox.run.pressure import abuse, warnings
from wpk_sandbox.run.result import StepResult
from wpk_sandbox.run.signatures import signatures
from wpk_sandbox.run.watcher import Seen, distinct_attempts, distinct_events
from wpk_sandbox.sandbox.sandbox import Answer, Attempt, Limits, SecurityEvent, Threat

WARN, FAIL = "warn", "fail"
# No runbook does these by chance.
_MEANT = (Threat.ESCAPE, Threat.SIGNATURE)


def watched(result: StepResult, seen: Seen, limits: Limits, timeout: float) -> StepResult:
    """The result with the network, the events, the usage and the warnings of the step. `timeout` is its own."""
    said = "\n".join((result.stdout, result.stderr))
    network, unlisted = distinct_attempts(seen.network)
    kernel_told = any(event.threat is Threat.ESCAPE for event in seen.events)
    events = (
        *seen.events,
        *signatures(seen.network, said),
        *abuse(result, seen.shell, limits),
        *escapes(said, kernel_told=kernel_told),
    )
    output = len(said.encode("utf-8", "replace")) - 1
    usage = replace(seen.usage, output_bytes=output) if measured(seen.usage) else None
    return replace(
        result,
        network=network,
        events=distinct_events(events, unlisted),
        usage=usage,
        samples=seen.samples,
        warnings=tuple(warnings(result, seen.shell, limits, timeout)),
    )


def violation(network: Iterable[Attempt], events: Iterable[SecurityEvent], on_violation: str) -> str:
    """What of it fails the package, in one line, worst first; empty where nothing does.

    `warn` lets a package call out, since runbooks do that for good reasons; escape attempts and known attacks of
    high severity are never let pass. `fail` lets nothing pass that was refused or is of medium severity.
    """
    strict = on_violation == FAIL
    grave = [event for event in events if _fails(event, strict)]
    if grave:
        worst = max(grave, key=lambda event: event.severity.rank)
        return f"{worst.severity} {worst.threat}: {worst.message}"
    refused = [attempt for attempt in network if attempt.answer is Answer.REFUSED]
    if strict and refused:
        first = refused[0]
        port = f":{first.port}" if first.port is not None else ""
        return f"{Threat.NETWORK}: tried {first.name or first.address}{port}"
    return ""


def _fails(event: SecurityEvent, strict: bool) -> bool:
    if strict:
        return event.severity.rank >= Severity.MEDIUM.rank
    return event.threat in _MEANT and event.severity.rank >= Severity.HIGH.rank
