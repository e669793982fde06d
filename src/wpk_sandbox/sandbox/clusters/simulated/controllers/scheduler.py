"""The scheduler and what nodes do to pods: taints, cordons, room."""

from wpk_sandbox.package.units import quantity
from wpk_sandbox.sandbox.clusters.simulated.catalog import CLAIM, NODE, POD
from wpk_sandbox.sandbox.clusters.simulated.events import record
from wpk_sandbox.sandbox.clusters.simulated.objects import (
    Object,
    dig,
    is_deleting,
    is_pod_finished,
    keep_times,
    labels_of,
    make_condition,
    name_of,
    namespace_of,
)
from wpk_sandbox.sandbox.clusters.simulated.quota import pod_request
from wpk_sandbox.sandbox.clusters.simulated.selectors import selects
from wpk_sandbox.sandbox.clusters.simulated.store import Store
from wpk_sandbox.sandbox.clusters.simulated.writes import change, delete

_COMPONENT = "default-scheduler"
_CORDON = "node.kubernetes.io/unschedulable"


def run_nodes(store: Store) -> None:
    """Turn a cordon into its taint, and remove the pods that a node does not keep."""
    for node in store.select(NODE):
        change(store, NODE, node, _taint_when_cordoned)
    nodes = {name_of(node): node for node in store.select(NODE)}
    for pod in store.select(POD):
        place = dig(pod, "spec", "nodeName")
        if place is None or is_deleting(pod):
            continue
        if place not in nodes or untolerated(pod["spec"], nodes[place], "NoExecute"):
            delete(store, POD, pod)


def _taint_when_cordoned(node: Object) -> None:
    spec = node.setdefault("spec", {})
    others = [taint for taint in spec.get("taints") or () if taint.get("key") != _CORDON]
    if spec.get("unschedulable"):
        spec["taints"] = [*others, {"key": _CORDON, "effect": "NoSchedule"}]
    elif others != (spec.get("taints") or []):
        spec["taints"] = others


def run_scheduler(store: Store) -> None:
    """Give each waiting pod a node, or say why it has none."""
    for pod in store.select(POD):
        if not dig(pod, "spec", "nodeName") and not is_deleting(pod) and not is_pod_finished(pod):
            _schedule(store, pod)


def _schedule(store: Store, pod: Object) -> None:
    why = _missing_claim(store, pod)
    nodes = store.select(NODE)
    reasons = []
    for node in () if why else nodes:
        reason = _unfit(store, pod, node)
        if reason is None:
            placed = f"Successfully assigned {namespace_of(pod)}/{name_of(pod)} to {name_of(node)}"
            store.write(POD, {**pod, "spec": {**pod["spec"], "nodeName": name_of(node)}})
            record(store, pod, "Scheduled", placed, component=_COMPONENT)
            return
        reasons.append(reason)
    why = why or ", ".join(f"{reasons.count(reason)} {reason}" for reason in dict.fromkeys(reasons))
    message = f"0/{len(nodes)} nodes are available: {why or 'no nodes available to schedule pods'}."
    condition = make_condition("PodScheduled", False, "Unschedulable", message)
    status = {
        **(pod.get("status") or {}),
        "phase": "Pending",
        "conditions": keep_times(pod, [condition], store.now()),
    }
    store.write_status(POD, pod, status)
    record(store, pod, "FailedScheduling", message, component=_COMPONENT, warning=True, once=True)


def _missing_claim(store: Store, pod: Object) -> str:
    for volume in pod["spec"].get("volumes") or ():
        name = dig(volume, "persistentVolumeClaim", "claimName")
        claim = store.find(CLAIM, namespace_of(pod), name) if name else None
        if name and claim is None:
            return f'persistentvolumeclaim "{name}" not found'
        if claim and dig(claim, "status", "phase") != "Bound":
            return "pod has unbound immediate PersistentVolumeClaims"
    return ""


def _unfit(store: Store, pod: Object, node: Object) -> str | None:
    """Why a pod cannot go onto a node, in the scheduler's words; None when it can."""
    if not fits_labels(pod["spec"], node):
        return "node(s) didn't match Pod's node affinity/selector"
    taint = untolerated(pod["spec"], node, "NoSchedule", "NoExecute")
    if taint is not None and taint.get("key") == _CORDON:
        return "node(s) were unschedulable"
    if taint is not None:
        return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
    return _no_room(store, pod, node)


def _no_room(store: Store, pod: Object, node: Object) -> str | None:
    there = [each for each in store.select(POD) if dig(each, "spec", "nodeName") == name_of(node)]
    there = [each for each in there if not is_pod_finished(each)]
    room = dig(node, "status", "allocatable", default={})
    if len(there) >= quantity(room.get("pods", "110")):
        return "Too many pods"
    for resource in ("cpu", "memory"):
        used = sum(pod_request(each, "requests", resource) for each in (*there, pod))
        if resource in room and used > quantity(room[resource]) + 1e-9:
            return f"Insufficient {resource}"
    return None


def fits_labels(spec: Object, node: Object) -> bool:
    """True when the node has the labels of the pod's `nodeSelector` and its required node affinity."""
    labels = labels_of(node)
    if any(labels.get(name) != value for name, value in (spec.get("nodeSelector") or {}).items()):
        return False
    required = dig(spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    terms = dig(required, "nodeSelectorTerms", default=[])
    return not terms or any(selects({"matchExpressions": term.get("matchExpressions")}, labels) for term in terms)


def untolerated(spec: Object, node: Object, *effects: str) -> Object | None:
    """The first taint of these effects that the pod does not tolerate; None when it tolerates all."""
    for taint in dig(node, "spec", "taints", default=[]):
        if taint.get("effect") in effects and not any(
            _covers(toleration, taint) for toleration in spec.get("tolerations") or ()
        ):
            return dict(taint)
    return None


def _covers(toleration: Object, taint: Object) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return toleration.get("key") in (None, "", taint.get("key"))
    wanted = (toleration.get("key"), toleration.get("value") or "")
    return wanted == (taint.get("key"), taint.get("value") or "")
