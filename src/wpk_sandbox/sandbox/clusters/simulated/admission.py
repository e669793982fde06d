"""What happens to a new object before it is stored: what it is given, and why it may be refused."""

from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.sandbox.clusters.policies import CREATE, ON_PODS, Asked
from wpk_sandbox.sandbox.clusters.rights import OURS
from wpk_sandbox.sandbox.clusters.simulated.catalog import NAMESPACE, POD, PRIORITY_CLASS, SERVICE_ACCOUNT
from wpk_sandbox.sandbox.clusters.simulated.defaults import fill
from wpk_sandbox.sandbox.clusters.simulated.limit_range import check_bounds, default_resources
from wpk_sandbox.sandbox.clusters.simulated.objects import Object, is_deleting, labels_of, name_of, namespace_of
from wpk_sandbox.sandbox.clusters.simulated.pod_security import violations
from wpk_sandbox.sandbox.clusters.simulated.quota import check_quota
from wpk_sandbox.sandbox.clusters.simulated.refused import forbidden, not_found
from wpk_sandbox.sandbox.clusters.simulated.store import Store
from wpk_sandbox.sandbox.namespace import POD_SECURITY_LABEL

_NOT_READY = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def check_namespace(store: Store, kind: ResourceKind, obj: Object) -> None:
    """Raise `Refused` when the namespace of a new object is not there (404) or going away (403)."""
    if not kind.namespaced:
        return
    namespace = store.find(NAMESPACE, "", namespace_of(obj))
    if namespace is None:
        raise not_found(NAMESPACE, namespace_of(obj))
    if is_deleting(namespace):
        why = f"unable to create new content in namespace {namespace_of(obj)} because it is being terminated"
        raise forbidden(kind, name_of(obj), why)


def admit_changes(store: Store, kind: ResourceKind, obj: Object) -> None:
    """Give a new object what admission adds to it, in place. Raises `Refused` (403)."""
    if kind != POD:
        return
    spec = obj["spec"]
    fill(spec, {"serviceAccountName": "default"})
    fill(spec, {"serviceAccount": spec["serviceAccountName"]})
    if store.find(SERVICE_ACCOUNT, namespace_of(obj), spec["serviceAccountName"]) is None:
        account = f'serviceaccount "{spec["serviceAccountName"]}" not found'
        why = f"error looking up service account {namespace_of(obj)}/{spec['serviceAccountName']}: {account}"
        raise forbidden(POD, name_of(obj), why)
    _priority(store, obj)
    _tolerate_short_outages(spec)
    default_resources(store, obj)


def admit(store: Store, kind: ResourceKind, obj: Object) -> None:
    """Raise `Refused` (403) when Pod Security, a LimitRange or a quota keeps a new object out."""
    if kind == POD:
        check_bounds(store, obj)
        check_pod_security(store, obj)
        check_policies(store, kind, Asked(CREATE, kind.plural, namespace_of(obj), name_of(obj), obj), on_pods=True)
    check_quota(store, kind, obj)


def check_pod_security(store: Store, pod: Object) -> None:
    """Raise `Refused` (403) when the pod breaks the level that its namespace enforces."""
    namespace = store.find(NAMESPACE, "", namespace_of(pod))
    labels = labels_of(namespace) if namespace else {}
    level = labels.get(POD_SECURITY_LABEL, "privileged")
    version = labels.get(f"{POD_SECURITY_LABEL}-version", "latest")
    broken = violations(pod["spec"], level)
    if broken:
        raise forbidden(POD, name_of(pod), f'violates PodSecurity "{level}:{version}": {", ".join(broken)}')


def check_policies(store: Store, kind: ResourceKind, asked: Asked, *, on_pods: bool = False) -> None:
    """Raise `Refused` (403) for what the sandbox lets no package do. `on_pods` are the policies on pods alone,
    which a controller's are held to as well as a caller's."""
    for policy in store.policies:
        mine = policy.name.startswith(ON_PODS) is on_pods and (policy.administrator or not asked.ours)
        if mine and policy.concerns(kind.group, asked) and policy.broken(asked):
            name = f"{OURS}-{policy.name}"
            why = f"ValidatingAdmissionPolicy '{name}' with binding '{name}' denied request: {policy.message}"
            raise forbidden(kind, asked.name, why)


def _priority(store: Store, pod: Object) -> None:
    name = pod["spec"].get("priorityClassName")
    if not name:
        return
    found = store.find(PRIORITY_CLASS, "", name)
    if found is None:
        raise forbidden(POD, name_of(pod), f"no PriorityClass with name {name} was found")
    pod["spec"]["priority"] = found.get("value", 0)


def _tolerate_short_outages(spec: Object) -> None:
    tolerations = spec.setdefault("tolerations", [])
    known = {toleration.get("key") for toleration in tolerations}
    tolerations += [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
        for key in _NOT_READY
        if key not in known
    ]
