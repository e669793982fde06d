"""What comes out of the device is recorded and answered; here a pair of sockets stands in the device's place."""

import os
import queue
import resource
import socket
import struct
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import address, ping, question, tcp, udp

from wpk_sandbox.sandbox.gate import names, packets
from wpk_sandbox.sandbox.gate.attribution import Attribution
from wpk_sandbox.sandbox.gate.directory import Directory
from wpk_sandbox.sandbox.gate.recorder import Recorder, Seen
from wpk_sandbox.sandbox.gate.responder import Responder

HERE, THERE, HERE6 = "198.18.0.2", "192.0.2.9", "fd77:706b::2"


class Device:
    """A responder that serves, and the other side of its device."""

    def __init__(self) -> None:
        self.kernel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        theirs.setblocking(False)
        self.kernel.settimeout(10)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.processes = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
        self.connected: list[tuple[socket.socket, int]] = []
        self.responder = Responder(
            theirs.detach(),
            [self.listener],
            Directory([("api.example.com", 443), ("10.1.2.3", 5432)]),
            Recorder(most=50),
            Attribution(self.processes, "self/net"),
            lambda connection, route: self.connected.append((connection, route)),
        )
        self.responder.start()

    def answer(self, raw: bytes) -> packets.Packet:
        self.kernel.send(raw)
        packet = packets.parse(self.kernel.recv(65536))
        assert packet is not None
        return packet

    def seen(self) -> list[tuple[str, str, int | None, str, int | None]]:
        taken = self.responder.take().seen
        return [(each.protocol, each.address, each.port, each.name, each.route) for each in taken]


@pytest.fixture
def device() -> Iterator[Device]:
    made = Device()
    yield made
    made.responder.close()
    assert made.responder.ended.is_set()
    made.kernel.close()
    os.close(made.processes)


def test_connection_is_refused_and_recorded(device: Device) -> None:
    assert device.answer(tcp(HERE, THERE, (40000, 22))).flags & packets.RST
    assert device.seen() == [("tcp", THERE, 22, "", None)]
    assert device.seen() == []


def test_datagram_ping_and_other_protocols_are_recorded(device: Device) -> None:
    assert device.answer(udp(HERE, THERE, (1, 123))).protocol == packets.ICMP
    assert device.answer(ping(HERE6, "2001:db8::9")).protocol == packets.ICMP6
    device.kernel.send(udp(HERE, "224.0.0.251", (1, 5353)))
    assert device.seen() == [
        ("udp", THERE, 123, "", None),
        ("icmp", "2001:db8::9", None, "", None),
        ("udp", "224.0.0.251", 5353, "", None),
    ]


def test_name_is_answered_whatever_resolver_is_asked(device: Device) -> None:
    for resolver, source in ((THERE, HERE), ("2001:db8::53", HERE6)):
        answer = device.answer(udp(source, resolver, (5000, 53), question("example.net")))
        assert (answer.source, answer.source_port) == (address(resolver), 53)
        assert answer.payload[3] & 15 == names.Code.UNKNOWN_NAME
    known = device.answer(udp(HERE, THERE, (5001, 53), question("api.example.com")))
    assert known.payload.endswith(bytes([198, 18, 1, 0]))
    assert device.seen() == [("dns", "", None, "example.net", None), ("dns", "", None, "api.example.com", 0)]


def test_both_kinds_of_addresses_are_one_attempt(device: Device) -> None:
    for kind in (names.A, names.AAAA):
        device.answer(udp(HERE, THERE, (5000, 53), question("example.net", kind)))
    assert [seen.count for seen in device.responder.take().seen] == [1]


def test_what_is_no_question_is_a_datagram_like_any_other(device: Device) -> None:
    assert device.answer(udp(HERE, THERE, (5000, 53), b"data")).protocol == packets.ICMP
    half = device.answer(udp(HERE, THERE, (5000, 53), question("example.net")[:-2]))
    assert half.payload[3] & 15 == names.Code.MALFORMED
    assert device.seen() == [("udp", THERE, 53, "", None), ("dns", "", None, "", None)]


