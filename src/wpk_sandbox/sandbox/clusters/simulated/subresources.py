"""The subresources that are more than a part of their object: scale, log and eviction."""

from typing import Any

from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.sandbox.clusters.simulated.catalog import DISRUPTION_BUDGET, POD, REPLICATION_CONTROLLER
from wpk_sandbox.sandbox.clusters.simulated.controllers.disruption import budget_status, protects
from wpk_sandbox.sandbox.clusters.simulated.objects import Object, dig, name_of, namespace_of
from wpk_sandbox.sandbox.clusters.simulated.patch import merge_patch
from wpk_sandbox.sandbox.clusters.simulated.refused import Cause, Refused, bad_request, compact, invalid
from wpk_sandbox.sandbox.clusters.simulated.request import Request
from wpk_sandbox.sandbox.clusters.simulated.selectors import selector_text
from wpk_sandbox.sandbox.clusters.simulated.store import Store
from wpk_sandbox.sandbox.clusters.simulated.writes import delete, replace

_SCALE = ResourceKind("autoscaling/v1", "Scale", "scales")


def scale_of(kind: ResourceKind, obj: Object) -> Object:
    """The Scale that stands for a workload."""
    selector = obj["spec"].get("selector") or {}
    if kind == REPLICATION_CONTROLLER:
        selector = {"matchLabels": selector}
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: obj["metadata"][name] for name in kept if name in obj["metadata"]},
        "spec": {"replicas": obj["spec"].get("replicas", 0)},
        "status": {
            "replicas": dig(obj, "status", "replicas", default=0),
            "selector": selector_text(selector),
        },
    }


def write_scale(store: Store, kind: ResourceKind, obj: Object, request: Request, *, patching: bool) -> Object:
    """Set the number of replicas as a Scale, whole or patched, says. Raises `Refused`."""
    body = request.parsed()
    wanted = merge_patch(scale_of(kind, obj), body) if patching else body
    replicas = dig(wanted, "spec", "replicas", default=0)
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise bad_request(f'Scale in version "v1" cannot be handled as a Scale: {compact(replicas)} is no int32')
    if replicas < 0:
        message = f"Invalid value: {replicas}: must be greater than or equal to 0"
        raise invalid(_SCALE, name_of(obj), [Cause("spec.replicas", message)])
    edited = store.edit(obj)
    edited["spec"]["replicas"] = replicas
    version = dig(wanted, "metadata", "resourceVersion")
    if version:
        edited["metadata"]["resourceVersion"] = version
    return scale_of(kind, replace(store, kind, obj, edited))


def read_log(pod: Object, request: Request) -> str:
    """The log of a container, which says that none was run. Raises `Refused` (400) as the kubelet does."""
    name, place = name_of(pod), request.query.get("container", "")
    names = [
        container["name"]
        for group in ("initContainers", "containers")
        for container in pod["spec"].get(group) or ()
    ]
    if not place and len(pod["spec"]["containers"]) > 1:
        raise bad_request(f"a container name must be specified for pod {name}, choose one of: [{' '.join(names)}]")
    place = place or pod["spec"]["containers"][0]["name"]
    if place not in names:
        raise bad_request(f"container {place} is not valid for pod {name}")
    _require_started(pod, place)
    if request.flag("previous"):
        raise bad_request(f'previous terminated container "{place}" in pod "{name}" not found')
    return _tail(_log_lines(pod, place), request)


def _require_started(pod: Object, container: str) -> None:
    if dig(pod, "status", "phase", default="Pending") == "Pending":
        statuses = dig(pod, "status", "containerStatuses", default=[])
        waiting = next((dig(each, "state", "waiting", "reason") for each in statuses), None)
        why = f": {waiting}" if waiting else ""
        raise bad_request(f'container "{container}" in pod "{name_of(pod)}" is waiting to start{why}')


def _log_lines(pod: Object, container: str) -> list[str]:
    every = [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]
    found = next(each for each in every if each["name"] == container)
    command = [*(found.get("command") or ()), *(found.get("args") or ())]
    started = dig(pod, "status", "startTime", default="")
    return [
        f"{started} simulated: no process ran in container {container}",
        f"{started} simulated: image {found['image']}",
        f"{started} simulated: command {compact(command) if command else 'of the image'}",
    ]


def _tail(lines: list[str], request: Request) -> str:
    if not request.flag("timestamps"):
        lines = [line.partition(" ")[2] for line in lines]
    count = request.query.get("tailLines", "")
    if count.isdigit():
        lines = lines[len(lines) - min(int(count), len(lines)) :]
    text = "".join(f"{line}\n" for line in lines)
    limit = request.query.get("limitBytes", "")
    return text[: int(limit)] if limit.isdigit() else text


def evict(store: Store, pod: Object) -> Object:
    """Delete a pod unless a disruption budget forbids it. Raises `Refused` (429)."""
    for budget in store.select(DISRUPTION_BUDGET, namespace_of(pod)):
        if protects(budget, pod):
            status = budget_status(store, budget)
            if not status["disruptionsAllowed"]:
                raise _too_many(budget, status)
    delete(store, POD, pod)
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def _too_many(budget: Object, status: Object) -> Refused:
    healthy: Any = (status["desiredHealthy"], status["currentHealthy"])
    cause = "The disruption budget {} needs {} healthy pods and has {} currently".format(name_of(budget), *healthy)
    return Refused(
        429,
        "TooManyRequests",
        "Cannot evict pod as it would violate the pod's disruption budget.",
        {"causes": [{"reason": "DisruptionBudget", "message": cause}]},
    )
