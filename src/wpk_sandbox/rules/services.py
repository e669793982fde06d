"""Services that open the cluster to the outside, or lead out of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.package.kinds import resource_kind
from wpk_sandbox.package.package import KubernetesAction
from wpk_sandbox.rules import hosts
from wpk_sandbox.rules.kubernetes.pods import objects
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.subject import Subject, as_mapping

NODE_PORT = Rule(
    "node-port",
    Severity.MEDIUM,
    "A Service opens a port on every node",
    "The port answers on each address of each node, whether the network around the cluster expects it or not. A"
    " Service of type `LoadBalancer` opens one too, and an address outside, unless it declines.",
    "Use `type: ClusterIP` behind an Ingress or Gateway; a load balancer can go without the ports:"
    " `allocateLoadBalancerNodePorts: false`.",
    cwe=668,
    points=POINTS[Severity.MEDIUM],
)
EXTERNAL_NAME = Rule(
    "external-name",
    Severity.MEDIUM,
    "A Service leads out of the cluster under a name inside of it",
    "Callers believe that they talk to a service of the cluster. Whoever owns the outside name, or its DNS record,"
    " gets their requests, with the credentials in them.",
    "Let the callers name the outside host themselves, where policies can see it; or name the host in"
    " `allowed_hosts` of the policy after a review.",
    cwe=441,
    points=POINTS[Severity.MEDIUM],
)

RULES = (NODE_PORT, EXTERNAL_NAME)

_TAKES = names(
    "n namespace context kubeconfig cluster user f filename o output type name port target-port selector l labels"
    " protocol external-ip external-name tcp node-port cluster-ip dry-run session-affinity load-balancer-ip"
)
_OPENS = ("NodePort", "LoadBalancer")
_CREATED = {"nodeport": "NodePort", "loadbalancer": "LoadBalancer"}


def check(subject: Subject) -> Iterator[Finding]:
    """Services that are made or changed to reach further than the cluster."""
    for each in objects(subject):
        if each.kind == "Service":
            yield from _service(subject, f"{each.pointer}/spec", as_mapping(each.data.get("spec")))
    for step in subject.steps:
        action = step.action
        if isinstance(action, KubernetesAction) and action.verb == "patch":
            known = resource_kind(action.reference.resource_type or "")
            data = as_mapping(action.options.get("data"))
            if known and known.kind == "Service":
                yield from _service(subject, f"{step.pointer}/config/data/spec", as_mapping(data.get("spec")))
    for text in subject.scripts:
        for command in text.script.commands:
            opened = _kubectl(command)
            if opened:
                message = f"`{command.shown}` makes a Service of type {opened}"
                yield subject.in_script(NODE_PORT, text, command.span, message)


def _service(subject: Subject, pointer: str, spec: Mapping[str, Any]) -> Iterator[Finding]:
    kind = str(spec.get("type"))
    if kind in _OPENS and not (kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is False):
        yield subject.finding(NODE_PORT, f"{pointer}/type", f"a Service of type {kind} opens a port on every node")
    name = spec.get("externalName")
    if kind == "ExternalName" and isinstance(name, str) and name:
        found = hosts.address(name, subject.policy.allowed_hosts, frozenset())
        if found.where is not hosts.Where.INSIDE and "${" not in name:
            message = f"the Service stands for {found.host}, outside of the cluster"
            yield subject.finding(EXTERNAL_NAME, f"{pointer}/externalName", message)


def _kubectl(command: Command) -> str | None:
    """The type of Service that a kubectl call opens."""
    if command.name not in ("kubectl", "oc"):
        return None
    options = parse(command.arguments, _TAKES)
    words = [word.value or "" for word in options.operands[:3]]
    if words[:1] == ["expose"]:
        asked = options.value("type")
        return asked.value if asked and asked.value in _OPENS else None
    if words[:1] == ["create"] and words[1:2] and words[1] in ("service", "svc"):
        return _CREATED.get(words[2]) if len(words) > 2 else None
    return None
