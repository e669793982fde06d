"""The kubelet: pods start at once, though no process runs; those that must end have ended well.

A pod waits where what it mounts or reads its environment from is not there.
"""

from collections.abc import Iterator

from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.sandbox.clusters.simulated.addresses import free_pod_address
from wpk_sandbox.sandbox.clusters.simulated.catalog import CONFIG_MAP, JOB, POD, SECRET
from wpk_sandbox.sandbox.clusters.simulated.events import record
from wpk_sandbox.sandbox.clusters.simulated.objects import (
    Object,
    controller_of,
    dig,
    is_deleting,
    is_pod_finished,
    keep_times,
    make_condition,
    name_of,
    namespace_of,
)
from wpk_sandbox.sandbox.clusters.simulated.pod_quality import quality_of
from wpk_sandbox.sandbox.clusters.simulated.store import Store

HOST_ADDRESS = "10.0.0.1"
_COMPONENT = "kubelet"


def run_kubelet(store: Store) -> None:
    """Start every pod that has a node, and restart containers whose image changed."""
    for pod in store.select(POD):
        if dig(pod, "spec", "nodeName") and not is_deleting(pod) and not is_pod_finished(pod):
            _run(store, pod)


def _run(store: Store, pod: Object) -> None:
    running = dig(pod, "status", "phase") == "Running"
    if running and _images(pod["spec"]["containers"]) == _images(
        dig(pod, "status", "containerStatuses", default=[])
    ):
        return
    missing = next(_missing_sources(store, pod), None)
    if missing and not running:
        _wait(store, pod, *missing)
        return
    status = _base_status(store, pod)
    status.update(_ended(store, pod) if _ends(pod) else _running(store, pod))
    store.write_status(POD, pod, status)
    for container in pod["spec"]["containers"]:
        record(store, pod, "Started", f"Started container {container['name']}", component=_COMPONENT)


def _images(containers: list[Object]) -> list[str]:
    return [container["image"] for container in containers]


def _ends(pod: Object) -> bool:
    """True for a pod whose containers come to an end: those of a Job, and those with a command to carry out."""
    if pod["spec"]["restartPolicy"] == "Always":
        return False
    controller = controller_of(pod)
    if controller and controller["kind"] == JOB.kind:
        return True
    return any(container.get("command") or container.get("args") for container in pod["spec"]["containers"])


def _base_status(store: Store, pod: Object) -> Object:
    before = pod.get("status") or {}
    address = before.get("podIP") or (HOST_ADDRESS if pod["spec"].get("hostNetwork") else free_pod_address(store))
    return {
        "hostIP": HOST_ADDRESS,
        "hostIPs": [{"ip": HOST_ADDRESS}],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": before.get("startTime", store.now()),
        "qosClass": quality_of(pod),
        "observedGeneration": pod["metadata"].get("generation", 1),
    }


def _running(store: Store, pod: Object) -> Object:
    before = {status["name"]: status for status in dig(pod, "status", "containerStatuses", default=[])}
    state = {"running": {"startedAt": store.now()}}
    statuses = []
    for container in pod["spec"]["containers"]:
        old = before.get(container["name"])
        if old and old["image"] == container["image"] and old["ready"]:
            statuses.append(old)
            continue
        restarts = old["restartCount"] + 1 if old and old["ready"] else 0
        statuses.append(_container_status(container, state, restarts, ready=True))
    return {
        "phase": "Running",
        "conditions": _conditions(store, pod, ready=True),
        **_init_statuses(store, pod),
        "containerStatuses": statuses,
    }


def _ended(store: Store, pod: Object) -> Object:
    return {
        "phase": "Succeeded",
        "conditions": _conditions(store, pod, ready=False, reason="PodCompleted"),
        **_init_statuses(store, pod),
        "containerStatuses": [
            _container_status(container, _completed(store), 0, ready=False)
            for container in pod["spec"]["containers"]
        ],
    }


def _completed(store: Store) -> Object:
    return {
        "terminated": {
            "exitCode": 0,
            "reason": "Completed",
            "startedAt": store.now(),
            "finishedAt": store.now(),
        }
    }


