"""The gate of a virtual machine: what root tries is refused and told, what has a route answers."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from gate_image import gate_image
from shell_suite import BUSYBOX, LIMITS, Kind

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.sandbox import Answer, Attempt, Completed, Network, Route, SandboxSpec, Shell
from wpk_sandbox.sandbox.shells.qemu.provider import QEMU

pytestmark = pytest.mark.needs("qemu")

Run = Callable[[str], Completed]
HOST = "api.example.com"


def _serve(connection: socket.socket) -> None:
    with connection:
        connection.sendall(b"heard " + connection.recv(100))


ROUTES = (Route(HOST, 80, Answer.MOCKED, _serve),)
CONNECT = (
    'python3 -c \'import socket as s; c = s.create_connection(("{0}", {1}), 30); '
    'c.sendall(b"hello"); print(c.recv(100).decode())\''
)


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    limits = replace(LIMITS, step_memory=256 * 1024**2)
    spec = SandboxSpec(shell_image=gate_image(), limits=limits, network=Network(routes=ROUTES))
    with Kind(QEMU, spec).open() as opened:
        yield opened


@pytest.fixture
def run(shell: Shell) -> Run:
    shell.observed()
    return lambda command: shell.run(command, environment={}, timeout=90)


def test_route_answers_and_is_told(run: Run, shell: Shell) -> None:
    assert run(CONNECT.format(HOST, 80)).stdout == "heard hello\n"
    answered = [attempt for attempt in shell.observed().attempts if attempt.protocol == "tcp"]
    assert [(attempt.name, attempt.port, attempt.answer) for attempt in answered] == [(HOST, 80, Answer.MOCKED)]


def test_everything_else_is_refused_and_told_with_its_process(run: Run, shell: Shell) -> None:
    completed = run(CONNECT.format("192.0.2.10", 443))
    assert completed.exit_code == 1
    assert "refused" in completed.stderr
    seen = shell.observed()
    (attempt,) = seen.attempts
    assert replace(attempt, process="") == Attempt("tcp", "192.0.2.10", 443)
    assert attempt.process.startswith("python3 (")
    assert "192.0.2.10" in seen.events[0].message


def test_evidence_holds_with_a_gate_and_is_nobodys_attempt(shell: Shell) -> None:
    assert [item for item in shell.evidence() if not item.held] == []
    assert "each attempt recorded" in shell.details
    assert shell.observed().attempts == ()


def test_what_ends_every_process_does_not_end_the_gate(run: Run, shell: Shell) -> None:
    run("kill -9 -1")
    run(CONNECT.format("192.0.2.11", 80))
    assert [attempt.address for attempt in shell.observed().attempts] == ["192.0.2.11"]


def test_image_without_python_has_no_gate_and_says_so() -> None:
    kind = Kind(QEMU, SandboxSpec(shell_image=BUSYBOX, limits=LIMITS))
    with kind.open() as shell:
        refused = shell.run("nc -w 5 192.0.2.10 80", environment={}, timeout=90)
        assert refused.exit_code == 1
        assert "unreachable" in refused.stderr
        assert "not recorded: the image holds no python3" in shell.details


def test_routes_without_python_are_refused() -> None:
    kind = Kind(QEMU, SandboxSpec(shell_image=BUSYBOX, limits=LIMITS, network=Network(routes=ROUTES)))
    with pytest.raises(SandboxError, match="routes cannot be had"), kind.open():
        pass
