"""What no package may do in a cluster, whatever its permissions: one table for every cluster.

Each policy stands here twice: as an expression in CEL, which a real API server holds every request to, and as a
function, which the simulated cluster calls, and the stage for what a case brings along.
https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wpk_sandbox.sandbox.clusters.rights import BINDINGS, HOME, OURS, UNTOUCHABLE
from wpk_sandbox.sandbox.namespace import LIMITS_NAME, POD_SECURITY_LABEL, POLICY_NAME, QUOTA_NAME
from wpk_sandbox.sandbox.sandbox import Security

Object = Mapping[str, Any]

# How the names of policies on pods begin.
ON_PODS = "pods-"

CREATE, UPDATE, DELETE, CONNECT = "CREATE", "UPDATE", "DELETE", "CONNECT"
_WRITE = (CREATE, UPDATE)
# Where kind makes volumes, by pods with the node's folders.
PROVISIONER = "local-path-storage"
_FIXED = (QUOTA_NAME, LIMITS_NAME, POLICY_NAME, *BINDINGS)


@dataclass(frozen=True)
class Asked:
    """A request as a policy sees it: `new` is empty for a deletion, `old` for a creation."""

    operation: str
    resource: str
    namespace: str = ""
    name: str = ""
    new: Object = field(default_factory=dict)
    old: Object = field(default_factory=dict)
    ours: bool = False


@dataclass(frozen=True)
class Policy:
    """One policy: which requests it is about, what must hold of them in CEL, and when it is broken in Python.

    `resources` are `group/resource`, with `*` for any, and perhaps a subresource. `administrator` is true where it
    holds for what the sandbox does itself as well, by whom a case's objects come.
    """

    name: str
    resources: tuple[str, ...]
    operations: tuple[str, ...]
    expression: str
    message: str
    broken: Callable[[Asked], bool]
    administrator: bool = True

    def concerns(self, group: str, asked: Asked) -> bool:
        """True for a request that it is about."""
        named = {f"{group}/{asked.resource}", "*/*/*"}
        return asked.operation in self.operations and not named.isdisjoint(self.resources)


def policies(security: Security) -> tuple[Policy, ...]:
    """The policies of a sandbox; those on pods only where settings loosen Pod Security."""
    return (*_ALWAYS, *_on_pods(security))


def why_not(manifest: Object) -> str | None:
    """Why an object that a case brings along may not be made; None when it may."""
    metadata = manifest.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    group, _, _ = str(manifest.get("apiVersion")).rpartition("/")
    if group in UNTOUCHABLE:
        return f"no package may touch what decides over all requests, such as a {manifest.get('kind')}"
    place = str(metadata.get("namespace") or (metadata.get("name") if manifest.get("kind") == "Namespace" else ""))
    if _is_system(place):
        return _SYSTEM.message
    if str(metadata.get("name") or "").startswith(OURS) and group.startswith("rbac."):
        return _FIXTURES.message
    return None


def _spec(asked: Asked) -> Object:
    spec = asked.new.get("spec")
    return spec if isinstance(spec, Mapping) else {}


def _is_open_service(asked: Asked) -> bool:
    spec = _spec(asked)
    return spec.get("type") in ("NodePort", "LoadBalancer", "ExternalName") or bool(spec.get("externalIPs"))


def _is_of_the_system(asked: Asked) -> bool:
    return _is_system(asked.namespace)


def _is_system(namespace: str) -> bool:
    return namespace.startswith("kube-") or namespace in (HOME, PROVISIONER)


def _is_mirror(asked: Asked) -> bool:
    annotations = (asked.new.get("metadata") or {}).get("annotations") or {}
    return bool({"kubernetes.io/config.mirror", "kubernetes.io/config.source"} & set(annotations))


def _grants_too_much(asked: Asked) -> bool:
    role = str((asked.new.get("roleRef") or {}).get("name"))
    subjects = asked.new.get("subjects") or ()
    of_system = any(str(one.get("name")).startswith("system:") or one.get("namespace") == HOME for one in subjects)
    mighty = role in ("cluster-admin", *(_MIGHTY if asked.resource == "clusterrolebindings" else ()))
    return not _is_by_us(asked) and (mighty or role.startswith("system:") or of_system)


def _is_by_us(asked: Asked) -> bool:
    return asked.ours and asked.name.startswith(f"{OURS}-")


def _is_too_mighty(asked: Asked) -> bool:
    many = bool(asked.new.get("aggregationRule"))
    return not _is_by_us(asked) and (many or any(map(_gives_more, asked.new.get("rules") or ())))


def _gives_more(rule: Object) -> bool:
    groups, verbs, resources = (set(rule.get(key) or ()) for key in ("apiGroups", "verbs", "resources"))
    becomes = verbs & set(_BECOMING) and groups & set(_DECIDING)
    return bool(becomes or (groups & {"", "*"} and resources & set(_KUBELET)))


def _changes_level(asked: Asked) -> bool:
    if asked.operation == CREATE:
        return _level(asked.new) not in ("", "restricted")
    return bool(_level(asked.new) != _level(asked.old))


def _level(namespace: Object) -> Any:
    return ((namespace.get("metadata") or {}).get("labels") or {}).get(POD_SECURITY_LABEL, "")


_LEVEL = (
    f"(has(%s.metadata.labels) && '{POD_SECURITY_LABEL}' in %s.metadata.labels"
    f" ? %s.metadata.labels['{POD_SECURITY_LABEL}'] : '')"
)

# Roles that let whoever has them in the whole cluster act as any account, those of Kubernetes too.
_MIGHTY = ("admin", "edit")
# Verbs by which one becomes somebody else, or gives oneself more, and the groups in which they do.
_BECOMING = ("*", "impersonate", "escalate", "bind", "approve", "sign")
_DECIDING = ("", "*", "authentication.k8s.io", "certificates.k8s.io", "rbac.authorization.k8s.io")
# What leads to the kubelet, and so to every pod of the node.
_KUBELET = ("*", "nodes/proxy", "*/proxy")

_BY_US = f"(request.userInfo.username == 'kubernetes-admin' && request.name.startsWith('{OURS}-'))"

# A request about the whole cluster has no such field.
_PLACE = "request.?namespace.orValue('')"

_SYSTEM = Policy(
    "system",
    ("*/*/*",),
    (CREATE, UPDATE, DELETE, CONNECT),
    f"!{_PLACE}.startsWith('kube-') && !({_PLACE} in ['{HOME}', '{PROVISIONER}'])",
    "the sandbox lets no package into the namespaces of Kubernetes, nor into its own",
    _is_of_the_system,
    administrator=False,
)
# A deletion of many has the name of each only in the object itself.
_NAMED = "(request.operation == 'DELETE' ? oldObject : object).metadata.?name.orValue('')"

_FIXTURES = Policy(
    "fixtures",
    (
        *("/resourcequotas", "/limitranges", "networking.k8s.io/networkpolicies"),
        *("rbac.authorization.k8s.io/rolebindings", "rbac.authorization.k8s.io/clusterroles"),
        "rbac.authorization.k8s.io/clusterrolebindings",
    ),
    (CREATE, UPDATE, DELETE),
    f"!({_NAMED} in {list(_FIXED)!r}) && !{_NAMED}.startsWith('{OURS}-')",
    "this object is what makes the namespace a sandbox",
    lambda asked: asked.name in _FIXED or asked.name.startswith(f"{OURS}-"),
    administrator=False,
)

_ALWAYS = (
    _SYSTEM,
    _FIXTURES,
    Policy(
        "services",
        ("/services",),
        _WRITE,
        "!(object.spec.type in ['NodePort', 'LoadBalancer', 'ExternalName'])"
        " && (!has(object.spec.externalIPs) || size(object.spec.externalIPs) == 0)",
        "a sandbox has services of type ClusterIP alone, without externalIPs: nobody calls in, no name leads out",
        _is_open_service,
    ),
    Policy(
        "volumes",
        ("/persistentvolumes",),
        _WRITE,
        "!has(object.spec.hostPath) && !has(object.spec.local)",
        "a sandbox has no volume on its node's disk: no hostPath, no local",
        lambda asked: bool({"hostPath", "local"} & set(_spec(asked))),
    ),
    Policy(
        "conversion",
        ("apiextensions.k8s.io/customresourcedefinitions",),
        _WRITE,
        "!has(object.spec.conversion) || object.spec.conversion.strategy != 'Webhook'",
        "a sandbox calls no webhook to convert objects",
        lambda asked: (_spec(asked).get("conversion") or {}).get("strategy") == "Webhook",
    ),
    Policy(
        "mirror-pods",
        ("/pods",),
        _WRITE,
        "!has(object.metadata.annotations) || !('kubernetes.io/config.mirror' in object.metadata.annotations"
        " || 'kubernetes.io/config.source' in object.metadata.annotations)",
        "a sandbox has no static pods but the cluster's own",
        _is_mirror,
    ),
    Policy(
        "bindings",
        ("rbac.authorization.k8s.io/rolebindings", "rbac.authorization.k8s.io/clusterrolebindings"),
        _WRITE,
        f"{_BY_US} || (object.roleRef.name != 'cluster-admin' && !object.roleRef.name.startsWith('system:')"
        f" && (request.resource.resource != 'clusterrolebindings' || !(object.roleRef.name in {list(_MIGHTY)!r}))"
        " && (!has(object.subjects) || object.subjects.all(s, !s.name.startsWith('system:')"
        f" && (!has(s.namespace) || s.namespace != '{HOME}'))))",
        "nobody is given the whole cluster of a sandbox, and the accounts that act for the package get no more",
        _grants_too_much,
    ),
    Policy(
        "roles",
        ("rbac.authorization.k8s.io/clusterroles",),
        _WRITE,
        f"{_BY_US} || (!has(object.aggregationRule) && object.?rules.orValue([]).all(r,"
        f" !(r.verbs.exists(v, v in {list(_BECOMING)!r})"
        f" && r.?apiGroups.orValue([]).exists(g, g in {list(_DECIDING)!r}))"
        " && !(r.?apiGroups.orValue([]).exists(g, g in ['', '*'])"
        f" && r.?resources.orValue([]).exists(n, n in {list(_KUBELET)!r}))))",
        "a role of a sandbox makes nobody somebody else, gives no further rights, and does not lead to the kubelet",
        _is_too_mighty,
    ),
    Policy(
        "storage",
        ("storage.k8s.io/storageclasses",),
        _WRITE,
        "!object.?parameters.orValue({}).exists(p, p in ['pathPattern', 'nodePath'])",
        "a volume of a sandbox lies where its provisioner puts it",
        lambda asked: bool({"pathPattern", "nodePath"} & set(asked.new.get("parameters") or ())),
    ),
    Policy(
        "tokens",
        ("/serviceaccounts/token",),
        (CREATE,),
        "false",
        "no package may have the token of a service account",
        lambda asked: True,
        administrator=False,
    ),
    Policy(
        "token-secrets",
        ("/secrets",),
        _WRITE,
        "object.type != 'kubernetes.io/service-account-token'",
        "no package may have the token of a service account",
        lambda asked: asked.new.get("type") == "kubernetes.io/service-account-token",
    ),
    Policy(
        "levels",
        ("/namespaces",),
        _WRITE,
        f"request.operation == 'CREATE' ? {_LEVEL % (('object',) * 3)} in ['', 'restricted']"
        f" : {_LEVEL % (('object',) * 3)} == {_LEVEL % (('oldObject',) * 3)}",
        "the level of Pod Security is the sandbox's to set",
        _changes_level,
        administrator=False,
    ),
)


# Where pods really run: a namespace that was not prepared bounds nothing, whoever has rights there. Volumes are
# made by pods of their own.
PLACES = Policy(
    f"{ON_PODS}places",
    ("/pods",),
    (CREATE,),
    f"request.namespace == '{PROVISIONER}' || (has(namespaceObject.metadata.labels)"
    f" && '{POD_SECURITY_LABEL}' in namespaceObject.metadata.labels)",
    "a sandbox has pods only in the namespaces that it has closed",
    lambda asked: False,
)


def _on_pods(security: Security) -> tuple[Policy, ...]:
    """What Pod Security no longer refuses, because its levels know nothing between all and what is named."""
    if not (security.allow_privileged or security.allow_host_network or security.allow_host_pid):
        return ()
    every = "object.spec.containers + object.spec.?initContainers.orValue([])"
    rows = (
        ("host-paths", False, "!object.spec.?volumes.orValue([]).exists(v, has(v.hostPath))", _has_host_path),
        ("host-ipc", False, "!object.spec.?hostIPC.orValue(false)", _wants("hostIPC")),
        ("host-pid", security.allow_host_pid, "!object.spec.?hostPID.orValue(false)", _wants("hostPID")),
        (
            "host-network",
            security.allow_host_network,
            "!object.spec.?hostNetwork.orValue(false)",
            _wants("hostNetwork"),
        ),
        (
            "privileged",
            security.allow_privileged,
            f"!({every}).exists(c, c.?securityContext.?privileged.orValue(false))",
            _is_privileged,
        ),
    )
    return tuple(
        Policy(
            f"{ON_PODS}{name}",
            ("/pods",),
            _WRITE,
            expression,
            f"the settings do not allow {name.replace('-', ' ')}",
            broken,
        )
        for name, allowed, expression, broken in rows
        if not allowed
    )


def _wants(field: str) -> Callable[[Asked], bool]:
    return lambda asked: _spec(asked).get(field) is True


def _has_host_path(asked: Asked) -> bool:
    return any("hostPath" in volume for volume in _spec(asked).get("volumes") or ())


def _is_privileged(asked: Asked) -> bool:
    containers = [*(_spec(asked).get("initContainers") or ()), *(_spec(asked).get("containers") or ())]
    return any((one.get("securityContext") or {}).get("privileged") is True for one in containers)
