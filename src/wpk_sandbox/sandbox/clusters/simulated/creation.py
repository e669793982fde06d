"""What an object has from its first moment, beside the defaults of its fields."""

import copy
from collections.abc import Mapping

from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.sandbox.clusters.simulated.addresses import give_address
from wpk_sandbox.sandbox.clusters.simulated.catalog import CLAIM, JOB, POD, SERVICE, has_generation, has_status
from wpk_sandbox.sandbox.clusters.simulated.objects import Object, dig, labels_of, name_of
from wpk_sandbox.sandbox.clusters.simulated.pod_quality import quality_of
from wpk_sandbox.sandbox.clusters.simulated.store import Store

IN_USE = "kubernetes.io/pvc-protection"

_NO_BALANCER: Object = {"loadBalancer": {}}
_STATUS: Mapping[str, Object] = {
    "Deployment": {},
    "ReplicaSet": {"replicas": 0},
    "ReplicationController": {"replicas": 0},
    "StatefulSet": {"replicas": 0, "availableReplicas": 0},
    "DaemonSet": {
        "currentNumberScheduled": 0,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 0,
        "numberReady": 0,
    },
    "Job": {},
    "CronJob": {},
    "Service": _NO_BALANCER,
    "Ingress": _NO_BALANCER,
    "PersistentVolumeClaim": {"phase": "Pending"},
    "HorizontalPodAutoscaler": {"desiredReplicas": 0, "currentMetrics": None},
    "PodDisruptionBudget": {
        "disruptionsAllowed": 0,
        "currentHealthy": 0,
        "desiredHealthy": 0,
        "expectedPods": 0,
    },
    "ResourceQuota": {},
    "Namespace": {"phase": "Active"},
}


def complete(store: Store, kind: ResourceKind, obj: Object) -> None:
    """Give a new object its first status, generation, addresses and identity, in place."""
    if has_status(store, kind):
        obj.pop("status", None)
        if kind.kind in _STATUS:
            obj["status"] = copy.deepcopy(_STATUS[kind.kind])
    if has_generation(kind):
        obj["metadata"]["generation"] = 1
    if kind == POD:
        obj["status"] = {"phase": "Pending", "qosClass": quality_of(obj)}
    elif kind == JOB:
        _identify_job(obj)
    elif kind == SERVICE:
        give_address(store, obj)
    elif kind == CLAIM:
        obj["metadata"]["finalizers"] = [*obj["metadata"].get("finalizers", []), IN_USE]


def _identify_job(job: Object) -> None:
    """The labels and the selector by which a Job knows its pods."""
    if dig(job, "spec", "selector"):
        return
    uid, name = job["metadata"]["uid"], name_of(job)
    labels = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "job-name": name,
    }
    job["spec"]["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    metadata = job["spec"]["template"].setdefault("metadata", {})
    metadata["labels"] = {**labels_of(job["spec"]["template"]), **labels}
    job["metadata"]["labels"] = {**metadata["labels"], **labels_of(job)}
