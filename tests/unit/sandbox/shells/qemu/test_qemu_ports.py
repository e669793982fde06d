"""What a guest writes is taken apart, however it comes, and whatever it is."""

import os
import socket
import time
from collections.abc import Iterator

import pytest

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.shells.output import STDERR, STDOUT, Output
from wpk_sandbox.sandbox.shells.qemu.ports import CONSOLE, CONTROL, NAMES, WATCH, Ports

MARK = b"0123456789abcdef"


class Guest:
    """The guest's ends of the ports."""

    def __init__(self, ports: Ports) -> None:
        copies = [os.dup(descriptor) for descriptor in ports.descriptors()]
        self.ends = {name: socket.socket(fileno=copy) for name, copy in zip(NAMES, copies, strict=True)}

    def says(self, name: object, data: bytes) -> None:
        self.ends[name].sendall(data)

    def close(self) -> None:
        for end in self.ends.values():
            end.close()


@pytest.fixture
def ports() -> Iterator[Ports]:
    made = Ports()
    yield made
    made.close()


@pytest.fixture
def guest(ports: Ports) -> Iterator[Guest]:
    made = Guest(ports)
    ports.start()
    yield made
    made.close()


def soon() -> float:
    return time.monotonic() + 5


def test_requests_arrive_and_answers_come_back(ports: Ports, guest: Guest) -> None:
    ports.send(b"count\n")
    assert guest.ends[CONTROL].recv(100) == b"count\n"
    guest.says(CONTROL, b"something else\ncounters 1 2")
    guest.says(CONTROL, b" 3\n")
    assert ports.answer("counters", 5) == ["1", "2", "3"]


def test_streams_end_at_the_mark_though_it_comes_in_pieces(ports: Ports, guest: Guest) -> None:
    output = Output(1000)
    ports.begin(MARK, output)
    guest.says(STDOUT, b"out 0123")
    guest.says(STDERR, b"err" + MARK)
    assert not ports.wait(lambda: ports.streams_ended, time.monotonic() + 0.05)
    for byte in MARK:
        guest.says(STDOUT, bytes([byte]))
    assert ports.wait(lambda: ports.streams_ended, soon())
    assert (output.text(STDOUT), output.text(STDERR)) == ("out 0123", "err")


def test_what_comes_after_the_mark_is_nobodys(ports: Ports, guest: Guest) -> None:
    first, second = Output(1000), Output(1000)
    ports.begin(MARK, first)
    guest.says(STDOUT, b"first" + MARK + b"late")
    guest.says(STDERR, MARK)
    assert ports.wait(lambda: ports.streams_ended, soon())
    ports.begin(b"f" * 16, second)
    guest.says(STDOUT, b"second" + b"f" * 16)
    guest.says(STDERR, b"f" * 16)
    assert ports.wait(lambda: ports.streams_ended, soon())
    assert (first.text(STDOUT), second.text(STDOUT)) == ("first", "second")


def test_flood_is_kept_up_to_the_limit_and_read_on(ports: Ports, guest: Guest) -> None:
    output = Output(1000)
    ports.begin(MARK, output)
    for _ in range(100):
        guest.says(STDOUT, b"x" * 10_000)
    guest.says(STDOUT, MARK)
    guest.says(STDERR, MARK)
    assert ports.wait(lambda: ports.streams_ended, soon())
    assert output.full
    assert len(output.raw(STDOUT)) == 1000


@pytest.mark.parametrize("name", [CONTROL, WATCH, CONSOLE])
def test_endless_words_are_bounded(ports: Ports, guest: Guest, name: str) -> None:
    for _ in range(200):
        guest.says(name, b"x" * 10_000 + b"\n" * 100)
    guest.says(CONTROL, b"\nready\n")
    assert ports.answer("ready", 5) == []
    assert sum(map(len, ports.watched())) < 20_000_000
    assert len(ports.last_words()) < 1000


def test_end_of_the_guest_is_told_with_its_last_words(ports: Ports, guest: Guest) -> None:
    guest.says(CONSOLE, b"Kernel panic - not syncing")
    assert not ports.wait(lambda: False, time.monotonic() + 0.1)
    guest.close()
    with pytest.raises(SandboxError, match="the guest ended; its last words: Kernel panic"):
        ports.answer("ready", 5)


def test_silence_is_no_answer(ports: Ports, guest: Guest) -> None:
    with pytest.raises(SandboxError, match="does not answer"):
        ports.answer("ready", 0.05)
