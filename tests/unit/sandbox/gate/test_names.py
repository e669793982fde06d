"""Questions about names are read and answered; no bytes whatever make it fail."""

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import question

from wpk_sandbox.sandbox.gate import names
from wpk_sandbox.sandbox.gate.names import Code, Question


def asked(message: bytes) -> Question:
    found = names.parse(message)
    assert isinstance(found, Question)
    return found


def test_question_is_read() -> None:
    found = asked(question("Api.Example.COM", names.AAAA))
    assert (found.name, found.kind, found.identifier) == ("api.example.com", names.AAAA, 4711)


def test_known_name_gets_its_one_record() -> None:
    message = question("api.example.com")
    answer = names.answer(asked(message), bytes([198, 18, 1, 0]), known=True)
    identifier, flags, questions, answers, _, _ = struct.unpack_from(">HHHHHH", answer)
    assert (identifier, flags, questions, answers) == (4711, 0x8580, 1, 1)
    assert answer[12 : len(message)] == message[12:]
    name, kind, of, seconds, length = struct.unpack_from(">HHHIH", answer, len(message))
    assert (name, kind, of, length) == (0xC00C, names.A, 1, 4)
    assert seconds < 60
    assert socket.inet_ntoa(answer[-4:]) == "198.18.1.0"


def test_known_name_without_such_a_record_exists() -> None:
    answer = names.answer(asked(question("api.example.com", names.AAAA)), None, known=True)
    assert struct.unpack_from(">HHHH", answer)[1:] == (0x8580, 1, 0)


def test_other_name_does_not_exist() -> None:
    answer = names.answer(asked(question("example.net")), None, known=False)
    assert struct.unpack_from(">HHHH", answer)[1:] == (0x8583, 1, 0)


def test_question_with_a_further_record_is_read_without_it() -> None:
    message = bytearray(question("example.net") + b"\0\0\x29\x10\0\0\0\0\0\0\0")
    message[11] = 1
    assert asked(bytes(message)).asked == question("example.net")[12:]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (question("example.net")[:-3], Code.MALFORMED),
        (question("example.net")[:14], Code.MALFORMED),
        (struct.pack(">HHHHHH", 1, 0, 2, 0, 0, 0), Code.MALFORMED),
        (struct.pack(">HHHHHH", 1, 0, 0, 0, 0, 0), Code.MALFORMED),
        (struct.pack(">HHHHHH", 1, 0, 1, 0, 0, 0) + b"\xc0\x0c\0\1\0\1", Code.MALFORMED),
        (struct.pack(">HHHHHH", 1, 0, 1, 0, 0, 0) + b"\x3f" + b"a" * 63 + b"\x3f" * 300, Code.MALFORMED),
        (struct.pack(">HHHHHH", 1, 0x2800, 1, 0, 0, 0), Code.NOT_IMPLEMENTED),
    ],
    ids=["cut", "cut in its name", "two", "none", "pointer", "endless", "an update"],
)
def test_what_cannot_be_answered_is_told_so(message: bytes, code: Code) -> None:
    assert names.parse(message) == code
    answer = names.failure(message, code)
    assert struct.unpack_from(">HHHH", answer)[1:] == (0x8480 | (message[2] & 1) << 8 | code, 0, 0)


def test_answers_are_not_answered() -> None:
    message = bytearray(question("example.net"))
    message[2] |= 0x80
    assert names.parse(bytes(message)) is None
    assert names.parse(b"short") is None


def test_signs_that_do_not_print_are_written_as_numbers() -> None:
    message = struct.pack(">HHHHHH", 1, 0, 1, 0, 0, 0) + b"\x05a.\x1b\\\xff\0\0\1\0\1"
    assert asked(message).name == "a\\046\\027\\092\\255"


@pytest.mark.parametrize(
    ("name", "address"),
    [("0.1.18.198.in-addr.arpa", bytes([198, 18, 1, 0])), ("256.1.18.198.in-addr.arpa", None), ("1.arpa", None)],
)
def test_address_is_read_of_its_reversed_name(name: str, address: bytes | None) -> None:
    assert names.reversed_address(name) == address


def test_name_in_a_record_is_bounded() -> None:
    assert names.encoded("a.bc") == b"\1a\2bc\0"
    with pytest.raises(ValueError, match="too long"):
        names.encoded("a" * 64)
    with pytest.raises(ValueError, match="too long"):
        names.encoded(".".join(["abc"] * 70))


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda rest: b"\0\1\1\0\0\1\0\0\0\0\0\0" + rest))
def test_no_bytes_make_it_fail(message: bytes) -> None:
    found = names.parse(message)
    if isinstance(found, Code):
        names.failure(message, found)
    elif found:
        assert found.name.isprintable()
        assert len(names.answer(found, b"1234", known=True)) < 512
