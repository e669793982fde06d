"""The world that an unhardened twin finds: every target of `network.py`, on its own loopback, and fake daemons.

Started inside the twin before its attempts, as root of a container that is connected to nothing.
"""

import contextlib
import fcntl
import json
import os
import socket
import struct
import sys
import threading
from typing import Any

from probes.devices import DAEMONS

ADDRESSES = (
    "169.254.169.254",
    "168.63.129.16",
    "203.0.113.10",
    "203.0.113.53",
    "203.0.113.54",
    "fd00:ec2::254",
    "2001:db8::10",
)
NEW_ADDRESS, NEW_ROUTE = 20, 24  # RTM_*, of rtnetlink(7)
REQUEST = 0x1 | 0x4 | 0x400  # NLM_F_REQUEST, _ACK, _CREATE
TUNNEL, TUNSETIFF, IFF_TAP = "/dev/net/tun", 0x400454CA, 0x1002


def main() -> None:
    given = json.loads(sys.argv[1])
    word = given["word"].encode()
    for name in ("all", "lo"):
        with open(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "w", encoding="ascii") as switch:
            switch.write("0")
    for address in (*ADDRESSES, given["gateway"], given["neighbour"]):
        _tell_kernel(NEW_ADDRESS, address)
    _tell_kernel(NEW_ROUTE, "224.0.0.0", 4)
    _tell_kernel(NEW_ROUTE, "255.255.255.255", 32)
    _tell_kernel(NEW_ROUTE, "ff00::", 8)
    _link()
    for port in (80, 443, 853, given["host_port"]):
        _listening(socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True), word)
    _listening(_unix("\0" + given["abstract"]), word)
    for path in DAEMONS:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if not os.path.exists(path):
            _listening(_unix(path), word)
    _answering(9999, word)
    _answering(5353, word)
    _answering(53, None)
    _answering(53, None, "::ffff:127.0.0.11")
    _listening(socket.create_server(("::", 53), family=socket.AF_INET6, dualstack_ipv6=True), None)
    print("ready", flush=True)
    threading.Event().wait()


def _tell_kernel(what: int, address: str, prefix: int | None = None) -> None:
    """Give the loopback an address, or a route."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    raw = socket.inet_pton(family, address)
    length = len(raw) * 8 if prefix is None else prefix
    index = socket.if_nametoindex("lo")
    if what == NEW_ADDRESS:
        body = struct.pack("=BBBBI", family, length, 0x02, 0, index) + _part(1, raw) + _part(2, raw)
    else:
        # In the table of what is local for IPv6, which refuses every other route by the loopback.
        table, scope, kind = (255, 0, 2) if family == socket.AF_INET6 else (254, 253, 1)
        body = struct.pack("=8BI", family, length, 0, 0, table, 3, scope, kind, 0)
        body += _part(1, raw) + _part(4, struct.pack("=I", index))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.send(struct.pack("=IHHII", 16 + len(body), what, REQUEST, 1, 0) + body)
        error = struct.unpack_from("=i", kernel.recv(4096), 16)[0]
    if error not in (0, -17):
        raise OSError(-error, os.strerror(-error), address)


def _part(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def _link() -> None:
    """A link with hardware of its own, which ends here, and a neighbour on it."""
    tunnel = os.open(TUNNEL, os.O_RDWR)
    fcntl.ioctl(tunnel, TUNSETIFF, struct.pack("16sH22x", b"wpk0", IFF_TAP))
    index = socket.if_nametoindex("wpk0")
    neighbour = struct.pack("=BxHiHBB", socket.AF_INET, 0, index, 0x80, 0, 1)
    neighbour += _part(1, socket.inet_aton("198.51.100.1")) + _part(2, b"\2\0\0\0\0\1")
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.send(struct.pack("=IHHII", 16 + len(neighbour), 28, REQUEST, 1, 0) + neighbour)
        kernel.recv(4096)


def _unix(path: str) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen()
    return server


def _listening(server: socket.socket, word: bytes | None) -> None:
    """Say the word to whoever connects; without one, answer a question for a name."""

    def serve() -> None:
        while True:
            stream, _ = server.accept()
            with stream, contextlib.suppress(OSError):
                stream.sendall(word if word else _framed(stream.recv(4096)))

    threading.Thread(target=serve, daemon=True).start()


def _framed(question: bytes) -> bytes:
    answer = _resolved(question[2:])
    return struct.pack(">H", len(answer)) + answer


def _answering(port: int, word: bytes | None, address: str = "::") -> None:
    server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, port))
    index = socket.if_nametoindex("lo")
    group: Any = socket.inet_pton(socket.AF_INET6, "ff02::fb") + struct.pack("=I", index)
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
    server.setsockopt(
        socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("224.0.0.251") + socket.inet_aton("127.0.0.1")
    )

    def serve() -> None:
        while True:
            question, peer = server.recvfrom(4096)
            server.sendto(word if word else _resolved(question), peer)

    threading.Thread(target=serve, daemon=True).start()


def _resolved(question: bytes) -> bytes:
    """Every name is at 203.0.113.10; there are no other records."""
    kind = struct.unpack(">H", question[question.index(b"\0", 12) + 1 :][:2])[0]
    end = question.index(b"\0", 12) + 5
    head = question[:2] + struct.pack(">5H", 0x8180, 1, int(kind == 1), 0, 0)
    record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton("203.0.113.10")
    return head + question[12:end] + (record if kind == 1 else b"")


if __name__ == "__main__":
    main()
