"""What a sandbox saw as findings at their steps' lines, for the forms that know nothing but findings.

Their messages hold no process numbers, counts or made-up addresses, so that a reader that remembers findings knows
the same one again after the next run.
"""

from collections.abc import Iterator
from dataclasses import replace

from wpk_sandbox.finding import Finding, Location, Rule, Severity
from wpk_sandbox.report import seen
from wpk_sandbox.run.result import PackageResult
from wpk_sandbox.sandbox.sandbox import Answer, Attempt, SecurityEvent, Threat

ESCAPE = Rule(
    "run-escape",
    Severity.HIGH,
    "A step tried to leave the sandbox",
    "While it ran, a command tried something that has no use but to leave its sandbox or to gain rights: a mount, a"
    " namespace, a device, the socket of a container runtime. The sandbox refused it; in production nothing would.",
    "Remove it from the runbook. A system-level runbook that needs it belongs into `--sandbox vm`.",
    cwe=250,
)
NETWORK = Rule(
    "run-network",
    Severity.MEDIUM,
    "A step tried to reach the network",
    "While it ran, a command tried to reach something outside. The sandbox has no network, so it was refused, and"
    " what the runbook does with an answer was not tried.",
    "Give the outside's answer as a mock, or allow the host in `sandbox.network.allow`, where the call is meant.",
    cwe=918,
)
ABUSE = Rule(
    "run-abuse",
    Severity.LOW,
    "A step used up what it may use",
    "While it ran, a command went on taking processes, memory, output, files or time until a limit ended it.",
    "Bound what the command does, or raise the limit in `sandbox.limits` where it is meant.",
    cwe=400,
)
SIGNATURE = Rule(
    "run-signature",
    Severity.MEDIUM,
    "A step did what known attacks do",
    "What a command tried to reach, or said, has the shape of a known attack: asking for a cloud's credentials,"
    " calling a pool of miners, a shell that calls back, data sent out in names.",
    "Find out where the command comes from. What is meant for good can be mocked or allowed by name.",
    cwe=506,
)
RUN_RULES = (ESCAPE, NETWORK, ABUSE, SIGNATURE)
_RULES = {Threat.ESCAPE: ESCAPE, Threat.NETWORK: NETWORK, Threat.ABUSE: ABUSE, Threat.SIGNATURE: SIGNATURE}


def violations(package: PackageResult) -> Iterator[Finding]:
    """Each thing that was refused or stopped, at the line of its step; between the steps at the file's first."""
    for step in seen.steps(package):
        yield from _findings(step.network, step.events, step.location, step.label)
    yield from _findings(package.network, package.events, Location(package.path), "what the steps left running")


def _findings(
    network: tuple[Attempt, ...], events: tuple[SecurityEvent, ...], place: Location, who: str
) -> Iterator[Finding]:
    for event in seen.told_apart(events, network):
        rule = _RULES[event.threat]
        yield Finding(rule.id, event.severity, f"{who}: {event.message}", place, rule.fix, rule.cwe)
    for call in seen.calls(network, events):
        if call.answer is Answer.REFUSED:
            found = NETWORK.at(place, f"{who}: {call.what}, which was refused")
            yield replace(found, severity=call.severity or found.severity)
