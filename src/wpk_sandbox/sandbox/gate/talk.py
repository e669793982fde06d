"""Our side of the talk with a gate's program, over whatever leads to it: see `inside.py` for the other side."""

import logging
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

from wpk_sandbox.sandbox.gate.mux import BrokenMuxError, Mux
from wpk_sandbox.sandbox.gate.recorder import Seen, Taken, merged
from wpk_sandbox.sandbox.sandbox import Route

log = logging.getLogger(__name__)

READY_TIMEOUT = 20.0
TAKE_TIMEOUT = 2.0
_KEPT = 1000


class Streams(Protocol):
    """What leads to the program's input and from its output."""

    def read(self, most: int) -> bytes:
        """The next bytes, at most so many; empty at the end."""

    def write(self, data: bytes) -> None:
        """Write all of it. Raises OSError."""

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
        self._mux = Mux(streams.read, streams.write, self._message, self._opened)

    def begin(self, user: int) -> str:
        """Tell it the routes and wait; why it is not ready."""
        threading.Thread(target=self._serve, daemon=True).start()
        with suppress(OSError):
            self._mux.send({"routes": [(route.host, route.port) for route in self._routes], "user": user})
        self._answered.wait(READY_TIMEOUT)
        if self._ready:
            return ""
        return self._failed or self.streams.last_words() or "does not answer"

    def take(self) -> Taken:
        """All attempts with their counts; without those where it has ended or does not answer."""
        self._answered.clear()
        self._taken = None
        if not self.ended.is_set():
            with suppress(OSError):
                self._mux.send({"take": True})
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
                return
            if "taken" in message:
                self._taken = Taken(tuple(map(Seen.from_json, message["taken"])), int(message["more"]))
            self._ready = self._ready or bool(message.get("ready"))
            self._failed = str(message.get("failed", ""))
        except (KeyError, TypeError, ValueError) as error:
            raise BrokenMuxError(f"a message of another shape: {error}") from error
        self._answered.set()

    def _opened(self, number: int) -> socket.socket | None:
        if not 0 <= number < len(self._routes):
            return None
        ours, theirs = socket.socketpair()
        threading.Thread(target=self._routes[number].serve, args=(theirs,), daemon=True).start()
        return ours
