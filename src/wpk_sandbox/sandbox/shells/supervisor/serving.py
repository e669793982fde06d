"""Answers requests one after another, and keeps watch between and during them."""

import array
import json
import os
import resource
import select
import signal
import socket
import time
from typing import Any

from .measuring import measure, newest, stored
from .starting import start

# Seconds between two looks at what the processes use: at ease, and once half of a limit is used.
INTERVAL, SHORT_INTERVAL = 0.05, 0.005


class Supervisor:
    """Serves requests one after another, and keeps watch between and during them."""

    def __init__(self, control: socket.socket, settings: dict[str, Any]) -> None:
        self.control = control
        self.settings = settings
        self.running: int | None = None
        self.first = 0
        self.ended: tuple[str, str] | None = None
        self.largest_child = 0
        self.memory_peak = 0
        self.processes_peak = 0
        self.wakeup, notice = os.pipe()
        for end in (self.wakeup, notice):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(notice)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> None:
        """Answer until the socket ends."""
        sources: list[Any] = [self.control, self.wakeup]
        pause: float | None = None
        while True:
            readable, _, _ = select.select(sources, [], [], pause)
            if self.wakeup in readable:
                os.read(self.wakeup, 65536)
            self.reap()
            if self.control in readable and not self.receive():
                return
            pause = self.watch()

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
        elif message == b"made":
            self.answer({"made": newest() - self.first})
        return bool(message)

    def run(self, request: int, stdout: int, stderr: int) -> None:
        """Start a command; its answer follows when it has ended."""
        with os.fdopen(request, encoding="utf-8") as file:
            wanted = json.load(file)
        if 2 * measure()[0] > self.settings["processes"]:
            # Left behind by an earlier command, and multiplying: it would take this one's processes.
            self.kill()
        self.ended = None
        self.largest_child = 0
        try:
            self.running = start(wanted, self.settings, stdout, stderr)
        except BlockingIOError:
            # Something that an earlier command left behind holds every process that there may be.
            self.kill()
            self.running = start(wanted, self.settings, stdout, stderr)
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
        self.memory_peak = max(self.memory_peak, self.largest_child)
        if self.ended is None and self.largest_child >= self.settings["memory"]:
            self.ended = ("memory limit", f"a process of it used {self.largest_child >> 20} MiB of memory")
            self.kill()
        if self.ended:
            return {"ended": self.ended[0], "detail": self.ended[1]}
        killed_by = os.WTERMSIG(status)
        return {"exit_code": 128 + killed_by if killed_by else os.WEXITSTATUS(status)}

    def watch(self) -> float | None:
        """End everything that is over a limit; the seconds until the next look, None when there is no need."""
        processes, memory = measure()
        if processes == 0:
            return None
        memory += sum(stored(path) for path in ("/tmp", "/dev/shm", self.settings["workspace"]))  # noqa: S108
        self.processes_peak = max(self.processes_peak, processes)
        self.memory_peak = max(self.memory_peak, memory)
        if memory > self.settings["memory"]:
            self.ended = ("memory limit", f"it used {memory >> 20} MiB of memory, its files included")
        elif processes >= self.settings["processes"]:
            self.ended = ("process limit", f"it had {processes} processes and threads")
        else:
            easy = 2 * memory < self.settings["memory"] and 2 * processes < self.settings["processes"]
            return INTERVAL if easy else SHORT_INTERVAL
        self.kill()
        return None

    def kill(self) -> None:
        """End every other process of the sandbox, and wait until it is gone."""
        while True:
            try:
                os.kill(-1, signal.SIGKILL)
            except ProcessLookupError:
                return
            self.reap()
            time.sleep(0.002)

    def usage(self) -> dict[str, Any]:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {
            "cpu_seconds": used.ru_utime + used.ru_stime,
            "memory_peak": self.memory_peak,
            "processes_peak": self.processes_peak,
        }

    def answer(self, message: dict[str, Any]) -> None:
        self.control.send(json.dumps(message).encode())
