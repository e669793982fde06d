"""Serves mocks over one connection: HTTP/1.1, by h11, with or without TLS. Whoever calls is hostile."""

import logging
import ssl
from collections.abc import Callable
from contextlib import suppress
from socket import socket

import h11

from wpk_sandbox.package.mock import Mock

log = logging.getLogger(__name__)

# Seconds without a byte after which a connection is dropped.
IDLE_TIMEOUT = 30.0
LONGEST_HEAD = 64 * 1024
LARGEST_BODY = 16 * 1024**2
_CHUNK = 65536
_NO_MOCK = 502
_TOO_LARGE = 413

Answering = Callable[[str, str], Mock | None]


def serve(connection: socket, answer: Answering, context: ssl.SSLContext | None = None) -> None:
    """Answer every request of a connection, and close it. `answer` is given the method and the whole URL.

    What no mock answers gets status 502 and words that say so. Never raises for what the client does.
    """
    with connection, suppress(OSError, h11.ProtocolError):
        connection.settimeout(IDLE_TIMEOUT)
        if context is None:
            _talk(connection, answer, "http")
        else:
            with context.wrap_socket(connection, server_side=True) as secure:
                _talk(secure, answer, "https")


def _talk(connection: socket, answer: Answering, scheme: str) -> None:
    state = h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_HEAD)
    while request := _request(connection, state):
        url = _url(request, scheme)
        method = request.method.decode("ascii", "replace")
        mock = answer(method, url)
        fits = _read_body(connection, state)
        if not fits:
            mock = Mock(url="http://too-large.invalid", status=_TOO_LARGE)
        _respond(connection, state, mock or _unanswered(method, url), head_only=method == "HEAD")
        if state.our_state is not h11.DONE or state.their_state is not h11.DONE:
            return
        state.start_next_cycle()


def _request(connection: socket, state: h11.Connection) -> h11.Request | None:
    event = _next(connection, state)
    return event if isinstance(event, h11.Request) else None


def _next(connection: socket, state: h11.Connection) -> object:
    while (event := state.next_event()) is h11.NEED_DATA:
        if state.they_are_waiting_for_100_continue:
            connection.sendall(state.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
        state.receive_data(connection.recv(_CHUNK))
    return event


def _read_body(connection: socket, state: h11.Connection) -> bool:
    """Take the body and forget it; False when it is larger than anyone needs to be told of."""
    size = 0
    while isinstance(event := _next(connection, state), h11.Data):
        size += len(event.data)
        if size > LARGEST_BODY:
            return False
    return True


def _url(request: h11.Request, scheme: str) -> str:
    target = request.target.decode("ascii", "replace")
    if "://" in target:
        return target
    host = next((value for name, value in request.headers if name == b"host"), b"")
    return f"{scheme}://{host.decode('ascii', 'replace')}{target}"


def _unanswered(method: str, url: str) -> Mock:
    words = f"wpk-sandbox: no mock answers {method} {url}\n"
    headers = {"Content-Type": "text/plain"}
    return Mock("http://no-mock.invalid", status=_NO_MOCK, headers=headers, body=words.encode())


def _respond(connection: socket, state: h11.Connection, mock: Mock, *, head_only: bool) -> None:
    given = [(name, value) for name, value in mock.headers.items() if name.lower() not in _OURS]
    headers = [*given, ("Content-Length", str(len(mock.body)))]
    data = state.send(h11.Response(status_code=mock.status, headers=headers)) or b""
    if not head_only and mock.status not in _WITHOUT_BODY:
        data += state.send(h11.Data(data=mock.body)) or b""
    connection.sendall(data + (state.send(h11.EndOfMessage()) or b""))


# RFC 9110, sections 15.3.5 and 15.4.5. What frames a message is for us to say.
_WITHOUT_BODY = (204, 304)
_OURS = ("content-length", "transfer-encoding", "connection")
