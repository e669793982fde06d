"""The gate of a shell on this host: a thread of ours serves the device that the shell's supervisor made."""

import os
import socket
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.gate.attribution import Attribution
from wpk_sandbox.sandbox.gate.directory import Directory, on_loopback
from wpk_sandbox.sandbox.gate.mux import MOST_STREAMS
from wpk_sandbox.sandbox.gate.observed import ended, joined, observed
from wpk_sandbox.sandbox.gate.recorder import Recorder
from wpk_sandbox.sandbox.gate.responder import Responder
from wpk_sandbox.sandbox.sandbox import Observed, Route

_LONGEST_REASON = 300


class LocalGate:
    """Serves one shell, over all its lives."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = tuple(routes)
        self._responder: Responder | None = None
        self._before: list[Observed] = []
        self._room = threading.BoundedSemaphore(MOST_STREAMS)
        self.why_not = "it was not begun"

    @property
    def loopback(self) -> list[int]:
        """The ports of the shell's own loopback that are to be listened at."""
        return list(on_loopback((route.host, route.port) for route in self._routes))

    def begin(self, made: Mapping[str, int]) -> None:
        """Serve the descriptors that `device.handed_out` made, by name; those who own them may close theirs.

        Without them `why_not` says why. Raises `SandboxError` when routes were asked for and cannot be had.
        """
        self.why_not = _reason(made)
        if self.why_not and self._routes:
            raise SandboxError(f"the shell's routes cannot be had: {self.why_not}", "see `wpk-sandbox doctor`")
        if self.why_not:
            return
        listeners = [
            socket.socket(fileno=os.dup(made[name])) for name in sorted(made) if name.startswith("listener")
        ]
        self._responder = Responder(
            os.dup(made["tun"]),
            listeners,
            Directory((route.host, route.port) for route in self._routes),
            Recorder(),
            Attribution(made["processes"]),
            self._connect,
        )
        self._responder.start()

    def observed(self) -> Observed:
        """What was tried since this was last asked."""
        self._take()
        before, self._before = self._before, []
        return joined(before)

    def close(self) -> None:
        """Stop serving; what was seen is kept until it is asked for. May be called again."""
        self._take()
        responder, self._responder = self._responder, None
        if responder:
            responder.close()

    def _take(self) -> None:
        if self._responder is None:
            return
        self._before.append(observed(self._responder.take(), self._routes))
        if self._responder.ended.is_set():
            self._responder = None
            self._before.append(ended())

    def _connect(self, connection: socket.socket, route: int) -> None:
        """Serve a connection in a thread of its own; one too many is closed."""
        if self._room.acquire(blocking=False):
            threading.Thread(target=self._serve, args=(connection, route), daemon=True).start()
        else:
            connection.close()

    def _serve(self, connection: socket.socket, route: int) -> None:
        try:
            self._routes[route].serve(connection)
        finally:
            self._room.release()


def _reason(made: Mapping[str, int]) -> str:
    if "tun" in made:
        return ""
    with suppress(OSError):
        if "why no gate" in made:
            words = os.pread(made["why no gate"], _LONGEST_REASON, 0).decode("utf-8", "replace")
            return f"the TUN device could not be made: {words}"
    return "there is no TUN device"
