"""The streams of a container that we are attached to, as plain reads and writes."""

import socket
import struct
import threading
from contextlib import suppress
from typing import Any

from wpk_sandbox.sandbox.gate.talk import give_up_writing
from wpk_sandbox.sandbox.shells.output import STDERR, STDOUT

# https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach
_HEADER = struct.Struct(">BxxxI")
_LAST_WORDS = 2000


class Attached:
    """Gives what the container writes to its output; keeps the end of what it writes to its errors."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        # Over TLS and TCP the library hands out the socket's file object instead of the socket.
        self._socket: socket.socket = getattr(connection, "_sock", connection)
        self._socket.settimeout(None)
        give_up_writing(self._socket)
        self._stream, self._missing = 0, 0
        self._words = bytearray()
        self._closing = threading.Lock()
        self._closed = False

    def read(self, most: int) -> bytes:
        """The next bytes of its output, at most so many; empty at the end."""
        with suppress(OSError):
            while True:
                if not self._missing and not self._next_frame():
                    return b""
                wanted = min(most, self._missing) if self._stream == STDOUT else self._missing
                chunk = self._socket.recv(min(wanted, 65536)) if wanted else b""
                if wanted and not chunk:
                    return b""
                self._missing -= len(chunk)
                if self._stream == STDERR:
                    self._words = (self._words + chunk)[-_LAST_WORDS:]
                elif chunk:
                    return chunk
        return b""

    def write(self, data: bytes) -> None:
        """Write to its input. Raises OSError, and then it is closed: a part may have gone."""
        try:
            self._socket.sendall(data)
        except OSError:
            self.close()
            raise

    def last_words(self) -> str:
        """The last line of what it wrote to its errors."""
        return (self._words.decode("utf-8", "replace").strip().splitlines() or [""])[-1]

    def close(self) -> None:
        """Let go of the streams. May be called again."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        with suppress(OSError, AttributeError):
            self._socket.shutdown(socket.SHUT_RDWR)
        # The library keeps the answer alive behind the socket; left to the collector, it complains when its turn
        # comes after the socket's.
        with suppress(OSError, ValueError, AttributeError):
            self._connection._response.close()
        with suppress(OSError):
            self._connection.close()

    def _next_frame(self) -> bool:
        header = b""
        while len(header) < _HEADER.size:
            chunk = self._socket.recv(_HEADER.size - len(header))
            if not chunk:
                return False
            header += chunk
        self._stream, self._missing = _HEADER.unpack(header)
        return True
