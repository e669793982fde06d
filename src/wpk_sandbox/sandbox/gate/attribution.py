"""Whose a packet is: from its source port to the socket, from the socket to the process, all by proc(5).

Needs the standard library alone. The process is found while it waits for the answer; one that sent a datagram and
is gone is not found, and what belongs to somebody else is not found without the right to look.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress

from . import packets

_TABLES = {
    packets.TCP: ("tcp", "tcp6"),
    packets.UDP: ("udp", "udp6"),
    packets.ICMP: ("icmp", "raw"),
    packets.ICMP6: ("icmp6", "raw6"),
}
_LARGEST_TABLE = 1 << 20
_MOST_SECONDS = 1.0
_MOST_PROCESSES = 512
_MOST_DESCRIPTORS = 1024


class Attribution:
    """Looks into one file system of processes, which shows the shell's and no others."""

    def __init__(self, processes: int, network: str = "1/net") -> None:
        """`processes` is a descriptor of the root of a proc file system, `network` the folder of its tables."""
        self._root, self._network = processes, network
        self._left = _MOST_SECONDS

    def process(self, packet: packets.Packet) -> str:
        """`name (number)` of the process that sent a packet; empty where it cannot be found.

        The kernel takes milliseconds to tell its sockets, so a flood is not looked into to its end.
        """
        if self._left <= 0:
            return ""
        began = time.monotonic()
        found = self.owner(packet.protocol, packet.source_port)
        self._left -= time.monotonic() - began
        return found

    def renew(self) -> None:
        """Allow as much time again."""
        self._left = _MOST_SECONDS

    def owner(self, protocol: int, port: int) -> str:
        """The same by protocol and local port."""
        sockets = {
            f"socket:[{inode}]" for table in _TABLES.get(protocol, ()) for inode in self._inodes(table, port)
        }
        sockets.discard("socket:[0]")
        return self._holder(sockets) if sockets else ""

    def lost(self, device: str) -> int:
        """How many packets a device has dropped because they were not read in time; 0 where it is not told."""
        for line in self._read(f"{self._network}/dev", _LARGEST_TABLE).decode("ascii", "replace").splitlines():
            name, _, columns = line.partition(":")
            fields = columns.split()
            # Eight columns of what came in, then what went out: bytes, packets, errors, drops.
            if name.strip() == device and len(fields) > 11 and fields[11].isdigit():
                return int(fields[11])
        return 0

    def _inodes(self, table: str, port: int) -> Iterator[str]:
        text = self._read(f"{self._network}/{table}", _LARGEST_TABLE).decode("ascii", "replace")
        for line in text.splitlines()[1:]:
            fields = line.split()
            if len(fields) > 9 and fields[1].rpartition(":")[2] == f"{port:04X}":
                yield fields[9]

    def _holder(self, sockets: set[str]) -> str:
        with suppress(OSError):
            numbers = [name for name in os.listdir(self._root) if name.isdigit()]
            # The newest first: what was started last is what most likely tries something now.
            for number in sorted(numbers, key=int, reverse=True)[:_MOST_PROCESSES]:
                if self._holds(number, sockets):
                    name = self._read(f"{number}/comm", 64).decode("utf-8", "replace").strip()
                    return f"{name} ({number})"
        return ""

    def _holds(self, number: str, sockets: set[str]) -> bool:
        try:
            folder = os.open(f"{number}/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._root)
        except OSError:
            return False
        try:
            for name in os.listdir(folder)[:_MOST_DESCRIPTORS]:
                with suppress(OSError):
                    if os.readlink(name, dir_fd=folder) in sockets:
                        return True
        except OSError:
            return False
        finally:
            os.close(folder)
        return False

    def _read(self, path: str, most: int) -> bytes:
        kept = b""
        with suppress(OSError):
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._root)
            try:
                while len(kept) < most and (chunk := os.read(file, 65536)):
                    kept += chunk
            finally:
                os.close(file)
        return kept
