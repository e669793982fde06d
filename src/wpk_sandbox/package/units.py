"""Durations and quantities as a WPK writes them."""

import re
from decimal import Decimal

_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)(ms|[smhd]))")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_QUANTITY = re.compile(r"^(\d+(?:\.\d+)?)([eE][+-]?\d+|m|[kMGTPE]|[KMGTPE]i)?$")
_BINARY = {f"{letter}i": 1024 ** (power + 1) for power, letter in enumerate("KMGTPE")}
_DECIMAL = {letter: 1000 ** (power + 1) for power, letter in enumerate("kMGTPE")}


def seconds(value: str | int | float) -> float:
    """A duration in seconds: `30s`, `5m`, `1h30m`, or a number of seconds. Raises ValueError."""
    if isinstance(value, bool) or value is None:
        raise ValueError(f"{value!r} is not a duration; write for example 30s, 5m or 1h30m")
    total = float(value) if isinstance(value, int | float) else _parse_duration(value.strip())
    if not 0 <= total <= 366 * 86400:
        raise ValueError(f"{value!r} is not a duration between 0 and a year")
    return total


def _parse_duration(text: str) -> float:
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text):
        return float(text)
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is not a duration; write for example 30s, 5m or 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def quantity(value: str | int | float) -> float:
    """A Kubernetes quantity as a number: cores for CPU, bytes for memory. Raises ValueError.

    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
    """
    match = None if isinstance(value, bool) else _QUANTITY.match(str(value).strip())
    if match is None:
        raise ValueError(f"{value!r} is not a quantity; write for example 500m, 2, 256Mi or 4Gi")
    number, suffix = Decimal(match[1]), match[2] or ""
    if suffix == "m":
        return float(number / 1000)
    if suffix[:1] in ("e", "E") and len(suffix) > 1:
        return float(Decimal(f"{match[1]}{suffix}"))
    return float(number * _BINARY.get(suffix, _DECIMAL.get(suffix, 1)))


def human_seconds(value: float) -> str:
    """A duration for a reader: `0.3 s`, `42 s`, `2 m 5 s`."""
    if value < 10:
        return f"{value:.1f} s"
    if value < 120:
        return f"{value:.0f} s"
    return f"{int(value // 60)} m {int(value % 60)} s"


def human_bytes(value: float) -> str:
    """A size for a reader: `512 B`, `100 MiB`, `4 GiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            return f"{value:.0f} {unit}" if value == int(value) else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError("unreachable")
