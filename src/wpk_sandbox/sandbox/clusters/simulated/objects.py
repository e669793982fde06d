"""What every Kubernetes object has in common: its metadata, its owners, its conditions."""

from collections.abc import Iterable, Mapping
from typing import Any

Object = dict[str, Any]


def dig(obj: Any, *names: str, default: Any = None) -> Any:
    """The value at a path of keys, or `default` where a part is missing or null."""
    for name in names:
        if not isinstance(obj, Mapping):
            return default
        obj = obj.get(name)
    return default if obj is None else obj


def name_of(obj: Object) -> str:
    """`metadata.name`."""
    return str(obj["metadata"].get("name", ""))


def namespace_of(obj: Object) -> str:
    """`metadata.namespace`; empty for what belongs to the whole cluster."""
    return str(obj["metadata"].get("namespace", ""))


def labels_of(obj: Object) -> Mapping[str, str]:
    """`metadata.labels`, never None."""
    return dict(dig(obj, "metadata", "labels", default={}))


def annotations_of(obj: Object) -> Mapping[str, str]:
    """`metadata.annotations`, never None."""
    return dict(dig(obj, "metadata", "annotations", default={}))


def is_deleting(obj: Object) -> bool:
    """True when the object was deleted and only its finalizers keep it."""
    return bool(obj["metadata"].get("deletionTimestamp"))


def owners_of(obj: Object) -> list[Object]:
    """`metadata.ownerReferences`, never None."""
    return list(dig(obj, "metadata", "ownerReferences", default=[]))


def controller_of(obj: Object) -> Object | None:
    """The one owner reference that manages the object."""
    return next((owner for owner in owners_of(obj) if owner.get("controller")), None)


def is_controlled_by(obj: Object, owner: Object) -> bool:
    """True when `owner` manages the object."""
    controller = controller_of(obj)
    return controller is not None and controller.get("uid") == owner["metadata"]["uid"]


def controller_reference(owner: Object) -> Object:
    """The owner reference that a controller writes on what it makes."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def condition_of(obj: Object, type_: str) -> Object | None:
    """A condition of the status."""
    return next((c for c in dig(obj, "status", "conditions", default=[]) if c.get("type") == type_), None)


def has_condition(obj: Object, type_: str, status: str = "True") -> bool:
    """True when the condition is there with this status."""
    found = condition_of(obj, type_)
    return found is not None and found.get("status") == status


def make_condition(type_: str, status: bool, reason: str = "", message: str = "") -> Object:
    """A condition without its times, which `keep_times` adds."""
    made = {"type": type_, "status": "True" if status else "False", "reason": reason, "message": message}
    return {name: value for name, value in made.items() if value}


def keep_times(before: Object, conditions: Iterable[Object], now: str, *, updated: bool = False) -> list[Object]:
    """The conditions with the time of their last transition; `updated` adds that of their last change as well.

    Times of what did not change stay, so that a status computed twice is equal.
    """
    timed = []
    for condition in conditions:
        old = condition_of(before, condition["type"]) or {}
        same = old.get("status") == condition["status"]
        full = {**condition, "lastTransitionTime": old.get("lastTransitionTime", now) if same else now}
        if updated:
            unchanged = all(old.get(name) == value for name, value in condition.items())
            full["lastUpdateTime"] = old.get("lastUpdateTime", now) if unchanged else now
        timed.append(full)
    return timed


def without_zeros(status: Object) -> Object:
    """The status without zero counters, which the real API leaves out."""
    return {name: value for name, value in status.items() if value not in (0, None)}


def is_pod_ready(pod: Object) -> bool:
    """True when the pod serves."""
    return has_condition(pod, "Ready") and not is_deleting(pod)


def is_pod_finished(pod: Object) -> bool:
    """True when the pod's containers ended for good."""
    return dig(pod, "status", "phase") in ("Succeeded", "Failed")
