"""What leads to a gate's program never waits for ever for a program that does not read."""

import socket

import pytest

from wpk_sandbox.sandbox.gate import talk
from wpk_sandbox.sandbox.gate.attached import Attached
from wpk_sandbox.sandbox.shells.qemu.gate import PortStreams


@pytest.mark.parametrize("made", [Attached, PortStreams])
def test_write_to_who_does_not_read_fails_and_closes(
    made: type[Attached] | type[PortStreams], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk.give_up_writing, "__defaults__", (0.05,))
    ours, theirs = socket.socketpair()
    theirs.settimeout(10)
    with ours, theirs:
        streams = made(ours)
        streams.write(b"read")
        assert theirs.recv(4) == b"read"
        with pytest.raises(OSError, match="temporarily unavailable"):
            streams.write(bytes(10_000_000))
        while theirs.recv(65536):
            pass
        assert streams.read(1) == b""
