"""What a package may ask of a cluster: its `required_permissions` as accounts and roles, the same on every cluster.

Two accounts act for a package. A shell's account holds what the author wrote, to the letter: kubectl's requests
are known. The account of the steps holds as well what an engine may use in its stead (`update` for `patch`),
because how the engine of production carries a step out is not. https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wpk_sandbox.package.kinds import RESOURCE_KINDS, ResourceKind, resource_kind
from wpk_sandbox.rules.permission import read

# Where the accounts live: a namespace of ours, in which no package may do anything.
HOME = "wpk-sandbox"
SHELL, STEPS = "package", "steps"
OURS = "wpk-sandbox"
# What stands in each namespace of the package.
BINDINGS = (f"{OURS}-{SHELL}", f"{OURS}-{STEPS}")

# Neither `escalate`, `bind` nor `impersonate`: with one of them an account could give itself every other right.
ALL_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")

# What a shell may do where the package lists nothing: change workloads and their settings, but no roles.
# https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles
UNLISTED_ROLE = "edit"

# API groups whose objects decide over all requests; the API server does not hold them to admission policies.
UNTOUCHABLE = ("admissionregistration.k8s.io", "apiregistration.k8s.io")

_RBAC = "rbac.authorization.k8s.io"
_READS = ("get", "list", "watch")
_CHANGES = ("patch", "update")
_REMOVALS = ("delete", "deletecollection")
_SCALABLE = ("deployments", "statefulsets", "replicasets", "replicationcontrollers")
_SUBRESOURCES: Mapping[str, tuple[str, ...]] = {
    "pods": ("log", "status", "eviction", "exec", "attach", "portforward", "ephemeralcontainers", "resize"),
    "serviceaccounts": ("token",),
    **dict.fromkeys(_SCALABLE, ("scale", "status")),
}
# A way to the kubelet, and so to every pod of the node.
_NEVER = ("nodes/proxy", "nodes/log", "nodes/exec", "nodes/attach", "nodes/portforward")
# The format's own actions, where an author lists them in place of the API's verbs.
_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "wait": _READS,
    "events": _READS,
    "metrics": ("get",),
    "restart": (*_READS, *_CHANGES),
    "rollback": (*_READS, *_CHANGES),
    "annotate": _CHANGES,
    "copy": ("get", "create"),
    "restore": ("get", "create", *_CHANGES, "delete"),
    "apply": ("get", "create", *_CHANGES),
    "run": ("get", "create", "delete"),
}
_RESTARTED_ANEW = ("pods", "jobs")


@dataclass(frozen=True)
class Rule:
    """One rule of a role: a group (`*` for any), a resource with its subresource, and verbs."""

    group: str
    resource: str
    verbs: tuple[str, ...]

    @property
    def manifest(self) -> dict[str, Any]:
        """The rule as a role holds it."""
        return {"apiGroups": [self.group], "resources": [self.resource], "verbs": list(self.verbs)}

    @property
    def kind(self) -> ResourceKind | None:
        """The kind that it is about; None for all, or for one that we do not know."""
        plural = self.resource.partition("/")[0]
        return next((kind for kind in RESOURCE_KINDS if (kind.plural, kind.group) == (plural, self.group)), None)


def user_name(account: str) -> str:
    """What the API server calls an account."""
    return f"system:serviceaccount:{HOME}:{account}"


def role_rules(permissions: Iterable[str], *, widely: bool) -> tuple[Rule, ...]:
    """The rules that permissions stand for; one that cannot be read gives nothing.

    `widely` adds what an engine may use in the stead of what is written.
    """
    exact = [rule for text in permissions for rule in _written(text)]
    found = [rule for one in exact for rule in (_widened(one) if widely else (one,))]
    return tuple(rule for rule in dict.fromkeys(found) if rule.resource not in _NEVER)


def account_objects(permissions: tuple[str, ...] | None) -> tuple[dict[str, Any], ...]:
    """The accounts, and what they may do to objects of the whole cluster, in the order in which they are made."""
    home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HOME, "labels": {}}}
    accounts = tuple(_account(name) for name in (SHELL, STEPS))
    return (home, *accounts, *(one for name in (SHELL, STEPS) for one in _roles(name, permissions)))


def binding_objects(namespace: str, permissions: tuple[str, ...] | None) -> tuple[dict[str, Any], ...]:
    """What lets the accounts work in a namespace."""
    unlisted = permissions is None
    roles = {SHELL: UNLISTED_ROLE if unlisted else _role_name(SHELL), STEPS: _role_name(STEPS)}
    return tuple(_binding("RoleBinding", _role_name(name), role, name, namespace) for name, role in roles.items())


def _written(text: str) -> Iterator[Rule]:
    permission = read(text)
    if permission is None:
        return
    parts = re.split(r"[/:]", text.strip().lower())
    known = resource_kind(parts[0])
    plural, _, group = parts[0].partition(".")
    plural, group = (known.plural, known.group) if known else (plural, group or "*")
    for name, verbs in _requests(plural, permission.can, parts[2] if len(parts) > 2 else ""):
        yield Rule(group, name, verbs)
    if (plural, group) == ("events", ""):
        yield Rule("events.k8s.io", "events", ALL_VERBS if permission.can == "*" else _READS)


def _requests(plural: str, can: str, verb: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The resources and verbs that one permission means. `scale` is a subresource, whatever else it may be."""
    if can == "*":
        yield plural, ALL_VERBS
        yield from ((f"{plural}/{name}", ALL_VERBS) for name in _SUBRESOURCES.get(plural, ("status",)))
    elif can in ALL_VERBS:
        yield plural, (can,)
    elif can == "logs":
        yield "pods/log", ("get",)
    elif can in _ACTIONS:
        anew = can == "restart" and plural in _RESTARTED_ANEW
        yield plural, (*_READS, "create", "delete") if anew else _ACTIONS[can]
    else:
        yield f"{plural}/{can}", (verb,) if verb in ALL_VERBS else ALL_VERBS