def test_connection_to_a_route_is_led_to_the_listener(device: Device) -> None:
    device.answer(udp(HERE, THERE, (5000, 53), question("api.example.com")))
    led = device.answer(tcp(HERE, "198.18.1.0", (40000, 443)))
    assert led.source == address("198.18.1.0")
    assert (led.target, led.target_port) == (address("127.0.0.1"), device.listener.getsockname()[1])
    assert device.answer(tcp(HERE, "198.18.1.0", (40000, 80))).flags & packets.RST
    assert device.seen()[1:] == [
        ("tcp", "198.18.1.0", 443, "api.example.com", 0),
        ("tcp", "198.18.1.0", 80, "api.example.com", None),
    ]


def test_who_calls_the_listener_itself_is_sent_away(device: Device) -> None:
    with socket.create_connection(device.listener.getsockname()) as caller:
        caller.settimeout(10)
        assert caller.recv(1) == b""
    assert device.connected == []


def test_listener_outlives_a_lack_of_descriptors() -> None:
    arrived: queue.Queue[socket.socket] = queue.Queue()
    kernel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.setblocking(False)
    listener = socket.create_server(("127.0.0.1", 0))
    end = listener.getsockname()
    responder = Responder(
        theirs.detach(), [listener], Directory([end]), Recorder(), Attribution(-1), lambda one, _: arrived.put(one)
    )
    responder.start()
    bounds = resource.getrlimit(resource.RLIMIT_NOFILE)
    # The kernel has put a descriptor by for the first, and finds none for the second.
    with kernel, socket.socket() as first, socket.socket() as second:
        os.close(free := os.dup(0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, bounds[1]))
        try:
            first.connect(end)
            held = arrived.get(timeout=10)
            second.connect(end)
            time.sleep(0.1)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, bounds)
        with held, arrived.get(timeout=10):
            pass
        responder.close()


def test_flood_is_counted_whole(device: Device) -> None:
    for port in range(1000, 1200):
        device.answer(tcp(HERE, THERE, (40000, port)))
    taken = device.responder.take()
    assert (len(taken.seen), taken.more) == (50, 150)


def test_attempts_that_wait_in_the_device_are_taken_too(device: Device) -> None:
    for port in range(1, 41):
        device.kernel.send(udp(HERE, "224.0.0.1", (1, port)))
    assert len(device.responder.take().seen) == 40


def test_end_of_the_device_ends_it_and_what_was_seen_is_kept(device: Device) -> None:
    device.answer(tcp(HERE, THERE, (40000, 22)))
    device.responder.close()
    device.responder.close()
    assert device.kernel.recv(1) == b""
    assert device.seen() == [("tcp", THERE, 22, "", None)]


def test_process_is_named(device: Device) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        device.answer(udp(HERE, THERE, (held.getsockname()[1], 123)))
    (seen,) = device.responder.take().seen
    assert seen.process.endswith(f"({os.getpid()})")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=100) | st.binary(max_size=60).map(lambda data: udp(HERE, THERE, (1, 53), data))))
def test_no_packets_make_it_fail(raws: list[bytes]) -> None:
    responder = Responder(
        -1, [], Directory([("*", 443)]), Recorder(), Attribution(-1), lambda connection, _: connection.close()
    )
    for raw in raws:
        responder.respond(raw)
    responder._bell.close()
    responder._ringer.close()


def test_question_over_a_stream_is_answered_with_its_length(device: Device) -> None:
    # The kernel of a namespace is wanted for the whole way; here the answer alone.
    message = question("api.example.com")
    packet = packets.parse(tcp(HERE, THERE, (40000, 53)))
    assert packet is not None
    answer = device.responder.name_answer(message, packet)
    assert answer is not None
    assert struct.unpack(">H", answer[:2]) == (4711,)
    assert device.responder.take().seen[0] == Seen("dns", name="api.example.com", kind=names.A, route=0)
