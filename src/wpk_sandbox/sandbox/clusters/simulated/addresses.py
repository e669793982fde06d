"""The addresses and ports that the cluster gives to Services and pods: always the lowest that is free."""

import ipaddress

from wpk_sandbox.sandbox.clusters.simulated.catalog import POD, SERVICE
from wpk_sandbox.sandbox.clusters.simulated.objects import Object, dig
from wpk_sandbox.sandbox.clusters.simulated.store import Store

_POD_NETWORK = ipaddress.ip_network("10.244.0.0/16")
_SERVICE_NETWORK = ipaddress.ip_network("10.96.0.0/16")
_NODE_PORTS = range(30000, 32768)


def free_pod_address(store: Store) -> str:
    """An address for a pod."""
    used = {dig(pod, "status", "podIP") for pod in store.select(POD)}
    return next(text for address in _POD_NETWORK.hosts() if (text := str(address)) not in used)


def give_address(store: Store, service: Object) -> None:
    """Give a Service the address and the node ports that its type asks for and that it lacks, in place."""
    spec = service["spec"]
    if spec["type"] == "ExternalName":
        return
    if not spec.get("clusterIP"):
        used = {dig(each, "spec", "clusterIP") for each in store.select(SERVICE)}
        hosts = map(str, _SERVICE_NETWORK.hosts())
        spec["clusterIP"] = next(address for address in hosts if address not in used)
    spec["clusterIPs"] = [spec["clusterIP"]]
    if spec["type"] in ("NodePort", "LoadBalancer"):
        _give_ports(store, spec)


def _give_ports(store: Store, spec: Object) -> None:
    services = store.select(SERVICE)
    taken = {port.get("nodePort") for each in services for port in dig(each, "spec", "ports", default=[])}
    free = (port for port in _NODE_PORTS if port not in taken)
    for port in spec.get("ports") or ():
        port["nodePort"] = port.get("nodePort") or next(free)
