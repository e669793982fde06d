"""LimitRanger admission: what a container gets that asks for nothing, and the bounds of what it may ask for.

https://kubernetes.io/docs/concepts/policy/limit-range/
"""

from collections.abc import Iterator

from wpk_sandbox.package.units import quantity
from wpk_sandbox.sandbox.clusters.simulated.catalog import LIMIT_RANGE, POD
from wpk_sandbox.sandbox.clusters.simulated.defaults import child, fill
from wpk_sandbox.sandbox.clusters.simulated.objects import Object, dig, name_of
from wpk_sandbox.sandbox.clusters.simulated.refused import forbidden
from wpk_sandbox.sandbox.clusters.simulated.store import Store


def default_resources(store: Store, pod: Object) -> None:
    """Give the pod's containers the defaults of its namespace, in place, and note what was given."""
    given = []
    for limit in _container_limits(store, pod):
        for container in _containers(pod):
            for group, of in (("requests", "defaultRequest"), ("limits", "default")):
                if not limit.get(of):
                    continue
                resources = child(child(container, "resources"), group)
                missing = sorted(set(limit[of]) - set(resources))
                fill(resources, limit[of])
                if missing:
                    given.append(f"{', '.join(missing)} {group[:-1]} for container {container['name']}")
    if given:
        note = f"LimitRanger plugin set: {'; '.join(given)}"
        child(pod["metadata"], "annotations")["kubernetes.io/limit-ranger"] = note


def check_bounds(store: Store, pod: Object) -> None:
    """Raise `Refused` (403) when a container is outside the bounds of its namespace."""
    broken = [
        text
        for limit in _container_limits(store, pod)
        for container in _containers(pod)
        for text in _out_of_bounds(container, limit)
    ]
    if broken:
        why = broken[0] if len(broken) == 1 else f"[{', '.join(broken)}]"
        raise forbidden(POD, name_of(pod), why)


def _container_limits(store: Store, pod: Object) -> Iterator[Object]:
    for limit_range in store.select(LIMIT_RANGE, pod["metadata"]["namespace"]):
        for limit in limit_range["spec"].get("limits") or ():
            if limit.get("type") == "Container":
                yield limit


def _containers(pod: Object) -> list[Object]:
    return [*(pod["spec"].get("initContainers") or ()), *(pod["spec"].get("containers") or ())]


def _out_of_bounds(container: Object, limit: Object) -> Iterator[str]:
    requests, limits = (dig(container, "resources", group, default={}) for group in ("requests", "limits"))
    for name, most in (limit.get("max") or {}).items():
        if name in limits and quantity(limits[name]) > quantity(most):
            yield f"maximum {name} usage per Container is {most}, but limit is {limits[name]}"
        elif name not in limits:
            yield f"maximum {name} usage per Container is {most}.  No limit is specified"
    for name, least in (limit.get("min") or {}).items():
        if name in requests and quantity(requests[name]) < quantity(least):
            yield f"minimum {name} usage per Container is {least}, but request is {requests[name]}"
        elif name not in requests:
            yield f"minimum {name} usage per Container is {least}.  No request is specified"
