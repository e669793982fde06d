"""The process behind a local port is found, as long as it holds the socket."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from making import udp

from wpk_sandbox.sandbox.gate import packets
from wpk_sandbox.sandbox.gate.attribution import Attribution


@pytest.fixture
def attribution() -> Iterator[Attribution]:
    root = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
    yield Attribution(root, "self/net")
    os.close(root)


@pytest.fixture
def me() -> str:
    return f"{Path('/proc/self/comm').read_text().strip()} ({os.getpid()})"


@pytest.mark.parametrize(
    ("family", "kind", "protocol"),
    [
        (socket.AF_INET, socket.SOCK_STREAM, packets.TCP),
        (socket.AF_INET, socket.SOCK_DGRAM, packets.UDP),
        (socket.AF_INET6, socket.SOCK_DGRAM, packets.UDP),
    ],
    ids=["TCP", "UDP", "UDP over IPv6"],
)
def test_holder_of_a_port_is_named(
    attribution: Attribution, me: str, family: int, kind: int, protocol: int
) -> None:
    with socket.socket(family, kind) as held:
        held.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
        if kind == socket.SOCK_STREAM:
            held.listen()
        port = held.getsockname()[1]
        assert attribution.owner(protocol, port) == me
        other = packets.TCP if protocol == packets.UDP else packets.UDP
        assert attribution.owner(other, port) == ""
    assert attribution.owner(protocol, port) == "", "it is closed"


def test_protocol_without_ports_has_no_holder(attribution: Attribution) -> None:
    assert attribution.owner(2, 0) == ""


def test_folder_that_is_no_proc_tells_nothing(tmp_path: Path) -> None:
    root = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        assert Attribution(root).owner(packets.TCP, 80) == ""
    finally:
        os.close(root)


def test_flood_is_not_looked_into_to_its_end(
    attribution: Attribution, me: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        packet = packets.parse(udp("127.0.0.1", "192.0.2.1", (held.getsockname()[1], 53)))
        assert packet is not None
        assert attribution.process(packet) == me
        clock = iter(range(0, 100, 2))
        monkeypatch.setattr("time.monotonic", lambda: next(clock))
        assert attribution.process(packet) == me, "it takes two seconds of this clock"
        assert attribution.process(packet) == ""
        attribution.renew()
        assert attribution.process(packet) == me
