"""What changed between two states, field by field, as a reader of `terraform plan` expects it."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from wpk_sandbox.run.result import Change, Effect
from wpk_sandbox.run.state import ObjectKey, State

# No rollback can undo that pods were restarted.
_NOT_UNDOABLE = ("kubectl.kubernetes.io/restartedAt",)
# What tells the items of a list apart, the first that all of them have.
_MERGE_KEYS = ("name", "mountPath", "containerPort", "port", "key", "type", "ip")
_HIDDEN = ("data", "stringData")
_LONGEST = 200


def effects(before: State, after: State) -> tuple[Effect, ...]:
    """Every change, ordered by object and path."""
    keys = sorted({*before.objects, *after.objects})
    return tuple(effect for key in keys for effect in _object(key, before.objects.get(key), after.objects.get(key)))


def residue(before: State, after: State, *, intended: Collection[ObjectKey] = frozenset()) -> tuple[Effect, ...]:
    """What a rollback left, less what none can undo and the objects that are meant to stay."""
    stays = {(str(key), key.namespace) for key in intended}
    return tuple(
        effect
        for effect in effects(before, after)
        if not any(f"[{key}]" in effect.path for key in _NOT_UNDOABLE)
        and not (effect.change is Change.ADDED and not effect.path and (effect.object, effect.namespace) in stays)
    )


def _object(key: ObjectKey, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Iterator[Effect]:
    if before is None or after is None:
        change = Change.ADDED if before is None else Change.REMOVED
        yield Effect(str(key), key.namespace, "", change)
        return
    for path, old, new in _fields("", before, after):
        change = Change.CHANGED
        if old is _ABSENT or new is _ABSENT:
            change = Change.ADDED if old is _ABSENT else Change.REMOVED
        shown = _hidden(change) if _is_secret(key, path) else _shown(old, new)
        yield Effect(str(key), key.namespace, path, change, *shown)


class _Absent:
    """Stands for a field that is not there; None is a value."""


_ABSENT = _Absent()


def _fields(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _members(path, old, new)
    elif isinstance(old, list) and isinstance(new, list) and (merge_key := _merge_key(old, new)):
        named = [{str(item[merge_key]): item for item in items} for items in (old, new)]
        for name in dict.fromkeys([*named[0], *named[1]]):
            yield from _fields(f"{path}[{name}]", named[0].get(name, _ABSENT), named[1].get(name, _ABSENT))
    elif _only_adds(old, new) or _only_adds(new, old):
        yield from _members(path, _mapping(old), _mapping(new))
    else:
        yield path, old, new


def _members(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in sorted({*old, *new}):
        yield from _fields(_step(path, name), old.get(name, _ABSENT), new.get(name, _ABSENT))


def _only_adds(old: Any, new: Any) -> bool:
    """A whole map of plain values that came: its entries say more than the map."""
    plain = isinstance(new, Mapping) and bool(new)
    return old is _ABSENT and plain and not any(isinstance(value, Mapping | list) for value in new.values())


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _step(path: str, name: str) -> str:
    if "." in name or "/" in name:
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else name


def _merge_key(old: Sequence[Any], new: Sequence[Any]) -> str | None:
    items = [*old, *new]
    if not items or not all(isinstance(item, Mapping) for item in items):
        return None
    return next((key for key in _MERGE_KEYS if _tells_apart(key, old) and _tells_apart(key, new)), None)


def _tells_apart(key: str, items: Sequence[Mapping[str, Any]]) -> bool:
    values = [str(item[key]) for item in items if key in item]
    return len(values) == len(items) == len(set(values))


def _is_secret(key: ObjectKey, path: str) -> bool:
    return key.kind == "Secret" and path.startswith(_HIDDEN)


def _hidden(change: Change) -> tuple[str, str]:
    return {
        Change.ADDED: ("", "(hidden)"),
        Change.REMOVED: ("(hidden)", ""),
        Change.CHANGED: ("(hidden)", "(hidden, changed)"),
    }[change]


def _shown(old: Any, new: Any) -> tuple[str, str]:
    texts = [
        "" if value is _ABSENT else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        for value in (old, new)
    ]
    start = _same_start(*texts) if max(map(len, texts)) > _LONGEST and all(texts) else 0
    before, after = (_cut(text, start) for text in texts)
    return before, after


def _same_start(old: str, new: str) -> int:
    """Where two long texts begin to differ, a little before: that is the part to show."""
    same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    return max(0, same - 20)


def _cut(text: str, start: int) -> str:
    shown = text[start : start + _LONGEST]
    return f"{'…' if start else ''}{shown}{'…' if start + _LONGEST < len(text) else ''}"
