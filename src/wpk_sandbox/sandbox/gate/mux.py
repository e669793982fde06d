"""Many streams and messages over one pair of pipes, each stream with a bound on what is on its way.

Needs the standard library alone. A frame is a kind, the number of a stream, a length and so many bytes. Who reads a
stream's bytes gives credit for them; without credit the other side stops reading from its socket, so a slow reader
slows its writer, and nothing piles up.
"""

import json
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from typing import Any

WINDOW = 64 * 1024
MOST_STREAMS = 100
# Bytes in each direction of a stream: no dry run needs more, and no package may fill us without end.
MOST_BYTES = 1024**3

_HEADER = struct.Struct(">BII")
_CREDIT = struct.Struct(">I")
# Room for all attempts that a recorder keeps; what JSON makes of so many bytes is some twenty times as much.
_LARGEST = 1024**2

Read = Callable[[int], bytes]
Write = Callable[[bytes], None]


class Kind(IntEnum):
    """What a frame is."""

    MESSAGE = 0
    OPEN = 1
    DATA = 2
    END = 3
    GONE = 4
    CREDIT = 5


class BrokenMuxError(Exception):
    """The other side does not keep to the frames."""


class Mux:
    """One side. `opened` gives the socket for a stream that the other side opens, or None to refuse it."""

    def __init__(
        self,
        read: Read,
        write: Write,
        message: Callable[[dict[str, Any]], None],
        opened: Callable[[int], socket.socket | None] = lambda _: None,
    ) -> None:
        self._read, self._write, self._message, self._opened = read, write, message, opened
        self._streams: dict[int, _Stream] = {}
        self._next = 0
        self._writing, self._lock = threading.Lock(), threading.Lock()

    def serve(self) -> None:
        """Take frames until the other side ends. Raises `BrokenMuxError`."""
        try:
            while header := self._exactly(_HEADER.size):
                kind, number, length = _HEADER.unpack(header)
                if length > _LARGEST:
                    raise BrokenMuxError(f"a frame of {length} bytes")
                body = self._exactly(length) if length else b""
                if body is None:
                    return
                self._take(kind, number, body)
        finally:
            for stream in self._all():
                stream.abort()

    def send(self, message: dict[str, Any]) -> None:
        """Send a message. Raises OSError when nobody is there."""
        self.frame(Kind.MESSAGE, 0, json.dumps(message).encode())

    def open(self, connection: socket.socket, tag: int) -> None:
        """Join a socket to a stream that the other side is asked to open by its tag. Owns the socket."""
        with self._lock:
            self._next += 1
            number = self._next
            stream = None if len(self._streams) >= MOST_STREAMS else _Stream(self, number, connection)
            if stream:
                self._streams[number] = stream
        if stream is None:
            connection.close()
            return
        with suppress(OSError):
            self.frame(Kind.OPEN, number, _CREDIT.pack(tag))
        stream.start()

    def frame(self, kind: Kind, number: int, body: bytes = b"") -> None:
        """Send one frame whole."""
        with self._writing:
            self._write(_HEADER.pack(kind, number, len(body)) + body)

    def forget(self, number: int) -> None:
        """A stream has ended."""
        with self._lock:
            self._streams.pop(number, None)

    def _take(self, kind: int, number: int, body: bytes) -> None:
        if kind == Kind.MESSAGE:
            self._message(_message(body))
        elif kind == Kind.OPEN:
            self._take_open(number, body)
        elif stream := self._streams.get(number):
            stream.take(kind, body)

    def _take_open(self, number: int, body: bytes) -> None:
        if number in self._streams or len(body) != _CREDIT.size:
            raise BrokenMuxError("a stream that cannot be opened")
        room = len(self._streams) < MOST_STREAMS
        connection = self._opened(_CREDIT.unpack(body)[0]) if room else None
        if connection is None:
            self.frame(Kind.GONE, number)
            return
        stream = _Stream(self, number, connection)
        with self._lock:
            self._streams[number] = stream
        stream.start()

    def _exactly(self, length: int) -> bytes | None:
        kept = bytearray()
        while len(kept) < length:
            chunk = self._read(length - len(kept))
            if not chunk:
                return None
            kept += chunk
        return bytes(kept)

    def _all(self) -> list["_Stream"]:
        with self._lock:
            return list(self._streams.values())


class _Stream:
    """One socket of this side, and what is on its way from and to it."""

    def __init__(self, mux: Mux, number: int, connection: socket.socket) -> None:
        self._mux, self._number, self._connection = mux, number, connection
        self._credit = WINDOW
        self._waiting = bytearray()
        self._held = 0
        self._sent = self._received = 0
        self._no_more = self._gone = False
        self._directions = 2
        self._changed = threading.Condition()

    def start(self) -> None:
        for work in (self._outward, self._inward):
            threading.Thread(target=work, daemon=True).start()

    def take(self, kind: int, body: bytes) -> None:
        """A frame about this stream."""
        with self._changed:
            if kind == Kind.DATA:
                self._held += len(body)
                self._received += len(body)
                if not body or self._held > WINDOW:
                    raise BrokenMuxError("no data, or more than the window, on one stream")
                self._waiting += body
                self._gone = self._gone or self._received > MOST_BYTES
            elif kind == Kind.CREDIT and len(body) == _CREDIT.size:
                self._credit = min(WINDOW, self._credit + _CREDIT.unpack(body)[0])
            elif kind == Kind.END:
                self._no_more = True
            elif kind == Kind.GONE:
                self._gone = True
            self._changed.notify_all()
        if self._gone:
            self.abort()

    def abort(self) -> None:
        """End both directions now."""
        with self._changed:
            self._gone = True
            self._changed.notify_all()
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def _outward(self) -> None:
        """From the socket to the other side."""
        try:
            while room := self._room():
                chunk = self._connection.recv(room)
                if not chunk:
                    self._mux.frame(Kind.END, self._number)
                    return
                self._sent += len(chunk)
                if self._sent > MOST_BYTES:
                    break
                with self._changed:
                    self._credit -= len(chunk)
                self._mux.frame(Kind.DATA, self._number, chunk)
            self._lose()
        except OSError:
            self._lose()
        finally:
            self._direction_ended()

    def _room(self) -> int:
        with self._changed:
            while not self._credit and not self._gone:
                self._changed.wait()
            return 0 if self._gone else self._credit

    def _inward(self) -> None:
        """From the other side to the socket."""
        try:
            while chunk := self._next_chunk():
                self._connection.sendall(chunk)
                with self._changed:
                    self._held -= len(chunk)
                self._mux.frame(Kind.CREDIT, self._number, _CREDIT.pack(len(chunk)))
            self._connection.shutdown(socket.SHUT_WR)
        except OSError:
            self._lose()
        finally:
            self._direction_ended()

    def _next_chunk(self) -> bytes:
        with self._changed:
            while not self._waiting and not self._no_more and not self._gone:
                self._changed.wait()
            if self._gone:
                return b""
            chunk, self._waiting = bytes(self._waiting), bytearray()
            return chunk

    def _lose(self) -> None:
        with suppress(OSError):
            self._mux.frame(Kind.GONE, self._number)
        self.abort()

    def _direction_ended(self) -> None:
        with self._changed:
            self._directions -= 1
            last = self._directions == 0
        if last:
            self._mux.forget(self._number)
            self._connection.close()


def _message(body: bytes) -> dict[str, Any]:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BrokenMuxError("a message that is no JSON") from error
    if not isinstance(message, dict):
        raise BrokenMuxError("a message that is no object")
    return message
