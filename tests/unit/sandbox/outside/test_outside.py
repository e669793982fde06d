"""Mocks and relays over real sockets: pairs of this process, and listeners on loopback."""

import http.client
import socket
import ssl
import threading
import time
from contextlib import suppress

import pytest

from wpk_sandbox.package.mock import Mock
from wpk_sandbox.sandbox.outside import relay as relaying
from wpk_sandbox.sandbox.outside.allowed import Allowed, allowed
from wpk_sandbox.sandbox.outside.outside import outside
from wpk_sandbox.sandbox.sandbox import Answer, Network

PAID = Mock("https://pay.example/v1/*", "POST", 202, {"X-Id": "7"}, b"accepted")
PLAIN = Mock("http://plain.example:8080/*", body=b"hello")
BANDWIDTH = 100_000_000


def made(*mocks, allow=()):
    return outside(mocks, allow, BANDWIDTH, Network())


def connect(opened, host, port):
    """What the gate does: hand one end of a new connection to the route."""
    ours, theirs = socket.socketpair()
    route = next(route for route in opened.network.routes if (route.host, route.port) == (host, port))
    thread = threading.Thread(target=route.serve, args=(theirs,), daemon=True)
    thread.start()
    ours.settimeout(5)
    return ours, thread


class Over(http.client.HTTPConnection):
    """An HTTP client over a socket that is there already."""

    def __init__(self, host, port, sock):
        super().__init__(host, port)
        self.sock = sock


def trusting(opened):
    return ssl.create_default_context(cadata=opened.network.files[opened.network.environment["SSL_CERT_FILE"]])


def call(opened, mock, method="POST", path="/v1/charge", body=b"{}", host=None):
    ours, thread = connect(opened, mock.host, mock.port)
    if mock.scheme == "https":
        ours = trusting(opened).wrap_socket(ours, server_hostname=host or mock.host)
    client = Over(mock.host, mock.port, ours)
    client.request(
        method, path, body, headers={"Host": f"{mock.host}:{mock.port}" if mock.port == 8080 else mock.host}
    )
    answer = client.getresponse()
    result = answer.status, dict(answer.getheaders()), answer.read()
    ours.close()
    thread.join(5)
    assert not thread.is_alive()
    return result


def test_a_mocked_https_host_answers_under_a_certificate_that_the_shell_trusts():
    opened = made(PAID)
    status, headers, body = call(opened, PAID)
    assert (status, headers["X-Id"], body) == (202, "7", b"accepted")
    (attempt,) = opened.observed().attempts
    assert (attempt.protocol, attempt.port, attempt.answer) == ("https", 443, Answer.MOCKED)
    assert attempt.name == "POST https://pay.example/v1/charge"
    assert opened.observed().attempts == ()


def test_nobody_else_trusts_that_certificate():
    ours, _ = connect(made(PAID), "pay.example", 443)
    with pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(ours, server_hostname="pay.example")


def test_the_certificate_is_of_the_name_that_is_asked_for():
    wide = Mock("https://*.example/*", body=b"any")
    opened = made(wide)
    assert call(opened, wide, "GET", "/", None, host="a.example")[2] == b"any"
    ours, _ = connect(opened, "*.example", 443)
    with trusting(opened).wrap_socket(ours, server_hostname="b.c.example") as secure:
        assert ("DNS", "b.c.example") in secure.getpeercert()["subjectAltName"]


def test_a_plain_mock_answers_several_requests_of_one_connection():
    opened = made(PLAIN)
    ours, _ = connect(opened, "plain.example", 8080)
    client = Over("plain.example", 8080, ours)
    for path in ("/a", "/b", "/a"):
        client.request("GET", path)
        assert client.getresponse().read() == b"hello"
    ours.close()
    counts = {attempt.name: attempt.count for attempt in opened.observed().attempts}
    assert counts == {"GET http://plain.example:8080/a": 2, "GET http://plain.example:8080/b": 1}


def test_what_no_mock_answers_is_told_and_listed_as_refused():
    opened = made(PAID)
    status, _, body = call(opened, PAID, "GET", "/v2/other", None)
    assert status == 502
    assert b"no mock answers GET https://pay.example/v2/other" in body
    assert opened.observed().attempts[0].answer is Answer.REFUSED


