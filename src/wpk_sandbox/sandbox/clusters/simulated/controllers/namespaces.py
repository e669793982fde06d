"""Namespaces: what each new one gets, what becomes of a deleted one, and what its quotas count."""

from wpk_sandbox.sandbox.clusters.simulated.catalog import CONFIG_MAP, NAMESPACE, QUOTA, SERVICE_ACCOUNT, kinds
from wpk_sandbox.sandbox.clusters.simulated.objects import (
    Object,
    is_deleting,
    keep_times,
    make_condition,
    name_of,
)
from wpk_sandbox.sandbox.clusters.simulated.quota import quota_status
from wpk_sandbox.sandbox.clusters.simulated.refused import resource_name
from wpk_sandbox.sandbox.clusters.simulated.store import Store
from wpk_sandbox.sandbox.clusters.simulated.writes import create, delete

_CERTIFICATES = "kube-root-ca.crt"


def run_namespaces(store: Store) -> None:
    """Furnish live namespaces and empty deleted ones."""
    for namespace in store.select(NAMESPACE):
        if is_deleting(namespace):
            _empty(store, namespace)
        else:
            _furnish(store, namespace)


def _furnish(store: Store, namespace: Object) -> None:
    store.write_status(NAMESPACE, namespace, {"phase": "Active"})
    place = name_of(namespace)
    if store.find(SERVICE_ACCOUNT, place, "default") is None:
        create(store, SERVICE_ACCOUNT, {"metadata": {"name": "default", "namespace": place}})
    if store.find(CONFIG_MAP, place, _CERTIFICATES) is None:
        # The simulated API has no certificate; pods that mount the file must find it all the same.
        metadata = {"name": _CERTIFICATES, "namespace": place}
        create(store, CONFIG_MAP, {"metadata": metadata, "data": {"ca.crt": ""}})


def _empty(store: Store, namespace: Object) -> None:
    left: dict[str, int] = {}
    held: dict[str, int] = {}
    for kind in [kind for kind in kinds(store) if kind.namespaced]:
        for obj in store.select(kind, name_of(namespace)):
            if not is_deleting(obj):
                delete(store, kind, obj)
        for obj in store.select(kind, name_of(namespace)):
            left[resource_name(kind)] = left.get(resource_name(kind), 0) + 1
            for finalizer in obj["metadata"].get("finalizers", []):
                held[finalizer] = held.get(finalizer, 0) + 1
    if left:
        _explain(store, namespace, left, held)
    else:
        store.drop(NAMESPACE, namespace)


def _explain(store: Store, namespace: Object, left: dict[str, int], held: dict[str, int]) -> None:
    """Say what keeps a namespace, as the real controller does."""
    remaining = ", ".join(f"{kind}. has {count} resource instances" for kind, count in left.items())
    waiting = ", ".join(f"{name} in {count} resource instances" for name, count in held.items())
    conditions = [
        make_condition(
            "NamespaceContentRemaining", True, "SomeResourcesRemain", f"Some resources are remaining: {remaining}"
        ),
        make_condition(
            "NamespaceFinalizersRemaining",
            True,
            "SomeFinalizersRemain",
            f"Some content in the namespace has finalizers remaining: {waiting}",
        ),
    ]
    status = {"phase": "Terminating", "conditions": keep_times(namespace, conditions, store.now())}
    store.write_status(NAMESPACE, namespace, status)


def run_quotas(store: Store) -> None:
    """Count what each namespace uses of its quotas."""
    for quota in store.select(QUOTA):
        store.write_status(QUOTA, quota, quota_status(store, quota))
