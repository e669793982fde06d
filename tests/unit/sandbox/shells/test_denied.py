"""What a report is told of denied system calls."""

import platform
from typing import Any

import pytest

from wpk_sandbox.finding import Severity
from wpk_sandbox.sandbox.sandbox import Threat
from wpk_sandbox.sandbox.seccomp.bpf import ARCHITECTURES
from wpk_sandbox.sandbox.seccomp.numbers import NUMBERS
from wpk_sandbox.sandbox.seccomp.table import reasons
from wpk_sandbox.sandbox.shells.denied import events

MACHINE = platform.machine()
pytestmark = pytest.mark.skipif(MACHINE not in ARCHITECTURES, reason="no table for this machine")


def call(name: str, *arguments: int, **changes: Any) -> dict[str, Any]:
    found = {
        "number": NUMBERS[MACHINE][name],
        "architecture": ARCHITECTURES[MACHINE],
        "arguments": [*arguments, 0, 0, 0][:3],
        "process": "sh",
        "id": 7,
        "count": 3,
    }
    return {**found, **changes}


@pytest.mark.parametrize(
    ("counted", "threat", "severity", "evidence"),
    [
        (call("mount"), Threat.ESCAPE, Severity.HIGH, "mount(…) was denied with EPERM"),
        (call("unshare", 0x10000000), Threat.ESCAPE, Severity.HIGH, "unshare(0x10000000) was denied with EPERM"),
        (call("sethostname"), Threat.ESCAPE, Severity.MEDIUM, "sethostname(…) was denied with EPERM"),
        (
            call("socket", 38, 5),
            Threat.ESCAPE,
            Severity.HIGH,
            "socket(0x26, 0x5, 0x0) was denied with EPERM (AF_ALG)",
        ),
        (
            call("socket", 2, 3),
            Threat.NETWORK,
            Severity.MEDIUM,
            "socket(0x2, 0x3, 0x0) was denied with EPERM (AF_INET)",
        ),
    ],
    ids=["mount", "unshare", "administration", "kernel socket", "raw socket"],
)
def test_event_of_a_call(counted: dict[str, Any], threat: Threat, severity: Severity, evidence: str) -> None:
    (event,) = events([counted], 0, reasons())
    assert (event.threat, event.severity, event.evidence) == (threat, severity, evidence)
    assert (event.process, event.count) == ("sh (7)", 3)


def test_reason_is_that_of_the_table() -> None:
    (event,) = events([call("bpf")], 0, reasons())
    assert event.message == f"the system call bpf was denied: it {reasons()['bpf']}"


def test_call_of_another_architecture_is_not_named_by_this_ones_table() -> None:
    (event,) = events([call("mount", architecture=0x4000_0003)], 0, reasons())
    assert event.severity is Severity.HIGH
    assert "mount" not in event.message + event.evidence
    assert "0x40000003" in event.evidence


def test_what_was_not_kept_apart_is_counted() -> None:
    (event,) = events([], 12, reasons())
    assert event.count == 12


def test_nothing_denied_is_no_event() -> None:
    assert events([], 0, reasons()) == ()
