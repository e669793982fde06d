"""The Deployment controller: one ReplicaSet for each template, rolled over within the strategy's bounds.

https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
"""

import hashlib
import json
import math
from typing import Any

from wpk_sandbox.sandbox.clusters.simulated.catalog import DEPLOYMENT, REPLICA_SET
from wpk_sandbox.sandbox.clusters.simulated.controllers.pods import claim
from wpk_sandbox.sandbox.clusters.simulated.events import record
from wpk_sandbox.sandbox.clusters.simulated.objects import (
    Object,
    annotations_of,
    condition_of,
    controller_reference,
    dig,
    is_deleting,
    keep_times,
    labels_of,
    make_condition,
    name_of,
    namespace_of,
    without_zeros,
)
from wpk_sandbox.sandbox.clusters.simulated.store import Store
from wpk_sandbox.sandbox.clusters.simulated.writes import change, create, delete

REVISION = "deployment.kubernetes.io/revision"
_HASH = "pod-template-hash"
_HASH_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_COMPONENT = "deployment-controller"


def run_deployments(store: Store) -> None:
    """Take every Deployment one step on its way."""
    for deployment in store.select(DEPLOYMENT):
        if not is_deleting(deployment):
            _reconcile(store, deployment)


def _reconcile(store: Store, deployment: Object) -> None:
    sets = claim(store, REPLICA_SET, deployment, deployment["spec"]["selector"])
    sets = [replica_set for replica_set in sets if not is_deleting(replica_set)]
    new = _matching(deployment, sets)
    if not deployment["spec"].get("paused"):
        new = _newest(store, deployment, sets, new)
        deployment = store.find(DEPLOYMENT, namespace_of(deployment), name_of(deployment)) or deployment
    old = [replica_set for replica_set in sets if new is None or name_of(replica_set) != name_of(new)]
    if new is not None:
        _roll(store, deployment, new, old)
        _forget_old(store, deployment, old)
    elif len(active := [replica_set for replica_set in old if _wanted(replica_set)]) == 1:
        _scale(store, deployment, active[0], deployment["spec"]["replicas"])
    _report(store, deployment, new, [*old, *([new] if new else [])])


def revision_of(obj: Object) -> int:
    """The revision that the Deployment controller wrote on an object; 0 for none."""
    return int(annotations_of(obj).get(REVISION, 0))


def _plain_template(owner: Object) -> Object:
    """A template without the label that the controller adds."""
    template = owner["spec"]["template"]
    labels = {name: value for name, value in labels_of(template).items() if name != _HASH}
    return {**template, "metadata": {**template["metadata"], "labels": labels}}


def _matching(deployment: Object, sets: list[Object]) -> Object | None:
    wanted = _plain_template(deployment)
    return next((replica_set for replica_set in sets if _plain_template(replica_set) == wanted), None)


def _newest(store: Store, deployment: Object, sets: list[Object], new: Object | None) -> Object:
    """The ReplicaSet of the present template, made or brought to the highest revision."""
    others = [revision_of(replica_set) for replica_set in sets if new is None or replica_set is not new]
    revision = max([*others, 0]) + 1
    if new is None:
        new = _make(store, deployment, revision)
    elif revision_of(new) < revision:
        new = change(store, REPLICA_SET, new, lambda edited: _set_revision(edited, revision))
    revision = revision_of(new)
    change(store, DEPLOYMENT, deployment, lambda edited: _set_revision(edited, revision))
    return new


def _set_revision(obj: Object, revision: int) -> None:
    obj["metadata"].setdefault("annotations", {})[REVISION] = str(revision)


def _make(store: Store, deployment: Object, revision: int) -> Object:
    template = store.edit(deployment["spec"]["template"])
    hashed = _template_hash(_plain_template(deployment))
    template["metadata"].setdefault("labels", {})[_HASH] = hashed
    selector = store.edit(deployment["spec"]["selector"])
    selector.setdefault("matchLabels", {})[_HASH] = hashed
    kept = {name: value for name, value in annotations_of(deployment).items() if "last-applied" not in name}
    return create(
        store,
        REPLICA_SET,
        {
            "metadata": {
                "name": f"{name_of(deployment)}-{hashed}",
                "namespace": namespace_of(deployment),
                "labels": dict(template["metadata"]["labels"]),
                "annotations": {**kept, REVISION: str(revision)},
                "ownerReferences": [controller_reference(deployment)],
            },
            "spec": {"replicas": 0, "selector": selector, "template": template},
        },
    )


def _template_hash(template: Object) -> str:
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).digest()
    return "".join(_HASH_LETTERS[byte % len(_HASH_LETTERS)] for byte in digest[:10])


def _wanted(replica_set: Object) -> int:
    return int(replica_set["spec"]["replicas"])


def _available(replica_set: Object) -> int:
    return int(dig(replica_set, "status", "availableReplicas", default=0))


def _existing(replica_set: Object) -> int:
    return int(dig(replica_set, "status", "replicas", default=0))


