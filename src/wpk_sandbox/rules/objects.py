"""The rules of Kubernetes objects, gathered: what the API server refuses, and what it should not be asked for."""

from collections.abc import Iterator

from wpk_sandbox.finding import Finding, Rule
from wpk_sandbox.rules import escalation, manifests, podsecurity, services, tokens
from wpk_sandbox.rules.subject import Subject

_PARTS = (manifests, podsecurity, services, tokens, escalation)

RULES: tuple[Rule, ...] = tuple(rule for part in _PARTS for rule in part.RULES)


def check(subject: Subject) -> Iterator[Finding]:
    """What the Kubernetes objects, containers and patches of a package break."""
    for part in _PARTS:
        yield from part.check(subject)