def _init_statuses(store: Store, pod: Object) -> Object:
    containers = pod["spec"].get("initContainers") or ()
    statuses = [_container_status(container, _completed(store), 0, ready=True) for container in containers]
    return {"initContainerStatuses": statuses} if statuses else {}


def _container_status(container: Object, state: Object, restarts: int, *, ready: bool) -> Object:
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "state": state,
        "lastState": {},
        "ready": ready,
        "started": "running" in state,
        "restartCount": restarts,
    }


def _conditions(store: Store, pod: Object, *, ready: bool, reason: str = "", message: str = "") -> list[Object]:
    conditions = [
        make_condition("PodReadyToStartContainers", not reason or reason == "ContainersNotReady"),
        make_condition("Initialized", True, reason if reason == "PodCompleted" else ""),
        make_condition("Ready", ready, reason, message),
        make_condition("ContainersReady", ready, reason, message),
        make_condition("PodScheduled", True),
    ]
    return keep_times(pod, conditions, store.now())


def _wait(store: Store, pod: Object, reason: str, event: str, message: str) -> None:
    """Leave the pod pending, for a reason that is in its status and in an event."""
    waiting = {"reason": reason, **({} if reason == "ContainerCreating" else {"message": message})}
    names = " ".join(container["name"] for container in pod["spec"]["containers"])
    not_ready = f"containers with unready status: [{names}]"
    status = {
        **_base_status(store, pod),
        "phase": "Pending",
        "conditions": _conditions(store, pod, ready=False, reason="ContainersNotReady", message=not_ready),
        "containerStatuses": [
            _container_status(container, {"waiting": waiting}, 0, ready=False)
            for container in pod["spec"]["containers"]
        ],
    }
    store.write_status(POD, pod, status)
    record(store, pod, event, message, component=_COMPONENT, warning=True, once=True)


def _missing_sources(store: Store, pod: Object) -> Iterator[tuple[str, str, str]]:
    """Each ConfigMap and Secret that the pod cannot start without and that is missing: reason, event, message.

    A volume that no container mounts is not waited for.
    """
    containers = [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]
    mounted = {mount["name"] for container in containers for mount in container.get("volumeMounts") or ()}
    for volume in pod["spec"].get("volumes") or ():
        if volume["name"] not in mounted:
            continue
        for kind, field, key in ((CONFIG_MAP, "configMap", "name"), (SECRET, "secret", "secretName")):
            source = volume.get(field)
            if source and not source.get("optional") and not store.find(kind, namespace_of(pod), source[key]):
                why = f'{kind.kind.lower()} "{source[key]}" not found'
                message = f'MountVolume.SetUp failed for volume "{volume["name"]}" : {why}'
                yield "ContainerCreating", "FailedMount", message
    for container in pod["spec"]["containers"]:
        for kind, reference in _environment_sources(container):
            why = _missing_key(store, pod, kind, reference)
            if why:
                yield "CreateContainerConfigError", "Failed", f"Error: {why}"


def _environment_sources(container: Object) -> Iterator[tuple[ResourceKind, Object]]:
    for item in container.get("envFrom") or ():
        for kind, field in ((CONFIG_MAP, "configMapRef"), (SECRET, "secretRef")):
            if item.get(field):
                yield kind, item[field]
    for item in container.get("env") or ():
        for kind, field in ((CONFIG_MAP, "configMapKeyRef"), (SECRET, "secretKeyRef")):
            reference = dig(item, "valueFrom", field)
            if reference:
                yield kind, reference


def _missing_key(store: Store, pod: Object, kind: ResourceKind, reference: Object) -> str:
    if reference.get("optional"):
        return ""
    found = store.find(kind, namespace_of(pod), reference.get("name", ""))
    if found is None:
        return f'{kind.kind.lower()} "{reference.get("name")}" not found'
    key = reference.get("key")
    if key and key not in {**(found.get("data") or {}), **(found.get("binaryData") or {})}:
        return f"couldn't find key {key} in {kind.kind} {namespace_of(pod)}/{name_of(found)}"
    return ""
