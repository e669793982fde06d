"""What a plain scalar means: YAML 1.2's core schema, kept to what JSON can hold.

https://yaml.org/spec/1.2.2/#103-core-schema. Values that YAML 1.1 and 1.2 read differently stay text as they were
written: `no`, `014`, `22:22`, `1_000`, dates. So do numbers that JSON has no form for: `.inf`, `.nan`, `1e999`.
"""

import math
import re

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_NUMBER_BEGINS = frozenset("+-.0123456789")
# Kubernetes and JSON readers hold integers in 64 bits; a longer row of digits is an identifier, not a count.
LARGEST_INTEGER = 2**63 - 1
_MOST_DIGITS = 20

Scalar = str | int | float | bool | None


def plain(text: str) -> Scalar:
    """The value of a plain (unquoted, untagged) scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_BEGINS:
        return text
    number: int | float | None = integer(text)
    if number is None:
        number = real(text)
    return text if number is None else number


def integer(text: str) -> int | None:
    """The integer that a text is, if it is one of at most 64 bits."""
    if len(text) > _MOST_DIGITS + 4:
        return None
    if _INTEGER.fullmatch(text):
        value = int(text)
    elif _OTHER_BASE.fullmatch(text):
        value = int(text[2:], 8 if text[1] == "o" else 16)
    else:
        return None
    return value if -LARGEST_INTEGER - 1 <= value <= LARGEST_INTEGER else None


def real(text: str) -> float | None:
    """The finite number with a point or an exponent that a text is, if it is one."""
    if len(text) > 400 or _INTEGER.fullmatch(text) or not _FLOAT.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def too_large(text: str) -> bool:
    """True for a plain integer that does not fit in 64 bits."""
    return len(text) > 18 and _INTEGER.fullmatch(text) is not None and integer(text) is None


def tagged(text: str, tag: str) -> tuple[bool, Scalar]:
    """Whether a text is of the type that its tag (`str`, `int`, …) says, and its value."""
    if tag == "str":
        return True, text
    if tag == "float":
        number = real(text)
        number = number if number is not None else integer(text)
        return number is not None, None if number is None else float(number)
    value = plain(text)
    fits = {"int": type(value) is int, "bool": isinstance(value, bool), "null": value is None}
    return fits.get(tag, False), value
