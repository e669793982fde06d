"""The host's side of the guest's ports: one thread reads them all, so that a guest which writes is never stuck.

What comes over them is a stranger's: lines are bounded in length and number, streams by the limit on output.
"""

import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.shells.output import STDERR, STDOUT, Output

CONTROL, WATCH, GATE, CONSOLE = "control", "watch", "gate", "console"
# In the order of their numbers in the guest.
NAMES = (CONTROL, STDOUT, STDERR, WATCH, GATE, CONSOLE)

_LONGEST_LINE, _MOST_LINES = 4096, 4096
_CONSOLE_KEPT = 16 * 1024


class Ports:
    """Requests go out with `send`; answers, the streams of one command, and samples come in."""

    def __init__(self) -> None:
        pairs = {name: socket.socketpair() for name in NAMES}
        self._ours = {name: pair[0] for name, pair in pairs.items()}
        self._theirs = {name: pair[1] for name, pair in pairs.items()}
        self._changed = threading.Condition()
        self._closed = False
        self._lines: dict[object, deque[str]] = {
            CONTROL: deque(),
            WATCH: deque(maxlen=_MOST_LINES),
        }
        self._started: dict[object, bytes] = {CONTROL: b"", WATCH: b""}
        self._streams: dict[object, _Marked] = {}
        self._console = b""

    def descriptors(self) -> list[int]:
        """The guest's ends, in the order of `NAMES`."""
        return [self._theirs[name].fileno() for name in NAMES]

    def start(self) -> None:
        """Begin to read; the guest's ends are let go of."""
        for end in self._theirs.values():
            end.close()
        threading.Thread(target=self._read, daemon=True).start()

    def close(self) -> None:
        """Hang up, which tells the guest to end."""
        for end in (*self._ours.values(), *self._theirs.values()):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def send(self, data: bytes) -> None:
        """Write to the agent. Raises `SandboxError` when it is gone."""
        try:
            self._ours[CONTROL].settimeout(10)
            self._ours[CONTROL].sendall(data)
        except OSError as error:
            raise SandboxError(f"the guest is gone: {error}") from error

    @property
    def gate(self) -> socket.socket:
        """Our end of the gate's port, which is not read here."""
        return self._ours[GATE]

    def begin(self, mark: bytes, output: Output) -> None:
        """Take what comes over the two streams as a command's output, until the mark comes."""
        with self._changed:
            self._streams = {name: _Marked(mark, output, name) for name in (STDOUT, STDERR)}

    @property
    def streams_ended(self) -> bool:
        """True when the mark came over both streams."""
        return all(stream.ended for stream in self._streams.values())

    def wait(self, condition: Callable[[], bool], until: float) -> bool:
        """Wait for a condition until that time of `time.monotonic`. Raises `SandboxError` when the guest ends."""
        with self._changed:
            while not condition():
                if self._closed:
                    raise SandboxError(f"the guest ended{self.last_words()}")
                remaining = until - time.monotonic()
                if remaining <= 0:
                    return False
                self._changed.wait(remaining)
            return True

    def answer(self, word: str, timeout: float) -> list[str]:
        """The words that follow `word` in the agent's next such line; others are let go. Raises `SandboxError`."""
        until = time.monotonic() + timeout
        while True:
            words = self.next_answer(until)
            if words is None:
                raise SandboxError(f"the guest does not answer{self.last_words()}")
            if words[0] == word:
                return words[1:]

    def next_answer(self, until: float) -> list[str] | None:
        """The words of the agent's next line; None when none comes in time. Raises `SandboxError`."""
        lines = self._lines[CONTROL]
        return lines.popleft().split() if self.wait(lambda: bool(lines), until) else None

    @property
    def answered(self) -> bool:
        """True when a line of the agent waits to be read."""
        return bool(self._lines[CONTROL])

    def watched(self) -> list[str]:
        """The samples that came since this was last asked."""
        with self._changed:
            lines = list(self._lines[WATCH])
            self._lines[WATCH].clear()
            return lines

    def last_words(self) -> str:
        """What the guest's kernel said last, as the end of a message."""
        words = self._console.decode("utf-8", "replace").strip()[-500:]
        return f"; its last words: {words}" if words else ""

    def _read(self) -> None:
        with selectors.DefaultSelector() as ready:
            try:
                for name, end in self._ours.items():
                    if name == GATE:
                        continue
                    ready.register(end, selectors.EVENT_READ, name)
                while self._read_some(ready):
                    pass
            except (OSError, ValueError):
                pass
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _read_some(self, ready: selectors.BaseSelector) -> bool:
        for key, _ in ready.select():
            data = self._ours[key.data].recv(65536)
            if not data:
                return False
            with self._changed:
                self._take(key.data, data)
                self._changed.notify_all()
        return True

    def _take(self, name: object, data: bytes) -> None:
        if name == CONSOLE:
            self._console = (self._console + data)[-_CONSOLE_KEPT:]
        elif name in self._lines:
            *lines, rest = (self._started[name] + data).split(b"\n")
            self._started[name] = rest[:_LONGEST_LINE]
            kept = self._lines[name]
            kept.extend(line[:_LONGEST_LINE].decode("utf-8", "replace") for line in lines if line.strip())
            if len(kept) > _MOST_LINES:
                kept.clear()
        elif name in self._streams:
            self._streams[name].take(data)


class _Marked:
    """One stream of a command: all that comes before the mark."""

    def __init__(self, mark: bytes, output: Output, stream: int) -> None:
        self.ended = False
        self._mark, self._output, self._stream = mark, output, stream
        self._pending = b""

    def take(self, data: bytes) -> None:
        if self.ended:
            return
        self._pending += data
        before, found, _ = self._pending.partition(self._mark)
        if found:
            self.ended, self._pending = True, b""
            self._output.add(self._stream, before)
            return
        # The mark may have come in part.
        keep = len(self._mark) - 1
        self._output.add(self._stream, self._pending[:-keep])
        self._pending = self._pending[-keep:]
