"""Whatever a command tries to reach, it is refused at once and told; what has a route answers."""

import ipaddress
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from textwrap import dedent

import pytest
from gate_image import gate_image
from shell_suite import LIMITS, PROVIDERS, Kind

from wpk_sandbox.finding import Severity
from wpk_sandbox.sandbox.sandbox import (
    Answer,
    Completed,
    Ended,
    Network,
    Observed,
    Route,
    SandboxSpec,
    Shell,
    Threat,
)


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

# Refused at once: none of these may wait for an answer that never comes.
AT_ONCE = 1.0


@pytest.fixture(scope="module", params=SHELLS)
def gated(request: pytest.FixtureRequest) -> Kind:
    image = gate_image() if request.param == "docker" else ""
    network = Network(
        routes=ROUTES, gate_image=image, environment={"GIVEN": "42"}, files={"/tmp/ca.pem": "trust me\n"}
    )
    return Kind(
        PROVIDERS[request.param], SandboxSpec(shell_image=image, limits=LIMITS, network=network, pull=False)
    )


@dataclass(frozen=True)
class Tried:
    """What a script printed, and what was observed of it."""

    said: str
    observed: Observed

    @property
    def attempts(self) -> set[tuple[str, str, int | None, str, Answer]]:
        return {(each.protocol, each.address, each.port, each.name, each.answer) for each in self.observed.attempts}


Try = Callable[[str], Tried]


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


def refused(protocol: str, address: str = "", port: int | None = None, name: str = "") -> tuple[object, ...]:
    return (protocol, address, port, name, Answer.REFUSED)


def test_connection_to_an_address_is_refused(attempt: Try) -> None:
    tried = attempt("tried(lambda: connected(('192.0.2.9', 22)))")
    assert tried.said == "Connection refused"
    assert tried.attempts == {refused("tcp", "192.0.2.9", 22)}
    (event,) = tried.observed.events
    assert (event.threat, event.severity) == (Threat.NETWORK, Severity.MEDIUM)
    assert "192.0.2.9 port 22" in event.message


def test_process_is_named(attempt: Try) -> None:
    (seen,) = attempt("tried(lambda: connected(('192.0.2.9', 22)))").observed.attempts
    assert seen.process.startswith("python3")
    assert seen.process.endswith(")")


def test_connection_over_ipv6_is_refused(attempt: Try) -> None:
    tried = attempt("tried(lambda: connected(('2001:db8::9', 443), socket.AF_INET6))")
    assert tried.said == "Connection refused"
    assert tried.attempts == {refused("tcp", "2001:db8::9", 443)}


def test_name_does_not_exist(attempt: Try) -> None:
    tried = attempt("tried(lambda: socket.getaddrinfo('nowhere.invalid.test', 443))")
    assert tried.said == "gaierror"
    assert tried.attempts == {refused("dns", name="nowhere.invalid.test")}


def test_datagram_is_refused(attempt: Try) -> None:
    tried = attempt(
        "tried(lambda: sent(('192.0.2.9', 123)))\ntried(lambda: sent(('2001:db8::9', 123), socket.AF_INET6))"
    )
    assert tried.said.splitlines() == ["Connection refused"] * 2
    assert tried.attempts == {refused("udp", "192.0.2.9", 123), refused("udp", "2001:db8::9", 123)}


def test_ping_is_prohibited(attempt: Try) -> None:
    tried = attempt("""
        def ping():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as opened:
                opened.settimeout(5)
                opened.connect(("192.0.2.9", 0))
                opened.send(struct.pack(">BBHHH", 8, 0, 0, 1, 1))
                return opened.recv(100)
        tried(ping)
    """)
    assert tried.said == "No route to host"
    assert tried.attempts == {refused("icmp", "192.0.2.9")}
    assert "python3" in tried.observed.attempts[0].process


def test_multicast_reaches_nobody_and_is_seen(attempt: Try) -> None:
    tried = attempt("""
        for family, group in ((socket.AF_INET, "224.0.0.251"), (socket.AF_INET6, "ff02::fb")):
            opened = socket.socket(family, socket.SOCK_DGRAM)
            index = socket.if_nametoindex("wpk0")
            tried(lambda: opened.sendto(b"x", (group, 5353) if family == socket.AF_INET else (group, 5353, 0, index)))
    """)
    assert tried.said.splitlines() == ["1", "1"]
    assert tried.attempts == {refused("udp", "224.0.0.251", 5353), refused("udp", "ff02::fb", 5353)}


DNS = """
        question = struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + b"".join(
            bytes([len(part)]) + part.encode() for part in NAME.split(".")) + b"\\0\\0\\1\\0\\1"
"""


