"""What has a route answers, there alone, and many at once."""

import ipaddress
from textwrap import dedent

from tried import Try, refused

from wpk_sandbox.finding import Severity
from wpk_sandbox.sandbox.sandbox import Answer


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
