"""The gate of a guest: the program that containers have, run by the image's Python out of the commands' reach.

It makes the device in the guest, whose kernel has a module for it, and talks with us over a port of its own. An
image without Python has no gate: the guest is as closed, only what is tried is not recorded.
"""

import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from shlex import quote

from wpk_sandbox.finding import Severity
from wpk_sandbox.sandbox.gate.device import RESOLVER
from wpk_sandbox.sandbox.gate.observed import joined, observed
from wpk_sandbox.sandbox.gate.program import source
from wpk_sandbox.sandbox.gate.talk import Talk, give_up_writing
from wpk_sandbox.sandbox.sandbox import Observed, Route, SecurityEvent, Threat

NO_PYTHON = "the image holds no python3"
_ROOT = 0
_LONGEST = 60.0


class PortStreams:
    """One port of the guest as what leads to the gate's program."""

    def __init__(self, port: socket.socket) -> None:
        self._port = port
        give_up_writing(port)

    def read(self, most: int) -> bytes:
        """The next bytes, at most so many; empty at the end."""
        try:
            return self._port.recv(most)
        except OSError:
            return b""

    def write(self, data: bytes) -> None:
        """Write all of it. Raises OSError, and then the port is closed: a part may have gone."""
        try:
            self._port.sendall(data)
        except OSError:
            self.close()
            raise

    def last_words(self) -> str:
        """Nothing is known: what it complains of goes to the guest's console."""
        return ""

    def close(self) -> None:
        """Let go of the port, which ends a read that waits."""
        with suppress(OSError):
            self._port.shutdown(socket.SHUT_RDWR)


class GuestGate:
    """Serves one shell, over all the guests that it boots."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = tuple(routes)
        self._talk: Talk | None = None
        self._starting: threading.Thread | None = None
        self._before: list[Observed] = []
        self.why_not = "it was not begun"

    def program(self) -> bytes:
        """What the agent runs, among the system's files but out of its namespaces, with the port as its streams."""
        resolver = f"echo nameserver {RESOLVER} >/new/etc/resolv.conf"
        return f"{resolver}\nexec chroot /new python3 -I -S -c {quote(source())}\n".encode()

    def begin(self, port: socket.socket) -> None:
        """Talk with the program, which has been started; `ready` waits for it."""
        talk = self._talk = Talk(PortStreams(port), self._routes)
        self._starting = threading.Thread(target=self._begin, args=(talk,), daemon=True)
        self._starting.start()

    def ready(self) -> bool:
        """Wait until it stands; False, with `why_not`, when it does not."""
        if self._starting:
            self._starting.join(_LONGEST)
            self._starting = None
        return not self.why_not

    def observed(self) -> Observed:
        """What was tried since this was last asked, and the end of the gate if it ended."""
        talk = self._talk
        if talk and not self.why_not:
            self._before.append(observed(talk.take(), self._routes))
            if talk.ended.is_set():
                self.why_not = "it ended"
                message = "the gate ended, so nothing was recorded any more; the network stayed closed"
                self._before.append(Observed(events=(SecurityEvent(Threat.NETWORK, Severity.MEDIUM, message),)))
        before, self._before = self._before, []
        return joined(before)

    def end(self) -> None:
        """Keep what was seen; the guest is about to end."""
        talk, self._talk = self._talk, None
        if talk and not self.why_not:
            self._before.append(observed(talk.take(), self._routes))
            talk.streams.close()

    def _begin(self, talk: Talk) -> None:
        self.why_not = talk.begin(_ROOT)
