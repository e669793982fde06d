"""What may not change once an object exists."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.package.units import quantity
from wpk_sandbox.sandbox.clusters.simulated.catalog import is_builtin
from wpk_sandbox.sandbox.clusters.simulated.objects import Object, dig, name_of
from wpk_sandbox.sandbox.clusters.simulated.refused import Cause, compact, invalid

_FORBIDDEN = "FieldValueForbidden"
_STATEFUL_SET_CHANGES = frozenset(
    {
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    }
)
_STATEFUL_SET_RULE = (
    "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' "
    "are forbidden"
)
_POD_RULE = (
    "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
    "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_CLAIM_RULE = (
    "Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName "
    "for bound claims"
)


def check_update(kind: ResourceKind, before: Object, after: Object) -> None:
    """Raise `Refused` (422) when a write changes what may not change."""
    rule = _RULES.get(kind.kind) if is_builtin(kind) else None
    causes = list(rule(before, after)) if rule else []
    if causes:
        raise invalid(kind, name_of(before), causes)


def _specs(before: Object, after: Object) -> tuple[Object, Object]:
    return before.get("spec") or {}, after.get("spec") or {}


def _selector(before: Object, after: Object) -> Iterator[Cause]:
    yield from _fixed(*_specs(before, after), "selector")


def _stateful_set(before: Object, after: Object) -> Iterator[Cause]:
    old, new = _specs(before, after)
    if any(old.get(name) != new.get(name) for name in (old.keys() | new.keys()) - _STATEFUL_SET_CHANGES):
        yield Cause("spec", _STATEFUL_SET_RULE, _FORBIDDEN)


def _job(before: Object, after: Object) -> Iterator[Cause]:
    old, new = _specs(before, after)
    yield from _fixed(old, new, "selector", "template", "completionMode")
    if old.get("completionMode") == "NonIndexed":
        yield from _fixed(old, new, "completions")


def _pod(before: Object, after: Object) -> Iterator[Cause]:
    old, new = _specs(before, after)
    if _pod_identity(old) != _pod_identity(new):
        yield Cause("spec", _POD_RULE, _FORBIDDEN)


def _service(before: Object, after: Object) -> Iterator[Cause]:
    old, new = _specs(before, after)
    if old.get("clusterIP") and new.get("type") != "ExternalName" and old["clusterIP"] != new.get("clusterIP"):
        message = f"Invalid value: {compact([new.get('clusterIP')])}: may not change once set"
        yield Cause("spec.clusterIPs[0]", message)


def _role(before: Object, after: Object) -> Iterator[Cause]:
    if before.get("roleRef") != after.get("roleRef"):
        yield Cause("roleRef", f"Invalid value: {compact(after.get('roleRef'))}: cannot change roleRef")


def _fixed(old: Mapping[str, Any], new: Mapping[str, Any], *names: str) -> Iterator[Cause]:
    for name in names:
        if old.get(name) != new.get(name):
            yield Cause(f"spec.{name}", f"Invalid value: {compact(new.get(name))}: field is immutable")


def _pod_identity(spec: Object) -> Object:
    """The part of a pod's spec that may not change."""
    kept = {
        name: value
        for name, value in spec.items()
        if name not in ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds")
    }
    for group in ("containers", "initContainers"):
        kept[group] = [{**container, "image": ""} for container in spec.get(group) or ()]
    return kept


def _claim(before: Object, after: Object) -> Iterator[Cause]:
    old, new = _specs(before, after)
    if {**old, "resources": 0, "volumeName": 0} != {**new, "resources": 0, "volumeName": 0}:
        yield Cause("spec", _CLAIM_RULE, _FORBIDDEN)
    size_before, size_after = (dig(spec, "resources", "requests", "storage", default="0") for spec in (old, new))
    if quantity(size_after) < quantity(size_before):
        message = "Forbidden: field can not be less than status.capacity"
        yield Cause("spec.resources.requests.storage", message, _FORBIDDEN)


def _secret(before: Object, after: Object) -> Iterator[Cause]:
    if before.get("type") != after.get("type"):
        yield Cause("type", f"Invalid value: {compact(after.get('type'))}: field is immutable")
    yield from _data(before, after)


def _data(before: Object, after: Object) -> Iterator[Cause]:
    if not before.get("immutable"):
        return
    message = "Forbidden: field is immutable when `immutable` is set"
    for name in ("data", "binaryData", "immutable"):
        if before.get(name) != after.get(name):
            yield Cause(name, message, _FORBIDDEN)


_RULES: Mapping[str, Callable[[Object, Object], Iterator[Cause]]] = {
    "Deployment": _selector,
    "ReplicaSet": _selector,
    "DaemonSet": _selector,
    "StatefulSet": _stateful_set,
    "Job": _job,
    "Pod": _pod,
    "PersistentVolumeClaim": _claim,
    "Service": _service,
    "ConfigMap": _data,
    "Secret": _secret,
    "RoleBinding": _role,
    "ClusterRoleBinding": _role,
}
