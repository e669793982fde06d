"""The merge of server-side apply: what a manager wants comes, what it wanted before and wants no longer goes.

https://kubernetes.io/docs/reference/using-api/server-side-apply/

Simpler than the real one in this: only what was applied has an owner, so applying never conflicts.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wpk_sandbox.sandbox.clusters.simulated.objects import Object
from wpk_sandbox.sandbox.clusters.simulated.strategic import Path, is_set, merge_key


@dataclass(frozen=True)
class _Claims:
    """What was applied at one place: by this manager the last time, and by all others."""

    own: Any
    others: tuple[Any, ...]

    def at(self, name: str) -> "_Claims":
        """The claims on a field."""
        return _Claims(_field(self.own, name), tuple(_field(other, name) for other in self.others))

    def on_item(self, key: str, value: Any) -> "_Claims":
        """The claims on the item of a list that has this key."""
        return _Claims(_item(self.own, key, value), tuple(_item(other, key, value) for other in self.others))

    @property
    def only_own(self) -> bool:
        """True when this manager alone said something here."""
        return self.own is not None and all(other is None for other in self.others)


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def _item(value: Any, key: str, wanted: Any) -> Any:
    return next((item for item in _items(value) if _field(item, key) == wanted), None)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def apply_merge(
    current: Object, last: Object, wanted: Object, *, others: Sequence[Object] = (), keyed: bool = True
) -> Object:
    """The object after a manager applied `wanted`, having applied `last` before.

    `others` is what other managers applied; `keyed` is false for custom resources, whose lists are replaced whole.
    """
    merged: Object = _merge(current, wanted, _Claims(last, tuple(others)), (), keyed)
    return merged


def _merge(current: Any, wanted: Any, claims: _Claims, path: Path, keyed: bool) -> Any:
    if isinstance(wanted, Mapping) and isinstance(current, Mapping):
        result: Object = {}
        for name, value in current.items():
            kept = value if name in wanted else _take_back(value, claims.at(name), (*path, name), keyed)
            if kept is not None:
                result[name] = kept
        for name, value in wanted.items():
            if value is not None:
                result[name] = _merge(result.get(name), value, claims.at(name), (*path, name), keyed)
        return result
    if isinstance(wanted, list) and isinstance(current, list) and keyed and path:
        return _merge_list(current, wanted, claims, path)
    return copy.deepcopy(wanted)


def _take_back(value: Any, claims: _Claims, path: Path, keyed: bool) -> Any:
    """What is left of a value when this manager takes back what it had applied; None for nothing."""
    if claims.own is None:
        return value
    if isinstance(value, Mapping) and isinstance(claims.own, Mapping):
        return _merge(value, {}, claims, path, keyed) or None
    if isinstance(value, list) and isinstance(claims.own, list) and keyed and not claims.only_own:
        return _merge_list(value, [], claims, path) or None
    return None if claims.only_own else value


def _merge_list(current: list[Any], wanted: list[Any], claims: _Claims, path: Path) -> list[Any]:
    if is_set(path):
        others = [item for other in claims.others for item in _items(other)]
        kept = [item for item in current if item in wanted or item in others or item not in _items(claims.own)]
        return [*kept, *(item for item in wanted if item not in kept)]
    key = merge_key(path)
    if key is None or not all(isinstance(item, Mapping) for item in (*current, *wanted)):
        return copy.deepcopy(wanted)
    new = {item.get(key): item for item in wanted}
    result = []
    for item in current:
        of_item = claims.on_item(key, item.get(key))
        if item.get(key) in new:
            result.append(_merge(item, new.pop(item.get(key)), of_item, path, True))
        elif not of_item.only_own:
            result.append(item)
    return [*result, *copy.deepcopy(list(new.values()))]
