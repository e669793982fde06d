"""Claims of storage that nothing will bind, however long one waits.

https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode
"""

from collections.abc import Mapping
from typing import Any

from wpk_sandbox.run.objects import Objects

_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_NO_PROVISIONER = "kubernetes.io/no-provisioner"
_LATE = "WaitForFirstConsumer"


def never_bound(objects: Objects, claim: Mapping[str, Any]) -> str:
    """Why a claim stays pending for good; empty where it may still be bound."""
    spec = claim.get("spec") or {}
    if (claim.get("status") or {}).get("phase") == "Bound" or spec.get("volumeName"):
        return ""
    free = objects.list(objects.kind("v1", "PersistentVolume"))
    if any((volume.get("status") or {}).get("phase") == "Available" for volume in free):
        return ""
    wanted = spec.get("storageClassName")
    if wanted == "":
        return "it takes no storage class, and the cluster has no free volume"
    classes = objects.list(objects.kind("storage.k8s.io/v1", "StorageClass"))
    found = next((one for one in classes if _is_meant(one, wanted)), None)
    if found is None:
        return (
            f"the cluster has no storage class {wanted}" if wanted else "the cluster has no default storage class"
        )
    return _of_class(objects, claim, found)


def _of_class(objects: Objects, claim: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    name = found["metadata"]["name"]
    if found.get("provisioner") == _NO_PROVISIONER:
        return f"the storage class {name} of this cluster makes no volumes"
    if found.get("volumeBindingMode") == _LATE and not _is_used(objects, claim):
        return f"the storage class {name} makes the volume when a pod uses the claim, and none does"
    return ""


def _is_meant(storage_class: Mapping[str, Any], wanted: str | None) -> bool:
    metadata = storage_class["metadata"]
    if wanted is not None:
        return bool(metadata["name"] == wanted)
    return bool((metadata.get("annotations") or {}).get(_DEFAULT) == "true")


def _is_used(objects: Objects, claim: Mapping[str, Any]) -> bool:
    name, namespace = claim["metadata"]["name"], claim["metadata"].get("namespace")
    pods = objects.list(objects.kind("v1", "Pod"), namespace)
    volumes = [volume for pod in pods for volume in (pod.get("spec") or {}).get("volumes") or ()]
    return any((one.get("persistentVolumeClaim") or {}).get("claimName") == name for one in volumes)