def _widened(rule: Rule) -> Iterator[Rule]:
    """A rule with what does the same in another way."""
    same = [group for group in (_READS, _CHANGES, _REMOVALS) if set(group) & set(rule.verbs)]
    verbs = tuple(dict.fromkeys((*rule.verbs, *(verb for group in same for verb in group))))
    yield Rule(rule.group, rule.resource, verbs)
    if rule.resource in _SCALABLE and set(_CHANGES) & set(verbs):
        yield Rule(rule.group, f"{rule.resource}/scale", ("get", *_CHANGES))
    if rule.resource == "pods/eviction":
        yield Rule(rule.group, "pods", _REMOVALS)


def _split(rules: Iterable[Rule]) -> tuple[list[Rule], list[Rule]]:
    """The rules for namespaces, and those for the whole cluster; of a custom kind we cannot tell, so it is in both.

    A right to everything is one in namespaces, and over the kinds of the cluster that we know.
    """
    within: list[Rule] = []
    whole: list[Rule] = []
    for rule in rules:
        if rule.resource.partition("/")[0] == "*":
            within.append(Rule("*", rule.resource, rule.verbs))
            whole += [Rule(kind.group, kind.plural, rule.verbs) for kind in RESOURCE_KINDS if _is_of_cluster(kind)]
        elif rule.kind is None:
            within.append(rule)
            whole.append(rule)
        else:
            (within if rule.kind.namespaced else whole).append(rule)
    # What decides over all requests is nobody's but ours.
    return within, [rule for rule in whole if rule.group not in UNTOUCHABLE]


def _is_of_cluster(kind: ResourceKind) -> bool:
    return not kind.namespaced and kind.group not in UNTOUCHABLE


def _account(name: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": HOME}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def _role_name(account: str) -> str:
    return f"{OURS}-{account}"


def _roles(account: str, permissions: tuple[str, ...] | None) -> tuple[dict[str, Any], ...]:
    # Of a package that lists nothing, nothing is known: its steps may do what the sandbox lets any package do.
    nothing = ("*",) if account == STEPS else ()
    rules = role_rules(nothing if permissions is None else permissions, widely=account == STEPS)
    within, whole = _split(rules)
    name = _role_name(account)
    over_all = f"{name}-cluster"
    return (
        _role(name, within),
        _role(over_all, whole),
        _binding("ClusterRoleBinding", over_all, over_all, account),
    )


def _role(name: str, rules: list[Rule]) -> dict[str, Any]:
    manifests = [rule.manifest for rule in rules]
    return {"apiVersion": f"{_RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": manifests}


def _binding(kind: str, name: str, role: str, account: str, namespace: str = "") -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": kind,
        "metadata": metadata,
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": HOME}],
    }
