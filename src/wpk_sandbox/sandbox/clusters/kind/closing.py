"""Closing a booted node, and the evidence that the cluster is closed: network, admission, quota."""

from typing import TYPE_CHECKING, Any

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.clusters.kind import firewall, probes
from wpk_sandbox.sandbox.clusters.kind.calls import call, refusal, translated
from wpk_sandbox.sandbox.clusters.kind.node import Node
from wpk_sandbox.sandbox.clusters.kind.tunnel import API_PORT
from wpk_sandbox.sandbox.namespace import POD_SECURITY_LABEL, QUOTA_NAME
from wpk_sandbox.sandbox.sandbox import Evidence

if TYPE_CHECKING:
    from kubernetes.client import ApiClient, ApiException

_FORBIDDEN = 403
_SHAPED = "shaped"


def close_node(node: Node, bandwidth: int) -> bool:
    """Close the node to the outside; True when its bandwidth could be bounded too.

    Raises `SandboxError` when the rules do not hold, and then nothing may run there.
    """
    # A kernel without this scheduler has no such bound, and the network is closed anyway.
    script = f"nft -f - || exit 1; {firewall.shaping(bandwidth)} && echo {_SHAPED}; true"
    closed = node.run("sh", "-c", script, stdin=firewall.node_rules(node.address).encode())
    if not closed.ok:
        words = closed.stderr.strip() or "timed out"
        raise SandboxError(
            f"the node could not be closed to the outside: {words}",
            "use a node image of kind 0.23 or newer, which hold nft, on a kernel with nf_tables",
        )
    return _SHAPED in closed.stdout.split()


def network_evidence(node: Node) -> Evidence:
    """Try from the node itself: its own API server answers, and no address outside does."""
    targets = {
        "api": ("127.0.0.1", API_PORT),
        "resolver": (firewall.DOCKER_RESOLVER, 53),
        **probes.OUTSIDE,
    }
    answers = node.run("bash", "-c", probes.script(targets)).stdout
    return probes.evidence("leave the cluster from its node", answers, reachable="api")


def quota_evidence(api: "ApiClient", namespace: str) -> Evidence:
    """Read the quota that the API server enforces. Raises `SandboxError` where it does not answer."""
    from kubernetes.client import ApiException  # noqa: PLC0415 - heavy

    probe = f"use more of {namespace} than its quota"
    with translated(f"read the quota of {namespace}"):
        try:
            quota = call(api, "GET", f"/api/v1/namespaces/{namespace}/resourcequotas/{QUOTA_NAME}")
        except ApiException as error:
            return Evidence(probe, held=False, seen=f"{error.status} {error.reason}")
    hard = quota["status"].get("hard", {})
    return Evidence(probe, bool(hard), ", ".join(f"{name} {value}" for name, value in sorted(hard.items())))


def admission_evidence(api: "ApiClient", namespace: str) -> Evidence:
    """Ask for a privileged pod, as a dry run that leaves nothing behind; Pod Security must refuse it.

    Raises `SandboxError` where the API server does not answer.
    """
    from kubernetes.client import ApiException  # noqa: PLC0415 - heavy

    probe = f"create a privileged pod in {namespace}"
    path = f"/api/v1/namespaces/{namespace}"
    with translated(f"ask for a privileged pod in {namespace}"):
        try:
            labels = call(api, "GET", path)["metadata"].get("labels", {})
            if labels.get(POD_SECURITY_LABEL) == "privileged":
                return Evidence(probe, held=True, seen="allowed by the settings, so not tried")
            call(api, "POST", f"{path}/pods", _privileged_pod(), query=(("dryRun", "All"),))
        except ApiException as error:
            return Evidence(probe, _is_pod_security(error), seen=f"{error.status}, {refusal(error)}")
    return Evidence(probe, held=False, seen="the API server took it")


def _privileged_pod() -> dict[str, Any]:
    container = {"name": "probe", "image": "probe.invalid/probe:1", "securityContext": {"privileged": True}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "wpk-sandbox-probe"},
        "spec": {"containers": [container]},
    }


def _is_pod_security(error: "ApiException") -> bool:
    return error.status == _FORBIDDEN and "violates PodSecurity" in str(error.body)
