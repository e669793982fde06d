"""What the values of settings look like, and how each is read: a parser raises ValueError for what does not fit."""

import difflib
from collections.abc import Callable
from typing import Any

from wpk_sandbox.finding import Location
from wpk_sandbox.package.units import quantity, seconds
from wpk_sandbox.sandbox.outside.allowed import Allowed, allowed

REAPERS = ("auto", "off")


def words(value: Any) -> tuple[str, ...]:
    """A list of words, or one text of them. Raises ValueError."""
    if isinstance(value, str):
        return tuple(word for word in value.replace(",", " ").split() if word)
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise ValueError(f"{value!r} is not a list of words")


def flag(value: Any) -> bool:
    """True or false. Raises ValueError."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false", "yes", "no", "1", "0"):
        return value.lower() in ("true", "yes", "1")
    raise ValueError(f"{value!r} is neither true nor false")


def text(value: Any) -> str:
    """A text. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a text")
    return value


def number(value: Any) -> int:
    """A whole number. Raises ValueError."""
    if isinstance(value, bool) or not str(value).strip().isdecimal():
        raise ValueError(f"{value!r} is not a whole number")
    return int(value)


def count(value: Any) -> int:
    """At least one: Docker takes a limit of nothing for no limit."""
    if (count := number(value)) < 1:
        raise ValueError(f"{value!r} is not at least 1")
    return count


def size(value: Any) -> int:
    """Bytes: `4Gi`, more than nothing. Raises ValueError."""
    size = int(quantity(value))
    if size <= 0:
        raise ValueError(f"{value!r} is not more than nothing")
    return size


def cores(value: Any) -> float:
    """Cores: `500m`, `2`. Raises ValueError."""
    cores = quantity(value)
    if not 0.01 <= cores <= 1024:
        raise ValueError(f"{value!r} is not between 10m and 1024 cores")
    return cores


def duration(value: Any) -> float:
    """Seconds: `30m`. Raises ValueError."""
    if (duration := seconds(value)) <= 0:
        raise ValueError(f"{value!r} is no time at all")
    return duration


def bandwidth(value: Any) -> int:
    """Bits a second: `100Mbps`, or a number."""
    text = str(value).strip()
    return size(text.removesuffix("bps"))


def policy(reader: str) -> Callable[[Any, Callable[[str], Location]], Any]:
    """A reader of `rules.policy_file`, which loads every rule: only a policy with more than values needs it."""

    def read(value: Any, locate: Callable[[str], Location]) -> Any:
        from wpk_sandbox.rules import policy_file  # noqa: PLC0415 -- see above

        return getattr(policy_file, reader)(value, locate)

    return read


def mocks(value: Any, locate: Callable[[str], Location]) -> Any:
    """A reader that loads the case file's format: only settings with mocks need it."""
    from wpk_sandbox.package.mocking import read_mocks  # noqa: PLC0415 -- see above

    return read_mocks(value, locate)


def allowed_hosts(value: Any) -> tuple[Allowed, ...]:
    """Hosts with their ports."""
    return tuple(allowed(word) for word in words(value))


def unread(value: Any) -> Any:
    """Defaults of settings with a reader of their own: empty, and of the type that the policy takes."""
    return tuple(value) if isinstance(value, list) else value


def choice(*allowed: str) -> Callable[[Any], str]:
    """A parser that takes one of these words."""

    def parse(value: Any) -> str:
        if value not in allowed:
            near = difflib.get_close_matches(str(value), allowed, 1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            raise ValueError(f"{value!r} is none of {', '.join(allowed)}{hint}")
        return str(value)

    parse.allowed = allowed  # type: ignore[attr-defined]
    return parse


def reaper(value: Any) -> str:
    """A bare `off` is false in YAML."""
    return choice(*REAPERS)("off" if value is False else value)


reaper.allowed = REAPERS  # type: ignore[attr-defined]
