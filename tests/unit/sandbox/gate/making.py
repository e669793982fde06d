"""Packets as a kernel would send them, built here a second time, so that the tests do not believe the source."""

import ipaddress
import struct


def address(text: str) -> bytes:
    return ipaddress.ip_address(text).packed


def added_up(data: bytes) -> int:
    """The one's complement sum of RFC 1071, word by word: 0xFFFF where the checksum in it is right."""
    data += b"\0" * (len(data) % 2)
    total = 0
    for (word,) in struct.iter_unpack(">H", data):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    return total


def ip(source: str, target: str, protocol: int, body: bytes) -> bytes:
    one, other = address(source), address(target)
    if len(one) == 4:
        header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 7, 0, 64, protocol, 0, one, other)
        checksum = 0xFFFF - added_up(header)
        return header[:10] + struct.pack(">H", checksum) + header[12:] + body
    return struct.pack(">IHBB16s16s", 6 << 28, len(body), protocol, 64, one, other) + body


def summed(source: str, target: str, protocol: int, body: bytes, at: int) -> bytes:
    """A transport's packet with its checksum, which covers the addresses too."""
    over = pseudo(source, target, protocol, len(body)) + body
    checksum = 0xFFFF - added_up(over)
    return ip(source, target, protocol, body[:at] + struct.pack(">H", checksum) + body[at + 2 :])


def pseudo(source: str, target: str, protocol: int, length: int) -> bytes:
    return address(source) + address(target) + struct.pack(">II", length, protocol)


def tcp(
    source: str, target: str, ports: tuple[int, int], flags: int = 2, payload: bytes = b"", seq: int = 1000
) -> bytes:
    header = struct.pack(">HHIIBBHHH", *ports, seq, 55 if flags & 16 else 0, 5 << 4, flags, 1024, 0, 0)
    return summed(source, target, 6, header + payload, 16)


def udp(source: str, target: str, ports: tuple[int, int], payload: bytes = b"") -> bytes:
    return summed(source, target, 17, struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload, 6)


def ping(source: str, target: str) -> bytes:
    if ":" in target:
        return summed(source, target, 58, struct.pack(">BBHHH", 128, 0, 0, 77, 1), 2)
    body = struct.pack(">BBHHH", 8, 0, 0, 77, 1)
    return ip(source, target, 1, body[:2] + struct.pack(">H", 0xFFFF - added_up(body)) + body[4:])


def question(name: str, kind: int = 1, identifier: int = 4711) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack(">HHHHHH", identifier, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, 1)
