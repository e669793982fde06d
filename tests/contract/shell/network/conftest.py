"""Shells with a gate: what has a route answers, and a script inside says what came of each attempt."""

import socket
from collections.abc import Iterator
from textwrap import dedent

import pytest
from gate_image import gate_image
from shell_suite import LIMITS, PROVIDERS, Kind
from tried import Tried, Try

from wpk_sandbox.sandbox.sandbox import Answer, Network, Route, SandboxSpec, Shell


def greet(stream: socket.socket) -> None:
    with stream:
        asked = stream.recv(1000)
        stream.sendall(b"you said " + asked)


def echo(stream: socket.socket) -> None:
    with stream:
        while chunk := stream.recv(65536):
            stream.sendall(chunk)


ROUTES = (
    Route("*.example.com", 80, Answer.MOCKED, greet),
    Route("echo.test", 7, Answer.ALLOWED, echo),
    Route("10.1.2.3", 5432, Answer.ALLOWED, greet),
    Route("fd00::1", 80, Answer.CLUSTER, greet),
    Route("localhost", 90, Answer.MOCKED, greet),
)

# Each has a Python, which says more exactly than any program what came of an attempt.
SHELLS = [
    pytest.param("bubblewrap", marks=pytest.mark.needs("bwrap"), id="bubblewrap"),
    pytest.param("docker", marks=pytest.mark.needs("docker"), id="docker"),
]


@pytest.fixture(scope="module", params=SHELLS)
def gated(request: pytest.FixtureRequest) -> Kind:
    image = gate_image() if request.param == "docker" else ""
    network = Network(
        routes=ROUTES, gate_image=image, environment={"GIVEN": "42"}, files={"/tmp/ca.pem": "trust me\n"}
    )
    return Kind(
        PROVIDERS[request.param], SandboxSpec(shell_image=image, limits=LIMITS, network=network, pull=False)
    )


@pytest.fixture(scope="module")
def shell(gated: Kind) -> Iterator[Shell]:
    with gated.open() as opened:
        yield opened


@pytest.fixture
def attempt(shell: Shell) -> Try:
    """Runs a Python script inside that has `began`, `socket` and `tried(what)`, which prints what came of it."""
    head = """
        import socket, struct, time
        def tried(what):
            began = time.monotonic()
            try:
                said = what()
            except OSError as error:
                said = type(error).__name__ if error.errno is None or error.errno < 0 else error.strerror
            late = " late" if time.monotonic() - began > 1 else ""
            print(f"{said}{late}")
        def connected(address, family=socket.AF_INET):
            with socket.socket(family) as opened:
                opened.settimeout(5)
                opened.connect(address)
                opened.sendall(b"hello")
                return opened.recv(100).decode()
        def sent(address, family=socket.AF_INET):
            with socket.socket(family, socket.SOCK_DGRAM) as opened:
                opened.settimeout(5)
                opened.connect(address)
                opened.send(b"hello")
                return opened.recv(100)
    """

    def run(script: str) -> Tried:
        shell.observed()
        source = dedent(head) + dedent(script)
        completed = shell.run('python3 -I -c "$SOURCE"', environment={"SOURCE": source}, timeout=60)
        assert completed.exit_code == 0, completed
        return Tried(completed.stdout.strip(), shell.observed())

    return run
