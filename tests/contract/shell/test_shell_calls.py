"""Denied system calls fail, and are told with their process."""

from collections.abc import Callable

import pytest
from shell_suite import Kind

from wpk_sandbox.finding import Severity
from wpk_sandbox.sandbox.sandbox import Completed, SecurityEvent, Shell, Threat

Run = Callable[..., Completed]


@pytest.fixture(autouse=True)
def _supervised(kind: Kind, shell: Shell) -> None:
    if kind.provider.name == "docker":
        pytest.skip("Docker's daemon does not tell of denied calls")
    shell.observed()


def events(shell: Shell) -> dict[str, SecurityEvent]:
    """The security events since the last look, by the first word of what proves them."""
    return {event.evidence.partition("(")[0]: event for event in shell.observed().events}


def test_ordinary_commands_leave_no_event(sh: Run, shell: Shell) -> None:
    sh("ls / | sort | head -3; id; date; python3 -c 'import threading, subprocess'; ps; df; mktemp")
    assert events(shell) == {}


@pytest.mark.usefixtures("namespaces")
def test_sockets_of_a_closed_network_leave_no_event(sh: Run, shell: Shell) -> None:
    assert sh('python3 -c "import socket; [socket.socket(family) for family in (1, 2, 10)]"').exit_code == 0
    assert events(shell) == {}


def test_namespaces_are_denied_and_told_with_the_process(sh: Run, shell: Shell) -> None:
    completed = sh("unshare -U true; unshare -n true")
    assert "Operation not permitted" in completed.stderr
    event = events(shell)["unshare"]
    assert (event.threat, event.severity, event.count) == (Threat.ESCAPE, Severity.HIGH, 2)
    assert event.process.startswith("unshare (")


def test_event_is_told_once(sh: Run, shell: Shell) -> None:
    sh("unshare -U true")
    assert "unshare" in events(shell)
    assert events(shell) == {}


def test_background_process_of_an_earlier_command_is_still_told(sh: Run, shell: Shell) -> None:
    sh("(sleep 0.7; unshare -U true) >/dev/null 2>&1 &")
    assert events(shell) == {}
    sh("sleep 1")
    assert "unshare" in events(shell)


def test_sockets_of_the_kernel_are_told_with_their_family(sh: Run, shell: Shell) -> None:
    completed = sh('python3 -c "import socket; socket.socket(38, 5, 0)"')
    assert "PermissionError" in completed.stderr
    assert "AF_ALG" in events(shell)["socket"].evidence


FLOOD = """python3 -c "
import ctypes
call = ctypes.CDLL(None).unshare
for _ in range(30000): call(0x10000000)
print('through')
" """


def test_flood_of_denied_calls_is_counted_and_stalls_nothing(sh: Run, shell: Shell) -> None:
    completed = sh(FLOOD, timeout=30)
    assert (completed.exit_code, completed.stdout) == (0, "through\n")
    told = shell.observed().events
    assert len(told) == 2
    assert told[0].count == 20_000, "each of them, up to a bound"
    assert "too many" in told[1].message
    assert sh("echo usable").stdout == "usable\n"


def test_flood_does_not_outlive_its_deadline(sh: Run) -> None:
    completed = sh(FLOOD.replace("30000", "10**9"), timeout=1)
    assert completed.exit_code is None
    assert completed.seconds < 5


MANY_KINDS = """python3 -c "
import ctypes
libc = ctypes.CDLL(None)
for number in range(300):
    libc.prctl(15, b'name-%d' % number)
    libc.unshare(0x10000000)
" """


def test_many_names_of_processes_are_bounded(sh: Run, shell: Shell) -> None:
    sh(MANY_KINDS)
    told = shell.observed().events
    assert len(told) == 65
    assert sum(event.count for event in told) == 300


def test_process_that_is_killed_while_it_waits_harms_nobody(sh: Run, shell: Shell) -> None:
    sh(
        'for i in 1 2 3 4 5 6 7 8; do python3 -c "import os\nwhile True: os.unshare(1)" 2>&1 & done; sleep 0.5; kill -9 -1'
    )
    assert sh("echo usable").stdout == "usable\n"


def test_filter_cannot_be_taken_off(sh: Run) -> None:
    assert sh("unshare -U true; grep Seccomp: /proc/self/status").stdout.split() == ["Seccomp:", "2"]
