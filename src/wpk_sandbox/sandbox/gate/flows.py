"""Leads connections to a listener of ours in the same network namespace, and its answers back.

A packet that a shell sends to `target` comes out of the TUN device; with other ends it goes in again, and the
kernel takes it for a new connection from `target` to our listener. What the listener answers comes out in turn, and
goes in as what `target` answers. So both ends are the kernel's own TCP, and any address and port can be answered
for, whether or not it is known before.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from itertools import count

from . import packets

MOST = 8192
_FIRST_PORT, _PORTS = 1024, 65536 - 1024

End = tuple[bytes, int]


@dataclass(frozen=True, slots=True)
class Flow:
    """One connection: who began it, where it was meant to go, and the route that answers (by its number)."""

    client: End
    target: End
    route: int
    port: int
    sequence: int


class Flows:
    """All connections that are led. The oldest is forgotten when there are too many."""

    def __init__(self, listeners: dict[int, End], most: int = MOST) -> None:
        """`listeners` are the addresses of ours by the version of IP."""
        self._listeners, self._most = listeners, most
        self._by_ends: OrderedDict[tuple[End, End], Flow] = OrderedDict()
        self._by_port: dict[int, Flow] = {}
        self._ports = count()
        self._lock = threading.Lock()

    def begin(self, packet: packets.Packet, route: int) -> bool:
        """Note a connection by its first packet, or know it again; False where there is no listener for it."""
        if packet.version not in self._listeners:
            return False
        client, target = _ends(packet)
        with self._lock:
            known = self._by_ends.get((client, target))
            if known and known.sequence == packet.sequence:
                return True
            if known:
                self._forget(known)
            while len(self._by_ends) >= self._most:
                self._forget(next(iter(self._by_ends.values())))
            port = next(port for n in self._ports if (port := _FIRST_PORT + n % _PORTS) not in self._by_port)
            flow = Flow(client, target, route, port, packet.sequence)
            self._by_ends[client, target] = self._by_port[port] = flow
        return True

    def led(self, packet: packets.Packet) -> bytes | None:
        """A packet of a known connection with the ends that lead it on; None for any other packet."""
        listener = self._listeners.get(packet.version)
        source, target = _ends(packet)
        with self._lock:
            if source == listener:
                flow = self._by_port.get(target[1])
                if flow is None or flow.target[0] != target[0]:
                    return None
                return packets.led(packet, flow.target, flow.client)
            flow = self._by_ends.get((source, target))
        if flow is None or listener is None:
            return None
        return packets.led(packet, (flow.target[0], flow.port), listener)

    def accepted(self, peer: End) -> Flow | None:
        """The connection that a listener accepted from `peer`; None when somebody called the listener itself."""
        with self._lock:
            flow = self._by_port.get(peer[1])
        return flow if flow and flow.target[0] == peer[0] else None

    def _forget(self, flow: Flow) -> None:
        self._by_ends.pop((flow.client, flow.target), None)
        self._by_port.pop(flow.port, None)


def _ends(packet: packets.Packet) -> tuple[End, End]:
    return (packet.source, packet.source_port), (packet.target, packet.target_port)
