"""Services: an address for each, and the endpoints of the pods behind it."""

from wpk_sandbox.sandbox.clusters.simulated.addresses import give_address
from wpk_sandbox.sandbox.clusters.simulated.catalog import ENDPOINTS, POD, SERVICE
from wpk_sandbox.sandbox.clusters.simulated.objects import (
    Object,
    dig,
    is_deleting,
    is_pod_ready,
    labels_of,
    name_of,
    namespace_of,
)
from wpk_sandbox.sandbox.clusters.simulated.store import Store
from wpk_sandbox.sandbox.clusters.simulated.writes import change

_MANAGED = {"endpoints.kubernetes.io/managed-by": "endpoint-controller"}


def run_services(store: Store) -> None:
    """Give every Service its addresses, and keep the endpoints of those that select pods."""
    for service in store.select(SERVICE):
        if is_deleting(service):
            continue
        addressed = change(store, SERVICE, service, lambda edited: give_address(store, edited))
        store.write_status(SERVICE, addressed, {"loadBalancer": {}})
        if service["spec"].get("selector"):
            _write_endpoints(store, addressed)
    for endpoints in store.select(ENDPOINTS):
        owner = store.find(SERVICE, namespace_of(endpoints), name_of(endpoints))
        if owner is None and _MANAGED.items() <= labels_of(endpoints).items():
            store.drop(ENDPOINTS, endpoints)


def _write_endpoints(store: Store, service: Object) -> None:
    name, place = name_of(service), namespace_of(service)
    wanted = service["spec"]["selector"].items()
    pods = [
        pod for pod in store.select(POD, place) if wanted <= labels_of(pod).items() and dig(pod, "status", "podIP")
    ]
    subsets = _subsets(service, [pod for pod in pods if is_pod_ready(pod)])
    before = store.find(ENDPOINTS, place, name)
    if before is None:
        metadata = {
            "name": name,
            "namespace": place,
            "uid": store.uid(),
            "creationTimestamp": store.now(),
            "labels": {**labels_of(service), **_MANAGED},
        }
        store.write(ENDPOINTS, {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, "subsets": subsets})
    elif before.get("subsets") != subsets:
        store.write(ENDPOINTS, {**before, "subsets": subsets})


def _subsets(service: Object, pods: list[Object]) -> list[Object]:
    if not pods:
        return []
    addresses = [
        {
            "ip": pod["status"]["podIP"],
            "nodeName": pod["spec"]["nodeName"],
            "targetRef": {
                "kind": "Pod",
                "name": name_of(pod),
                "namespace": namespace_of(pod),
                "uid": pod["metadata"]["uid"],
            },
        }
        for pod in pods
    ]
    ports = [
        {
            "port": _target(port, pods[0]),
            "protocol": port["protocol"],
            **({"name": port["name"]} if "name" in port else {}),
        }
        for port in service["spec"].get("ports") or ()
    ]
    return [{"addresses": addresses, "ports": ports}]


def _target(port: Object, pod: Object) -> int:
    """The port's number on the pod, which the Service may know by its name only."""
    target = port["targetPort"]
    if isinstance(target, int):
        return target
    for container in pod["spec"]["containers"]:
        for each in container.get("ports") or ():
            if each.get("name") == target:
                return int(each["containerPort"])
    return int(port["port"])
