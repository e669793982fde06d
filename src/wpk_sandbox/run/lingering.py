"""Why something does not end: the finalizers that hold it, and who takes them away.

https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/
"""

from collections.abc import Iterator, Mapping
from typing import Any

# Who removes a finalizer of Kubernetes' own, and when.
_OWNERS = {
    "foregroundDeletion": "the garbage collector removes it once everything that the object owns is gone",
    "orphan": "the garbage collector removes it once it has let go of what the object owns",
    "kubernetes.io/pvc-protection": "the claim protection controller removes it once no pod uses the claim",
    "kubernetes.io/pv-protection": "the volume protection controller removes it once no claim holds the volume",
    "batch.kubernetes.io/job-tracking": "the Job controller removes it once it has counted the pod",
    "customresourcecleanup.apiextensions.k8s.io": "the API server removes it once no object of the kind is left",
    "service.kubernetes.io/load-balancer-cleanup": "a cloud's controller would remove it, and the sandbox has none",
}
_FOREIGN = "whoever set it must remove it, an operator perhaps, and the sandbox has none"
_TELLING = ("NamespaceContentRemaining", "NamespaceFinalizersRemaining", "NamespaceDeletionContentFailure")


def why_it_stays(item: Mapping[str, Any]) -> str:
    """What keeps an object that was deleted, in a few words."""
    if not item["metadata"].get("deletionTimestamp"):
        return "nobody has deleted it"
    finalizers = item["metadata"].get("finalizers") or ()
    if finalizers:
        return f"held by the finalizers {', '.join(finalizers)}"
    if item["kind"] == "Namespace":
        return "objects in it are not gone"
    return "its pod has not ended yet"


def owners(item: Mapping[str, Any]) -> tuple[str, ...]:
    """A line for each finalizer that keeps an object, and for what keeps a namespace: who takes it away."""
    return tuple(dict.fromkeys((*_own(item), *_within(item))))


def _own(item: Mapping[str, Any]) -> Iterator[str]:
    for name in item["metadata"].get("finalizers") or ():
        yield f"{name}: {_OWNERS.get(name, _FOREIGN)}"


def _within(item: Mapping[str, Any]) -> Iterator[str]:
    """What the namespace controller says of a namespace that does not become empty."""
    if item["kind"] != "Namespace":
        return
    for condition in (item.get("status") or {}).get("conditions") or ():
        if condition.get("type") in _TELLING and condition.get("status") == "True":
            yield str(condition.get("message") or condition.get("reason"))
