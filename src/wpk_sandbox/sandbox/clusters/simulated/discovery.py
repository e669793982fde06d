"""What the API tells of itself: version, groups, kinds, and enough of an OpenAPI document for kubectl."""

from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.sandbox.clusters.simulated.catalog import kinds, subresources
from wpk_sandbox.sandbox.clusters.simulated.objects import Object
from wpk_sandbox.sandbox.clusters.simulated.refused import no_such_path
from wpk_sandbox.sandbox.clusters.simulated.store import Store

# The Kubernetes release whose behaviour and wording the simulation follows.
MINOR, PATCH = 34, 4
VERSION = f"v1.{MINOR}.{PATCH}+simulated"

_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_SUBRESOURCE_KINDS = {
    "scale": ("autoscaling", "v1", "Scale", ["get", "patch", "update"]),
    "eviction": ("policy", "v1", "Eviction", ["create"]),
    "log": ("", "", "Pod", ["get"]),
}


def describe(store: Store, path: str) -> Object | str | None:
    """The document at a discovery path; None where the path is not one of discovery."""
    parts = [part for part in path.split("/") if part]
    found: Object | str | None = None
    match parts:
        case ["version"]:
            found = _version()
        case ["healthz" | "livez" | "readyz", *_]:
            found = "ok"
        case ["api"]:
            found = {"kind": "APIVersions", "apiVersion": "v1", "versions": ["v1"]}
        case ["apis"]:
            found = {"kind": "APIGroupList", "apiVersion": "v1", "groups": _groups(store)}
        case ["apis", group]:
            found = _one_group(store, group)
        case ["api", "v1"] | ["apis", _, _]:
            found = _resources(store, "/".join(parts[1:]))
        case ["openapi", "v3", *rest]:
            found = _openapi(store, "/".join(rest))
    return found


def _version() -> Object:
    return {
        "major": "1",
        "minor": str(MINOR),
        "gitVersion": VERSION,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "",
        "platform": "linux/amd64",
    }


def _groups(store: Store) -> list[Object]:
    versions: dict[str, list[str]] = {}
    for kind in kinds(store):
        known = versions.setdefault(kind.group, [])
        if kind.api_version not in known:
            known.append(kind.api_version)
    return [_group(name, found) for name, found in versions.items() if name]


def _group(name: str, versions: list[str]) -> Object:
    entries = [{"groupVersion": each, "version": each.rpartition("/")[2]} for each in versions]
    return {"name": name, "versions": entries, "preferredVersion": entries[0]}


def _one_group(store: Store, name: str) -> Object:
    for group in _groups(store):
        if group["name"] == name:
            return {"kind": "APIGroup", "apiVersion": "v1", **group}
    raise no_such_path()


def _resources(store: Store, api_version: str) -> Object:
    found = [kind for kind in kinds(store) if kind.api_version == api_version]
    if not found:
        raise no_such_path()
    resources = [entry for kind in found for entry in _entries(store, kind)]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": resources}


def _entries(store: Store, kind: ResourceKind) -> list[Object]:
    entry: Object = {
        "name": kind.plural,
        "singularName": kind.kind.lower(),
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(_VERBS),
    }
    if kind.short:
        entry["shortNames"] = list(kind.short)
    return [entry, *(_subresource(kind, name) for name in subresources(store, kind))]


def _subresource(kind: ResourceKind, name: str) -> Object:
    group, version, of_kind, verbs = _SUBRESOURCE_KINDS.get(name, ("", "", kind.kind, ["get", "patch", "update"]))
    entry = {"name": f"{kind.plural}/{name}", "singularName": "", "namespaced": kind.namespaced, "kind": of_kind}
    return {**entry, "verbs": verbs, **({"group": group, "version": version} if group else {})}


def _openapi(store: Store, path: str) -> Object:
    """Which kinds take a patch that is validated by the server: kubectl asks that before it applies anything."""
    versions = {kind.path().rpartition("/")[0].removeprefix("/"): kind.api_version for kind in kinds(store)}
    if not path:
        return {"paths": {place: {"serverRelativeURL": f"/openapi/v3/{place}"} for place in versions}}
    if path not in versions:
        raise no_such_path()
    found = [kind for kind in kinds(store) if kind.api_version == versions[path]]
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": VERSION},
        "paths": {_path_of_one(kind): {"patch": _patch_operation(kind)} for kind in found},
    }


def _path_of_one(kind: ResourceKind) -> str:
    return kind.path("{namespace}", "{name}")


def _patch_operation(kind: ResourceKind) -> Object:
    parameter = {"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}
    identity = {"group": kind.group, "version": kind.api_version.rpartition("/")[2], "kind": kind.kind}
    return {
        "parameters": [parameter],
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": identity,
    }