@pytest.mark.parametrize("resolver", ["192.0.2.53", "127.0.0.11", "2001:db8::53"])
def test_every_resolver_is_ours(attempt: Try, resolver: str) -> None:
    family = "socket.AF_INET6" if ":" in resolver else "socket.AF_INET"
    tried = attempt(f"""
        NAME = "secret.evil.test"
        {DNS}
        def ask():
            with socket.socket({family}, socket.SOCK_DGRAM) as opened:
                opened.settimeout(5)
                opened.connect(("{resolver}", 53))
                opened.send(question)
                return opened.recv(100)[3] & 15
        tried(ask)
    """)
    if resolver.startswith("127."):
        assert (tried.said, tried.attempts) == ("Connection refused", set())
    else:
        assert tried.said == "3"
        assert tried.attempts == {refused("dns", name="secret.evil.test")}


def test_names_over_tcp_are_answered_by_us_too(attempt: Try) -> None:
    tried = attempt(f"""
        def ask():
            with socket.create_connection(("192.0.2.53", 53), 5) as opened:
                opened.sendall(struct.pack(">H", len(question)) + question)
                length, = struct.unpack(">H", opened.recv(2))
                return opened.recv(length)[3] & 15
        for NAME in ("secret.evil.test", "api.example.com"):
            {DNS.replace("        ", "            ").strip()}
            tried(ask)
    """)
    assert tried.said.splitlines() == ["3", "0"]
    assert tried.attempts == {
        refused("dns", name="secret.evil.test"),
        ("dns", "", None, "api.example.com", Answer.MOCKED),
    }


def test_port_of_names_is_no_way_out_for_other_words(attempt: Try) -> None:
    tried = attempt("tried(lambda: connected(('192.0.2.53', 53)))")
    assert "late" not in tried.said
    assert tried.attempts == {refused("tcp", "192.0.2.53", 53)}


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254"])
def test_metadata_service_is_a_violation_of_high_severity(attempt: Try, address: str) -> None:
    family = "socket.AF_INET6" if ":" in address else "socket.AF_INET"
    tried = attempt(f"tried(lambda: connected(('{address}', 80), {family}))")
    assert tried.said == "Connection refused"
    assert [event.severity for event in tried.observed.events] == [Severity.HIGH]


def test_name_with_a_route_answers(attempt: Try) -> None:
    tried = attempt("tried(lambda: connected(('api.example.com', 80)))")
    assert tried.said == "you said hello"
    address = next(each.address for each in tried.observed.attempts if each.protocol == "tcp")
    assert ipaddress.ip_address(address) in ipaddress.ip_network("198.18.0.0/15")
    assert tried.attempts == {
        ("dns", "", None, "api.example.com", Answer.MOCKED),
        ("tcp", address, 80, "api.example.com", Answer.MOCKED),
    }
    assert tried.observed.events == ()


def test_address_with_a_route_answers(attempt: Try) -> None:
    tried = attempt("""
        tried(lambda: connected(("10.1.2.3", 5432)))
        tried(lambda: connected(("fd00::1", 80), socket.AF_INET6))
    """)
    assert tried.said.splitlines() == ["you said hello"] * 2
    assert tried.attempts == {
        ("tcp", "10.1.2.3", 5432, "", Answer.ALLOWED),
        ("tcp", "fd00::1", 80, "", Answer.CLUSTER),
    }


def test_loopback_with_a_route_answers_at_its_port_alone(attempt: Try) -> None:
    tried = attempt("""
        tried(lambda: connected(("localhost", 90)))
        tried(lambda: connected(("::1", 90), socket.AF_INET6))
        tried(lambda: connected(("localhost", 91)))
    """)
    assert tried.said.splitlines() == ["you said hello"] * 2 + ["Connection refused"]
    assert tried.attempts == {
        ("tcp", "127.0.0.1", 90, "", Answer.MOCKED),
        ("tcp", "::1", 90, "", Answer.MOCKED),
    }
    assert all(each.process.startswith("python3") for each in tried.observed.attempts)


def test_other_ports_of_a_host_with_a_route_are_refused(attempt: Try) -> None:
    tried = attempt("""
        tried(lambda: connected(("10.1.2.3", 5433)))
        tried(lambda: connected(("api.example.com", 443)))
    """)
    assert tried.said.splitlines() == ["Connection refused"] * 2
    assert refused("tcp", "10.1.2.3", 5433) in tried.attempts
    assert [event.severity for event in tried.observed.events] == [Severity.MEDIUM] * 2


def test_large_streams_pass_both_ways_at_once(attempt: Try) -> None:
    tried = attempt("""
        import hashlib, threading
        sent = bytes(range(256)) * 40960
        with socket.create_connection(("echo.test", 7), 30) as opened:
            writer = threading.Thread(target=lambda: (opened.sendall(sent), opened.shutdown(socket.SHUT_WR)))
            writer.start()
            got = b""
            while chunk := opened.recv(65536):
                got += chunk
        print(len(got), got == sent)
    """)
    assert tried.said == "10485760 True"


