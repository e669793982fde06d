"""How an object comes, changes and goes; controllers and callers of the API take the same way."""

from collections.abc import Callable
from typing import Any

from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.sandbox.clusters.simulated.admission import admit, admit_changes, check_namespace
from wpk_sandbox.sandbox.clusters.simulated.catalog import (
    DEPLOYMENT,
    NAMESPACE,
    SERVICE,
    has_generation,
    has_status,
    kinds,
)
from wpk_sandbox.sandbox.clusters.simulated.creation import complete
from wpk_sandbox.sandbox.clusters.simulated.decoding import check_types
from wpk_sandbox.sandbox.clusters.simulated.defaults import apply_defaults
from wpk_sandbox.sandbox.clusters.simulated.immutability import check_update
from wpk_sandbox.sandbox.clusters.simulated.objects import Object, annotations_of, is_deleting, name_of, owners_of
from wpk_sandbox.sandbox.clusters.simulated.refused import already_exists, bad_request, conflict, forbidden
from wpk_sandbox.sandbox.clusters.simulated.store import Store
from wpk_sandbox.sandbox.clusters.simulated.validation import validate

FOREGROUND = "foregroundDeletion"
_SYSTEM_NAMESPACES = ("default", "kube-system")
# What the server decides, whatever the caller writes.
_SERVER_METADATA = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")


def create(store: Store, kind: ResourceKind, body: Any) -> Object:
    """Store a new object. Raises `Refused` when it is not valid, not admitted, or there already."""
    obj = check_types(kind, body)
    metadata = obj["metadata"]
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = f"{metadata['generateName'][:58]}{store.suffix()}"
    if metadata.get("resourceVersion"):
        raise bad_request("resourceVersion should not be set on objects to be created")
    check_namespace(store, kind, obj)
    _take_over_metadata(store, obj)
    apply_defaults(kind, obj)
    admit_changes(store, kind, obj)
    validate(kind, obj)
    admit(store, kind, obj)
    if store.find(kind, metadata.get("namespace", ""), name_of(obj)):
        raise already_exists(kind, name_of(obj))
    complete(store, kind, obj)
    return store.write(kind, obj)


def _take_over_metadata(store: Store, obj: Object) -> None:
    metadata = obj["metadata"]
    for name in (*_SERVER_METADATA, "managedFields", "selfLink"):
        metadata.pop(name, None)
    metadata.update(uid=store.uid(), creationTimestamp=store.now())
    for name in [name for name, value in metadata.items() if value is None or value == {}]:
        del metadata[name]


def replace(store: Store, kind: ResourceKind, before: Object, body: Any) -> Object:
    """Put an object in the place of the present one, all but its status.

    Nothing changes where it is equal. Raises `Refused` when it is not valid, or was read before another write.
    """
    obj = check_types(kind, body)
    _keep_identity(kind, before, obj)
    if has_status(store, kind):
        _keep(obj, before, "status")
    if kind == SERVICE:
        _keep_addresses(before, obj)
    apply_defaults(kind, obj)
    validate(kind, obj)
    check_update(kind, before, obj)
    if has_generation(kind) and _is_new_generation(kind, before, obj):
        obj["metadata"]["generation"] = before["metadata"].get("generation", 0) + 1
    return _store_replacement(store, kind, before, obj)


def replace_status(store: Store, kind: ResourceKind, before: Object, body: Any) -> Object:
    """Put a new status, and nothing else, into an object."""
    obj = check_types(kind, body)
    _check_version(kind, before, obj)
    after = {name: value for name, value in before.items() if name != "status"}
    _keep(after, obj, "status")
    return _store_replacement(store, kind, before, after)


def _store_replacement(store: Store, kind: ResourceKind, before: Object, obj: Object) -> Object:
    if is_deleting(before) and not obj["metadata"].get("finalizers"):
        store.drop(kind, before)
        return obj
    return before if obj == before else store.write(kind, obj)


