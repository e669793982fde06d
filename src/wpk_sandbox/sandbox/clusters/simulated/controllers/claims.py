"""Volumes for claims: each claim of a known class is bound at once to a volume of its own."""

from wpk_sandbox.sandbox.clusters.simulated.catalog import CLAIM, POD, STORAGE_CLASS, VOLUME
from wpk_sandbox.sandbox.clusters.simulated.creation import IN_USE
from wpk_sandbox.sandbox.clusters.simulated.events import record
from wpk_sandbox.sandbox.clusters.simulated.objects import (
    Object,
    dig,
    is_deleting,
    is_pod_finished,
    name_of,
    namespace_of,
)
from wpk_sandbox.sandbox.clusters.simulated.store import Store
from wpk_sandbox.sandbox.clusters.simulated.writes import change, delete, remove_finalizer

# A class whose volumes somebody makes by hand. https://kubernetes.io/docs/concepts/storage/storage-classes/#local
NO_PROVISIONER = "kubernetes.io/no-provisioner"
_COMPONENT = "persistentvolume-controller"


def run_claims(store: Store) -> None:
    """Bind claims, let go of those that no pod uses any more, and remove volumes without a claim."""
    for claim in store.select(CLAIM):
        if is_deleting(claim):
            if not _in_use(store, claim):
                remove_finalizer(store, CLAIM, claim, IN_USE)
        else:
            _bind(store, claim)
    for volume in store.select(VOLUME):
        _release(store, volume)


def _in_use(store: Store, claim: Object) -> bool:
    for pod in store.select(POD, namespace_of(claim)):
        for volume in pod["spec"].get("volumes") or ():
            if dig(volume, "persistentVolumeClaim", "claimName") == name_of(claim) and not is_pod_finished(pod):
                return True
    return False


def _bind(store: Store, claim: Object) -> None:
    volume = _volume_of(store, claim)
    if volume is None:
        store.write_status(CLAIM, claim, {"phase": "Pending"})
        return
    change(store, CLAIM, claim, lambda edited: edited["spec"].update(volumeName=name_of(volume)))
    bound = store.find(CLAIM, namespace_of(claim), name_of(claim)) or claim
    status = {
        "phase": "Bound",
        "accessModes": list(claim["spec"]["accessModes"]),
        "capacity": {"storage": dig(volume, "spec", "capacity", "storage", default="0")},
    }
    store.write_status(CLAIM, bound, status)


def _volume_of(store: Store, claim: Object) -> Object | None:
    """The claim's volume: the one that it names, or one that is made and grows with it; None when there is none."""
    name = claim["spec"].get("volumeName")
    made = f"pvc-{claim['metadata']['uid']}"
    if name and name != made:
        found = store.find(VOLUME, "", name)
        return _taken(store, found, claim) if found else None
    class_name = claim["spec"]["storageClassName"]
    storage_class = store.find(STORAGE_CLASS, "", class_name)
    if storage_class is None:
        message = f'storageclass.storage.k8s.io "{class_name}" not found'
        record(store, claim, "ProvisioningFailed", message, component=_COMPONENT, warning=True, once=True)
        return None
    if storage_class.get("provisioner") == NO_PROVISIONER:
        return None
    volume = store.find(VOLUME, "", made) or _provision(store, claim, made)
    size = claim["spec"]["resources"]["requests"]["storage"]
    return change(store, VOLUME, volume, lambda edited: edited["spec"]["capacity"].update(storage=size))


def _reference(claim: Object) -> Object:
    return {
        "apiVersion": "v1",
        "kind": CLAIM.kind,
        "namespace": namespace_of(claim),
        "name": name_of(claim),
        "uid": claim["metadata"]["uid"],
    }


def _taken(store: Store, volume: Object, claim: Object) -> Object | None:
    owner = dig(volume, "spec", "claimRef", default={})
    if owner.get("uid") not in (None, claim["metadata"]["uid"]):
        return None
    return change(store, VOLUME, volume, lambda edited: edited["spec"].update(claimRef=_reference(claim)))


def _provision(store: Store, claim: Object, name: str) -> Object:
    storage_class = store.find(STORAGE_CLASS, "", claim["spec"]["storageClassName"]) or {}
    message = f"Successfully provisioned volume {name}"
    record(store, claim, "ProvisioningSucceeded", message, component=_COMPONENT)
    return store.write(
        VOLUME,
        {
            "apiVersion": "v1",
            "kind": VOLUME.kind,
            "metadata": {"name": name, "uid": store.uid(), "creationTimestamp": store.now()},
            "spec": {
                "accessModes": list(claim["spec"]["accessModes"]),
                "capacity": dict(claim["spec"]["resources"]["requests"]),
                "claimRef": _reference(claim),
                "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
                "storageClassName": claim["spec"]["storageClassName"],
                "volumeMode": claim["spec"]["volumeMode"],
            },
        },
    )


def _release(store: Store, volume: Object) -> None:
    owner = dig(volume, "spec", "claimRef")
    if is_deleting(volume):
        return
    if not owner:
        store.write_status(VOLUME, volume, {"phase": "Available"})
        return
    claim = store.find(CLAIM, owner.get("namespace", ""), owner.get("name", ""))
    if claim and claim["metadata"]["uid"] == owner.get("uid", claim["metadata"]["uid"]):
        store.write_status(VOLUME, volume, {"phase": "Bound"})
    elif volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
        delete(store, VOLUME, volume)
    else:
        store.write_status(VOLUME, volume, {"phase": "Released"})
