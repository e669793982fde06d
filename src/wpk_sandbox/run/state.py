"""What a cluster holds, as far as a package can mean to change it: no status, no bookkeeping of controllers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wpk_sandbox.package.kinds import RESOURCE_KINDS, ResourceKind
from wpk_sandbox.run.objects import ApiError, Object, Objects
from wpk_sandbox.sandbox.clusters.rights import BINDINGS
from wpk_sandbox.sandbox.namespace import LIMITS_NAME, POLICY_NAME, QUOTA_NAME

# Events, Endpoints and Leases come and go by themselves; ControllerRevisions are the history of what is listed.
_PASSING = ("Event", "Endpoints", "Lease", "ControllerRevision")
NAMESPACED = tuple(kind for kind in RESOURCE_KINDS if kind.namespaced and kind.kind not in _PASSING)

_OURS = {
    ("ResourceQuota", QUOTA_NAME),
    ("LimitRange", LIMITS_NAME),
    ("NetworkPolicy", POLICY_NAME),
    *(("RoleBinding", name) for name in BINDINGS),
    ("ServiceAccount", "default"),
    ("ConfigMap", "kube-root-ca.crt"),
}
_METADATA = ("labels", "annotations", "finalizers")
_BOOKKEEPING = (
    "deployment.kubernetes.io/",
    "deprecated.daemonset.template.generation",
    "kubectl.kubernetes.io/last-applied-configuration",
    "pv.kubernetes.io/",
    "volume.kubernetes.io/",
    "volume.beta.kubernetes.io/",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "batch.kubernetes.io/cronjob-scheduled-timestamp",
)
_DERIVED_SPEC = {
    "Pod": ("nodeName", "tolerations", "priority", "enableServiceLinks", "preemptionPolicy"),
    "Service": ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"),
    "PersistentVolumeClaim": ("volumeName",),
    "Job": ("selector",),
}
_NODE_TAINTS = "node.kubernetes.io/"
_TOKEN_VOLUME = "kube-api-access-"


@dataclass(frozen=True, order=True)
class ObjectKey:
    """What an object is identified by; `namespace` is empty for the cluster's own."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True)
class State:
    """Every object with the fields that a person would write."""

    objects: Mapping[ObjectKey, Mapping[str, Any]] = field(default_factory=dict)

    def find(self, kind: str, namespace: str | None, name: str) -> Mapping[str, Any] | None:
        """One object as it was, or None where there was none."""
        return self.objects.get(ObjectKey(kind, namespace or "", name))


def snapshot(objects: Objects, namespaces: Iterable[str], kinds: Iterable[ResourceKind] = ()) -> State:
    """The state now of some namespaces, and of all objects of further `kinds` (those of the cluster or custom).

    A kind that the cluster does not know holds nothing.
    """
    wanted = tuple(dict.fromkeys(namespaces))
    found: dict[ObjectKey, Mapping[str, Any]] = {}
    for kind in dict.fromkeys((*NAMESPACED, *kinds)):
        for item in _listed(objects, kind, wanted):
            key = key_of(item)
            if not _is_foreign(item) and (not kind.namespaced or key.namespace in wanted):
                found[key] = written(item)
    return State(found)


def key_of(item: Mapping[str, Any]) -> ObjectKey:
    """The key of an object as the API gives it."""
    metadata = item["metadata"]
    return ObjectKey(item["kind"], metadata.get("namespace") or "", metadata["name"])


def written(item: Mapping[str, Any]) -> Object:
    """An object without what the cluster adds to it."""
    kind = item["kind"]
    kept = {key: value for key, value in item.items() if key not in ("metadata", "status")}
    if isinstance(kept.get("spec"), Mapping):
        kept["spec"] = _spec(kind, kept["spec"])
    return {**kept, "metadata": _metadata(item["metadata"])}


def _listed(objects: Objects, kind: ResourceKind, namespaces: tuple[str, ...]) -> tuple[Object, ...]:
    try:
        one = namespaces[0] if len(namespaces) == 1 and kind.namespaced else None
        return objects.list(kind, one)
    except ApiError as error:
        if error.status in (404, 405):
            return ()
        raise


def _is_foreign(item: Mapping[str, Any]) -> bool:
    """True for what a controller makes, and what the sandbox made for itself."""
    metadata = item["metadata"]
    controlled = any(owner.get("controller") for owner in metadata.get("ownerReferences") or ())
    going = bool(metadata.get("deletionTimestamp"))
    return controlled or going or (item["kind"], metadata["name"]) in _OURS


def _metadata(metadata: Mapping[str, Any]) -> Object:
    kept = {key: metadata[key] for key in ("name", "namespace", *_METADATA) if metadata.get(key)}
    for field_name in ("labels", "annotations"):
        if field_name in kept:
            kept[field_name] = _without_bookkeeping(kept[field_name])
    return {key: value for key, value in kept.items() if value}


def _without_bookkeeping(entries: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in entries.items() if not key.startswith(_BOOKKEEPING)}


def _spec(kind: str, spec: Mapping[str, Any]) -> Object:
    derived = _DERIVED_SPEC.get(kind, ())
    # A Service without an address of its own says so in `clusterIP: None`, which a person wrote.
    kept = {key: value for key, value in spec.items() if key not in derived or value == "None"}
    if kind == "Pod":
        return _without_token(kept)
    if kind == "Node":
        # The node controller sets and takes these when it gets to it.
        if not kept.get("unschedulable"):
            kept.pop("unschedulable", None)
        taints = [taint for taint in kept.pop("taints", None) or () if not taint["key"].startswith(_NODE_TAINTS)]
        return {**kept, "taints": taints} if taints else kept
    if kind == "Job":
        template = kept.get("template") or {}
        kept["template"] = {**template, "metadata": _metadata(template.get("metadata") or {})}
    return kept


def _without_token(spec: Mapping[str, Any]) -> Object:
    kept = dict(spec)
    kept["volumes"] = _without_named(spec.get("volumes"))
    for group in ("containers", "initContainers"):
        if group in spec:
            kept[group] = [
                {**container, "volumeMounts": _without_named(container.get("volumeMounts"))}
                for container in spec[group]
            ]
    return kept


def _without_named(items: Any) -> list[Any]:
    return [item for item in items or () if not str(item.get("name", "")).startswith(_TOKEN_VOLUME)]
