"""The controllers of ReplicaSets and ReplicationControllers: as many pods as asked for, no more, no less."""

from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.sandbox.clusters.simulated.catalog import POD, REPLICA_SET, REPLICATION_CONTROLLER
from wpk_sandbox.sandbox.clusters.simulated.controllers.pods import (
    by_usefulness,
    claim,
    make_pod,
    remove_pod,
    report_failure,
)
from wpk_sandbox.sandbox.clusters.simulated.events import gist
from wpk_sandbox.sandbox.clusters.simulated.objects import (
    Object,
    condition_of,
    is_deleting,
    is_pod_finished,
    is_pod_ready,
    keep_times,
    labels_of,
    make_condition,
)
from wpk_sandbox.sandbox.clusters.simulated.refused import Refused
from wpk_sandbox.sandbox.clusters.simulated.selectors import selects
from wpk_sandbox.sandbox.clusters.simulated.store import Store


def run_replica_sets(store: Store) -> None:
    """Bring every ReplicaSet and ReplicationController to its number of pods."""
    for kind, component in (
        (REPLICA_SET, "replicaset-controller"),
        (REPLICATION_CONTROLLER, "replication-controller"),
    ):
        for owner in store.select(kind):
            if not is_deleting(owner):
                _reconcile(store, kind, owner, component)


def _reconcile(store: Store, kind: ResourceKind, owner: Object, component: str) -> None:
    selector = owner["spec"]["selector"]
    if kind == REPLICATION_CONTROLLER:
        selector = {"matchLabels": selector}
    pods = [pod for pod in claim(store, POD, owner, selector) if not is_pod_finished(pod) and not is_deleting(pod)]
    pods = [pod for pod in pods if selects(selector, labels_of(pod))]
    missing = owner["spec"]["replicas"] - len(pods)
    refused = None
    for _ in range(missing):
        refused = make_pod(store, owner, owner["spec"]["template"], component=component)
        if refused:
            break
    for pod in by_usefulness(pods)[: max(0, -missing)]:
        remove_pod(store, owner, pod, component=component)
    _report(store, kind, owner, pods, refused, component)


def _report(
    store: Store, kind: ResourceKind, owner: Object, pods: list[Object], refused: Refused | None, component: str
) -> None:
    ready = sum(map(is_pod_ready, pods))
    status = {
        "replicas": len(pods),
        "fullyLabeledReplicas": len(pods),
        "observedGeneration": owner["metadata"].get("generation", 1),
        **({"readyReplicas": ready, "availableReplicas": ready} if ready else {}),
    }
    if refused:
        report_failure(store, owner, refused, component=component)
        message = str(refused)
        before = (condition_of(owner, "ReplicaFailure") or {}).get("message", "")
        if gist(before) == gist(message):
            message = before
        failure = make_condition("ReplicaFailure", True, "FailedCreate", message)
        status["conditions"] = keep_times(owner, [failure], store.now())
    store.write_status(kind, owner, status)
