"""What is in a cluster before anybody uses it: namespaces, a node, a storage class."""

from collections.abc import Mapping

from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.sandbox.clusters.simulated.catalog import (
    CLUSTER_ROLE,
    NAMESPACE,
    NODE,
    PRIORITY_CLASS,
    STORAGE_CLASS,
)
from wpk_sandbox.sandbox.clusters.simulated.controllers import settle
from wpk_sandbox.sandbox.clusters.simulated.controllers.kubelet import HOST_ADDRESS
from wpk_sandbox.sandbox.clusters.simulated.defaults import DEFAULT_STORAGE_CLASS
from wpk_sandbox.sandbox.clusters.simulated.discovery import VERSION
from wpk_sandbox.sandbox.clusters.simulated.objects import Object, keep_times, make_condition
from wpk_sandbox.sandbox.clusters.simulated.store import Store
from wpk_sandbox.sandbox.clusters.simulated.writes import create
from wpk_sandbox.sandbox.namespace import cpu_quantity, memory_quantity
from wpk_sandbox.sandbox.sandbox import Limits

NODE_NAME = "simulated"
_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
# The roles for users, as far as their resources are served here.
# https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles
_SETTINGS = ("configmaps", "events", "persistentvolumeclaims", "pods", "replicationcontrollers", "services")
_VIEWED: Mapping[str, tuple[str, ...]] = {
    "": (*_SETTINGS, "endpoints", "limitranges", "namespaces", "pods/log", "resourcequotas", "serviceaccounts"),
    "apps": ("controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"),
    "autoscaling": ("horizontalpodautoscalers",),
    "batch": ("cronjobs", "jobs"),
    "networking.k8s.io": ("ingresses", "networkpolicies"),
    "policy": ("poddisruptionbudgets",),
}
_EDITED: Mapping[str, tuple[str, ...]] = {
    "": (*_SETTINGS, "pods/eviction", "secrets", "serviceaccounts", "replicationcontrollers/scale"),
    "apps": (
        *("daemonsets", "deployments", "deployments/scale", "replicasets", "replicasets/scale"),
        *("statefulsets", "statefulsets/scale"),
    ),
    **{group: _VIEWED[group] for group in ("autoscaling", "batch", "networking.k8s.io", "policy")},
}
_READING = ("get", "list", "watch")
_WRITING = ("create", "delete", "deletecollection", "patch", "update")


def _rules(resources: Mapping[str, tuple[str, ...]], verbs: tuple[str, ...]) -> list[Object]:
    return [
        {"apiGroups": [group], "resources": list(names), "verbs": list(verbs)} for group, names in resources.items()
    ]


_VIEW = _rules(_VIEWED, _READING)
_EDIT = [*_VIEW, *_rules(_EDITED, (*_READING, *_WRITING))]
_ADMIN = [*_EDIT, *_rules({"rbac.authorization.k8s.io": ("roles", "rolebindings")}, (*_READING, *_WRITING))]
_ROLES = {
    "view": _VIEW,
    "edit": _EDIT,
    "admin": _ADMIN,
    "cluster-admin": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
}
_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def furnish(store: Store, limits: Limits) -> None:
    """Put into an empty store what every cluster has."""
    node = {"spec": {"podCIDR": "10.244.0.0/16"}, "status": _node_status(store, limits)}
    with store.lock:
        for name in _NAMESPACES:
            create(store, NAMESPACE, {"metadata": {"name": name}})
        for name, value in _PRIORITIES.items():
            create(store, PRIORITY_CLASS, {"metadata": {"name": name}, "value": value})
        create(store, STORAGE_CLASS, _storage_class())
        for name, rules in _ROLES.items():
            create(store, CLUSTER_ROLE, {"metadata": {"name": name}, "rules": rules})
        _write(store, NODE, node, _node_labels())
        settle(store)


def _write(store: Store, kind: ResourceKind, obj: Object, labels: Object) -> None:
    """Store a cluster-wide object with its status, which no caller of the API could do in one step."""
    metadata = {"name": NODE_NAME, "uid": store.uid(), "creationTimestamp": store.now(), "labels": labels}
    store.write(kind, {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, **obj})


def _storage_class() -> Object:
    return {
        "metadata": {
            "name": DEFAULT_STORAGE_CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "simulated/volumes",
        "allowVolumeExpansion": True,
    }


def _node_labels() -> Object:
    return {
        "kubernetes.io/hostname": NODE_NAME,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "node-role.kubernetes.io/control-plane": "",
    }


def _node_status(store: Store, limits: Limits) -> Object:
    room = {
        "cpu": cpu_quantity(limits.cpu),
        "memory": memory_quantity(limits.memory),
        "ephemeral-storage": memory_quantity(limits.storage),
        "pods": "110",
    }
    conditions = [
        make_condition("MemoryPressure", False, "KubeletHasSufficientMemory"),
        make_condition("DiskPressure", False, "KubeletHasNoDiskPressure"),
        make_condition("PIDPressure", False, "KubeletHasSufficientPID"),
        make_condition("Ready", True, "KubeletReady", "simulated: no kubelet runs"),
    ]
    return {
        "capacity": room,
        "allocatable": room,
        "addresses": [
            {"type": "InternalIP", "address": HOST_ADDRESS},
            {"type": "Hostname", "address": NODE_NAME},
        ],
        "conditions": keep_times({}, conditions, store.now()),
        "nodeInfo": {
            "kubeletVersion": VERSION,
            "osImage": "simulated",
            "containerRuntimeVersion": "simulated://1",
            "operatingSystem": "linux",
            "architecture": "amd64",
            "bootID": "",
            "kernelVersion": "",
            "kubeProxyVersion": "",
            "machineID": "",
            "systemUUID": "",
        },
    }