def _roll(store: Store, deployment: Object, new: Object, old: list[Object]) -> None:
    replicas = deployment["spec"]["replicas"]
    if deployment["spec"]["strategy"]["type"] == "Recreate":
        for replica_set in old:
            _scale(store, deployment, replica_set, 0)
        if not any(map(_existing, old)) and not any(map(_wanted, old)):
            _scale(store, deployment, new, replicas)
        return
    surge, unavailable = _bounds(deployment)
    total = _wanted(new) + sum(map(_wanted, old))
    wanted = _wanted(new)
    if wanted < replicas:
        wanted += max(0, min(replicas + surge - total, replicas - wanted))
    new_target = min(wanted, replicas)
    _scale_down_old(store, deployment, new, old, replicas - unavailable)
    _scale(store, deployment, new, new_target)


def _scale_down_old(store: Store, deployment: Object, new: Object, old: list[Object], at_least: int) -> None:
    """Take away old pods: those that do not serve at once, the others as long as enough keep serving."""
    pods = _wanted(new) + sum(map(_wanted, old))
    new_unavailable = _wanted(new) - _available(new)
    spare = pods - at_least - new_unavailable
    oldest_first = sorted(old, key=revision_of)
    for replica_set in oldest_first:
        idle = min(_wanted(replica_set) - _available(replica_set), spare)
        if idle > 0:
            _scale(store, deployment, replica_set, _wanted(replica_set) - idle)
            return
    spare = min(spare, _available(new) + sum(map(_available, old)) - at_least)
    for replica_set in oldest_first:
        less = min(_wanted(replica_set), spare)
        if less > 0:
            _scale(store, deployment, replica_set, _wanted(replica_set) - less)
            spare -= less


def _bounds(deployment: Object) -> tuple[int, int]:
    """How many pods more, and how many fewer, than wanted a rollout may have; not both are zero."""
    rolling, replicas = deployment["spec"]["strategy"].get("rollingUpdate") or {}, deployment["spec"]["replicas"]
    surge = share(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = share(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    return (surge, unavailable) if surge or unavailable else (0, 1)


def share(value: Any, of: int, *, up: bool) -> int:
    """A number, or a percentage such as `25%` of a number."""
    if not str(value).endswith("%"):
        return int(value)
    exact = of * float(str(value)[:-1]) / 100
    return math.ceil(exact) if up else math.floor(exact)


def _scale(store: Store, deployment: Object, replica_set: Object, replicas: int) -> None:
    before = _wanted(replica_set)
    if before == replicas:
        return
    change(store, REPLICA_SET, replica_set, lambda edited: edited["spec"].update(replicas=replicas))
    direction = "up" if replicas > before else "down"
    message = f"Scaled {direction} replica set {name_of(replica_set)} from {before} to {replicas}"
    record(store, deployment, "ScalingReplicaSet", message, component=_COMPONENT)


def _forget_old(store: Store, deployment: Object, old: list[Object]) -> None:
    idle = [replica_set for replica_set in old if not _wanted(replica_set) and not _existing(replica_set)]
    too_many = len(idle) - deployment["spec"]["revisionHistoryLimit"]
    for replica_set in sorted(idle, key=revision_of)[: max(0, too_many)]:
        delete(store, REPLICA_SET, replica_set)


def _report(store: Store, deployment: Object, new: Object | None, sets: list[Object]) -> None:
    sets = [store.find(REPLICA_SET, namespace_of(each), name_of(each)) or each for each in sets]
    new = next((each for each in sets if new and name_of(each) == name_of(new)), None)
    replicas, available = sum(map(_existing, sets)), sum(map(_available, sets))
    status = without_zeros(
        {
            "replicas": replicas,
            "updatedReplicas": _existing(new) if new else 0,
            "readyReplicas": available,
            "availableReplicas": available,
            "unavailableReplicas": max(0, deployment["spec"]["replicas"] - available),
        }
    )
    status["observedGeneration"] = deployment["metadata"]["generation"]
    status["conditions"] = keep_times(
        deployment, _conditions(deployment, new, sets, status), store.now(), updated=True
    )
    store.write_status(DEPLOYMENT, deployment, status)


def _conditions(deployment: Object, new: Object | None, sets: list[Object], status: Object) -> list[Object]:
    replicas, available = deployment["spec"]["replicas"], status.get("availableReplicas", 0)
    enough = available >= replicas - _bounds(deployment)[1] * (
        deployment["spec"]["strategy"]["type"] == "RollingUpdate"
    )
    if enough:
        available_now = make_condition(
            "Available", True, "MinimumReplicasAvailable", "Deployment has minimum availability."
        )
    else:
        available_now = make_condition(
            "Available", False, "MinimumReplicasUnavailable", "Deployment does not have minimum availability."
        )
    conditions = [available_now, _progress(deployment, new, status)]
    failures = [failure for each in sets if (failure := condition_of(each, "ReplicaFailure"))]
    if failures:
        conditions.append(make_condition("ReplicaFailure", True, "FailedCreate", failures[0]["message"]))
    return [condition for condition in conditions if condition]


def _progress(deployment: Object, new: Object | None, status: Object) -> Object:
    if deployment["spec"].get("paused"):
        return make_condition("Progressing", False, "DeploymentPaused", "Deployment is paused").copy() | {
            "status": "Unknown"
        }
    replicas = deployment["spec"]["replicas"]
    counts = [status.get(name, 0) for name in ("updatedReplicas", "availableReplicas", "replicas")]
    name = name_of(new) if new else ""
    if counts == [replicas] * 3:
        message = f'ReplicaSet "{name}" has successfully progressed.'
        return make_condition("Progressing", True, "NewReplicaSetAvailable", message)
    return make_condition("Progressing", True, "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.')
