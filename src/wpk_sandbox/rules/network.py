"""Whom a package contacts outside of the cluster."""

from collections.abc import Iterator

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.package.package import ApiAction, KubernetesAction, ManifestAction, Step
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules import hosts
from wpk_sandbox.rules.hosts import Where
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell import clients
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.subject import ShellText, Subject, as_mapping

EXTERNAL_CALL = Rule(
    "external-call",
    Severity.HIGH,
    "The package calls a host outside of the cluster",
    "Data leaves the cluster, or an answer from outside steers a repair. If that host is down, slow or taken over,"
    " so is the runbook.",
    "Call a service of the cluster; or name the host in `allowed_hosts` of the policy after a review.",
    cwe=918,
    points=POINTS[Severity.HIGH],
)
METADATA_CALL = Rule(
    "metadata-call",
    Severity.CRITICAL,
    "The package asks the cloud's metadata service",
    "The metadata service hands out the credentials of the machine to whoever asks from it; with them an attacker"
    " goes on from one node to the whole account.",
    "Give the runbook its own service account (workload identity), and take nothing from the metadata service.",
    cwe=918,
    points=POINTS[Severity.CRITICAL],
)
UNKNOWN_HOST = Rule(
    "unknown-host",
    Severity.LOW,
    "Which host is called is decided by a parameter",
    "Whether the call leaves the cluster cannot be told from the package. Whoever fills the parameter decides where"
    " the data goes.",
    "Write the host down and leave only the path to a parameter; or check in production that the value is one of"
    " those that are meant.",
    cwe=918,
    points=POINTS[Severity.LOW],
)

RULES = (EXTERNAL_CALL, METADATA_CALL, UNKNOWN_HOST)

_PARAMETER = Pattern(r"\$\{[^}]*\}")


def check(subject: Subject) -> Iterator[Finding]:
    """The calls of API steps and of shell commands that leave the cluster, or may."""
    namespaces = frozenset(named_namespaces(subject))
    for step in subject.steps:
        if isinstance(step.action, ApiAction):
            yield from _api(subject, step, step.action, namespaces)
    for text in subject.scripts:
        for command in text.script.commands:
            yield from _command(subject, text, command, namespaces)


def _api(subject: Subject, step: Step, action: ApiAction, namespaces: frozenset[str]) -> Iterator[Finding]:
    url = _PARAMETER.sub(hosts.UNKNOWN_MARK, action.url)
    found = hosts.address(url, subject.policy.allowed_hosts, namespaces)
    told = _told(found)
    if told:
        rule, message = told
        yield subject.finding(rule, f"{step.pointer}/config/url", f"the call goes to {message}")


def _command(subject: Subject, text: ShellText, command: Command, namespaces: frozenset[str]) -> Iterator[Finding]:
    allowed = subject.policy.allowed_hosts
    for word in clients.addresses(command):
        if _is_api_server(word.shown):
            continue
        told = _told(hosts.address(word.template(hosts.UNKNOWN_MARK), allowed, namespaces))
        if told:
            rule, message = told
            yield subject.in_script(rule, text, word.span, f"`{command.name}` calls {message}")
    if command.name in clients.SERVICES:
        found = hosts.address(clients.SERVICES[command.name], allowed, namespaces)
        if found.where is Where.OUTSIDE:
            message = f"`{command.name}` calls {found.host}"
            yield subject.in_script(EXTERNAL_CALL, text, command.span, message)


def _told(found: hosts.Address) -> tuple[Rule, str] | None:
    """The rule that an address breaks, and what the message says of it."""
    match found.where:
        case Where.OUTSIDE:
            return EXTERNAL_CALL, f"{found.host}, outside of the cluster"
        case Where.METADATA:
            return METADATA_CALL, f"{found.host}, the cloud's metadata service"
        case Where.PRIVATE:
            return UNKNOWN_HOST, f"the private address {found.host}, which may be outside of the cluster"
        case Where.UNKNOWN:
            return UNKNOWN_HOST, "a host that a parameter decides"
        case Where.INSIDE:
            return None


def _is_api_server(shown: str) -> bool:
    """True for the address that Kubernetes itself puts into every container."""
    return "KUBERNETES_SERVICE_HOST" in shown


def named_namespaces(subject: Subject) -> Iterator[str]:
    """The namespaces that a package names, whose services are inside of the cluster."""
    for step in subject.steps:
        action = step.action
        if isinstance(action, KubernetesAction) and action.reference.namespace:
            yield action.reference.namespace
        elif isinstance(action, ManifestAction):
            namespace = as_mapping(action.manifest.get("metadata")).get("namespace")
            if isinstance(namespace, str):
                yield namespace
