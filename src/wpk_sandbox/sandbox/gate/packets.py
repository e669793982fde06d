"""Packets of IP as bytes: reading hostile ones, refusing them, answering them, leading them elsewhere.

Pure, and needs the standard library alone. Whatever cannot be read is None; nothing raises for what a packet says.
Checksums are those of RFC 1071, changed ones are computed as in RFC 1624.
"""

import struct
from dataclasses import dataclass, replace

# https://www.iana.org/assignments/protocol-numbers
ICMP, IGMP, TCP, UDP, ICMP6 = 1, 2, 6, 17, 58

FIN, SYN, RST, ACK = 1, 2, 4, 16

_IPV4, _IPV6 = struct.Struct(">BBHHHBBH4s4s"), struct.Struct(">IHBB16s16s")
_TCP = struct.Struct(">HHIIBBHHH")
_UDP = struct.Struct(">HHHH")

# IPv6 headers that say what follows them (RFC 8200), and the one that has no such end.
_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _OPTIONS = 0, 43, 44, 51, 60
_CHAINED = {_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _OPTIONS}
_LONGEST_CHAIN = 8

# What an ICMP error quotes of the packet that it is about: enough for any header, small enough for any path.
_QUOTED = 128


@dataclass(frozen=True, slots=True)
class Packet:
    """What one packet says of itself. `start` is where its transport's header begins.

    Ports are 0 where there are none; of ICMP the first is the identifier. `later_fragment` is a piece without a
    transport header. `flags`, `sequence` and `acknowledgement` are TCP's.
    """

    raw: bytes
    version: int
    protocol: int
    source: bytes
    target: bytes
    start: int
    source_port: int = 0
    target_port: int = 0
    flags: int = 0
    sequence: int = 0
    acknowledgement: int = 0
    icmp_type: int = -1
    later_fragment: bool = False

    @property
    def payload(self) -> bytes:
        """What a UDP packet carries."""
        return self.raw[self.start + _UDP.size :]

    @property
    def to_many(self) -> bool:
        """True for multicast and broadcast, which nobody may answer with an error (RFC 1122, RFC 4443)."""
        first = self.target[0]
        return first == 0xFF if self.version == 6 else first >= 224


def parse(raw: bytes) -> Packet | None:
    """Read a packet as a TUN device gives it; None for one that no kernel would have sent."""
    if not raw:
        return None
    version = raw[0] >> 4
    network = _parse4(raw) if version == 4 else _parse6(raw) if version == 6 else None
    return _with_transport(network) if network else None


def refusal(packet: Packet, router: bytes) -> bytes | None:
    """The answer that ends an attempt at once: a reset, or an ICMP error of `router`; None where none may be."""
    if packet.to_many or packet.later_fragment or not any(packet.source):
        return None
    if packet.protocol == TCP:
        return _reset(packet)
    if not is_attempt(packet):
        return None
    quoted = packet.raw[:_QUOTED]
    # Port unreachable is what programs take for "connection refused"; prohibited is what ping calls "filtered".
    if packet.version == 4:
        code = 3 if packet.protocol == UDP else 13
        body = _checked(struct.pack(">BBHI", 3, code, 0, 0) + quoted, 2)
        return _ip4(router, packet.source, ICMP, body)
    code = 4 if packet.protocol == UDP else 1
    body = struct.pack(">BBHI", 1, code, 0, 0) + quoted
    return _ip6(router, packet.source, ICMP6, body, 2)


def is_attempt(packet: Packet) -> bool:
    """False for what a kernel says by itself: ICMP that is no question, such as an error or a router's search."""
    if packet.protocol == ICMP and packet.version == 4:
        return packet.icmp_type in (8, 13, 15, 17)
    return packet.protocol != ICMP6 or packet.version != 6 or packet.icmp_type == 128


def udp_answer(packet: Packet, payload: bytes) -> bytes:
    """A datagram back to where this one came from."""
    header = _UDP.pack(packet.target_port, packet.source_port, _UDP.size + len(payload), 0)
    return _to_source(packet, UDP, header + payload, 6)


def led(packet: Packet, source: tuple[bytes, int], target: tuple[bytes, int]) -> bytes:
    """The same TCP packet with other ends, of the same version of IP. Everything else stays as it is."""
    raw = bytearray(packet.raw)
    at, width = (12, 4) if packet.version == 4 else (8, 16)
    before = bytes(raw[at : at + 2 * width])
    after = source[0] + target[0]
    raw[at : at + 2 * width] = after
    if packet.version == 4:
        _mend(raw, 10, before, after)
    ports_before = bytes(raw[packet.start : packet.start + 4])
    ports_after = struct.pack(">HH", source[1], target[1])
    raw[packet.start : packet.start + 4] = ports_after
    _mend(raw, packet.start + 16, before + ports_before, after + ports_after)
    return bytes(raw)


def checksum(data: bytes) -> int:
    """The Internet checksum; 0 over data that holds its own right checksum."""
    if len(data) % 2:
        data += b"\0"
    # A big number modulo 0xffff is its sixteen-bit words added up with the carries brought round.
    total = int.from_bytes(data, "big")
    folded = total % 0xFFFF
    return 0 if folded == 0 and total else 0xFFFF - folded


