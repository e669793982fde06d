"""The outside of one run: the routes that its shells find, and what was asked of the mocks."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from socket import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wpk_sandbox.package.mock import DEFAULT_PORTS, Mock, answering
from wpk_sandbox.sandbox.outside.allowed import Allowed
from wpk_sandbox.sandbox.outside.relay import Pace, relay
from wpk_sandbox.sandbox.sandbox import Answer, Attempt, Network, Observed, Route

if TYPE_CHECKING:
    from ssl import SSLContext

# So many different calls are told one by one; a loop that calls a mock with ever new addresses is cut off here.
MOST_CALLS = 200
LONGEST_URL = 500


@dataclass
class Outside:
    """What answers in place of the outside. Safe to use from several threads."""

    mocks: tuple[Mock, ...] = ()
    allowed: tuple[Allowed, ...] = ()
    network: Network = Network()
    _calls: dict[Attempt, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, url: str) -> Mock | None:
        """The mock that answers a call, which is noted down; None when no mock does."""
        mock = answering(self.mocks, method, url)
        answered = Answer.MOCKED if mock else Answer.REFUSED
        call = Attempt(
            url.partition(":")[0], port=_port(url), name=f"{method} {url}"[:LONGEST_URL], answer=answered
        )
        with self._lock:
            if call in self._calls or len(self._calls) < MOST_CALLS:
                self._calls[call] = self._calls.get(call, 0) + 1
        return mock

    def observed(self) -> Observed:
        """The calls since this was last asked."""
        with self._lock:
            calls, self._calls = self._calls, {}
        return Observed(attempts=tuple(replace(call, count=count) for call, count in calls.items()))


def outside(mocks: Iterable[Mock], allowed: Iterable[Allowed], bandwidth: int, network: Network) -> Outside:
    """What answers for these mocks and allowed hosts; `network` is completed with the routes to it.

    A host and port that is mocked is never relayed. `bandwidth` bounds all relays together, in bits a second.
    """
    made = Outside(tuple(mocks), tuple(allowed))
    context = None
    if any(mock.scheme == "https" for mock in made.mocks):
        # Certificates take 0.2 s to import and to make, so only HTTPS mocks pay for them.
        from wpk_sandbox.sandbox.outside.authority import Authority  # noqa: PLC0415 - making keys is slow to load, and only HTTPS mocks need it

        authority = Authority()
        context = authority.context()
        network = replace(network, files=authority.files, environment=authority.environment)
    routes = {(route.host, route.port): route for route in (*_relayed(made, bandwidth), *_mocked(made, context))}
    made.network = replace(network, routes=tuple(routes.values()))
    return made


def _mocked(made: Outside, context: "SSLContext | None") -> Iterable[Route]:
    for mock in made.mocks:
        secure = context if mock.scheme == "https" else None
        yield Route(mock.host, mock.port, Answer.MOCKED, partial(_serve, made, secure))


def _serve(made: Outside, context: "SSLContext | None", connection: socket) -> None:
    from wpk_sandbox.sandbox.outside.server import serve  # noqa: PLC0415 - the HTTP library, for mocks only

    serve(connection, made.answer, context)


def _relayed(made: Outside, bandwidth: int) -> Iterable[Route]:
    pace = Pace(bandwidth)
    for host in made.allowed:
        yield Route(host.host, host.port, Answer.ALLOWED, partial(relay, host, pace))


def _port(url: str) -> int | None:
    try:
        parts = urlsplit(url)
        return parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
