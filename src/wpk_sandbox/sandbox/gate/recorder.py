"""What was tried, each thing once with how often: bounded, whatever a package does.

Pure, and needs the standard library alone. Safe to use from several threads.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

MOST_DISTINCT = 500

# A name with each of its signs written as a number.
_LONGEST = 1024
_MOST_COUNTED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that was tried. `route` is the number of the route that answers it, None when it was refused.

    `kind` is the type of record that a question about a name asked for.
    """

    protocol: str
    address: str = ""
    port: int | None = None
    name: str = ""
    kind: int = 0
    route: int | None = None
    process: str = ""
    count: int = 1

    def as_json(self) -> dict[str, Any]:
        """Its fields, to be sent."""
        return asdict(self)

    @classmethod
    def from_json(cls, sent: Any) -> "Seen":
        """The same from what was sent. Raises ValueError when that is something else."""
        kinds = {"port": int | None, "route": int | None, "kind": int, "count": int}
        if not isinstance(sent, dict) or sent.keys() != set(cls.__slots__):
            raise ValueError(f"not an attempt: {str(sent)[:100]!r}")
        for name, value in sent.items():
            if not isinstance(value, kinds.get(name, str)) or not _is_in_bounds(value):
                raise ValueError(f"{name} of an attempt is {str(value)[:100]!r}")
        return cls(**sent)


@dataclass(frozen=True, slots=True)
class Taken:
    """Everything since the last time; `more` counts the attempts beyond the bound on different ones."""

    seen: tuple[Seen, ...] = ()
    more: int = 0


class Recorder:
    """Counts attempts. `found` is called for each one that is new, as soon as it is seen."""

    def __init__(self, most: int = MOST_DISTINCT, found: Callable[[Seen], None] | None = None) -> None:
        self._most, self._found = most, found
        self._counts: dict[tuple[Any, ...], Seen] = {}
        self._more = 0
        self._lock = threading.Lock()

    def add(self, seen: Seen, process: Callable[[], str]) -> None:
        """Count an attempt. Whose it is is asked for only when it is a new one."""
        key = (*_target(seen), seen.kind)
        with self._lock:
            known = self._counts.get(key)
            if known:
                self._counts[key] = replace(known, count=known.count + 1)
                return
            if len(self._counts) >= self._most:
                self._more += 1
                return
            self._counts[key] = seen = replace(seen, process=process())
        if self._found:
            self._found(seen)

    def take(self) -> Taken:
        """Everything since this was last asked."""
        with self._lock:
            counted, more = tuple(self._counts.values()), self._more
            self._counts, self._more = {}, 0
        return Taken(merged(counted), more)


def merged(several: Iterable[Seen]) -> tuple[Seen, ...]:
    """Each target once: a resolver asks for both kinds of addresses of one name, which is one attempt."""
    found: dict[tuple[Any, ...], Seen] = {}
    for seen in several:
        known = found.setdefault(_target(seen), seen)
        if known.count < seen.count:
            found[_target(seen)] = replace(known, count=seen.count)
    return tuple(found.values())


def _is_in_bounds(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= _LONGEST
    return value is None or is_count(value)


def is_count(value: Any) -> bool:
    """True for what may be a number of packets."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_COUNTED


def _target(seen: Seen) -> tuple[Any, ...]:
    return seen.protocol, seen.address, seen.port, seen.name, seen.route
