"""What the node refused to let out, as the firewall wrote it down, told once."""

import ipaddress
import json
from collections.abc import Callable, Iterator
from typing import Any

from wpk_sandbox.sandbox.clusters.kind.firewall import DOCKER_RESOLVER, ROWS, TABLE
from wpk_sandbox.sandbox.clusters.kind.node import Node
from wpk_sandbox.sandbox.sandbox import Attempt

# Source, destination, protocol, port (0 where the protocol has none).
Row = tuple[str, str, str, int]

_SETS = ("asked4", "asked6", "other4", "other6")
_COUNTERS = {"nodes": "the node itself", "pods": "pods"}
# From so many rows on, what is missing may not have found a place.
_FULL = ROWS * 9 // 10
_NODE = "the node itself (kubelet, containerd)"
_ICMP = {"icmp": "icmp", "ipv6-icmp": "icmp", "icmpv6": "icmp"}
_LISTING = ("nft", "-j", "list", "table", "inet", TABLE)


class Refusals:
    """What was refused so far, so that each attempt is told once, with how often it was made since."""

    def __init__(self, node: Node, name_of: Callable[[str], str]) -> None:
        self._node, self._name_of = node, name_of
        self._told: dict[Row, int] = {}
        self._counted: dict[str, int] = {}

    def attempts(self) -> tuple[Attempt, ...]:
        """What was tried since the last time; nothing where the node does not answer."""
        listed = self._node.run(*_LISTING)
        return self.read(listed.stdout) if listed.ok else ()

    def read(self, listing: str) -> tuple[Attempt, ...]:
        """The attempts of a listing in JSON that were not told yet."""
        table = json.loads(listing)["nftables"]
        now = dict(rows(table))
        found = [self._attempt(row, count - self._told.get(row, 0)) for row, count in now.items()]
        told = tuple(one for one in found if one.count > 0)
        beyond = tuple(self._beyond(table, now))
        self._told |= now
        return (*told, *beyond)

    def _attempt(self, row: Row, count: int) -> Attempt:
        source, target, protocol, port = row
        process = self._name_of(source) or _NODE
        if target == DOCKER_RESOLVER:
            # Docker sends questions on to a port of its own, by which nobody would know them.
            return Attempt("dns", target, 53, process=process, count=count)
        return Attempt(_ICMP.get(protocol, protocol), target, port or None, process=process, count=count)

    def _beyond(self, table: list[Any], now: dict[Row, int]) -> Iterator[Attempt]:
        """What the counters counted and no row holds, because there were too many different ones."""
        counters = [each["counter"] for each in table if "counter" in each]
        counted = {each["name"]: int(each["packets"]) for each in counters if each["name"] in _COUNTERS}
        rows_held = sum(now.values()) - sum(self._told.get(row, 0) for row in now)
        packets = sum(counted.values()) - sum(self._counted.values())
        self._counted = counted
        if len(now) >= _FULL and packets > rows_held:
            yield Attempt("ip", process="more than can be listed", count=packets - rows_held)


def rows(table: list[Any]) -> Iterator[tuple[Row, int]]:
    """Each row of the sets, with its packets. Neighbours are looked for by multicast, which leads nowhere."""
    for each in table:
        listed = each.get("set", {})
        if listed.get("name") not in _SETS:
            continue
        for element in listed.get("elem", ()):
            source, target, protocol, *port = element["elem"]["val"]["concat"]
            if not ipaddress.ip_address(target).is_multicast:
                row = (source, target, str(protocol), int(port[0]) if port else 0)
                yield row, int(element["elem"]["counter"]["packets"])
