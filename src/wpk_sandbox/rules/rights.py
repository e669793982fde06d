"""Rights over the whole cluster, and hooks into every request to it."""

from collections.abc import Iterator

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.package.kinds import resource_kind
from wpk_sandbox.package.package import KubernetesAction, Step
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.subject import Subject

CLUSTER_RIGHTS = Rule(
    "cluster-rights",
    Severity.HIGH,
    "Rights over the whole cluster are changed",
    "A ClusterRole or ClusterRoleBinding reaches every namespace. A runbook that hands out rights can be used to"
    " take over the cluster, and the rights outlive the run.",
    "Use a Role and a RoleBinding in the one namespace; let the platform team manage cluster roles by review.",
    cwe=269,
    points=POINTS[Severity.HIGH],
)
ADMISSION_WEBHOOK = Rule(
    "admission-webhook",
    Severity.HIGH,
    "An admission webhook is changed",
    "An admission webhook sees, changes and refuses the requests of everybody. A wrong one stops the cluster; a"
    " deleted one lets everything through.",
    "Leave webhook configurations to the operator that owns them.",
    cwe=269,
    points=POINTS[Severity.HIGH],
)

RULES = (CLUSTER_RIGHTS, ADMISSION_WEBHOOK)

_BY_KIND = {
    "ClusterRole": CLUSTER_RIGHTS,
    "ClusterRoleBinding": CLUSTER_RIGHTS,
    "ValidatingWebhookConfiguration": ADMISSION_WEBHOOK,
    "MutatingWebhookConfiguration": ADMISSION_WEBHOOK,
}
_READING_VERBS = frozenset({"get", "logs", "events", "wait", "metrics"})
_KUBECTL_CHANGES = frozenset({"create", "delete", "patch", "edit", "replace", "apply", "label", "annotate", "set"})


def check(subject: Subject) -> Iterator[Finding]:
    """Where a package changes what the whole cluster obeys."""
    for pointer, mapping in subject.mappings():
        kind = mapping.get("kind")
        # A `roleRef` names a ClusterRole without being one.
        if isinstance(kind, str) and kind in _BY_KIND and ("metadata" in mapping or "apiVersion" in mapping):
            yield subject.finding(_BY_KIND[kind], f"{pointer}/kind", f"a {kind} is made or changed")
    for step in subject.steps:
        if isinstance(step.action, KubernetesAction):
            yield from _action(subject, step, step.action)
    for text in subject.scripts:
        for command in text.script.commands:
            if kind := _kubectl(command):
                message = f"`{command.shown}` changes a {kind}"
                yield subject.in_script(_BY_KIND[kind], text, command.span, message)


def _action(subject: Subject, step: Step, action: KubernetesAction) -> Iterator[Finding]:
    found = resource_kind(action.reference.resource_type or "")
    if found and found.kind in _BY_KIND and action.verb not in _READING_VERBS:
        pointer = f"{step.pointer}/config/resource_type"
        yield subject.finding(_BY_KIND[found.kind], pointer, f"`{action.verb}` changes a {found.kind}")


def _kubectl(command: Command) -> str | None:
    """The kind of rights or webhook that a kubectl call changes."""
    if command.name not in ("kubectl", "oc"):
        return None
    takes = names("n namespace context kubeconfig cluster user f filename o output")
    operands = parse(command.arguments, takes).operands
    if len(operands) < 2 or operands[0].value not in _KUBECTL_CHANGES:
        return None
    kinds = [resource_kind(name) for name in (operands[1].value or "").split("/")[0].split(",")]
    return next((kind.kind for kind in kinds if kind and kind.kind in _BY_KIND), None)
