"""The DaemonSet controller: one pod on each node that the template fits, cordoned or not."""

from wpk_sandbox.sandbox.clusters.simulated.catalog import DAEMON_SET, NODE, POD
from wpk_sandbox.sandbox.clusters.simulated.controllers.pods import claim, make_pod, remove_pod, report_failure
from wpk_sandbox.sandbox.clusters.simulated.controllers.revisions import (
    HASH_LABEL,
    forget_old,
    newest_revision,
    revision_hash,
)
from wpk_sandbox.sandbox.clusters.simulated.controllers.scheduler import fits_labels, untolerated
from wpk_sandbox.sandbox.clusters.simulated.objects import (
    Object,
    dig,
    is_deleting,
    is_pod_finished,
    is_pod_ready,
    labels_of,
    name_of,
    without_zeros,
)
from wpk_sandbox.sandbox.clusters.simulated.store import Store

_COMPONENT = "daemonset-controller"
# What the real controller adds to its pods, so that they run where others must leave.
_TOLERATIONS = (
    {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"},
    {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"},
    {"key": "node.kubernetes.io/disk-pressure", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/memory-pressure", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/pid-pressure", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"},
)


def run_daemon_sets(store: Store) -> None:
    """Take every DaemonSet one step on its way."""
    for daemon_set in store.select(DAEMON_SET):
        if not is_deleting(daemon_set):
            _reconcile(store, daemon_set)


def _reconcile(store: Store, owner: Object) -> None:
    revision = newest_revision(store, owner)
    template = _template(store, owner)
    nodes = [name_of(node) for node in store.select(NODE) if _suits(template["spec"], node)]
    pods = {_place(pod): pod for pod in claim(store, POD, owner, owner["spec"]["selector"]) if not is_deleting(pod)}
    for place, pod in pods.items():
        if place not in nodes or is_pod_finished(pod):
            remove_pod(store, owner, pod, component=_COMPONENT)
    for node in nodes:
        if node not in pods:
            _make(store, owner, template, node, revision)
    _replace_outdated(store, owner, [pods[node] for node in nodes if node in pods], revision)
    _report(store, owner, nodes, revision)


def _template(store: Store, owner: Object) -> Object:
    template = store.edit(owner["spec"]["template"])
    template["spec"].setdefault("tolerations", []).extend(map(dict, _TOLERATIONS))
    return template


def _suits(spec: Object, node: Object) -> bool:
    return fits_labels(spec, node) and untolerated(spec, node, "NoSchedule", "NoExecute") is None


def _place(pod: Object) -> str:
    """The node that a pod is for; the controller writes it into the pod, so that the scheduler is not asked."""
    return str(dig(pod, "spec", "nodeName", default=""))


def _make(store: Store, owner: Object, template: Object, node: str, revision: Object) -> None:
    placed = {**template, "spec": {**template["spec"], "nodeName": node}}
    labels = {HASH_LABEL: revision_hash(revision)}
    refused = make_pod(store, owner, placed, labels=labels, component=_COMPONENT)
    if refused:
        report_failure(store, owner, refused, component=_COMPONENT)


def _replace_outdated(store: Store, owner: Object, pods: list[Object], revision: Object) -> None:
    if owner["spec"]["updateStrategy"]["type"] == "RollingUpdate":
        for pod in pods:
            if labels_of(pod).get(HASH_LABEL) != revision_hash(revision):
                remove_pod(store, owner, pod, component=_COMPONENT)


def _report(store: Store, owner: Object, nodes: list[str], revision: Object) -> None:
    pods = [pod for pod in claim(store, POD, owner, owner["spec"]["selector"]) if _place(pod) in nodes]
    ready = sum(map(is_pod_ready, pods))
    updated = sum(1 for pod in pods if labels_of(pod).get(HASH_LABEL) == revision_hash(revision))
    status = {
        "currentNumberScheduled": len(pods),
        "desiredNumberScheduled": len(nodes),
        "numberMisscheduled": 0,
        "numberReady": ready,
        "observedGeneration": owner["metadata"]["generation"],
        **without_zeros(
            {
                "numberAvailable": ready,
                "numberUnavailable": len(nodes) - ready,
                "updatedNumberScheduled": updated,
            }
        ),
    }
    store.write_status(DAEMON_SET, owner, status)
    used = {f"{name_of(owner)}-{labels_of(pod).get(HASH_LABEL)}" for pod in pods}
    forget_old(store, owner, used | {name_of(revision)})
