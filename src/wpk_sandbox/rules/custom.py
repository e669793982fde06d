"""What a repository asks of its packages beyond our rules: fields that must be there, and rules of its own."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.rules import cel
from wpk_sandbox.rules.policy import POINTS, CustomRule
from wpk_sandbox.rules.subject import Subject, escaped

REQUIRED_FIELD = Rule(
    "required-field",
    Severity.MEDIUM,
    "A field that this repository requires is missing",
    "The repository's policy (`policy.required_fields`) asks every package for it: whoever is woken by the runbook"
    " relies on its being there.",
    "Write the field, with a value.",
    points=POINTS[Severity.MEDIUM],
)

RULES = (REQUIRED_FIELD,)


def check(subject: Subject) -> Iterator[Finding]:
    """What the policy asks for beyond the rules that everybody has."""
    for name in subject.policy.required_fields:
        parts = name.split(".")
        if _value(subject.package.document.data, parts) in (None, "", [], {}):
            pointer = "/" + "/".join(map(escaped, parts))
            fix = f"Write `{name}` with a value."
            yield subject.finding(REQUIRED_FIELD, pointer, f"`{name}` is missing", fix, key=True)
    for rule in subject.policy.rules:
        if message := broken(rule, subject):
            yield subject.finding(as_rule(rule), rule.at, message)


def broken(rule: CustomRule, subject: Subject) -> str:
    """What to say where a package breaks the rule, or nothing.

    A rule that has no answer for a package counts as broken: what cannot be judged is not let through unseen.
    """
    document = subject.package.document
    try:
        return rule.message if _expression(rule.when).holds(document.data, document.path) else ""
    except cel.ExpressionError as error:
        return f"{rule.message} (the rule cannot be asked of this package: {error})"


def as_rule(rule: CustomRule) -> Rule:
    """The rule in the form that all rules have."""
    return Rule(rule.id, rule.severity, rule.message, rule.message, rule.fix, points=POINTS[rule.severity])


@cache
def _expression(text: str) -> cel.Expression:
    return cel.read(text)


def _value(data: Any, parts: list[str]) -> Any:
    for part in parts:
        data = data.get(part) if isinstance(data, dict) else None
    return data