def _keep_identity(kind: ResourceKind, before: Object, obj: Object) -> None:
    metadata, old = obj["metadata"], before["metadata"]
    _check_version(kind, before, obj)
    if metadata.get("uid", old["uid"]) != old["uid"]:
        why = f"Precondition failed: UID in precondition: {metadata['uid']}, UID in object meta: {old['uid']}"
        raise conflict(kind, name_of(before), why)
    for name in ("managedFields", "selfLink"):
        metadata.pop(name, None)
    for name in ("name", "namespace", "resourceVersion", "generateName", *_SERVER_METADATA):
        _keep(metadata, old, name)
    for name in [name for name, value in metadata.items() if value is None or value in ({}, [])]:
        del metadata[name]


def _check_version(kind: ResourceKind, before: Object, obj: Object) -> None:
    version = obj["metadata"].get("resourceVersion")
    if version and version != before["metadata"]["resourceVersion"]:
        raise conflict(kind, name_of(before))


def _keep(target: Object, source: Object, name: str) -> None:
    if source.get(name) is None:
        target.pop(name, None)
    else:
        target[name] = source[name]


def _keep_addresses(before: Object, obj: Object) -> None:
    """An update that is silent about a Service's address means the one it has."""
    spec = obj.get("spec") or {}
    if spec.get("type") != "ExternalName":
        for name in ("clusterIP", "clusterIPs"):
            if not spec.get(name) and before["spec"].get(name):
                spec[name] = before["spec"][name]


def _is_new_generation(kind: ResourceKind, before: Object, after: Object) -> bool:
    # A Deployment's annotations are copied to its ReplicaSets, so they count as a part of what was specified.
    annotated = kind == DEPLOYMENT and annotations_of(before) != annotations_of(after)
    return annotated or _specified(before) != _specified(after)


def _specified(obj: Object) -> Object:
    """What counts as a new generation: everything but metadata and status."""
    return {name: value for name, value in obj.items() if name not in ("metadata", "status")}


def delete(store: Store, kind: ResourceKind, obj: Object, propagation: str = "Background") -> Object:
    """Remove an object, or mark it as deleted while finalizers hold it; returns it as it was last.

    What it owns goes with the next pass of the garbage collector, unless `propagation` is `Orphan`.
    Raises `Refused` for a namespace that the cluster cannot be without.
    """
    if kind == NAMESPACE and name_of(obj) in _SYSTEM_NAMESPACES:
        raise forbidden(kind, name_of(obj), "this namespace may not be deleted")
    if propagation == "Orphan":
        _release_dependents(store, obj)
    marked = store.edit(obj)
    metadata = marked["metadata"]
    if propagation == "Foreground" and FOREGROUND not in metadata.get("finalizers", []):
        metadata["finalizers"] = [*metadata.get("finalizers", []), FOREGROUND]
    if not is_deleting(obj):
        metadata.update(deletionTimestamp=store.now(), deletionGracePeriodSeconds=0)
    if metadata.get("finalizers") or kind == NAMESPACE:
        return obj if is_deleting(obj) and marked == obj else store.write(kind, marked)
    store.drop(kind, obj)
    return marked


def _release_dependents(store: Store, owner: Object) -> None:
    uid = owner["metadata"]["uid"]
    for kind in list(kinds(store)):
        for obj in store.select(kind):
            if any(reference.get("uid") == uid for reference in owners_of(obj)):
                kept = [reference for reference in owners_of(obj) if reference.get("uid") != uid]
                released = store.edit(obj)
                released["metadata"]["ownerReferences"] = kept
                store.write(kind, released)


def change(store: Store, kind: ResourceKind, obj: Object, edit: Callable[[Object], None]) -> Object:
    """Write an edited copy of an object, unless the edit changes nothing; counts generations as an update does."""
    edited = store.edit(obj)
    edit(edited)
    if edited == obj:
        return obj
    if has_generation(kind) and _specified(edited) != _specified(obj):
        edited["metadata"]["generation"] = edited["metadata"].get("generation", 0) + 1
    return store.write(kind, edited)


def remove_finalizer(store: Store, kind: ResourceKind, obj: Object, name: str) -> None:
    """Take a finalizer away; an object that was deleted and has none left goes."""
    left = [finalizer for finalizer in obj["metadata"].get("finalizers", []) if finalizer != name]
    if is_deleting(obj) and not left:
        store.drop(kind, obj)
    else:
        change(store, kind, obj, lambda edited: edited["metadata"].update(finalizers=left))
