"""Our side of the talk holds what the gate sent, whatever becomes of the gate."""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from wpk_sandbox.sandbox.gate import talk
from wpk_sandbox.sandbox.gate.mux import MOST_STREAMS, Kind, Mux
from wpk_sandbox.sandbox.gate.recorder import MOST_DISTINCT, Seen, Taken
from wpk_sandbox.sandbox.gate.talk import Talk
from wpk_sandbox.sandbox.sandbox import Answer, Route

PATIENCE = 10


def greet(stream: socket.socket) -> None:
    with stream:
        stream.sendall(b"hello " + stream.recv(100))


ROUTES = (Route("a.test", 1, Answer.MOCKED, greet), Route("b.test", 2, Answer.MOCKED, socket.socket.close))


class Wire:
    """Streams over a socket."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def read(self, most: int) -> bytes:
        with suppress(OSError):
            return self._end.recv(most)
        return b""

    def write(self, data: bytes) -> None:
        self._end.sendall(data)

    def last_words(self) -> str:
        return "no such device"

    def close(self) -> None:
        with suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)


class Program:
    """The gate's program, as a test wants it to be."""

    def __init__(self) -> None:
        ours, self.end = socket.socketpair()
        self.talk = Talk(Wire(ours), ROUTES)
        self.asked: list[dict[str, Any]] = []
        self.replies: list[dict[str, Any] | None] = []
        self.mux = Mux(self.end.recv, self.end.sendall, self._message)
        self._ours = ours
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            self.mux.serve()

    def _message(self, message: dict[str, Any]) -> None:
        self.asked.append(message)
        if self.replies and (reply := self.replies.pop(0)) is not None:
            self.mux.send(reply)

    def die(self) -> None:
        with suppress(OSError):
            self.end.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)

    def close(self) -> None:
        self.die()
        assert self.talk.ended.wait(PATIENCE)
        self.end.close()
        self._ours.close()


@pytest.fixture
def program() -> Iterator[Program]:
    made = Program()
    made.replies.append({"ready": True})
    yield made
    made.close()


def test_program_is_told_the_routes_and_the_user(program: Program) -> None:
    assert program.talk.begin(65532) == ""
    assert program.asked == [{"routes": [["a.test", 1], ["b.test", 2]], "user": 65532}]


def test_its_reason_is_why_it_is_not_ready(program: Program) -> None:
    program.replies[:] = [{"failed": "Operation not permitted"}]
    assert program.talk.begin(0) == "Operation not permitted"


def test_its_reason_is_one_short_line(program: Program) -> None:
    program.replies[:] = [{"failed": "no\r\n\x1b]0;::error::x\x07 " * 1000}]
    reason = program.talk.begin(0)
    assert reason.isprintable()
    assert 0 < len(reason) <= 300


def test_its_last_words_are_why_it_died(program: Program) -> None:
    program.die()
    assert program.talk.begin(0) == "no such device"


def test_counts_are_taken(program: Program) -> None:
    program.talk.begin(0)
    seen = Seen("tcp", "192.0.2.1", 22, count=3, process="nc (7)")
    program.replies.append({"taken": [seen.as_json()], "more": 5, "asked": 1})
    assert program.talk.take() == Taken((seen,), 5)


def test_answer_that_is_late_is_not_taken_for_the_next(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    program.talk.begin(0)
    first, second = Seen("tcp", "192.0.2.1", 1), Seen("tcp", "192.0.2.1", 2)
    monkeypatch.setattr(talk, "TAKE_TIMEOUT", 0.05)
    program.replies.append(None)
    assert program.talk.take() == Taken()
    monkeypatch.setattr(talk, "TAKE_TIMEOUT", float(PATIENCE))
    program.replies.append({"taken": [first.as_json()], "more": 0, "asked": 1})
    threading.Timer(0.2, program.mux.send, [{"taken": [second.as_json()], "more": 0, "asked": 2}]).start()
    assert program.talk.take() == Taken((second,), 0)


def test_what_it_found_before_it_died_is_not_lost(program: Program) -> None:
    program.talk.begin(0)
    seen = Seen("tcp", "192.0.2.1", 22)
    program.mux.send({"found": seen.as_json()})
    program.die()
    assert program.talk.ended.wait(PATIENCE)
    assert program.talk.take() == Taken((seen,), 0)
    assert program.talk.take() == Taken()


@pytest.mark.parametrize(
    "message",
    [
        {"found": {"nonsense": 1}},
        {"found": 7},
        {"taken": 3, "more": 1, "asked": 1},
        {"taken": [], "asked": 1},
        {"taken": [], "more": -1, "asked": 1},
        {"taken": [], "more": "1", "asked": 1},
        {"taken": [], "more": 1},
        {"taken": [Seen("udp").as_json()] * (MOST_DISTINCT + 1), "more": 0, "asked": 1},
        {"nothing": "that we know"},
    ],
    ids=lambda message: str(message)[:40],
)
def test_message_of_another_shape_ends_the_talk(program: Program, message: dict[str, Any]) -> None:
    program.talk.begin(0)
    body = json.dumps(message).encode()
    program.end.sendall(struct.pack(">BII", Kind.MESSAGE, 0, len(body)) + body)
    assert program.talk.ended.wait(PATIENCE)


def test_connection_reaches_its_route_and_no_other(program: Program) -> None:
    program.talk.begin(0)
    answers = []
    for tag in (0, 1, 2):
        ours, theirs = socket.socketpair()
        ours.settimeout(PATIENCE)
        program.mux.open(theirs, tag)
        with suppress(OSError):
            ours.sendall(b"you")
        try:
            answers.append(ours.recv(100))
        except ConnectionError:
            answers.append(b"")
        ours.close()
    assert answers == [b"hello you", b"", b""]


def test_what_answers_connections_is_bounded_however_fast_they_are_given_up(program: Program) -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()

    def slow(stream: socket.socket) -> None:
        with stream:
            begun.release()
            go_on.wait(PATIENCE)

    program.talk = Talk(program.talk.streams, [Route("slow.test", 1, Answer.ALLOWED, slow)])
    program.talk.begin(0)
    for number in range(1, 3 * MOST_STREAMS):
        program.mux.frame(Kind.OPEN, number, struct.pack(">I", 0))
        program.mux.frame(Kind.GONE, number)
    program.replies.append({"taken": [], "more": 0, "asked": 1})
    program.talk.take()
    serving = 0
    while begun.acquire(timeout=0.1):
        serving += 1
    go_on.set()
    assert serving == MOST_STREAMS
