"""Makes src/wpk_sandbox/rules/kubernetes/schemas.json from the schemas that kubernetes-validate carries.

Those are 108 MB in 17,000 files: too much to bring to every job, and to read for every check. What a check asks of
them (fields, their types, which are required, and in which releases) is the same for most releases, so each type is
kept once for each release that changed it: less than 1 % of the size. Run it with the group `test` installed, after
a new release of Kubernetes: `.venv/bin/python scripts/kubernetes_schemas.py`.
"""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "src/wpk_sandbox/rules/kubernetes/schemas.json"
PREFIX = "#/$defs/"
# What the server writes, or what has a shape of its own, is any object to us.
FREE = re.compile(r"Status$|\.FieldsV1$|\.ManagedFieldsEntry$|\.JSONSchemaProps|\.RawExtension$|\.JSON$")
NOT_WRITTEN = re.compile(r"List$|^DeleteOptions$|^WatchEvent$|^Status$|^API[GRV]")


def made() -> str:
    """The text of the file: every release, and what they have in common once."""
    root = Path(str(files("kubernetes_validate"))) / "kubernetes-json-schema"
    minors = sorted(int(path.name.split(".")[1]) for path in root.glob("v1.*-local-strict"))
    kinds: dict[str, dict[str, list[Any]]] = {}
    types: dict[str, list[list[Any]]] = {}
    for minor in minors:
        text = (root / f"v1.{minor}.0-local-strict" / "_definitions.json").read_text(encoding="utf-8")
        _add(minor, json.loads(text)["$defs"], kinds, types)
    return _written(minors, kinds, types)


def _add(minor: int, definitions: dict[str, Any], kinds: dict[str, Any], types: dict[str, Any]) -> None:
    wanted = []
    for name, definition in definitions.items():
        for served in definition.get("x-kubernetes-group-version-kind", ()):
            if not NOT_WRITTEN.search(served["kind"]):
                version = f"{served['group']}/{served['version']}".lstrip("/")
                place = kinds.setdefault(version, {}).setdefault(served["kind"], [_short(name), minor, minor])
                place[2] = minor
                wanted.append(name)
    done: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name not in done:
            done.add(name)
            fields, required, more = _type(definitions[name])
            wanted += more
            variants = types.setdefault(_short(name), [])
            if not variants or variants[-1][1:] != [fields, required]:
                variants.append([minor, fields, required])


def _type(definition: dict[str, Any]) -> tuple[dict[str, str], list[str], list[str]]:
    more: list[str] = []
    fields = {name: _shape(field, more) for name, field in definition.get("properties", {}).items()}
    return fields, sorted(definition.get("required", ())), more


def _shape(field: dict[str, Any], more: list[str]) -> str:
    """A type in one word: `string`, `[]T`, `{}T`, or the name of a type with fields."""
    if "$ref" in field:
        return _named(field["$ref"].removeprefix(PREFIX), more)
    kind = next(_kinds(field), "any")
    if kind == "array":
        return "[]" + _shape(field.get("items", {}), more)
    if kind == "object":
        inner = field.get("additionalProperties")
        return "{}" + (_shape(inner, more) if isinstance(inner, dict) and inner else "any")
    return "bytes" if field.get("format") == "byte" else kind


def _kinds(field: dict[str, Any]) -> Iterator[str]:
    kinds = field.get("type", ())
    yield from (kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null")


def _named(name: str, more: list[str]) -> str:
    last = name.rpartition(".")[2]
    known = {"IntOrString": "int-or-string", "Quantity": "quantity", "Time": "string", "MicroTime": "string"}
    if last in known:
        return known[last]
    if FREE.search(name):
        return "any"
    more.append(name)
    return _short(name)


def _short(name: str) -> str:
    return name.removeprefix("io.k8s.").removeprefix("api.")


def _written(minors: list[int], kinds: dict[str, Any], types: dict[str, Any]) -> str:
    """One type a line, so that a difference shows what a release changed."""
    lines = ['{"releases": ' + json.dumps([minors[0], minors[-1]]) + ",", '"kinds": {']
    lines.append(",\n".join(f"{json.dumps(name)}: {json.dumps(kinds[name])}" for name in sorted(kinds)))
    lines += ["},", '"types": {']
    lines.append(",\n".join(f"{json.dumps(name)}: {json.dumps(types[name])}" for name in sorted(types)))
    return "\n".join([*lines, "}}", ""])


if __name__ == "__main__":
    TARGET.write_text(made(), encoding="utf-8")
