"""Which names and addresses the gate answers for, and where a connection to one of them leads.

Pure, and needs the standard library alone. Names get addresses of 198.18.0.0/15, which RFC 2544 keeps out of the
Internet; each name its own, so that an address tells which name was meant.
"""

import ipaddress
import re
from collections.abc import Iterable

from . import names

_FIRST = int(ipaddress.IPv4Address("198.18.1.0"))
_MOST_NAMES = 4096


class Directory:
    """Knows the routes by their number. Gives out addresses as names are asked for.

    `loopback` are the routes that no packet leads to, by their ports.
    """

    def __init__(self, routes: Iterable[tuple[str, int]]) -> None:
        routes = list(routes)
        self.loopback = on_loopback(routes)
        self._by_address: dict[tuple[bytes, int], int] = {}
        self._patterns: list[tuple[re.Pattern[str], int, int]] = []
        self._given: dict[str, bytes] = {}
        self._names: dict[bytes, str] = {}
        for number, (host, port) in enumerate(routes):
            address = packed(host)
            if address:
                self._by_address.setdefault((address, port), number)
            else:
                self._patterns.append((_pattern(host), port, number))
        # The plain names first: they say more than a pattern does.
        self._patterns.sort(key=lambda row: ".*" in row[0].pattern)

    def address_of(self, name: str) -> bytes | None:
        """The address of a name that some route is about; None for any other name, or one that does not print."""
        if name in self._given:
            return self._given[name]
        if "\\" in name or len(self._given) >= _MOST_NAMES or self.about(name) is None:
            return None
        address = (_FIRST + len(self._given)).to_bytes(4, "big")
        self._given[name] = address
        self._names[address] = name
        return address

    def about(self, name: str) -> int | None:
        """The first route that is about a name, whatever its port."""
        return next((number for pattern, _, number in self._patterns if pattern.fullmatch(name)), None)

    def name_of(self, address: bytes) -> str:
        """The name that an address was given out for; empty for any other address."""
        return self._names.get(address, "")

    def route(self, address: bytes, port: int) -> int | None:
        """The route that a connection to an address and port takes; None for none."""
        by_address = self._by_address.get((address, port))
        if by_address is not None:
            return by_address
        name = self._names.get(address)
        if name is None:
            return None
        return next((n for pattern, at, n in self._patterns if at == port and pattern.fullmatch(name)), None)

    def meant(self, question: names.Question) -> str:
        """The name that a question is about: of one about an address, the name that it was given out for."""
        if question.kind != names.PTR:
            return question.name
        return self.name_of(names.reversed_address(question.name) or b"")

    def answered(self, question: names.Question) -> bytes:
        """The answer to a question, by what is known here."""
        if question.kind == names.PTR:
            name = self.meant(question)
            return names.answer(question, names.encoded(name) if name else None, known=bool(name))
        address = self.address_of(question.name)
        data = address if question.kind in (names.A, names.ANY) else None
        return names.answer(question, data, known=address is not None)


def packed(host: str) -> bytes | None:
    """The bytes of an address; None for a name."""
    try:
        return ipaddress.ip_address(host.strip("[]")).packed
    except ValueError:
        return None


def on_loopback(routes: Iterable[tuple[str, int]]) -> dict[int, int]:
    """The routes of the shell's own loopback: their numbers by their ports."""
    found: dict[int, int] = {}
    for number, (host, port) in enumerate(routes):
        address = packed(host)
        if host.lower() == "localhost" or (address and ipaddress.ip_address(address).is_loopback):
            found.setdefault(port, number)
    return found


def written(address: bytes) -> str:
    """An address as people write it."""
    return str(ipaddress.ip_address(address))


def _pattern(host: str) -> re.Pattern[str]:
    """A name in which `*` stands for anything."""
    return re.compile(".*".join(re.escape(part) for part in host.lower().rstrip(".").split("*")), re.DOTALL)
