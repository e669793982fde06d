"""Questions about names (RFC 1035): reading hostile ones and answering them.

Pure, and needs the standard library alone. Nothing raises for what a question says.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

PORT = 53

A, PTR, AAAA, ANY = 1, 12, 28, 255
_INTERNET = 1
_HEADER = struct.Struct(">HHHHHH")
_QUERY_KIND = 0x7800
_IS_ANSWER, _RECURSION_WANTED = 0x8000, 0x0100
_ANSWER_FLAGS = 0x8480  # an answer, authoritative, recursion offered
_LONGEST_NAME, _LONGEST_LABEL = 255, 63
_NAME_AGAIN = b"\xc0\x0c"  # points at the name in the question
_SECONDS_GOOD = 5


class Code(IntEnum):
    """How a question was answered."""

    ANSWERED = 0
    MALFORMED = 1
    UNKNOWN_NAME = 3
    NOT_IMPLEMENTED = 4


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `name` is in lower case, without its last dot, and with `\\ddd` for what is not printable."""

    identifier: int
    flags: int
    name: str
    kind: int
    asked: bytes


def parse(message: bytes) -> Question | Code | None:
    """Read a question: what it asks, why it cannot be answered, or None for what is no question at all."""
    if len(message) < _HEADER.size:
        return None
    identifier, flags, questions, _, _, _ = _HEADER.unpack_from(message)
    if flags & _IS_ANSWER:
        return None
    if flags & _QUERY_KIND:
        return Code.NOT_IMPLEMENTED
    found = _read_name(message, _HEADER.size) if questions == 1 else None
    if found is None:
        return Code.MALFORMED
    name, end = found
    if end + 4 > len(message):
        return Code.MALFORMED
    kind, _ = struct.unpack_from(">HH", message, end)
    return Question(identifier, flags, name, kind, message[_HEADER.size : end + 4])


def failure(message: bytes, code: Code) -> bytes:
    """The answer to a question that cannot be read."""
    identifier, flags = struct.unpack_from(">HH", message)
    return _HEADER.pack(identifier, _answered(flags, code), 0, 0, 0, 0)


def answer(question: Question, data: bytes | None, *, known: bool) -> bytes:
    """The answer: `data` as the one record of the kind that was asked for; none for a name that is known otherwise.

    A name that is not known does not exist.
    """
    code = Code.ANSWERED if known else Code.UNKNOWN_NAME
    header = _HEADER.pack(question.identifier, _answered(question.flags, code), 1, 1 if data else 0, 0, 0)
    if data is None:
        return header + question.asked
    kind = A if question.kind == ANY else question.kind
    record = _NAME_AGAIN + struct.pack(">HHIH", kind, _INTERNET, _SECONDS_GOOD, len(data)) + data
    return header + question.asked + record


def encoded(name: str) -> bytes:
    """A name as it stands in a record. Raises ValueError for one that cannot."""
    labels = [label.encode("ascii") for label in name.split(".") if label]
    if any(len(label) > _LONGEST_LABEL for label in labels) or len(name) >= _LONGEST_NAME:
        raise ValueError(f"{name!r} is too long for a name")
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def reversed_address(name: str) -> bytes | None:
    """The IPv4 address that a name below `in-addr.arpa` asks about; None for any other name."""
    parts = name.removesuffix(".in-addr.arpa").split(".")
    if not name.endswith(".in-addr.arpa") or len(parts) != 4:
        return None
    if not all(part.isascii() and part.isdigit() and len(part) <= 3 and int(part) < 256 for part in parts):
        return None
    return bytes(int(part) for part in reversed(parts))


def _answered(flags: int, code: Code) -> int:
    return _ANSWER_FLAGS | (flags & _RECURSION_WANTED) | code


def _read_name(message: bytes, at: int) -> tuple[str, int] | None:
    """The name that begins at `at` and where it ends. A question has nothing before it to point at."""
    labels: list[str] = []
    began = at
    while at < len(message):
        length = message[at]
        at += 1
        if length == 0:
            return ".".join(labels), at
        if length > _LONGEST_LABEL or at + length > len(message) or at + length - began > _LONGEST_NAME:
            return None
        labels.append(_printable(message[at : at + length]))
        at += length
    return None


def _printable(label: bytes) -> str:
    return "".join(
        chr(byte).lower() if 0x21 <= byte < 0x7F and byte not in b".\\" else f"\\{byte:03d}" for byte in label
    )
