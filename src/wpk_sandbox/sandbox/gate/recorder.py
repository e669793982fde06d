"""What was tried, each thing once with how often: bounded, whatever a package does.

Pure, and needs the standard library alone. Safe to use from several threads.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

MOST_DISTINCT = 500
_RECENT = 256


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
        self._recent: OrderedDict[Any, None] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, seen: Seen, process: Callable[[], str], same: object = None) -> None:
        """Count an attempt. Whose it is is asked for only when it is a new one.

        With `same` it counts only when it was not added with an equal one a short while ago: a resolver asks for
        both kinds of addresses at once, and again when it gets no answer.
        """
        key = (seen.protocol, seen.address, seen.port, seen.name, seen.route)
        with self._lock:
            if same is not None and self._is_again((key, same)):
                return
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
            taken = Taken(tuple(self._counts.values()), self._more)
            self._counts, self._more = {}, 0
            self._recent.clear()
        return taken

    def _is_again(self, mark: object) -> bool:
        again = mark in self._recent
        self._recent[mark] = None
        if len(self._recent) > _RECENT:
            self._recent.popitem(last=False)
        return again
