"""One command in a running container: started, followed to its end or its limit, and its exit code asked for."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.sandbox import Ended
from wpk_sandbox.sandbox.shells.inside import GRACE, USER, WORKSPACE
from wpk_sandbox.sandbox.shells.output import Output

# Streams of a container without a terminal come in frames: one byte that names the stream, three of padding,
# four of length. https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach
_HEADER = struct.Struct(">BxxxI")

# A command whose streams stay silent is asked after in these intervals, in seconds: the first finds one that
# left a process behind, the last is light on the daemon.
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.2, 1.0

# Before a command that waits for our word; without it, it never runs.
_HELD = "read -r _ || exit 125\nexec </dev/null\n"


@dataclass(frozen=True)
class Outcome:
    """How a command ended. `held` means that a process which it left behind still holds its streams."""

    exit_code: int | None
    ended: Ended | None
    output: Output
    seconds: float
    held: bool = False


def execute(
    container: str,
    command: str,
    environment: Mapping[str, str],
    *,
    timeout: float,
    output_limit: int,
    meanwhile: Callable[[], None] | None = None,
) -> Outcome:
    """Run `sh -c command` in a container. What goes over a limit is left running: killing it is the caller's.

    To start a shell takes the daemon 80 ms: with `meanwhile` it is started at once, and runs the command when that
    has returned. Raises `errors.UnavailableError` when the daemon or the container cannot start it.
    """
    began = time.monotonic()
    api = daemon.client().api
    with daemon.translated("run a command in the shell's container"):
        created = api.exec_create(
            container,
            ["sh", "-c", f"{_HELD}{command}" if meanwhile else command],
            user=f"{USER}:{USER}",
            environment=dict(environment),
            workdir=WORKSPACE,
            stdin=meanwhile is not None,
        )
        stream = Stream(api.exec_start(created["Id"], socket=True), Output(output_limit))
        try:
            if meanwhile:
                meanwhile()
                began = time.monotonic()
                with suppress(OSError):  # it has ended already, which is seen next
                    stream.send(b"\n")
            exit_code, ended = _follow(stream, created["Id"], began + timeout)
        finally:
            stream.close()
    return Outcome(exit_code, ended, stream.output, time.monotonic() - began, held=not stream.at_end.is_set())


def _follow(stream: "Stream", exec_id: str, deadline: float) -> tuple[int | None, Ended | None]:
    pause = _SHORTEST_PAUSE
    while (remaining := deadline - time.monotonic()) > 0:
        stream.stirred.wait(min(pause, remaining))
        if stream.output.full:
            return None, Ended.OUTPUT
        state = daemon.client().api.exec_inspect(exec_id)
        if not state["Running"] and state["ExitCode"] is not None:
            stream.at_end.wait(GRACE)
            return (None, Ended.OUTPUT) if stream.output.full else (int(state["ExitCode"]), None)
        if stream.at_end.is_set():
            # It closed its streams and goes on, or the daemon has yet to note its end.
            stream.stirred.clear()
            pause = 0.02 if pause < _SHORTEST_PAUSE else 0.01
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    return None, Ended.DEADLINE


class Stream:
    """A process's streams: a thread reads what it writes into an `Output`, until it ends or goes over the limit.

    `heard` is set at whatever it writes, `stirred` when there will be no more.
    """

    def __init__(self, connection: Any, output: Output) -> None:
        self.output = output
        self.at_end = threading.Event()
        self.stirred = threading.Event()
        self.heard = threading.Event()
        self._connection = connection
        # Over TLS and TCP the library hands out the socket's file object instead of the socket.
        self._socket = getattr(connection, "_sock", connection)
        with suppress(AttributeError):
            self._socket.settimeout(None)
        threading.Thread(target=self._read, daemon=True).start()

    def close(self) -> None:
        """Stop reading."""
        with suppress(OSError, AttributeError):
            self._socket.shutdown(socket.SHUT_RDWR)
        # The library keeps the answer alive behind the socket; left to the collector, it complains when its turn
        # comes after the socket's.
        with suppress(OSError, ValueError, AttributeError):
            self._connection._response.close()
        with suppress(OSError):
            self._connection.close()

    def send(self, data: bytes) -> None:
        """Write to the process's input, if it has one. Raises `OSError`."""
        self._socket.sendall(data)

    def _read(self) -> None:
        try:
            with suppress(OSError, ValueError):
                self._read_frames()
        finally:
            if not self.output.full:
                self.at_end.set()
            self.stirred.set()
            self.heard.set()

    def _read_frames(self) -> None:
        pending = bytearray()
        stream, missing = 0, 0
        while chunk := self._socket.recv(65536):
            pending += chunk
            while pending:
                if not missing:
                    if len(pending) < _HEADER.size:
                        break
                    stream, missing = _HEADER.unpack_from(pending)
                    del pending[: _HEADER.size]
                    continue
                taken = bytes(pending[:missing])
                del pending[: len(taken)]
                missing -= len(taken)
                if not self.output.add(stream, taken):
                    return
                self.heard.set()
