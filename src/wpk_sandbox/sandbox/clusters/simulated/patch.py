"""JSON patch and JSON merge patch.

https://www.rfc-editor.org/rfc/rfc6902 and https://www.rfc-editor.org/rfc/rfc7386
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any


class PatchError(Exception):
    """The patch does not fit the object."""


def merge_patch(current: Any, patch: Any) -> Any:
    """The object with the patch merged in; null removes, lists are replaced."""
    if not isinstance(patch, Mapping):
        return copy.deepcopy(patch)
    result = dict(current) if isinstance(current, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result


def json_patch(current: Any, operations: Any) -> Any:
    """The object after each operation in turn. Raises `PatchError` at the first that does not fit."""
    if not isinstance(operations, Sequence) or isinstance(operations, str):
        raise PatchError("a JSON patch is a list of operations")
    result = copy.deepcopy(current)
    for operation in operations:
        if not isinstance(operation, Mapping) or "op" not in operation or "path" not in operation:
            raise PatchError("an operation of a JSON patch has `op` and `path`")
        result = _apply(result, operation)
    return result


def _apply(document: Any, operation: Mapping[str, Any]) -> Any:
    path = _parse(operation["path"])
    match operation["op"]:
        case "add":
            return _add(document, path, copy.deepcopy(_value(operation)))
        case "remove":
            _remove(document, path)
        case "replace":
            _replace(document, path, copy.deepcopy(_value(operation)))
        case "move":
            return _add(document, path, _remove(document, _parse(operation.get("from", ""))))
        case "copy":
            return _add(document, path, copy.deepcopy(_get(document, _parse(operation.get("from", "")))))
        case "test":
            if _get(document, path) != _value(operation):
                raise PatchError(f"testing value {operation['path']} failed")
        case other:
            raise PatchError(f"Unexpected kind: {other}")
    return document


def _value(operation: Mapping[str, Any]) -> Any:
    if "value" not in operation:
        raise PatchError(f"the operation {operation['op']} of {operation['path']} has no value")
    return operation["value"]


def _parse(pointer: Any) -> list[str]:
    if not isinstance(pointer, str) or not pointer.startswith("/"):
        raise PatchError(f"{pointer!r} is no JSON pointer: it begins with a slash")
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]


def _get(document: Any, path: list[str]) -> Any:
    for position, part in enumerate(path):
        missing = PatchError(f"the path /{'/'.join(path[: position + 1])} does not exist")
        if isinstance(document, list):
            document = document[_index(part, len(document) - 1, missing)]
        elif isinstance(document, dict) and part in document:
            document = document[part]
        else:
            raise missing
    return document


def _index(part: str, last: int, missing: PatchError) -> int:
    if not part.isdigit() or int(part) > last:
        raise missing
    return int(part)


def _add(document: Any, path: list[str], value: Any) -> Any:
    parent, last = _get(document, path[:-1]), path[-1]
    missing = PatchError(f"there is no place for /{'/'.join(path)}")
    if isinstance(parent, list):
        parent.insert(len(parent) if last == "-" else _index(last, len(parent), missing), value)
    elif isinstance(parent, dict):
        parent[last] = value
    else:
        raise missing
    return document


def _replace(document: Any, path: list[str], value: Any) -> None:
    _get(document, path)
    parent, last = _get(document, path[:-1]), path[-1]
    parent[int(last) if isinstance(parent, list) else last] = value


def _remove(document: Any, path: list[str]) -> Any:
    _get(document, path)
    parent, last = _get(document, path[:-1]), path[-1]
    return parent.pop(int(last) if isinstance(parent, list) else last)
