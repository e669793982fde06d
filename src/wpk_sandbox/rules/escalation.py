"""Roles that let their holder take more rights than they name.

https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.package.kinds import resource_kind
from wpk_sandbox.package.package import KubernetesAction
from wpk_sandbox.rules.kubernetes.pods import objects
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.subject import ShellText, Subject, as_list, as_mapping

ROLE_ESCALATION = Rule(
    "role-escalation",
    Severity.HIGH,
    "A role gives the means to take further rights",
    "Whoever may bind roles, impersonate others, read all Secrets, run commands in pods, make pods or issue tokens"
    " holds the rights of everybody they reach that way, whatever the role itself names.",
    "Grant the verbs that the work needs on the resources that it needs, with `resourceNames` where there are few.",
    cwe=269,
    points=POINTS[Severity.HIGH],
)

RULES = (ROLE_ESCALATION,)

_ROLES = ("Role", "ClusterRole")
_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
_READ = names("get list watch")
_CHANGE = names("create update patch")
_WRITE = names("update patch")
_RBAC = "rbac.authorization.k8s.io"
_CERTIFICATES = "certificates.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"
# API group, resource, the verbs on it that lead further, and what they give.
_LEADS_ON: tuple[tuple[str, str, frozenset[str], str], ...] = (
    ("", "secrets", _READ, "reads Secrets, and every token and password in them"),
    ("", "pods/exec", names("create get"), "runs commands in pods, with the rights of their accounts"),
    ("", "pods/attach", names("create get"), "talks to the processes of pods, with the rights of their accounts"),
    ("", "pods/ephemeralcontainers", _WRITE, "adds containers to running pods"),
    ("", "pods", names("create"), "makes pods, with any account and any Secret of the namespace"),
    ("", "serviceaccounts/token", names("create"), "issues tokens of other accounts"),
    ("", "nodes/proxy", names("get create"), "talks to the kubelets, past the API server and its audit log"),
    ("", "persistentvolumes", names("create"), "makes volumes of the nodes' own folders"),
    (_CERTIFICATES, "certificatesigningrequests/approval", _WRITE, "approves certificates, and so new identities"),
    (_CERTIFICATES, "signers", names("approve sign"), "signs certificates, and so makes new identities"),
    (_ADMISSION, "mutatingwebhookconfigurations", _CHANGE, "reads and changes the requests of everybody"),
    (_ADMISSION, "validatingwebhookconfigurations", _CHANGE, "reads the requests of everybody"),
)
# Verb, API groups, resources, and what it gives there.
_VERBS: tuple[tuple[str, frozenset[str], frozenset[str], str], ...] = (
    ("escalate", frozenset({_RBAC}), names("roles clusterroles"), "writes roles with rights that it does not have"),
    ("bind", frozenset({_RBAC}), names("roles clusterroles"), "binds roles with rights that it does not have"),
    (
        "impersonate",
        frozenset({"", "authentication.k8s.io"}),
        names("users groups serviceaccounts uids userextras"),
        "acts as somebody else",
    ),
)
_OPEN_TO_ALL = names("system:anonymous system:unauthenticated system:authenticated system:masters")
_TAKES = names("n namespace context kubeconfig cluster user verb resource resource-name clusterrole role group")
_TAKES_MORE = names("serviceaccount o output dry-run aggregation-rule non-resource-url")


def check(subject: Subject) -> Iterator[Finding]:
    """Roles and bindings that lead further than they say."""
    for each in objects(subject):
        if each.kind in _ROLES:
            yield from _rules(subject, f"{each.pointer}/rules", each.data.get("rules"))
        elif each.kind in _BINDINGS:
            yield from _binding(subject, each.pointer, each.data)
    for step in subject.steps:
        action = step.action
        if isinstance(action, KubernetesAction) and action.verb == "patch":
            known = resource_kind(action.reference.resource_type or "")
            if known and known.kind in _ROLES:
                data = as_mapping(action.options.get("data"))
                yield from _rules(subject, f"{step.pointer}/config/data/rules", data.get("rules"))
    for text in subject.scripts:
        for command in text.script.commands:
            yield from _kubectl(subject, text, command)


@dataclass(frozen=True)
class _Grant:
    """A rule of a role. No `groups` means that they are not known; `named`, that it is for a few objects only."""

    verbs: frozenset[str]
    resources: frozenset[str]
    groups: frozenset[str] = frozenset()
    named: bool = False

    def leads(self) -> Iterator[str]:
        """What it gives beyond what it names."""
        if {"*"} <= self.verbs & self.resources and (not self.groups or "*" in self.groups):
            yield "may do everything with everything"
            return
        for verb, groups, resources, gives in _VERBS:
            # A few roles to bind are what a runbook is expected to ask for; to write them is to write anything.
            few = self.named and verb != "escalate"
            if not few and self._may({verb}) and self._in(groups) and self._on(resources):
                yield gives
        for group, resource, verbs, gives in _LEADS_ON:
            if not self.named and self._may(verbs) and self._in({group}) and self._covers(resource):
                yield gives

    def _may(self, verbs: Set[str]) -> bool:
        return bool((verbs | {"*"}) & self.verbs)

    def _in(self, groups: Set[str]) -> bool:
        return not self.groups or bool((groups | {"*"}) & self.groups)

    def _on(self, resources: Set[str]) -> bool:
        return bool((resources | {"*"}) & {name.partition("/")[0] for name in self.resources})

    def _covers(self, resource: str) -> bool:
        kind, slash, sub = resource.partition("/")
        wider = {"*", resource} | ({f"*/{sub}", f"{kind}/*"} if slash else set())
        return bool(wider & self.resources)


def _rules(subject: Subject, pointer: str, rules: Any) -> Iterator[Finding]:
    for index, item in enumerate(as_list(rules)):
        rule = as_mapping(item)
        verbs, resources, groups = (_texts(rule.get(key)) for key in ("verbs", "resources", "apiGroups"))
        grant = _Grant(verbs, resources, groups, named=bool(rule.get("resourceNames")))
        found = list(grant.leads())
        if found:
            field = "verbs" if grant.verbs & names("* escalate bind impersonate") else "resources"
            yield subject.finding(ROLE_ESCALATION, f"{pointer}/{index}/{field}", _message(found))


def _message(found: list[str]) -> str:
    shown = "; ".join(found[:3])
    return f"whoever holds the role {shown}" + (f"; and {len(found) - 3} more" if len(found) > 3 else "")


def _binding(subject: Subject, pointer: str, data: Mapping[str, Any]) -> Iterator[Finding]:
    role = as_mapping(data.get("roleRef")).get("name")
    # A ClusterRoleBinding is a finding of its own, whichever role it gives.
    if role == "cluster-admin" and data.get("kind") != "ClusterRoleBinding":
        message = "the binding gives `cluster-admin`, which may do everything"
        yield subject.finding(ROLE_ESCALATION, f"{pointer}/roleRef/name", message)
    for index, item in enumerate(as_list(data.get("subjects"))):
        name = str(as_mapping(item).get("name"))
        if name in _OPEN_TO_ALL:
            place = f"{pointer}/subjects/{index}/name"
            yield subject.finding(ROLE_ESCALATION, place, f"the binding reaches everybody in `{name}`")


def _kubectl(subject: Subject, text: ShellText, command: Command) -> Iterator[Finding]:
    """`kubectl create role --verb=… --resource=…` and `kubectl create rolebinding --clusterrole=cluster-admin`."""
    if command.name not in ("kubectl", "oc"):
        return
    options = parse(command.arguments, _TAKES | _TAKES_MORE)
    words = [word.value or "" for word in options.operands[:2]]
    if words in (["create", "role"], ["create", "clusterrole"]):
        verbs, resources = (
            [part for word in options.values.get(name, ()) for part in (word.value or "").split(",")]
            for name in ("verb", "resource")
        )
        plain = frozenset(_without_group(name) for name in resources)
        found = list(_Grant(frozenset(verbs), plain, named=options.has("resource-name")).leads())
        if found:
            yield subject.in_script(ROLE_ESCALATION, text, command.span, _message(found))
    elif words == ["create", "rolebinding"]:
        role = options.value("clusterrole")
        if role and role.value == "cluster-admin":
            message = f"`{command.shown}` gives `cluster-admin`, which may do everything"
            yield subject.in_script(ROLE_ESCALATION, text, command.span, message)


def _without_group(name: str) -> str:
    """`secrets` for `secrets`, `roles` for `roles.rbac.authorization.k8s.io`, `pods/exec` as it is."""
    kind, slash, sub = name.partition("/")
    known = resource_kind(kind)
    return (known.plural if known else kind.partition(".")[0]) + slash + sub


def _texts(value: Any) -> frozenset[str]:
    return frozenset(item for item in as_list(value) if isinstance(item, str))
