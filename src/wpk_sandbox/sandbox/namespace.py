"""What makes a namespace a sandbox: a quota, limits, no network, Pod Security; the same on every cluster."""

from collections.abc import Mapping
from typing import Any

from wpk_sandbox.sandbox.sandbox import Limits, Security

QUOTA_NAME = "sandbox-quota"
LIMITS_NAME = "sandbox-limits"
POLICY_NAME = "sandbox-deny-all"
MAX_PODS = 10
POD_SECURITY_LABEL = "pod-security.kubernetes.io/enforce"

# What a container gets that asks for nothing: small enough that MAX_PODS of them fit the quota.
_DEFAULT_REQUEST = (0.05, 32 * 1024**2)
_DEFAULT_LIMIT = (0.2, 128 * 1024**2)


# The cluster's own name service answers for the cluster alone, and pods wait long for one that does not answer.
_TO_THE_NAME_SERVICE = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ],
    "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")],
}


def namespace_objects(namespace: str, limits: Limits, security: Security) -> tuple[dict[str, Any], ...]:
    """The manifests of a sandbox namespace, in the order in which they are created.

    The quota asks for what the specification says: `limits.cpu` and `limits.memory` may be requested, twice as
    much is the bound of all limits together, and there are at most ten pods.
    """
    return (
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": namespace, "labels": _pod_security(security)},
        },
        _namespaced("v1", "ResourceQuota", QUOTA_NAME, namespace, {"hard": _quota(limits)}),
        _namespaced("v1", "LimitRange", LIMITS_NAME, namespace, {"limits": [_container_limits(limits)]}),
        _namespaced(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            POLICY_NAME,
            namespace,
            {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": [_TO_THE_NAME_SERVICE]},
        ),
    )


def cpu_quantity(cores: float) -> str:
    """Cores as Kubernetes writes them: `2`, `500m`."""
    milli = round(cores * 1000)
    return f"{milli}m" if milli % 1000 else str(milli // 1000)


def memory_quantity(size: float) -> str:
    """Bytes as Kubernetes writes them: `4Gi`, `128Mi`, or a plain number."""
    size = int(size)
    for power, suffix in ((3, "Gi"), (2, "Mi"), (1, "Ki")):
        if size and size % 1024**power == 0:
            return f"{size // 1024**power}{suffix}"
    return str(size)


def _namespaced(api_version: str, kind: str, name: str, namespace: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": dict(spec),
    }


def _pod_security(security: Security) -> dict[str, str]:
    # The `baseline` level refuses the host's namespaces too, so nothing lies between `restricted` and `privileged`.
    loose = security.allow_privileged or security.allow_host_network or security.allow_host_pid
    return {POD_SECURITY_LABEL: "privileged" if loose else "restricted"}


def _quota(limits: Limits) -> dict[str, str]:
    return {
        "requests.cpu": cpu_quantity(limits.cpu),
        "requests.memory": memory_quantity(limits.memory),
        "limits.cpu": cpu_quantity(2 * limits.cpu),
        "limits.memory": memory_quantity(2 * limits.memory),
        "pods": str(MAX_PODS),
    }


def _container_limits(limits: Limits) -> dict[str, Any]:
    most = (limits.step_cpu, limits.step_memory)
    return {
        "type": "Container",
        "max": _resources(most),
        "default": _resources(_at_most(_DEFAULT_LIMIT, most)),
        "defaultRequest": _resources(_at_most(_DEFAULT_REQUEST, most)),
    }


def _at_most(wanted: tuple[float, float], most: tuple[float, float]) -> tuple[float, float]:
    return min(wanted[0], most[0]), min(wanted[1], most[1])


def _resources(amount: tuple[float, float]) -> dict[str, str]:
    return {"cpu": cpu_quantity(amount[0]), "memory": memory_quantity(amount[1])}
