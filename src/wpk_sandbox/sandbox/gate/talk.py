"""Our side of the talk with a gate's program, over whatever leads to it: see `inside.py` for the other side.

In a virtual machine the program runs beside commands that are root: whatever comes may be theirs, and is bounded.
"""

import logging
import socket
import struct
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

from wpk_sandbox.sandbox.gate.mux import MOST_STREAMS, BrokenMuxError, Mux
from wpk_sandbox.sandbox.gate.recorder import MOST_DISTINCT, Seen, Taken, is_count, merged
from wpk_sandbox.sandbox.sandbox import Route

log = logging.getLogger(__name__)

READY_TIMEOUT = 20.0
TAKE_TIMEOUT = 2.0
WRITE_TIMEOUT = 30.0
_KEPT = 1000
_LONGEST_REASON = 300


class Streams(Protocol):
    """What leads to the program's input and from its output."""

    def read(self, most: int) -> bytes:
        """The next bytes, at most so many; empty at the end."""

    def write(self, data: bytes) -> None:
        """Write all of it. Raises OSError, at the latest when nobody has read for `WRITE_TIMEOUT` seconds."""

    def last_words(self) -> str:
        """What it complained of at last; empty where nothing is known."""

    def close(self) -> None:
        """Let go, which ends a read that waits. May be called again, and from any thread."""


class Talk:
    """One conversation. `ended` is set when the other side is gone."""

    def __init__(self, streams: Streams, routes: Sequence[Route]) -> None:
        self.streams, self._routes = streams, routes
        self.ended = threading.Event()
        self._answered = threading.Event()
        self._ready = False
        self._failed = ""
        self._found: list[Seen] = []
        self._taken: Taken | None = None
        self._asked = 0
        self._room = threading.BoundedSemaphore(MOST_STREAMS)
        self._mux = Mux(streams.read, streams.write, self._message, self._opened)

    def begin(self, user: int) -> str:
        """Tell it the routes and wait; why it is not ready."""
        threading.Thread(target=self._serve, daemon=True).start()
        with suppress(OSError):
            self._mux.send({"routes": [(route.host, route.port) for route in self._routes], "user": user})
        self._answered.wait(READY_TIMEOUT)
        if self._ready:
            return ""
        return self._failed or _plain(self.streams.last_words()) or "does not answer"

    def take(self) -> Taken:
        """All attempts with their counts; without those where it has ended or does not answer."""
        self._answered.clear()
        self._taken = None
        # By its number an answer that comes too late is not taken for the next.
        self._asked += 1
        if not self.ended.is_set():
            with suppress(OSError):
                self._mux.send({"take": self._asked})
                self._answered.wait(TAKE_TIMEOUT)
        taken = self._taken or Taken(merged(self._found))
        self._found = []
        return taken

    def _serve(self) -> None:
        try:
            self._mux.serve()
        except (BrokenMuxError, OSError) as error:
            log.warning("the gate does not make sense: %s", error)
        finally:
            self.streams.close()
            self.ended.set()
            self._answered.set()

    def _message(self, message: dict[str, Any]) -> None:
        try:
            if "found" in message:
                if len(self._found) < _KEPT:
                    self._found.append(Seen.from_json(message["found"]))
            elif "taken" in message:
                taken = _taken(message)
                if message["asked"] == self._asked:
                    self._taken = taken
                    self._answered.set()
            elif message.get("ready") or "failed" in message:
                self._ready = self._ready or bool(message.get("ready"))
                self._failed = _plain(str(message.get("failed", "")))
                self._answered.set()
            else:
                raise ValueError("nothing that is known")
        except (KeyError, TypeError, ValueError) as error:
            raise BrokenMuxError(f"a message of another shape: {error}") from error

    def _opened(self, number: int) -> socket.socket | None:
        """Have a connection answered; None where there is no such route, or too many are being answered."""
        if not 0 <= number < len(self._routes) or not self._room.acquire(blocking=False):
            return None
        ours, theirs = socket.socketpair()
        threading.Thread(target=self._answer, args=(self._routes[number], theirs), daemon=True).start()
        return ours

    def _answer(self, route: Route, stream: socket.socket) -> None:
        # The other side may have given its connection up long before this ends.
        try:
            route.serve(stream)
        finally:
            self._room.release()


def give_up_writing(stream: Any, seconds: float = WRITE_TIMEOUT) -> None:
    """Have writes to a socket fail when nobody reads for so long; reads go on waiting (socket(7))."""
    # What leads to a daemon by SSH is no socket, and has no such bound.
    with suppress(OSError, AttributeError):
        whole = int(seconds)
        bound = struct.pack("ll", whole, int((seconds - whole) * 1e6))
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, bound)


def _taken(message: dict[str, Any]) -> Taken:
    """Raises KeyError, TypeError or ValueError for what no recorder would tell."""
    seen, more = tuple(map(Seen.from_json, message["taken"])), message["more"]
    if len(seen) > MOST_DISTINCT or not is_count(more):
        raise ValueError("more attempts than are kept")
    return Taken(seen, more)


def _plain(words: str) -> str:
    """As one line of printable characters."""
    line = " ".join(words[: 2 * _LONGEST_REASON].split())
    return "".join(sign if sign.isprintable() else "?" for sign in line)[:_LONGEST_REASON]
