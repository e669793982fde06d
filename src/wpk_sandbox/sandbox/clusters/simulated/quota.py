"""ResourceQuota: what a namespace uses, and what does not fit any more.

https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.package.units import quantity
from wpk_sandbox.sandbox.clusters.simulated.catalog import CLAIM, POD, QUOTA, find_kind, kinds
from wpk_sandbox.sandbox.clusters.simulated.objects import Object, dig, is_pod_finished, name_of, namespace_of
from wpk_sandbox.sandbox.clusters.simulated.refused import forbidden, resource_name
from wpk_sandbox.sandbox.clusters.simulated.store import Store
from wpk_sandbox.sandbox.namespace import cpu_quantity, memory_quantity

_POD_RESOURCES = {
    "requests.cpu": ("requests", "cpu"),
    "requests.memory": ("requests", "memory"),
    "requests.ephemeral-storage": ("requests", "ephemeral-storage"),
    "limits.cpu": ("limits", "cpu"),
    "limits.memory": ("limits", "memory"),
    "limits.ephemeral-storage": ("limits", "ephemeral-storage"),
    "cpu": ("requests", "cpu"),
    "memory": ("requests", "memory"),
}
_COUNTED = frozenset(
    {"configmaps", "secrets", "services", "persistentvolumeclaims", "replicationcontrollers", "resourcequotas"}
)


def check_quota(store: Store, kind: ResourceKind, obj: Object) -> None:
    """Raise `Refused` (403) when a new object does not fit a quota of its namespace."""
    for quota in store.select(QUOTA, namespace_of(obj)):
        hard = quota["spec"].get("hard") or {}
        requested = {name: need for name in hard if (need := _need(store, kind, obj, name))}
        if kind == POD:
            _require_resources(quota, obj, hard)
        used = {name: _used(store, namespace_of(obj), name) for name in requested}
        over = [name for name in sorted(requested) if used[name] + requested[name] > quantity(hard[name]) + 1e-9]
        if over:
            raise forbidden(
                kind,
                name_of(obj),
                f"exceeded quota: {name_of(quota)}, requested: {_amounts(over, requested)}, "
                f"used: {_amounts(over, used)}, limited: {','.join(f'{name}={hard[name]}' for name in over)}",
            )


def _require_resources(quota: Object, pod: Object, hard: Object) -> None:
    missing = []
    for name in sorted(hard):
        group, resource = _POD_RESOURCES.get(name, ("", ""))
        without = [c["name"] for c in pod["spec"]["containers"] if not dig(c, "resources", group, resource)]
        if group and without:
            missing.append(f"{name} for: {','.join(without)}")
    if missing:
        raise forbidden(POD, name_of(pod), f"failed quota: {name_of(quota)}: must specify {'; '.join(missing)}")


def quota_status(store: Store, quota: Object) -> Object:
    """The status of a quota: its bounds and what is used of them."""
    hard = quota["spec"].get("hard") or {}
    used = {name: _used(store, namespace_of(quota), name) for name in hard}
    return {"hard": dict(hard), "used": {name: _amount(name, value) for name, value in used.items()}}


def pod_request(pod: Object, group: str, resource: str) -> float:
    """What a pod needs of a resource: its containers together, or the largest init container."""

    def of(container: Object) -> float:
        return quantity(dig(container, "resources", group, resource, default=0))

    total = sum(of(container) for container in pod["spec"].get("containers") or ())
    return max([total, *(of(container) for container in pod["spec"].get("initContainers") or ())])


def _need(store: Store, kind: ResourceKind, obj: Object, name: str) -> float:
    """What one object takes of the quota's resource `name`."""
    if kind == POD and name in _POD_RESOURCES:
        return pod_request(obj, *_POD_RESOURCES[name])
    if kind == CLAIM and name == "requests.storage":
        return quantity(dig(obj, "spec", "resources", "requests", "storage", default=0))
    return 1.0 if _counted_kind(store, name) == kind else 0.0


def _used(store: Store, namespace: str, name: str) -> float:
    kind = POD if name in _POD_RESOURCES else CLAIM if name == "requests.storage" else _counted_kind(store, name)
    if kind is None:
        return 0.0
    objects = store.select(kind, namespace)
    return sum(_need(store, kind, obj, name) for obj in objects if kind != POD or not is_pod_finished(obj))


def _counted_kind(store: Store, name: str) -> ResourceKind | None:
    """The kind whose objects `pods`, `services` or `count/deployments.apps` counts."""
    if name == "pods" or name in _COUNTED:
        return find_kind(store, "v1", name)
    wanted = name.removeprefix("count/")
    return next((kind for kind in kinds(store) if wanted != name and resource_name(kind) == wanted), None)


def _amounts(names: list[str], values: dict[str, float]) -> str:
    return ",".join(f"{name}={_amount(name, values[name])}" for name in names)


def _amount(name: str, value: float) -> str:
    return cpu_quantity(value) if name.endswith("cpu") else memory_quantity(value)
