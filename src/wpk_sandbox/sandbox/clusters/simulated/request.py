"""A request to the API, taken apart, and its answer."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.sandbox.clusters.simulated.catalog import find_kind
from wpk_sandbox.sandbox.clusters.simulated.objects import Object
from wpk_sandbox.sandbox.clusters.simulated.refused import bad_request, no_such_path
from wpk_sandbox.sandbox.clusters.simulated.store import Store

_NAMESPACE_SUBRESOURCES = ("status", "finalize")


@dataclass(frozen=True)
class Request:
    """One HTTP request. `query` holds the first value of each parameter; no `user` is the administrator."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    body: bytes = b""
    user: str = ""

    def flag(self, name: str) -> bool:
        """True for a parameter such as `watch=true` or `watch=1`."""
        return self.query.get(name, "").lower() in ("true", "1")

    def parsed(self) -> Any:
        """The body as data; an empty one is None. Raises `Refused` (400) where it cannot be read."""
        if not self.body.strip():
            return None
        try:
            if "yaml" in self.content_type:
                return _parse_yaml(self.body)
            return json.loads(self.body)
        except ValueError as error:
            raise bad_request(f"the body of the request cannot be decoded: {error}") from None


def _parse_yaml(text: bytes) -> Any:
    import yaml  # noqa: PLC0415 - only server-side apply sends it

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


@dataclass(frozen=True)
class Answer:
    """What the caller gets: an object as JSON, a text, or objects one a line for as long as there are some."""

    code: int
    body: Object | str = ""
    stream: Iterator[Object] | None = None


@dataclass(frozen=True)
class Place:
    """What a path means: a kind, and where one stands in it."""

    kind: ResourceKind
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def find_place(store: Store, path: str) -> Place:
    """The place of a path below `/api/v1` or `/apis/<group>/<version>`. Raises `Refused` (404)."""
    parts = [part for part in path.split("/") if part]
    version_parts = 2 if parts[:1] == ["api"] else 3
    version, rest = "/".join(parts[1:version_parts]), parts[version_parts:]
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces" and not _is_of_namespace(rest):
        namespace, rest = rest[1], rest[2:]
    kind = find_kind(store, version, rest[0]) if rest else None
    if kind is None or len(rest) > 3 or (namespace and not kind.namespaced):
        raise no_such_path()
    if kind.namespaced and len(rest) > 1 and not namespace:
        raise no_such_path()
    name, subresource = (*rest[1:], "", "")[:2]
    return Place(kind, namespace, name, subresource)


def _is_of_namespace(rest: list[str]) -> bool:
    """True for `/namespaces/<name>/status`, which is no kind within a namespace."""
    return len(rest) == 3 and rest[2] in _NAMESPACE_SUBRESOURCES
