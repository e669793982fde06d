"""The two streams of a command, each kept up to a limit."""

import threading

STDOUT, STDERR = 1, 2


class Output:
    """Collects what a command writes. Safe to use from a reading thread and a waiting one."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.full = False
        self._kept = {STDOUT: bytearray(), STDERR: bytearray()}
        self._lock = threading.Lock()

    def add(self, stream: int, data: bytes) -> bool:
        """Keep what fits; False, from then on, when a stream has gone over its limit."""
        with self._lock:
            kept = self._kept[stream]
            room = self.limit - len(kept)
            kept += data[:room]
            self.full = self.full or len(data) > room
            return not self.full

    def raw(self, stream: int) -> bytes:
        """What was kept of a stream."""
        with self._lock:
            return bytes(self._kept[stream])

    def text(self, stream: int) -> str:
        """What was kept of a stream, with the replacement character for what is not UTF-8."""
        return self.raw(stream).decode("utf-8", "replace")
