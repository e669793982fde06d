"""Files of the node in a container."""

import posixpath
from collections.abc import Iterator
from typing import Any

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.subject import Subject, as_list, as_mapping

HOST_PATH = Rule(
    "host-path",
    Severity.CRITICAL,
    "A pod mounts a folder of its node",
    "What the container writes there stays on the node, beyond the reach of a rollback; what it reads there (keys,"
    " other pods' volumes) was never meant for it.",
    "Use an `emptyDir`, a PersistentVolumeClaim, a ConfigMap or a Secret.",
    cwe=22,
    points=POINTS[Severity.CRITICAL],
)
RUNTIME_SOCKET = Rule(
    "runtime-socket",
    Severity.CRITICAL,
    "A container is given the socket of the container runtime",
    "Who can talk to Docker or containerd can start a privileged container on the node: the socket is root on it.",
    "Ask the Kubernetes API instead; build images with a rootless builder.",
    cwe=250,
    points=POINTS[Severity.CRITICAL],
)

RULES = (HOST_PATH, RUNTIME_SOCKET)

_SOCKETS = ("docker.sock", "containerd.sock", "crio.sock", "cri-dockerd.sock", "podman.sock")
# Sockets and the folders that hold them; a mount of one of these is a mount of the socket.
_SOCKET_FOLDERS = frozenset({"/run/containerd", "/var/run/containerd", "/run/crio", "/var/run/crio"})


def check(subject: Subject) -> Iterator[Finding]:
    """Where pods reach into their node's files."""
    for pointer, mapping in subject.mappings():
        if "hostPath" in mapping:
            yield _host_path(subject, f"{pointer}/hostPath", mapping["hostPath"])
        for index, mount in enumerate(as_list(mapping.get("volumeMounts"))):
            path = as_mapping(mount).get("mountPath") or as_mapping(mount).get("hostPath")
            if isinstance(path, str) and _is_socket(path) and not _volume_is_found(mapping):
                place = f"{pointer}/volumeMounts/{index}"
                yield subject.finding(RUNTIME_SOCKET, place, f"the container is given the socket {path}")


def _volume_is_found(mapping: Any) -> bool:
    """True for the mapping of a pod, whose volumes say more than its mounts do."""
    return "volumes" in mapping


def _host_path(subject: Subject, pointer: str, value: Any) -> Finding:
    path = value if isinstance(value, str) else as_mapping(value).get("path")
    place = pointer if isinstance(value, str) or path is None else f"{pointer}/path"
    if isinstance(path, str) and _is_socket(path):
        return subject.finding(RUNTIME_SOCKET, place, f"the pod is given the socket {path}")
    return subject.finding(HOST_PATH, place, f"the pod mounts {path or 'a folder'} of its node")


def _is_socket(path: str) -> bool:
    path = posixpath.normpath(path)
    return path.endswith(_SOCKETS) or path in _SOCKET_FOLDERS
