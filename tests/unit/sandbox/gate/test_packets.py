"""Packets are read, refused, answered and led elsewhere; no bytes whatever make any of it fail."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import added_up, address, ip, ping, pseudo, tcp, udp

from wpk_sandbox.sandbox.gate import packets
from wpk_sandbox.sandbox.gate.packets import ACK, FIN, RST, SYN, Packet

HERE, THERE = "198.18.0.2", "192.0.2.9"
HERE6, THERE6 = "fd77:706b::2", "2001:db8::9"
ROUTER, ROUTER6 = address("198.18.0.1"), address("fd77:706b::1")
PAIRS = pytest.mark.parametrize(("here", "there"), [(HERE, THERE), (HERE6, THERE6)], ids=["IPv4", "IPv6"])


def read(raw: bytes) -> Packet:
    packet = packets.parse(raw)
    assert packet is not None
    return packet


def refused(raw: bytes) -> Packet:
    packet = read(raw)
    answer = packets.refusal(packet, ROUTER if packet.version == 4 else ROUTER6)
    assert answer is not None
    assert_sums(answer)
    return read(answer)


def assert_sums(raw: bytes) -> None:
    """Every checksum of a packet is right, by another way of adding up."""
    packet = read(raw)
    body = raw[packet.start :]
    if packet.version == 4:
        assert added_up(raw[: packet.start]) == 0xFFFF
    if packet.version == 4 and packet.protocol == packets.ICMP:
        assert added_up(body) == 0xFFFF
    else:
        source, target = (".".join(map(str, end)) for end in (packet.source, packet.target))
        if packet.version == 6:
            source, target = (end.hex(":", 2) for end in (packet.source, packet.target))
        assert added_up(pseudo(source, target, packet.protocol, len(body)) + body) == 0xFFFF


@PAIRS
def test_connection_is_read(here: str, there: str) -> None:
    packet = read(tcp(here, there, (40000, 443)))
    assert (packet.source, packet.target) == (address(here), address(there))
    assert (packet.protocol, packet.source_port, packet.target_port) == (packets.TCP, 40000, 443)
    assert (packet.flags, packet.sequence) == (SYN, 1000)


@PAIRS
def test_connection_is_reset_at_its_next_number(here: str, there: str) -> None:
    answer = refused(tcp(here, there, (40000, 443)))
    assert (answer.source, answer.source_port) == (address(there), 443)
    assert (answer.target, answer.target_port) == (address(here), 40000)
    assert answer.flags == RST | ACK
    assert (answer.sequence, answer.acknowledgement) == (0, 1001)


def test_data_without_a_connection_is_reset_at_what_it_acknowledges() -> None:
    answer = refused(tcp(HERE, THERE, (1, 2), ACK, b"data"))
    assert (answer.flags, answer.sequence) == (RST, 55)
    answer = refused(tcp(HERE, THERE, (1, 2), FIN, b"data"))
    assert (answer.flags, answer.acknowledgement) == (RST | ACK, 1005)


def test_reset_is_not_answered() -> None:
    assert packets.refusal(read(tcp(HERE, THERE, (1, 2), RST)), ROUTER) is None


@PAIRS
def test_datagram_is_refused_by_the_router_with_what_it_was(here: str, there: str) -> None:
    raw = udp(here, there, (5000, 123), b"hello")
    answer = refused(raw)
    router, error = (ROUTER, (3, 3)) if answer.version == 4 else (ROUTER6, (1, 4))
    assert (answer.source, answer.target) == (router, address(here))
    assert tuple(answer.raw[answer.start : answer.start + 2]) == error
    assert answer.raw[answer.start + 8 :] == raw


@PAIRS
def test_ping_is_prohibited(here: str, there: str) -> None:
    answer = refused(ping(here, there))
    expected = (3, 13) if answer.version == 4 else (1, 1)
    assert tuple(answer.raw[answer.start : answer.start + 2]) == expected


def test_large_datagram_is_quoted_in_part() -> None:
    assert len(refused(udp(HERE, THERE, (1, 2), b"x" * 60000)).raw) < 200


@pytest.mark.parametrize("target", ["224.0.0.251", "255.255.255.255", "ff02::fb"])
def test_what_goes_to_many_is_not_answered(target: str) -> None:
    packet = read(udp(HERE6 if ":" in target else HERE, target, (5353, 5353)))
    assert packet.to_many
    assert packets.refusal(packet, ROUTER) is None
    assert not read(udp(HERE, THERE, (1, 2))).to_many


def test_error_is_not_answered_and_no_attempt() -> None:
    error = ip(HERE, THERE, packets.ICMP, struct.pack(">BBHI", 3, 3, 0, 0) + b"x" * 28)
    assert not packets.is_attempt(read(error))
    assert packets.refusal(read(error), ROUTER) is None
    assert packets.is_attempt(read(ping(HERE, THERE)))


@pytest.mark.parametrize("kind", [133, 135, 143])
def test_what_a_kernel_says_to_its_neighbours_is_no_attempt(kind: int) -> None:
    assert not packets.is_attempt(read(ip(HERE6, "ff02::2", packets.ICMP6, bytes([kind, 0, 0, 0, 0, 0, 0, 0]))))
    assert packets.is_attempt(read(ping(HERE6, THERE6)))


@PAIRS
@given(payload=st.binary(max_size=200))
def test_answer_goes_back_with_right_checksums(here: str, there: str, payload: bytes) -> None:
    answer = packets.udp_answer(read(udp(here, there, (5000, 53), b"?")), payload)
    assert_sums(answer)
    packet = read(answer)
    assert (packet.source_port, packet.target_port, packet.payload) == (53, 5000, payload)
    assert (packet.source, packet.target) == (address(there), address(here))


@PAIRS
@given(payload=st.binary(max_size=200), port=st.integers(0, 65535), source=st.integers(0, 65535))
def test_led_packet_differs_in_its_ends_alone(
    here: str, there: str, payload: bytes, port: int, source: int
) -> None:
    raw = tcp(here, there, (40000, 443), ACK, payload)
    other = "198.18.7.7" if "." in here else "fd77::7"
    moved = packets.led(read(raw), (address(other), source), (address(here), port))
    assert_sums(moved)
    packet = read(moved)
    assert (packet.source, packet.source_port) == (address(other), source)
    assert (packet.target, packet.target_port) == (address(here), port)
    assert packets.led(packet, (address(here), 40000), (address(there), 443)) == raw


def test_wrong_checksum_stays_wrong_when_led() -> None:
    raw = bytearray(tcp(HERE, THERE, (1, 2)))
    raw[36] ^= 1
    moved = packets.led(read(bytes(raw)), (address(THERE), 1), (address(HERE), 2))
    with pytest.raises(AssertionError):
        assert_sums(moved)


def test_headers_before_the_transport_are_passed_over() -> None:
    inner = tcp(HERE6, THERE6, (1, 2))[40:]
    options = bytes([6, 1]) + bytes(14)
    hop = bytes([60, 0]) + bytes(6)
    packet = read(ip(HERE6, THERE6, 0, hop + options + inner))
    assert (packet.protocol, packet.target_port) == (packets.TCP, 2)


def test_later_fragment_has_no_ports_and_no_answer() -> None:
    raw = bytearray(udp(HERE, THERE, (1, 2), b"x" * 40))
    raw[6:8] = (0x2001).to_bytes(2, "big")
    packet = read(bytes(raw))
    assert packet.later_fragment
    assert (packet.source_port, packet.target_port) == (0, 0)
    assert packets.refusal(packet, ROUTER) is None
    later = read(ip(HERE6, THERE6, 44, bytes([17, 0, 0, 9, 0, 0, 0, 1]) + b"x" * 8))
    assert later.later_fragment
    first = read(ip(HERE6, THERE6, 44, bytes([17, 0, 0, 1, 0, 0, 0, 1]) + udp(HERE6, THERE6, (1, 2))[40:]))
    assert (first.later_fragment, first.target_port) == (False, 2)


@pytest.mark.parametrize("cut", [0, 1, 10, 19, 20, 30, 39])
def test_half_a_packet_is_none(cut: int) -> None:
    raw = tcp(HERE, THERE, (1, 2))
    assert packets.parse(raw[:cut]) is None
    assert packets.parse(raw) is not None


@given(
    st.binary(max_size=120)
    | st.binary(max_size=80).map(lambda rest: b"\x45" + rest)
    | st.binary(max_size=120).map(lambda rest: b"\x60" + rest)
    | st.builds(ip, st.just(HERE), st.just(THERE), st.integers(0, 255), st.binary(max_size=60))
    | st.builds(ip, st.just(HERE6), st.just(THERE6), st.integers(0, 255), st.binary(max_size=100))
)
def test_no_bytes_make_it_fail(raw: bytes) -> None:
    packet = packets.parse(raw)
    if packet is None:
        return
    assert packet.raw == raw[: len(packet.raw)]
    packets.is_attempt(packet)
    answer = packets.refusal(packet, ROUTER if packet.version == 4 else ROUTER6)
    if answer is not None:
        assert_sums(answer)
        # An answer goes to who asked, and is nothing that wants an answer in turn.
        back = read(answer)
        assert back.target == packet.source
        assert packets.refusal(back, ROUTER if packet.version == 4 else ROUTER6) is None
