"""Pods of stand-ins: they run, log a few lines, end at once when told to, and satisfy Pod Security `restricted`.

https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

USER = 65532
POD_SECURITY: Mapping[str, Any] = {
    "runAsNonRoot": True,
    "runAsUser": USER,
    "runAsGroup": USER,
    "fsGroup": USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_CONTAINER_SECURITY: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}
# Ten such pods fit into the quota of a sandbox namespace, and leave room for the package's own.
_RESOURCES: Mapping[str, Any] = {
    "requests": {"cpu": "10m", "memory": "16Mi"},
    "limits": {"cpu": "100m", "memory": "64Mi"},
}

_LOG = 'for line in 1 2 3; do echo "stand-in: line $line of a pod that stands for the real one"; done'
# A shell that is process 1 ignores TERM without a trap, and the deletion would take the whole grace period.
_STAY = "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done"
_FAIL_ONCE = (
    "if [ ! -e /state/started ]; then touch /state/started; echo 'stand-in: the first start fails'; exit 1; fi"
)


@dataclass(frozen=True)
class PodNeeds:
    """What the steps ask of the pods: names of containers, a restart in the past, or an end (0 or 1)."""

    containers: tuple[str, ...] = ()
    restarted: bool = False
    ends: int | None = None


def container(image: str, name: str = "main") -> dict[str, Any]:
    """A container that has everything that `restricted` and the quota ask for, and no command yet."""
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "securityContext": dict(_CONTAINER_SECURITY),
        "resources": {key: dict(value) for key, value in _RESOURCES.items()},
    }


def pod_spec(image: str, needs: PodNeeds) -> dict[str, Any]:
    """The spec of a stand-in's pod."""
    script = "; ".join((*((_FAIL_ONCE,) if needs.restarted else ()), _LOG, _end(needs)))
    containers = [
        {**container(image, name), "command": ["sh", "-c", script], **_state(needs)}
        for name in needs.containers or ("main",)
    ]
    spec: dict[str, Any] = {
        "securityContext": dict(POD_SECURITY),
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 2,
        "containers": containers,
    }
    if needs.restarted:
        spec["volumes"] = [{"name": "state", "emptyDir": {"sizeLimit": "1Mi"}}]
    return spec


def _end(needs: PodNeeds) -> str:
    return _STAY if needs.ends is None else f"exit {needs.ends}"


def _state(needs: PodNeeds) -> dict[str, Any]:
    return {"volumeMounts": [{"name": "state", "mountPath": "/state"}]} if needs.restarted else {}
