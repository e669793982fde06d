"""The garbage collector: what is owned goes with its owner.

https://kubernetes.io/docs/concepts/architecture/garbage-collection/
"""

from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.sandbox.clusters.simulated.catalog import kinds
from wpk_sandbox.sandbox.clusters.simulated.objects import Object, is_deleting, owners_of
from wpk_sandbox.sandbox.clusters.simulated.store import Store
from wpk_sandbox.sandbox.clusters.simulated.writes import FOREGROUND, delete, remove_finalizer


def run_collector(store: Store) -> None:
    """Delete what has no owner left, and let go of owners that wait for what they own."""
    everything = [(kind, obj) for kind in kinds(store) for obj in store.select(kind)]
    uids = {obj["metadata"]["uid"] for _, obj in everything}
    waiting = {obj["metadata"]["uid"] for _, obj in everything if _waits(obj)}
    for kind, obj in everything:
        owners = {owner.get("uid") for owner in owners_of(obj)}
        if owners and not is_deleting(obj) and (not owners & uids or owners & waiting):
            delete(store, kind, obj, "Foreground" if owners & waiting and _owns(obj, everything) else "Background")
    for kind, obj in everything:
        if _waits(obj) and not _owned_now(store, obj):
            remove_finalizer(store, kind, obj, FOREGROUND)


def _waits(obj: Object) -> bool:
    return is_deleting(obj) and FOREGROUND in obj["metadata"].get("finalizers", [])


def _owns(owner: Object, everything: list[tuple[ResourceKind, Object]]) -> bool:
    uid = owner["metadata"]["uid"]
    return any(reference.get("uid") == uid for _, obj in everything for reference in owners_of(obj))


def _owned_now(store: Store, owner: Object) -> bool:
    return _owns(owner, [(kind, obj) for kind in kinds(store) for obj in store.select(kind)])
