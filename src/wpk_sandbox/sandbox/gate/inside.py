"""The gate in a container beside the shell's: the device, the listeners, and the talk with our own process.

Needs the standard library alone. It is told its routes by the first message, says `ready`, and from then on sends
each attempt that is new at once, and all of them with their counts when it is asked to `take`, with the number of
that question. Connections to
routes become streams. The end of its input ends it, and with it the device: what is left is a shell without routes.
"""

import os
import threading
from contextlib import suppress
from typing import Any

from . import device
from .attribution import Attribution
from .directory import Directory
from .mux import Mux
from .recorder import Recorder, Seen
from .responder import Responder


def main() -> None:
    """Serve over standard input and output until the input ends."""
    Inside().mux.serve()
    os._exit(0)


class Inside:
    """What the gate's container runs."""

    def __init__(self) -> None:
        self.mux = Mux(lambda most: os.read(0, most), _write_all, self._message)
        self._responder: Responder | None = None

    def _message(self, message: dict[str, Any]) -> None:
        if "routes" in message:
            self._open(message)
        elif "take" in message:
            threading.Thread(target=self._taken, args=(message["take"],), daemon=True).start()

    def _open(self, message: dict[str, Any]) -> None:
        try:
            directory = Directory((str(host), int(port)) for host, port in message["routes"])
            tun, listeners = device.opened(loopback=directory.loopback)
            become(message["user"])
        except OSError as error:
            self.mux.send({"failed": f"{error.strerror or error}"})
            return
        recorder = Recorder(found=self._found)
        attribution = Attribution(os.open("/proc", os.O_RDONLY | os.O_DIRECTORY), "self/net")
        self._responder = Responder(tun, listeners, directory, recorder, attribution, self.mux.open)
        self._responder.start()
        self.mux.send({"ready": True})

    def _found(self, seen: Seen) -> None:
        with suppress(OSError):
            self.mux.send({"found": seen.as_json()})

    def _taken(self, asked: int) -> None:
        if self._responder:
            taken = self._responder.take()
            self.mux.send({"taken": [seen.as_json() for seen in taken.seen], "more": taken.more, "asked": asked})


def become(user: int) -> None:
    """Go on as the commands' user in effect: it may look at their descriptors, and no capability is in effect.

    Our real user stays another one, so that no command can send this process a signal or look into it.
    """
    os.setgroups([])
    os.setegid(user)
    os.seteuid(user)


def _write_all(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]
