"""Objects that leave their namespace, their node or the cluster, and calls that no package has a right to: number 55."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandboxes import NAMESPACE

Object = Mapping[str, Any]

# As `restricted` asks for it, so that each pod has one fault only.
_CLOSED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_IMAGE = "busybox:1.36"


def _pod(name: str, *, security: Object | None = None, container: Object | None = None, **spec: Any) -> Object:
    namespace = spec.pop("namespace", NAMESPACE)
    annotations = spec.pop("annotations", {})
    one = {"name": "main", "image": _IMAGE, "command": ["sleep", "1"], "imagePullPolicy": "IfNotPresent"}
    one |= {"securityContext": {**_CLOSED, **(security or {})}, **(container or {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "annotations": annotations},
        "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [one], **spec},
    }


def _service(name: str, **spec: Any) -> Object:
    ports = {} if spec.get("type") == "ExternalName" else {"ports": [{"port": 80}], "selector": {"app": "none"}}
    return _object("v1", "Service", name, NAMESPACE, spec={**ports, **spec})


def _object(version: str, kind: str, name: str, namespace: str = "", **rest: Any) -> Object:
    where = {"namespace": namespace} if namespace else {}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **where}, **rest}


_RBAC = "rbac.authorization.k8s.io"
_ADMIN = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "cluster-admin"}
_EVERYBODY = [{"apiGroup": _RBAC, "kind": "Group", "name": "system:serviceaccounts"}]
_CALLED = {
    "name": "leak.example.com",
    "clientConfig": {"url": "https://203.0.113.10/leak"},
    "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}],
    "sideEffects": "None",
    "admissionReviewVersions": ["v1"],
    "failurePolicy": "Ignore",
}
_SCHEMA = {"openAPIV3Schema": {"type": "object"}}


def _mounted(name: str, source: Object) -> Object:
    volume = {"volumes": [{"name": "it", **source}]}
    return _pod(name, container={"volumeMounts": [{"name": "it", "mountPath": "/it"}]}, **volume)


# Made just before what goes into it: a namespace that nobody prepared has no walls of its own.
NEW_NAMESPACE = _object("v1", "Namespace", "free")

OBJECTS: tuple[Object, ...] = (
    _pod("privileged", security={"privileged": True, "allowPrivilegeEscalation": True}),
    _pod("as-root", security={"runAsNonRoot": False, "runAsUser": 0}),
    _pod("more-capabilities", security={"capabilities": {"add": ["SYS_ADMIN", "NET_RAW"], "drop": []}}),
    _pod("no-filter", security={"seccompProfile": {"type": "Unconfined"}}),
    _pod("unmasked-proc", security={"procMount": "Unmasked"}, hostUsers=False),
    _mounted("host-path", {"hostPath": {"path": "/"}}),
    _mounted("runtime-socket", {"hostPath": {"path": "/run/containerd/containerd.sock"}}),
    _pod("host-processes", hostPID=True),
    _pod("host-network", hostNetwork=True),
    _pod("host-memory", hostIPC=True),
    _pod("host-port", container={"ports": [{"containerPort": 80, "hostPort": 8080}]}),
    _pod("kernel-setting", securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "65536"}]}),
    _pod("in-kube-system", namespace="kube-system"),
    _pod("mirror", annotations={"kubernetes.io/config.mirror": "x"}, nodeName="wpk-node"),
    _service("node-port", type="NodePort"),
    _service("load-balancer", type="LoadBalancer"),
    _service("external-name", type="ExternalName", externalName="metadata.google.internal"),
    _service("external-address", externalIPs=["203.0.113.10"]),
    _object(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        "metadata-slice",
        NAMESPACE,
        addressType="IPv4",
        endpoints=[{"addresses": ["203.0.113.10"]}],
        ports=[{"port": 80}],
    ),
    _object("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "calls-out", webhooks=[_CALLED]),
    _object("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "changes-all", webhooks=[_CALLED]),
    _object(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "leaks.example.com",
        spec={
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "leaks", "singular": "leak", "kind": "Leak"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": _SCHEMA}],
            "conversion": {
                "strategy": "Webhook",
                "webhook": {
                    "conversionReviewVersions": ["v1"],
                    "clientConfig": {"url": "https://203.0.113.10/leak"},
                },
            },
        },
    ),
    _object(
        "apiregistration.k8s.io/v1",
        "APIService",
        "v1.leak.example.com",
        spec={
            "group": "leak.example.com",
            "version": "v1",
            "service": {"name": "external-name", "namespace": NAMESPACE},
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
        },
    ),
    _object(f"{_RBAC}/v1", "ClusterRoleBinding", "all-admin", roleRef=_ADMIN, subjects=_EVERYBODY),
    _object(f"{_RBAC}/v1", "RoleBinding", "here-admin", NAMESPACE, roleRef=_ADMIN, subjects=_EVERYBODY),
    _pod(
        "privileged-in-new-namespace",
        security={"privileged": True, "allowPrivilegeEscalation": True},
        namespace="free",
    ),
    _object(
        "v1",
        "PersistentVolume",
        "host-volume",
        spec={"capacity": {"storage": "1Mi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/"}},
    ),
    _object("node.k8s.io/v1", "RuntimeClass", "another", handler="runc"),
)


@dataclass(frozen=True)
class Call:
    """A call by the shell's account: a command, and the right (verb, resource, namespace) that an admin has to it."""

    name: str
    command: str
    right: tuple[str, str, str]


_K = "kubectl --request-timeout=8s"
_PROXY = f"{_K} -n kube-system get pods -l k8s-app=kube-proxy -o name"

CALLS = (
    Call("exec-in-kube-system", f"{_K} -n kube-system exec etcd-none -- true", ("create", "pods/exec", "kube-system")),
    Call("secrets-elsewhere", f"{_K} -n kube-system get secrets", ("get", "secrets", "kube-system")),
    Call("pods-elsewhere", _PROXY, ("list", "pods", "kube-system")),
    Call("kubelet-by-proxy", f"{_K} get --raw /api/v1/nodes/none/proxy/pods", ("get", "nodes/proxy", "")),
    Call(
        "loosen-namespace",
        f"{_K} label --overwrite ns {NAMESPACE} pod-security.kubernetes.io/enforce=privileged",
        ("patch", "namespaces", ""),
    ),
    Call("free-network", f"{_K} delete networkpolicy --all", ("deletecollection", "networkpolicies", NAMESPACE)),
    Call("free-quota", f"{_K} delete resourcequota --all", ("deletecollection", "resourcequotas", NAMESPACE)),
    Call("free-limits", f"{_K} delete limitrange --all", ("deletecollection", "limitranges", NAMESPACE)),
    Call("as-another", f"{_K} get ns --as=admin --as-group=system:masters", ("impersonate", "groups", "")),
    Call("token-of-another", f"{_K} -n kube-system create token default", ("create", "serviceaccounts/token", "kube-system")),
    Call("new-namespace", f"{_K} create ns free-too", ("create", "namespaces", "")),
    Call("bind-admin", f"{_K} create clusterrolebinding mine --clusterrole=cluster-admin --user=me", ("create", "clusterrolebindings", "")),
    Call("new-role", f"{_K} create role all --verb='*' --resource='*.*'", ("create", "roles", NAMESPACE)),
    Call("drain-node", f"{_K} taint nodes --all a=b:NoExecute", ("patch", "nodes", "")),
    Call("delete-namespace", f"{_K} delete ns kube-public --wait=false", ("delete", "namespaces", "")),
)  # fmt: skip