def test_a_head_request_and_a_status_without_a_body_end_cleanly():
    empty = Mock("http://plain.example:8080/empty", status=204)
    opened = made(empty, PLAIN)
    assert call(opened, PLAIN, "HEAD", "/x", None)[::2] == (200, b"")
    assert call(opened, PLAIN, "GET", "/empty", None)[::2] == (204, b"")


@pytest.mark.parametrize(
    "words", [b"\x16\x03\x01 not http\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"A" * 200_000, b"GET /" + b"\xff" * 20]
)
def test_what_is_no_http_ends_the_connection_and_nothing_else(words):
    opened = made(PLAIN)
    ours, thread = connect(opened, "plain.example", 8080)
    with suppress(OSError):
        ours.sendall(words)
        ours.shutdown(socket.SHUT_WR)
        ours.recv(4096)
    ours.close()
    thread.join(5)
    assert not thread.is_alive()
    assert call(opened, PLAIN, "GET", "/", None)[0] == 200


def test_a_body_without_end_is_refused(monkeypatch):
    monkeypatch.setattr("wpk_sandbox.sandbox.outside.server.LARGEST_BODY", 100_000)
    opened = made(PLAIN)
    assert call(opened, PLAIN, "POST", "/", b"x" * 60_000)[0] == 200
    ours, _ = connect(opened, "plain.example", 8080)
    ours.sendall(b"POST / HTTP/1.1\r\nHost: plain.example:8080\r\nContent-Length: 110000\r\n\r\n" + b"x" * 110_000)
    assert ours.recv(4096).startswith(b"HTTP/1.1 413")


def test_ever_new_addresses_are_counted_up_to_a_bound():
    opened = made(PLAIN)
    for number in range(1000):
        opened.answer("GET", f"http://plain.example:8080/{number}")
    assert len(opened.observed().attempts) == 200


@pytest.fixture
def echo():
    """A server on loopback that sends back what it gets."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while True:
                try:
                    there, _ = server.accept()
                except OSError:
                    return
                with there:
                    while chunk := there.recv(65536):
                        there.sendall(chunk)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def test_an_allowed_host_is_reached(echo):
    opened = made(allow=[Allowed("127.0.0.1", echo)])
    assert opened.network.routes[0].answer is Answer.ALLOWED
    ours, thread = connect(opened, "127.0.0.1", echo)
    ours.sendall(b"over and back")
    ours.shutdown(socket.SHUT_WR)
    assert ours.recv(100) == b"over and back"
    assert ours.recv(100) == b""
    thread.join(5)
    assert not thread.is_alive()


def test_a_name_that_leads_to_this_host_is_not_followed(echo):
    """`localhost` stands for a name whose owner turned it to an address of ours."""
    ours, _ = connect(made(allow=[Allowed("localhost", echo)]), "localhost", echo)
    assert ours.recv(100) == b""


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "169.254.169.254", "::1", "fe80::1%eth0", "::ffff:127.0.0.1", "0.0.0.0"]
)
def test_near_addresses_are_known(address):
    assert relaying._is_near(address)


@pytest.mark.parametrize("address", ["192.0.2.10", "2001:db8::1", "10.0.0.5"])
def test_far_addresses_are_known(address):
    assert not relaying._is_near(address)


def test_what_is_mocked_is_not_relayed():
    opened = made(PAID, allow=[Allowed("pay.example", 443)])
    assert [route.answer for route in opened.network.routes] == [Answer.MOCKED]


def test_relays_share_a_bandwidth():
    pace = relaying.Pace(8_000_000)
    began = time.monotonic()
    for _ in range(4):
        pace.take(50_000)
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Registry.Example.com:443", Allowed("registry.example.com", 443)),
        ("[2001:db8::1]:53", Allowed("2001:db8::1", 53)),
    ],
)
def test_an_allowed_host_is_one_host_and_one_port(text, expected):
    assert allowed(text) == expected
    assert allowed(str(expected)) == expected


@pytest.mark.parametrize("text", ["example.com", "*.example.com:443", "example.com:0", "10.0.0.0/8:443", "x:443:1"])
def test_patterns_and_ranges_are_not_allowed(text):
    with pytest.raises(ValueError, match="is no host and port"):
        allowed(text)


def test_without_https_no_certificate_is_made():
    opened = made(PLAIN, allow=[Allowed("x.example", 443)])
    assert opened.network.files == {}
    assert opened.network.environment == {}
