"""Strategic merge patch: objects are merged field by field, lists item by item where their items have a key.

https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
"""

import copy
from collections.abc import Mapping
from typing import Any

from wpk_sandbox.sandbox.clusters.simulated.objects import Object

Path = tuple[str, ...]

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")

# The field that tells the items of a list apart, from the types of the Kubernetes API (`patchMergeKey`).
_MERGE_KEYS = {
    **dict.fromkeys(_CONTAINERS, "name"),
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "imagePullSecrets": "name",
    "resourceClaims": "name",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
    "schedulingGates": "name",
    "conditions": "type",
    "addresses": "type",
    "taints": "key",
    "ownerReferences": "uid",
    "webhooks": "name",
}
# Lists of plain values that are merged as sets.
_SETS = frozenset({"finalizers"})
_DELETE_VALUES, _ORDER, _RETAIN = "$deleteFromPrimitiveList/", "$setElementOrder/", "$retainKeys"


def merge_key(path: Path) -> str | None:
    """The key of the list at a path of field names; None when such a list is replaced as a whole."""
    field = path[-1]
    if field == "ports":
        if path == ("spec", "ports"):
            return "port"
        return "containerPort" if len(path) > 1 and path[-2] in _CONTAINERS else None
    if field == "secrets":
        return "name" if path == ("secrets",) else None
    return _MERGE_KEYS.get(field)


def is_set(path: Path) -> bool:
    """True for a list of plain values that is merged as a set."""
    return path[-1] in _SETS


def strategic_merge(current: Any, patch: Mapping[str, Any], path: Path = ()) -> Object:
    """The object with the patch merged in, lists item by item where they have a key."""
    if patch.get("$patch") == "replace":
        return {name: copy.deepcopy(value) for name, value in patch.items() if name != "$patch"}
    result: Object = dict(current) if isinstance(current, Mapping) else {}
    if _RETAIN in patch:
        result = {name: value for name, value in result.items() if name in patch[_RETAIN]}
    for name, value in patch.items():
        if name.startswith(_DELETE_VALUES):
            field = name.removeprefix(_DELETE_VALUES)
            result[field] = [item for item in result.get(field) or [] if item not in value]
        elif not name.startswith("$"):
            _merge_field(result, name, value, (*path, name))
    for name in patch:
        if name.startswith(_ORDER):
            _reorder(result, name.removeprefix(_ORDER), patch[name], path)
    return result


def _merge_field(result: Object, name: str, value: Any, path: Path) -> None:
    if value is None or (isinstance(value, Mapping) and value.get("$patch") == "delete"):
        result.pop(name, None)
    elif isinstance(value, Mapping):
        result[name] = strategic_merge(result.get(name), value, path)
    elif isinstance(value, list):
        result[name] = _merge_list(result.get(name) or [], value, path)
    else:
        result[name] = value


def _merge_list(current: list[Any], patch: list[Any], path: Path) -> list[Any]:
    if is_set(path):
        return [*current, *(item for item in patch if item not in current)]
    key = merge_key(path)
    if key is None or not all(isinstance(item, Mapping) for item in (*current, *patch)):
        return copy.deepcopy([item for item in patch if not _is_directive(item)])
    if any(item.get("$patch") == "replace" and len(item) == 1 for item in patch):
        current = []
    result = list(current)
    for item in patch:
        if not _is_directive(item):
            _merge_item(result, item, key, path)
        elif item["$patch"] == "delete":
            result = [old for old in result if old.get(key) != item.get(key)]
    return result


def _is_directive(item: Any) -> bool:
    return isinstance(item, Mapping) and item.get("$patch") in ("delete", "replace") and len(item) <= 2


def _merge_item(result: list[Any], item: Mapping[str, Any], key: str, path: Path) -> None:
    for position, old in enumerate(result):
        if old.get(key) == item.get(key):
            result[position] = strategic_merge(old, item, path)
            return
    result.append(strategic_merge({}, item, path))


def _reorder(result: Object, field: str, order: list[Any], path: Path) -> None:
    items, key = result.get(field), merge_key((*path, field))
    if not isinstance(items, list):
        return
    wanted = [item.get(key) if isinstance(item, Mapping) else item for item in order]

    def place(item: Any) -> int:
        name = item.get(key) if isinstance(item, Mapping) else item
        return wanted.index(name) if name in wanted else len(wanted)

    result[field] = sorted(items, key=place)
