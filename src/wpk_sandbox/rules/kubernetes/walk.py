"""Holds Kubernetes data against its schema, and names every place where the API server would refuse it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from math import inf
from typing import Any

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.kubernetes import unions, validation
from wpk_sandbox.rules.kubernetes.problem import Problem
from wpk_sandbox.rules.kubernetes.schemas import Type, since, type_named
from wpk_sandbox.rules.kubernetes.values import bounds, form, values
from wpk_sandbox.rules.subject import escaped

_PARAMETER = Pattern(r"\$\{[^}]*\}")
_BASE64 = Pattern(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
# https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
_QUANTITY = Pattern(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?")
_SUFFIXES = {suffix.lower(): suffix for suffix in ("Ki", "Mi", "Gi", "Ti", "k", "M", "G", "T")}
_WORDS = {
    "string": "a text",
    "bytes": "a text in base64",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "quantity": "a quantity such as 100m or 64Mi",
    "int-or-string": "a whole number or a text",
}


@dataclass(frozen=True)
class Walk:
    """How to look: at which release, and (`partial`) whether missing fields stand elsewhere, as in a patch."""

    minor: int
    partial: bool = False

    def problems(self, value: Any, kind: str, pointer: str, name: str = "the object") -> Iterator[Problem]:
        """Every problem of a value that should be of a type; `name` is the field that holds it.

        `null` is the same as nothing to the API server, and what a parameter will fill in can be of any type.
        """
        if value is None or kind == "any" or _is_parameter(value):
            return
        inner = kind[2:]
        if kind.startswith("[]"):
            yield from self._list(value, inner, pointer, name)
        elif kind.startswith("{}"):
            yield from self._free_mapping(value, inner, pointer, name)
        elif kind in _WORDS:
            yield from _scalar(value, kind, pointer, name)
        else:
            yield from self._object(value, kind, pointer, name)

    def _list(self, value: Any, inner: str, pointer: str, name: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield _wrong(pointer, name, "a list", value)
            return
        for index, item in enumerate(value):
            yield from self.problems(item, inner, f"{pointer}/{index}", f"an entry of {name}")

    def _free_mapping(self, value: Any, inner: str, pointer: str, name: str) -> Iterator[Problem]:
        if not isinstance(value, Mapping):
            yield _wrong(pointer, name, "a mapping", value)
            return
        for key, item in value.items():
            yield from self.problems(item, inner, f"{pointer}/{escaped(key)}", f"`{key}` of {name}")

    def _object(self, value: Any, kind: str, pointer: str, name: str) -> Iterator[Problem]:
        known = type_named(kind, self.minor)
        if known is None:
            return
        if not isinstance(value, Mapping):
            yield _wrong(pointer, name, "a mapping", value)
            return
        for key, item in value.items():
            place = f"{pointer}/{escaped(key)}"
            if key in known.fields:
                yield from self.problems(item, known.fields[key], place, f"`{key}`")
                yield from _value(item, kind, str(key), place)
                yield from _bounded(item, kind, str(key), place)
            elif not str(key).startswith("$"):  # `$patch` and its like tell a strategic merge patch what to do
                yield self._unknown(str(key), kind, known.fields, place, name)
        for part in (unions, validation):
            yield from part.problems(kind, value, pointer, partial=self.partial)
        if not self.partial:
            missing = [field for field in self._needed(known) if value.get(field) is None]
            if missing:
                message = f"{name} lacks {' and '.join(f'`{field}`' for field in missing)}"
                examples = " and ".join(f"`{field}: {_example(known.fields[field])}`" for field in missing)
                yield Problem(pointer, message, f"Add {examples}.", at_key=True)

    def _needed(self, known: Type) -> Iterator[str]:
        """The fields that must be there: those that are required, and a `spec` that has required fields itself."""
        yield from known.required
        spec = type_named(known.fields.get("spec", ""), self.minor)
        if spec and spec.required and "spec" not in known.required:
            yield "spec"

    def _unknown(self, key: str, kind: str, fields: Mapping[str, str], pointer: str, name: str) -> Problem:
        later = since(kind, key, self.minor)
        if later:
            message = f"`{key}` of {name} came with Kubernetes 1.{later}, and the package says that it runs on 1."
            fix = f'Leave it out, or write `runtime: {{version: "1.{later}+"}}`.'
            return Problem(pointer, f"{message}{self.minor}", fix, at_key=True)
        same = [field for field in fields if field.lower() == key.replace("_", "").replace("-", "").lower()]
        near = same or get_close_matches(key, fields, n=1, cutoff=0.6)
        meant = f"; `{near[0]}` is the nearest that there is" if near else ""
        fix = f"Write `{near[0]}`." if near else "Remove it, or move it to where it belongs."
        return Problem(
            pointer, f"{name} has no field `{key}` in Kubernetes 1.{self.minor}{meant}", fix, at_key=True
        )


def _value(value: Any, kind: str, field: str, pointer: str) -> Iterator[Problem]:
    """A word that is none of those that a field takes, such as `tcp` for `TCP`."""
    allowed = values(kind, field)
    for index, word in enumerate(value if isinstance(value, list) else [value]):
        if allowed and isinstance(word, str) and word not in allowed and "${" not in word:
            near = [one for one in allowed if one.lower() == word.lower()] or get_close_matches(word, allowed, n=1)
            place = f"{pointer}/{index}" if isinstance(value, list) else pointer
            shown = ", ".join(f"`{one}`" if one else "nothing" for one in allowed)
            fix = f"Write `{near[0]}`." if near else ""
            yield Problem(place, f"`{field}` must be one of {shown}, not `{word[:40]}`", fix)


def _bounded(value: Any, kind: str, field: str, pointer: str) -> Iterator[Problem]:
    """A number out of bounds, or a name that is refused."""
    least, most = bounds(kind, field)
    if isinstance(value, int) and not isinstance(value, bool) and not least <= value <= most:
        wanted = f"at least {least}" if most == inf else f"from {least} to {most:g}"
        yield Problem(pointer, f"`{field}` must be {wanted}, not {value}", f"Write a number {wanted}.")
    pattern, words = form(kind, field)
    if pattern and isinstance(value, str) and "${" not in value and not re.fullmatch(pattern, value):
        yield Problem(pointer, f"`{field}` must be {words}, not `{value[:60]}`", f"Write {words}.")


def _scalar(value: Any, kind: str, pointer: str, name: str) -> Iterator[Problem]:
    if not _fits(value, kind):
        yield _wrong(pointer, name, _WORDS[kind], value, quote=kind in ("string", "bytes"))
    elif kind == "quantity" and isinstance(value, str) and "${" not in value and not _QUANTITY.fullmatch(value):
        fix = f"Write `{better}`." if (better := _better(value)) else f"Write {_WORDS[kind]}."
        yield Problem(pointer, f"{name} is no quantity: `{value[:40]}`", fix)
    elif kind == "bytes" and "${" not in value and not _BASE64.fullmatch("".join(value.split())):
        fix = "Write it as it is below `stringData`, or encode it: `printf %s VALUE | base64`."
        yield Problem(pointer, f"{name} must be base64, and is not", fix)


def _better(text: str) -> str:
    """The quantity that was probably meant by `512MB`, `0,5` or `256 Mi`; empty if none was."""
    tried = re.sub(r"\s", "", text).replace(",", ".").removesuffix("B").removesuffix("b")
    tried = re.sub(
        r"^([\d.]+)([a-zA-Z]*)$", lambda found: found[1] + _SUFFIXES.get(found[2].lower(), found[2]), tried
    )
    return tried if _QUANTITY.fullmatch(tried) else ""


def _fits(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    match kind:
        case "integer":
            return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        case "number" | "quantity" if isinstance(value, int | float):
            return True
        case "int-or-string":
            return isinstance(value, int | str)
    return isinstance(value, str) and kind in ("string", "bytes", "quantity")


def _wrong(pointer: str, name: str, wanted: str, value: Any, *, quote: bool = False) -> Problem:
    scalar = not isinstance(value, Mapping | list)
    fix = "Write it in quotes." if quote and scalar else f"Write {wanted}."
    return Problem(pointer, f"{name} must be {wanted}, not {_found(value)}", fix)


def _found(value: Any) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
    return "a mapping"


def _is_parameter(value: Any) -> bool:
    return isinstance(value, str) and _PARAMETER.fullmatch(value.strip()) is not None


def _example(kind: str) -> str:
    if kind.startswith("[]"):
        return "[…]"
    return "…" if kind in _WORDS else "{…}"
