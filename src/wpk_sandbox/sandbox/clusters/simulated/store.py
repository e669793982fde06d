"""All objects of the simulated cluster, with their versions and the history that watches read."""

import copy
import random
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.sandbox.clusters.policies import Policy
from wpk_sandbox.sandbox.clusters.simulated.objects import Object, name_of, namespace_of

_HISTORY = 5000
# Kubernetes leaves vowels out of generated names, so that they spell no words.
_NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"

Table = dict[tuple[str, str], Object]


@dataclass(frozen=True)
class Change:
    """One write: `before` is None for a new object, `after` for a removed one."""

    version: int
    kind: ResourceKind
    before: Object | None
    after: Object | None


class Store:
    """Objects by kind, namespace and name.

    A stored object is never changed in place: `write` puts another one into its stead. What `find` and `select`
    return is the stored object itself, to be read only; `edit` gives a copy to change.
    """

    def __init__(self, clock: Callable[[], datetime], seed: str) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.version = 1
        self.closed = False
        self.policies: tuple[Policy, ...] = ()
        self.applied: dict[tuple[str, str, str, str], dict[str, Object]] = {}
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311 - names, not secrets
        self._tables: dict[tuple[str, str], Table] = {}
        self._history: list[Change] = []
        self._forgotten = 0

    def now(self) -> str:
        """The time as the API writes it."""
        return self._clock().strftime("%Y-%m-%dT%H:%M:%SZ")

    def suffix(self, length: int = 5) -> str:
        """The random end of a generated name."""
        return "".join(self._random.choices(_NAME_LETTERS, k=length))

    def uid(self) -> str:
        """A new uid."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def find(self, kind: ResourceKind, namespace: str, name: str) -> Object | None:
        """One object, or None."""
        return self._table(kind).get((namespace if kind.namespaced else "", name))

    def select(self, kind: ResourceKind, namespace: str = "") -> list[Object]:
        """The objects of a kind by name; of all namespaces where none is given."""
        table = self._table(kind)
        return [obj for (place, _), obj in sorted(table.items(), key=_by_key) if namespace in ("", place)]

    def edit(self, obj: Object) -> Object:
        """A copy that may be changed."""
        return copy.deepcopy(obj)

    def write(self, kind: ResourceKind, obj: Object) -> Object:
        """Store an object under the next version and return it."""
        table, key = self._table(kind), (namespace_of(obj), name_of(obj))
        before = table.get(key)
        self.version += 1
        stored = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.version)}}
        table[key] = stored
        self._record(Change(self.version, kind, before, stored))
        return stored

    def write_status(self, kind: ResourceKind, obj: Object, status: Object) -> None:
        """Store a new status, unless it is the old one."""
        if obj.get("status") != status:
            self.write(kind, {**obj, "status": copy.deepcopy(status)})

    def drop(self, kind: ResourceKind, obj: Object) -> None:
        """Remove an object; removing it twice does nothing."""
        before = self._table(kind).pop((namespace_of(obj), name_of(obj)), None)
        if before is None:
            return
        self.applied.pop(self.identity(kind, obj), None)
        self.version += 1
        last = {**before, "metadata": {**before["metadata"], "resourceVersion": str(self.version)}}
        self._record(Change(self.version, kind, last, None))

    def identity(self, kind: ResourceKind, obj: Object) -> tuple[str, str, str, str]:
        """What tells an object from all others of the cluster."""
        return (kind.group, kind.plural, namespace_of(obj), name_of(obj))

    def changes_after(self, version: int) -> list[Change] | None:
        """What was written after a version; None when the history does not reach back that far."""
        if version < self._forgotten:
            return None
        return [change for change in self._history if change.version > version]

    @contextmanager
    def discarding(self) -> Iterator[None]:
        """Forget every write made inside: the server's side of `dryRun=All`."""
        tables = {key: dict(table) for key, table in self._tables.items()}
        applied = {key: dict(value) for key, value in self.applied.items()}
        version = self.version
        try:
            yield
        finally:
            self._tables, self.applied, self.version = tables, applied, version
            self._history = [change for change in self._history if change.version <= version]

    def close(self) -> None:
        """End all watches."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def _table(self, kind: ResourceKind) -> Table:
        return self._tables.setdefault((kind.group, kind.plural), {})

    def _record(self, change: Change) -> None:
        self._history.append(change)
        while len(self._history) > _HISTORY:
            self._forgotten = self._history.pop(0).version
        self.changed.notify_all()


def _by_key(item: tuple[tuple[str, str], Object]) -> tuple[str, str]:
    return item[0]