def _parse4(raw: bytes) -> Packet | None:
    if len(raw) < _IPV4.size:
        return None
    first, _, length, _, fragment, _, protocol, _, source, target = _IPV4.unpack_from(raw)
    start = (first & 15) * 4
    if start < _IPV4.size or not start <= length <= len(raw):
        return None
    return Packet(raw[:length], 4, protocol, source, target, start, later_fragment=fragment & 0x1FFF != 0)


def _parse6(raw: bytes) -> Packet | None:
    if len(raw) < _IPV6.size:
        return None
    _, length, following, _, source, target = _IPV6.unpack_from(raw)
    end = _IPV6.size + length
    if end > len(raw):
        return None
    start, later, links = _IPV6.size, False, 0
    while following in _CHAINED and not later:
        links += 1
        if start + 8 > end or links > _LONGEST_CHAIN:
            return None
        kind, following, extent = following, raw[start], raw[start + 1]
        if kind == _FRAGMENT:
            later = int.from_bytes(raw[start + 2 : start + 4], "big") & 0xFFF8 != 0
            start += 8
        else:
            start += (extent + 2) * 4 if kind == _AUTHENTICATION else (extent + 1) * 8
    if start > end:
        return None
    return Packet(raw[:end], 6, following, source, target, start, later_fragment=later)


def _with_transport(packet: Packet) -> Packet | None:
    raw, start = packet.raw, packet.start
    needed = {TCP: _TCP.size, UDP: _UDP.size, ICMP: 8, ICMP6: 8}.get(packet.protocol, 0)
    if packet.later_fragment or not needed:
        return packet
    if start + needed > len(raw):
        return None
    if packet.protocol == TCP:
        source, target, sequence, acknowledgement, _, flags, _, _, _ = _TCP.unpack_from(raw, start)
        numbers = {"flags": flags, "sequence": sequence, "acknowledgement": acknowledgement}
        return replace(packet, source_port=source, target_port=target, **numbers)
    if packet.protocol == UDP:
        source, target, _, _ = _UDP.unpack_from(raw, start)
        return replace(packet, source_port=source, target_port=target)
    # The identifier of an echo is what the kernel keeps as the socket's port.
    identifier = int.from_bytes(raw[start + 4 : start + 6], "big")
    return replace(packet, source_port=identifier, icmp_type=raw[start])


def _reset(packet: Packet) -> bytes | None:
    """The reset that RFC 9293 (3.10.7.1) gives to a segment for which there is no connection."""
    if packet.flags & RST:
        return None
    length = len(packet.raw) - packet.start - (packet.raw[packet.start + 12] >> 4) * 4
    length = max(0, length) + bool(packet.flags & SYN) + bool(packet.flags & FIN)
    if packet.flags & ACK:
        numbers = (packet.acknowledgement, 0, RST)
    else:
        numbers = (0, (packet.sequence + length) & 0xFFFFFFFF, RST | ACK)
    sequence, acknowledgement, flags = numbers
    ends = (packet.target_port, packet.source_port)
    header = _TCP.pack(*ends, sequence, acknowledgement, 5 << 4, flags, 0, 0, 0)
    return _to_source(packet, TCP, header, 16)


def _to_source(packet: Packet, protocol: int, body: bytes, at: int) -> bytes:
    if packet.version == 6:
        return _ip6(packet.target, packet.source, protocol, body, at)
    pseudo = packet.target + packet.source + struct.pack(">BBH", 0, protocol, len(body))
    return _ip4(packet.target, packet.source, protocol, _checked(body, at, pseudo, protocol))


def _ip4(source: bytes, target: bytes, protocol: int, body: bytes) -> bytes:
    header = _IPV4.pack(0x45, 0, _IPV4.size + len(body), 0, 0, 64, protocol, 0, source, target)
    return _checked(header, 10) + body


def _ip6(source: bytes, target: bytes, protocol: int, body: bytes, at: int) -> bytes:
    pseudo = source + target + struct.pack(">IxxxB", len(body), protocol)
    body = _checked(body, at, pseudo, protocol)
    return _IPV6.pack(6 << 28, len(body), protocol, 64, source, target) + body


def _checked(body: bytes, at: int, pseudo: bytes = b"", protocol: int = 0) -> bytes:
    """`body` with the checksum over it and its pseudo header written at `at`, where it holds two zeros."""
    value = checksum(pseudo + body)
    if protocol == UDP and value == 0:
        value = 0xFFFF  # zero says that there is none (RFC 768)
    return body[:at] + value.to_bytes(2, "big") + body[at + 2 :]


def _mend(raw: bytearray, at: int, before: bytes, after: bytes) -> None:
    """Bring a checksum in line with words that were changed."""
    old = int.from_bytes(raw[at : at + 2], "big")
    total = (0xFFFF - old) + (0xFFFF - int.from_bytes(before, "big") % 0xFFFF) + int.from_bytes(after, "big")
    folded = total % 0xFFFF
    raw[at : at + 2] = (0xFFFF - folded).to_bytes(2, "big")
