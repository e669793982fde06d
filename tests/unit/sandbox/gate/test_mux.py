"""Streams and messages pass over one connection whole, bounded, and end when either side does."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wpk_sandbox.sandbox.gate.mux import MOST_STREAMS, WINDOW, BrokenMuxError, Kind, Mux

PATIENCE = 10
HEADER = struct.Struct(">BII")


class Pair:
    """Two sides that are joined. What the second is asked to open ends up at `arrived`."""

    def __init__(self) -> None:
        self.wire, other = socket.socketpair()
        self.messages: list[dict[str, Any]] = []
        self.arrived: list[tuple[int, socket.socket]] = []
        self.changed = threading.Condition()
        self.here = Mux(self.wire.recv, self.wire.sendall, self._message)
        self.there = Mux(other.recv, other.sendall, self._message, self._opened)
        self._ends = (self.wire, other)
        self.threads = [threading.Thread(target=self._serve, args=(mux,)) for mux in (self.here, self.there)]
        for thread in self.threads:
            thread.start()

    def _serve(self, mux: Mux) -> None:
        with suppress(BrokenMuxError, OSError):
            mux.serve()
        self.close()

    def _message(self, message: dict[str, Any]) -> None:
        with self.changed:
            self.messages.append(message)
            self.changed.notify_all()

    def _opened(self, tag: int) -> socket.socket | None:
        if tag == 404:
            return None
        ours, theirs = socket.socketpair()
        with self.changed:
            self.arrived.append((tag, theirs))
            self.changed.notify_all()
        return ours

    def wait(self, condition: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE)

    def open(self, tag: int = 7) -> tuple[socket.socket, socket.socket]:
        """Both ends of a new stream."""
        before = len(self.arrived)
        ours, theirs = socket.socketpair()
        self.here.open(theirs, tag)
        self.wait(lambda: len(self.arrived) > before)
        for end in (ours, self.arrived[-1][1]):
            end.settimeout(PATIENCE)
        return ours, self.arrived[-1][1]

    def close(self) -> None:
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.close()
    for thread in made.threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    for end in (*made._ends, *(end for _, end in made.arrived)):
        end.close()


def everything(end: socket.socket) -> bytes:
    kept = b""
    while chunk := end.recv(65536):
        kept += chunk
    return kept


def test_message_arrives_whole(pair: Pair) -> None:
    pair.here.send({"words": "✓" * 1000})
    pair.wait(lambda: bool(pair.messages))
    assert pair.messages == [{"words": "✓" * 1000}]


def test_stream_goes_both_ways_and_each_ends_by_itself(pair: Pair) -> None:
    one, other = pair.open(tag=42)
    assert pair.arrived[-1][0] == 42
    one.sendall(b"question")
    one.shutdown(socket.SHUT_WR)
    assert everything(other) == b"question"
    other.sendall(b"answer")
    other.close()
    assert everything(one) == b"answer"
    one.close()


def test_more_than_the_window_arrives_in_order(pair: Pair) -> None:
    one, other = pair.open()
    sent = bytes(range(256)) * (5 * WINDOW // 256)
    writer = threading.Thread(target=lambda: (one.sendall(sent), one.shutdown(socket.SHUT_WR)))
    writer.start()
    assert everything(other) == sent
    writer.join(PATIENCE)
    one.close()


def test_reader_that_is_slow_stops_its_writer_and_nobody_else(pair: Pair) -> None:
    one, _ = pair.open()
    one.setblocking(False)
    sent = 0
    with suppress(BlockingIOError):
        while sent < 64 * WINDOW:
            sent += one.send(bytes(65536))
    assert sent < 64 * WINDOW, "nothing holds it back"
    second, other = pair.open()
    second.sendall(b"passes")
    assert other.recv(6) == b"passes"
    for end in (one, second):
        end.close()


def test_stream_that_is_refused_ends(pair: Pair) -> None:
    ours, theirs = socket.socketpair()
    pair.here.open(theirs, 404)
    ours.settimeout(PATIENCE)
    assert ours.recv(1) == b""
    ours.close()


def test_streams_are_bounded_and_room_comes_back(pair: Pair) -> None:
    opened = [pair.open() for _ in range(MOST_STREAMS)]
    ours, theirs = socket.socketpair()
    pair.here.open(theirs, 1)
    ours.settimeout(PATIENCE)
    assert ours.recv(1) == b""
    for ends in opened:
        for end in ends:
            end.close()
    ours.close()
    for _ in range(1000):
        if not pair.here._all():
            break
        threading.Event().wait(0.01)
    one, other = pair.open()
    one.sendall(b"again")
    assert other.recv(5) == b"again"
    one.close()


def test_end_of_the_connection_ends_every_stream(pair: Pair) -> None:
    one, other = pair.open()
    pair.close()
    assert (one.recv(1), other.recv(1)) == (b"", b"")
    one.close()


@pytest.mark.parametrize(
    "frame",
    [
        HEADER.pack(Kind.MESSAGE, 0, 2**20 + 1),
        HEADER.pack(Kind.MESSAGE, 0, 4) + b"nope",
        HEADER.pack(Kind.MESSAGE, 0, 2) + b"[]",
        HEADER.pack(Kind.OPEN, 1, 1) + b"x",
    ],
    ids=["too long", "no JSON", "no object", "no tag"],
)
def test_other_side_that_does_not_keep_to_the_frames_is_left(frame: bytes) -> None:
    with pytest.raises(BrokenMuxError):
        fed(frame).serve()


def test_more_than_the_window_without_credit_is_against_the_rules() -> None:
    _, theirs = socket.socketpair()
    open_one = HEADER.pack(Kind.OPEN, 1, 4) + bytes(4)
    data = HEADER.pack(Kind.DATA, 1, WINDOW) + bytes(WINDOW)
    with pytest.raises(BrokenMuxError):
        fed(open_one + data * 20, lambda _: theirs).serve()


def test_data_that_is_none_is_against_the_rules() -> None:
    """Else it would wait for ever behind a slow reader, and take up memory without using the window up."""
    _, theirs = socket.socketpair()
    sent = HEADER.pack(Kind.OPEN, 1, 4) + bytes(4) + HEADER.pack(Kind.DATA, 1, 0)
    with pytest.raises(BrokenMuxError):
        fed(sent, lambda _: theirs).serve()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 3), st.binary(max_size=20)), max_size=20),
    st.binary(max_size=20),
)
def test_no_frames_make_it_fail_in_another_way(frames: list[tuple[int, int, bytes]], rest: bytes) -> None:
    sent = b"".join(HEADER.pack(kind, number, len(body)) + body for kind, number, body in frames) + rest
    with suppress(BrokenMuxError):
        fed(sent).serve()


def fed(data: bytes, opened: Callable[[int], socket.socket | None] = lambda _: None) -> Mux:
    """A side whose other side says just this."""
    left = bytearray(data)

    def read(most: int) -> bytes:
        taken = bytes(left[:most])
        del left[:most]
        return taken

    return Mux(read, lambda _: None, lambda _: None, opened)
