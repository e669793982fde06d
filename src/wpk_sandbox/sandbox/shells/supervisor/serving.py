"""Answers requests one after another, and keeps watch between and during them."""

import array
import json
import os
import resource
import select
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

from .denials import Denials, DoneFor
from .folders import BEYOND
from .measuring import Others, made_since, measure
from .sampling import Samples
from .starting import start

# Seconds between two looks at what the processes use: at ease, and once half of a limit is used.
INTERVAL, SHORT_INTERVAL = 0.05, 0.005


class Supervisor:
    """Serves requests one after another, and keeps watch between and during them.

    `others` finds the processes of the sandbox, `end` ends them (False when there were none), `stored` tells the
    bytes of their files: as of late, or as of now. `done_for`
    are calls that are done in place of commands.
    """

    def __init__(
        self,
        control: socket.socket,
        settings: dict[str, Any],
        others: Others,
        end: Callable[[], bool],
        stored: Callable[[bool], int],
        done_for: dict[int, DoneFor] | None = None,
    ) -> None:
        self.control = control
        self.settings = settings
        self.others, self.end, self.stored = others, end, stored
        self.running: int | None = None
        self.first = 0
        self.ended: tuple[str, str] | None = None
        self.overflowing = False
        self.largest_child = 0
        self.peaks = {"memory_peak": 0, "processes_peak": 0, "stored_peak": 0}
        self.denials = Denials(settings["filters"], done_for or {})
        self.samples = Samples()
        self.looked = 0.0
        self.interval = SHORT_INTERVAL
        self.wakeup, notice = os.pipe()
        for end_of_pipe in (self.wakeup, notice):
            os.set_blocking(end_of_pipe, False)
        signal.set_wakeup_fd(notice)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.poll = select.poll()
        for source in (self.control.fileno(), self.wakeup, self.denials.receiving.fileno()):
            self.poll.register(source, select.POLLIN)

    def serve(self) -> None:
        """Answer until the socket ends."""
        pause: float | None = None
        while True:
            ready = dict(self.poll.poll(None if pause is None else pause * 1000))
            if self.wakeup in ready:
                os.read(self.wakeup, 65536)
            self.listen(ready)
            self.reap()
            if self.control.fileno() in ready and not self.receive():
                return
            # Denied calls alone are no reason to look sooner: there may be thousands a second.
            hurry = self.wakeup in ready or self.control.fileno() in ready
            pause = self.watch(SHORT_INTERVAL if hurry else self.interval)

    def listen(self, ready: dict[int, int]) -> None:
        """Take new listeners for denied calls, and answer those calls."""
        if self.denials.receiving.fileno() in ready and (listener := self.denials.accept()) is not None:
            self.poll.register(listener, select.POLLIN)
        over = [
            listener
            for listener in self.denials.answered
            if listener in ready and not self.denials.answer(listener, ready[listener])
        ]
        for listener in {*over, *self.denials.surplus()}:
            self.poll.unregister(listener)
            self.denials.forget(listener)

    def receive(self) -> bool:
        """Take one request; False when there will be no more."""
        descriptors = array.array("i")
        message, ancillary, _, _ = self.control.recvmsg(64, socket.CMSG_SPACE(3 * descriptors.itemsize))
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                descriptors.frombytes(data)
        if message == b"run":
            self.run(*descriptors)
        elif message == b"kill":
            self.running = None
            self.kill()
            self.answer({})
        elif message == b"usage":
            self.answer(self.usage())
        elif message == b"observed":
            self.look(now=True)
            self.answer({"usage": self.usage(), "samples": self.samples.take(), **self.denials.taken()})
        elif message == b"made":
            self.answer({"made": made_since(self.first)})
        return bool(message)

    def run(self, request: int, stdout: int, stderr: int) -> None:
        """Start a command; its answer follows when it has ended."""
        with os.fdopen(request, encoding="utf-8") as file:
            wanted = json.load(file)
        if 2 * measure(self.others())[0] > self.settings["processes"]:
            # Left behind by an earlier command, and multiplying: it would take this one's processes.
            self.kill()
        self.ended = None
        self.largest_child = 0
        # Files may have been removed from outside since the last look.
        self.stored(True)
        try:
            self.running = start(wanted, self.settings, self.denials, stdout, stderr)
        except BlockingIOError:
            # Something that an earlier command left behind holds every process that there may be.
            self.kill()
            self.running = start(wanted, self.settings, self.denials, stdout, stderr)
        finally:
            os.close(stdout)
            os.close(stderr)
        self.first = self.running

    def reap(self) -> None:
        """Collect every process that has ended, and answer for the command when it is among them."""
        while True:
            try:
                child, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if child == 0:
                return
            self.largest_child = max(self.largest_child, used.ru_maxrss * 1024)
            if child == self.running:
                self.running = None
                self.answer(self.outcome(status))

    def outcome(self, status: int) -> dict[str, Any]:
        # A child begins with the memory of this process, from which it is forked: no less says anything.
        if self.largest_child > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024:
            self.peaks["memory_peak"] = max(self.peaks["memory_peak"], self.largest_child)
            self.samples.told(self.largest_child)
        if self.ended is None and self.largest_child >= self.settings["memory"]:
            self.ended = ("memory limit", f"a process of it used {self.largest_child >> 20} MiB of memory")
            self.kill()
        if self.ended:
            overflowing, self.overflowing = self.overflowing, False
            return {"ended": self.ended[0], "detail": self.ended[1], "overflowing": overflowing}
        killed_by = os.WTERMSIG(status)
        return {"exit_code": 128 + killed_by if killed_by else os.WEXITSTATUS(status)}

    def watch(self, since: float) -> float | None:
        """End everything that is over a limit, if the last look was so many seconds ago.

        Returns the seconds until the next look, None when there is no need for one.
        """
        if (too_early := self.looked + since - time.monotonic()) > 0:
            return too_early
        processes, memory = self.look()
        if processes == 0:
            return None
        if memory >= BEYOND:
            self.ended = ("memory limit", f"its files are more than {self.settings['files']}, or too deep to count")
            self.overflowing = True
        elif memory > self.settings["memory"]:
            self.ended = ("memory limit", f"it used {memory >> 20} MiB of memory, its files included")
        elif processes >= self.settings["processes"]:
            self.ended = ("process limit", f"it had {processes} processes and threads")
        else:
            easy = 2 * memory < self.settings["memory"] and 2 * processes < self.settings["processes"]
            self.interval = INTERVAL if easy else SHORT_INTERVAL
            return self.interval
        self.kill()
        return None

    def look(self, *, now: bool = False) -> tuple[int, int]:
        """The processes, and the bytes of memory that they and their files take; both are remembered."""
        processes, memory, running = measure(self.others())
        stored = self.stored(now)
        memory += stored
        for peak, value in (("memory_peak", memory), ("processes_peak", processes), ("stored_peak", stored)):
            self.peaks[peak] = max(self.peaks[peak], value)
        self.samples.add(finished_seconds() + running, memory, processes, stored, now=now)
        self.looked = time.monotonic()
        return processes, memory

    def kill(self) -> None:
        """End every other process of the sandbox, and wait until it is gone."""
        while self.end():
            self.reap()
            time.sleep(0.002)

    def usage(self) -> dict[str, Any]:
        return {"cpu_seconds": finished_seconds() + measure(self.others())[2], **self.peaks}

    def answer(self, message: dict[str, Any]) -> None:
        self.control.send(json.dumps(message).encode())


def finished_seconds() -> float:
    """The CPU seconds of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
