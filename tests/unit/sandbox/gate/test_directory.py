"""Names with a route get an address; addresses lead to routes."""

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import address, question

from wpk_sandbox.sandbox.gate import names
from wpk_sandbox.sandbox.gate.directory import Directory

ROUTES = [
    ("*.example.com", 443),
    ("api.example.com", 443),
    ("api.example.com", 80),
    ("10.1.2.3", 5432),
    ("fd00::1", 80),
]


def ask(directory: Directory, name: str, kind: int = names.A) -> bytes:
    found = names.parse(question(name, kind))
    assert isinstance(found, names.Question)
    return directory.answered(found)


def test_each_name_with_a_route_gets_an_address_of_its_own() -> None:
    directory = Directory(ROUTES)
    given = {name: directory.address_of(name) for name in ("api.example.com", "x.example.com", "a.b.example.com")}
    assert len(set(given.values())) == 3
    for name, found in given.items():
        assert found is not None
        assert ipaddress.ip_address(found) in ipaddress.ip_network("198.18.0.0/15")
        assert directory.name_of(found) == name
        assert directory.address_of(name) == found


@pytest.mark.parametrize("name", ["example.com", "example.org", "api.example.com.evil.test", "10.1.2.3", ""])
def test_other_names_get_none(name: str) -> None:
    assert Directory(ROUTES).address_of(name) is None


def test_plain_name_comes_before_a_pattern() -> None:
    directory = Directory(ROUTES)
    api, other = directory.address_of("api.example.com"), directory.address_of("other.example.com")
    assert api is not None
    assert other is not None
    assert [directory.route(api, port) for port in (443, 80, 81)] == [1, 2, None]
    assert [directory.route(other, port) for port in (443, 80)] == [0, None]


def test_address_has_its_own_route() -> None:
    directory = Directory(ROUTES)
    assert directory.route(address("10.1.2.3"), 5432) == 3
    assert directory.route(address("fd00::1"), 80) == 4
    assert directory.route(address("10.1.2.3"), 80) is None
    assert directory.route(address("10.1.2.4"), 5432) is None


def test_address_that_was_given_to_no_name_leads_nowhere() -> None:
    assert Directory(ROUTES).route(address("198.18.1.0"), 443) is None


def test_pattern_is_no_regular_expression() -> None:
    directory = Directory([("a.b[cd]", 1), ("*x", 1)])
    assert directory.address_of("aab") is None
    assert directory.address_of("a.bc") is None
    assert directory.address_of("evil.test.x") is not None, "a star stands for anything"


def test_names_are_bounded() -> None:
    directory = Directory([("*", 1)])
    given = [directory.address_of(f"{number}.test") for number in range(4200)]
    assert sum(each is not None for each in given) == 4096
    assert directory.address_of("1.test") == given[1]


def test_answers_hold_the_address_and_its_name() -> None:
    directory = Directory(ROUTES)
    assert ask(directory, "API.example.com").endswith(bytes([198, 18, 1, 0]))
    assert ask(directory, "0.1.18.198.in-addr.arpa", names.PTR).endswith(names.encoded("api.example.com"))
    for refused in (ask(directory, "example.net"), ask(directory, "1.1.18.198.in-addr.arpa", names.PTR)):
        assert refused[3] & 15 == names.Code.UNKNOWN_NAME
    other_kind = ask(directory, "api.example.com", names.AAAA)
    assert (other_kind[3] & 15, other_kind[7]) == (0, 0)


def test_routes_of_the_loopback_are_known_by_their_ports() -> None:
    routes = [("localhost", 80), ("10.1.2.3", 81), ("127.0.0.9", 82), ("::1", 83), ("LocalHost", 80)]
    assert Directory(routes).loopback == {80: 0, 82: 2, 83: 3}


@given(st.lists(st.binary(min_size=1, max_size=63), min_size=1, max_size=4))
def test_every_name_that_is_given_an_address_is_told_for_it(labels: list[bytes]) -> None:
    directory = Directory([("*", 443)])
    wire = b"".join(bytes([len(label)]) + label for label in labels)
    if len(wire) > 250:
        return
    asked = names.parse(struct.pack(">HHHHHH", 1, 0, 1, 0, 0, 0) + wire + b"\0\0\1\0\1")
    assert isinstance(asked, names.Question)
    directory.answered(asked)
    back = ask(directory, "0.1.18.198.in-addr.arpa", names.PTR)
    assert (back[3] & 15 == names.Code.ANSWERED) == ("\\" not in asked.name)
