"""Actions that change fields: patch, annotate."""

import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from wpk_sandbox.package.kinds import RESOURCE_KINDS
from wpk_sandbox.run.actions.action import Call, Done, StepError, called, joined, targets
from wpk_sandbox.run.objects import Object

_HOLDERS = ("ConfigMap", "Secret")
_ORIGINAL = ("original", "previous")


def patch(call: Call) -> Done:
    """Set keys of a ConfigMap or Secret, merge into any other kind; `original` brings back what was before."""
    results: list[str] = []
    notes: list[str] = []
    for item in targets(call):
        text, note = _patch_one(call, item)
        results.append(f"{called(item, call.target)} {text}")
        notes += [note] if note else []
    return Done(joined(results), notes=tuple(notes))


def annotate(call: Call) -> Done:
    """Set one annotation; `original` brings back what was before the run, null removes."""
    key, value = _annotation(call)
    results = []
    for item in targets(call):
        now = _original_annotation(call, item, key) if value in _ORIGINAL else value
        kind, namespace, name = call.objects.place(item)
        text = None if now is None else _plain(now)
        call.acting.patch(kind, name, namespace, {"metadata": {"annotations": {key: text}}})
        results.append(f"{called(item, call.target)} {key} {'removed' if text is None else f'= {text}'}")
    return Done(joined(results))


def _patch_one(call: Call, item: Object) -> tuple[str, str]:
    objects, data = call.acting, call.options.get("data")
    kind, namespace, name = objects.place(item)
    if data in _ORIGINAL:
        objects.patch(kind, name, namespace, _back(call, item), how="json")
        return "as before the run", ""
    if item["kind"] not in _HOLDERS:
        if not isinstance(data, Mapping):
            raise StepError(f"data is {data!r}, which is no merge patch", advice="write the fields to change")
        # As `kubectl patch` does: lists of built-in kinds merge by name, those of custom kinds cannot.
        how = "strategic" if kind in RESOURCE_KINDS else "merge"
        objects.patch(kind, name, namespace, data, how=how)
        return f"set {', '.join(_leaves(data))}", ""
    entries, note = _entries(call, item, data)
    objects.patch(kind, name, namespace, {"data": _encoded(item, entries)})
    count = len(entries)
    return f"set {count} {'key' if count == 1 else 'keys'}: {', '.join(sorted(entries))}", note


def _entries(call: Call, item: Object, data: Any) -> tuple[dict[str, Any], str]:
    """The keys to set, still plain; None removes one. And a note where we made a value up."""
    if isinstance(data, Mapping):
        if set(data) == {"data"} and isinstance(data["data"], Mapping):
            data = data["data"]
        return {str(key): _entry(call, item, str(key), value) for key, value in data.items()}, ""
    if not isinstance(data, str) or not data:
        raise StepError(f"data is {data!r}, which names no keys", advice="write the keys to set, or `original`")
    produced = call.memory.produced(data)
    if produced is not None:
        return _from_output(item, produced), ""
    keys = _keys(item) or [data]
    made_up = {key: f"placeholder-{secrets.token_hex(8)}" for key in keys}
    return made_up, f"no earlier handler produced `{data}`: placeholders were written to {called(item)}"


def _entry(call: Call, item: Object, key: str, value: Any) -> Any:
    if value in _ORIGINAL:
        before = _before(call, item)
        return _decoded(item, (before.get("data") or {}).get(key)) if before else None
    produced = call.memory.produced(value)
    return value if produced is None else produced


def _from_output(item: Object, output: str) -> dict[str, Any]:
    """What a handler printed: a JSON object, `KEY=VALUE` lines, or one value for every key that there is."""
    try:
        parsed = json.loads(output)
    except ValueError:
        parsed = None
    if isinstance(parsed, dict) and parsed:
        return {str(key): value for key, value in parsed.items()}
    lines = [line.partition("=") for line in output.splitlines() if line.strip()]
    if lines and all(separator and key.strip().isidentifier() for key, separator, _ in lines):
        return {key.strip(): value for key, _, value in lines}
    return dict.fromkeys(_keys(item) or ["value"], output)


def _keys(item: Object) -> list[str]:
    return list(item.get("data") or {})


def _encoded(item: Object, entries: Mapping[str, Any]) -> dict[str, str | None]:
    """The values as the API takes them: text, and in a Secret base64. `stringData` would hide what was removed."""
    texts = {key: None if value is None else _plain(value) for key, value in entries.items()}
    if item["kind"] != "Secret":
        return texts
    return {key: None if text is None else b64encode(text.encode()).decode() for key, text in texts.items()}


def _decoded(item: Object, value: Any) -> Any:
    return b64decode(value).decode("utf-8", "replace") if item["kind"] == "Secret" and value is not None else value


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _back(call: Call, item: Object) -> list[Object]:
    """A JSON patch that puts back what a person had written."""
    before = _before(call, item)
    if before is None:
        raise StepError(f"{called(item)} did not exist before the run", advice="delete it instead")
    fields = ("data", "binaryData", "stringData") if item["kind"] in _HOLDERS else ("spec",)
    patches: list[Object] = []
    for field in fields:
        if field in before:
            patches.append({"op": "add", "path": f"/{field}", "value": before[field]})
        elif field in item:
            patches.append({"op": "remove", "path": f"/{field}"})
    return patches


def _before(call: Call, item: Object) -> Mapping[str, Any] | None:
    metadata = item["metadata"]
    return call.memory.before.find(item["kind"], metadata.get("namespace"), metadata["name"])


def _original_annotation(call: Call, item: Object, key: str) -> str | None:
    before = _before(call, item)
    value = ((before or {}).get("metadata") or {}).get("annotations", {}).get(key)
    return None if value is None else str(value)


def _annotation(call: Call) -> tuple[str, Any]:
    """The key and the value; `key=value` and `key-` are read as kubectl reads them."""
    given = str(call.options.get("annotation") or "")
    if not given:
        raise StepError("nothing says which annotation", advice="add `annotation:` with its key")
    if "value" in call.options:
        value = call.options["value"]
        produced = call.memory.produced(value)
        return given, value if produced is None else produced
    if given.endswith("-"):
        return given[:-1], None
    key, separator, text = given.partition("=")
    return key, text if separator else "true"


def _leaves(data: Mapping[str, Any], path: str = "") -> list[str]:
    """The paths that a merge patch sets, with the values that are short."""
    found: list[str] = []
    for key, value in data.items():
        step = f"{path}.{key}" if path else str(key)
        text = json.dumps(value, ensure_ascii=False)
        leaf = step if len(text) > 40 else f"{step} = {text}"
        found += _leaves(value, step) if isinstance(value, Mapping) and value else [leaf]
    return found
