"""The StatefulSet controller: pods with ordinals and claims of their own, replaced from the last to the first.

https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
"""

from wpk_sandbox.sandbox.clusters.simulated.catalog import CLAIM, POD, STATEFUL_SET
from wpk_sandbox.sandbox.clusters.simulated.controllers.pods import claim, make_pod, remove_pod, report_failure
from wpk_sandbox.sandbox.clusters.simulated.controllers.revisions import (
    HASH_LABEL,
    forget_old,
    newest_revision,
    revisions,
)
from wpk_sandbox.sandbox.clusters.simulated.objects import (
    Object,
    dig,
    is_deleting,
    is_pod_finished,
    is_pod_ready,
    labels_of,
    name_of,
    namespace_of,
    without_zeros,
)
from wpk_sandbox.sandbox.clusters.simulated.refused import Refused
from wpk_sandbox.sandbox.clusters.simulated.store import Store
from wpk_sandbox.sandbox.clusters.simulated.writes import create

_COMPONENT = "statefulset-controller"


def run_stateful_sets(store: Store) -> None:
    """Take every StatefulSet one step on its way."""
    for stateful_set in store.select(STATEFUL_SET):
        if not is_deleting(stateful_set):
            _reconcile(store, stateful_set)


def _reconcile(store: Store, owner: Object) -> None:
    update = newest_revision(store, owner)
    pods = _by_ordinal(store, owner)
    first = int(dig(owner, "spec", "ordinals", "start", default=0))
    wanted = range(first, first + owner["spec"]["replicas"])
    current = _current_revision(store, owner, update)
    if not _fill_up(store, owner, pods, wanted, current, update):
        _trim(store, owner, pods, wanted)
        _replace_outdated(store, owner, pods, wanted, update)
    _report(store, owner, current, update)


def _by_ordinal(store: Store, owner: Object) -> dict[int, Object]:
    found = claim(store, POD, owner, owner["spec"]["selector"])
    ordinals = {name_of(pod).rpartition("-")[2]: pod for pod in found if not is_deleting(pod)}
    return {int(ordinal): pod for ordinal, pod in ordinals.items() if ordinal.isdigit()}


def _current_revision(store: Store, owner: Object, update: Object) -> Object:
    name = dig(owner, "status", "currentRevision")
    return next((revision for revision in revisions(store, owner) if name_of(revision) == name), update)


def _partition(owner: Object) -> int:
    return int(dig(owner, "spec", "updateStrategy", "rollingUpdate", "partition", default=0))


def _fill_up(
    store: Store, owner: Object, pods: dict[int, Object], wanted: range, current: Object, update: Object
) -> bool:
    """Make what is missing, in order and one by one unless the set is `Parallel`; True when it did or waits."""
    ordered = owner["spec"]["podManagementPolicy"] == "OrderedReady"
    made = False
    for ordinal in wanted:
        pod = pods.get(ordinal)
        if pod is None or is_pod_finished(pod):
            if pod is not None:
                remove_pod(store, owner, pod, component=_COMPONENT)
            revision = current if ordinal < _partition(owner) else update
            made = _make(store, owner, ordinal, revision) or made
            if ordered:
                return True
        elif ordered and not is_pod_ready(pod):
            return True  # even when a newer template would heal it, as on a real cluster
    return made


def _make(store: Store, owner: Object, ordinal: int, revision: Object) -> bool:
    name = f"{name_of(owner)}-{ordinal}"
    template = store.edit(revision["data"]["spec"]["template"])
    template.pop("$patch", None)
    try:
        _make_claims(store, owner, ordinal, template)
    except Refused as refused:
        report_failure(store, owner, refused, component=_COMPONENT)
        return False
    labels = {
        HASH_LABEL: name_of(revision),
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": str(ordinal),
    }
    template["spec"]["hostname"] = name
    if owner["spec"].get("serviceName"):
        template["spec"]["subdomain"] = owner["spec"]["serviceName"]
    refused_pod = make_pod(store, owner, template, name=name, labels=labels, component=_COMPONENT)
    if refused_pod:
        report_failure(store, owner, refused_pod, component=_COMPONENT)
    return refused_pod is None


def _make_claims(store: Store, owner: Object, ordinal: int, template: Object) -> None:
    volumes = template["spec"].setdefault("volumes", [])
    for wanted in owner["spec"].get("volumeClaimTemplates") or ():
        name = f"{name_of(wanted)}-{name_of(owner)}-{ordinal}"
        volumes[:] = [volume for volume in volumes if volume["name"] != name_of(wanted)]
        volumes.append({"name": name_of(wanted), "persistentVolumeClaim": {"claimName": name}})
        if store.find(CLAIM, namespace_of(owner), name) is None:
            metadata = {
                "name": name,
                "namespace": namespace_of(owner),
                "labels": dict(dig(owner, "spec", "selector", "matchLabels", default={})),
            }
            create(store, CLAIM, {"metadata": metadata, "spec": store.edit(wanted["spec"])})


def _trim(store: Store, owner: Object, pods: dict[int, Object], wanted: range) -> None:
    for ordinal in sorted(pods, reverse=True):
        if ordinal not in wanted:
            remove_pod(store, owner, pods[ordinal], component=_COMPONENT)


def _replace_outdated(store: Store, owner: Object, pods: dict[int, Object], wanted: range, update: Object) -> None:
    """Remove the last pod of an older revision, once all later ones serve."""
    if owner["spec"]["updateStrategy"]["type"] != "RollingUpdate":
        return
    for ordinal in reversed(wanted):
        if ordinal < _partition(owner):
            return
        pod = pods.get(ordinal)
        if pod is None:
            return
        if labels_of(pod).get(HASH_LABEL) != name_of(update):
            remove_pod(store, owner, pod, component=_COMPONENT)
            return
        if not is_pod_ready(pod):
            return


def _report(store: Store, owner: Object, current: Object, update: Object) -> None:
    pods = list(_by_ordinal(store, owner).values())
    ready = sum(map(is_pod_ready, pods))
    updated = sum(1 for pod in pods if labels_of(pod).get(HASH_LABEL) == name_of(update))
    if updated == ready == len(pods) == owner["spec"]["replicas"]:
        current = update
    of_current = sum(1 for pod in pods if labels_of(pod).get(HASH_LABEL) == name_of(current))
    status = {
        **without_zeros({"readyReplicas": ready, "currentReplicas": of_current, "updatedReplicas": updated}),
        "replicas": len(pods),
        "availableReplicas": ready,
        "currentRevision": name_of(current),
        "updateRevision": name_of(update),
        "collisionCount": 0,
        "observedGeneration": owner["metadata"]["generation"],
    }
    store.write_status(STATEFUL_SET, owner, status)
    used = {labels_of(pod).get(HASH_LABEL, "") for pod in pods}
    forget_old(store, owner, used | {name_of(current), name_of(update)})