def test_many_connections_at_once_are_served(attempt: Try) -> None:
    tried = attempt("""
        opened = [socket.create_connection(("echo.test", 7), 10) for _ in range(40)]
        for number, each in enumerate(opened):
            each.sendall(str(number).encode())
        print(all(each.recv(10) == str(number).encode() for number, each in enumerate(opened)))
    """)
    assert tried.said == "True"
    assert max(each.count for each in tried.observed.attempts if each.protocol == "tcp") == 40


def test_connections_beyond_the_bound_are_closed_and_room_comes_back(attempt: Try) -> None:
    script = """
        opened, served = [], 0
        for number in range(COUNT):
            opened.append(socket.create_connection((HOST, PORT), 10))
        for each in opened:
            try:
                each.sendall(MESSAGE)
                served += bool(each.recv(10))
            except OSError:
                pass
        print(served)
    """
    echo = "COUNT, HOST, PORT, MESSAGE = 150, 'echo.test', 7, b'x'"
    assert int(attempt(f"{echo}\n{dedent(script)}").said) == 100
    asking = "COUNT, HOST, PORT, MESSAGE = 30, '192.0.2.53', 53, b'nothing of a question'"
    assert int(attempt(f"{asking}\n{dedent(script)}").said) == 0
    assert attempt("tried(lambda: connected(('api.example.com', 80)))").said == "you said hello"


def test_flood_is_counted_and_the_next_command_is_served(attempt: Try, shell: Shell) -> None:
    tried = attempt("""
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for number in range(5000):
            try:
                opened.sendto(b"x", (f"192.0.2.{number % 250}", 1000 + number))
            except OSError:
                pass
        print("sent")
    """)
    assert tried.said == "sent"
    assert len(tried.observed.attempts) == 500
    assert "more attempts" in tried.observed.events[-1].message
    assert len(tried.observed.attempts) + tried.observed.events[-1].count == 5000
    again = attempt("tried(lambda: connected(('192.0.2.9', 22)))")
    assert (again.said, again.attempts) == ("Connection refused", {refused("tcp", "192.0.2.9", 22)})


def test_what_the_network_brings_is_there(sh: Callable[..., Completed]) -> None:
    assert sh("cat /tmp/ca.pem; echo $GIVEN; ls -l /tmp/ca.pem").stdout.startswith("trust me\n42\n-rw-------")


def test_listener_of_the_gate_serves_nobody_who_calls_it(attempt: Try) -> None:
    tried = attempt("""
        with open("/proc/net/tcp") as file:
            rows = [line.split() for line in file.readlines()[1:]]
        ports = [int(row[1].split(":")[1], 16) for row in rows if row[1].startswith("020012C6") and row[3] == "0A"]
        print(len(ports))
        for port in ports:
            tried(lambda: connected(("198.18.0.2", port)))
    """)
    assert tried.said.splitlines()[0] == "1"
    assert "you said" not in tried.said


def test_device_cannot_be_changed_or_made_anew(attempt: Try) -> None:
    tried = attempt("""
        import fcntl
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
            tried(lambda: fcntl.ioctl(opened, 0x8914, struct.pack("16sH22x", b"wpk0", 0)))
        tried(lambda: open("/dev/net/tun", "r+b", buffering=0))
    """)
    assert tried.said.splitlines()[0] == "Operation not permitted"
    assert tried.said.splitlines()[1] in (
        "No such file or directory",
        "Permission denied",
        "Operation not permitted",
    )


def test_shell_that_is_made_anew_is_watched_again(gated: Kind) -> None:
    bomb = "bomb() { bomb | bomb & }; bomb; sleep 3"
    with gated.open() as shell:
        connect = "python3 -I -c \"import socket; socket.create_connection(('192.0.2.9', 22), 5)\""
        shell.run(connect, environment={}, timeout=20)
        ended = shell.run(bomb, environment={}, timeout=20)
        assert ended.ended in (Ended.PROCESSES, Ended.DEADLINE), ended
        completed = shell.run(connect.replace("22", "23"), environment={}, timeout=20)
        assert "refused" in completed.stderr
        ports = {each.port for each in shell.observed().attempts}
        assert ports >= {22, 23}
        route = "python3 -I -c \"import socket; s=socket.create_connection(('10.1.2.3', 5432), 5); s.send(b'hi'); print(s.recv(99))\""
        assert "you said hi" in shell.run(route, environment={}, timeout=20).stdout


def test_without_a_gate_the_shell_is_as_closed(gated: Kind) -> None:
    silent = replace(gated, spec=replace(gated.spec, network=Network(record=False)))
    with silent.open() as shell:
        completed = shell.run(
            "python3 -I -c \"import socket; socket.create_connection(('192.0.2.9', 22), 5)\"",
            environment={},
            timeout=20,
        )
        assert "unreachable" in completed.stderr
        assert shell.observed().attempts == ()
        assert all(item.held for item in shell.evidence())
