"""What a base branch waives by comments: in CI nothing else that a comment excuses is excused."""

import json
from collections import Counter
from collections.abc import Iterable

from wpk_sandbox.finding import Finding, Severity, Waiver
from wpk_sandbox.package.package import Document, Package
from wpk_sandbox.package.validate import value_at
from wpk_sandbox.rules.catalogue import rule as find_rule
from wpk_sandbox.rules.policy import Policy
from wpk_sandbox.rules.waived_text import command_at, handler_of, within, written_at

# What a command does may be decided by all else that `spec` says, such as the values of parameters.
_APART = ("handlers", "rollback", "monitoring", "description")


class Known:
    """The findings that a base waives by comments, each of which excuses one like it under the same terms.

    A critical finding is like another in a handler that says the same to the letter, under the same parameters,
    triggers and switches; any other in the same command, or on the same line, of a handler of the same name.
    """

    def __init__(self, document: Document | None = None, findings: Iterable[Finding] = ()) -> None:
        self._left: Counter[tuple[str, ...]] = Counter()
        for finding in findings:
            if document and finding.waiver and finding.waiver.location.path == document.path:
                self._left[_likeness(finding, finding.waiver, document)] += 1

    def take(self, finding: Finding, waiver: Waiver, document: Document) -> bool:
        """True, once, for a finding that the base has just so.

        The reason, the end and the owner of the waiver must be the base's too: nobody prolongs it on the way.
        """
        likeness = _likeness(finding, waiver, document)
        if self._left[likeness] < 1:
            return False
        self._left[likeness] -= 1
        return True


def critical(finding: Finding) -> bool:
    """True where the rule is critical by itself, or the policy made it so."""
    return finding.severity is Severity.CRITICAL or is_critical(finding.rule, Policy())


def is_critical(name: str, policy: Policy) -> bool:
    """The same of a rule's id; what the policy made high stays critical here."""
    rule = find_rule(name)
    own = next((each.severity for each in policy.rules if each.id == name), None)
    return Severity.CRITICAL in (rule.severity if rule else None, own, policy.severity.get(name))


def step_name(finding: Finding, package: Package) -> str:
    """The name of the step that a finding lies in, or nothing."""
    if finding.location.path != package.path:
        return ""
    handlers = (*package.handlers, *package.rollback.handlers)
    for step in (step for handler in handlers for step in handler.steps):
        if within(finding.location, package.document.locate(step.pointer)):
            return step.name
    return ""


def _likeness(finding: Finding, waiver: Waiver, document: Document) -> tuple[str, ...]:
    terms = (finding.rule, finding.message, str(waiver))
    handler = handler_of(finding.location, document)
    if critical(finding):
        return (*terms, *_surroundings(handler, document))
    name = value_at(document.data, f"{handler}/name") if handler else ""
    around = command_at(finding.location, document) or written_at(finding.location, document)
    return (*terms, str(name), around)


def _surroundings(handler: str, document: Document) -> tuple[str, str]:
    """The handler as it is written, comments included, and what it and the rest of the package come to.

    A reference stands for what is written elsewhere, so the same lines need not mean the same.
    """
    spec = document.data.get("spec")
    rest = {key: spec[key] for key in spec if key not in _APART} if isinstance(spec, dict) else {}
    meaning = [value_at(document.data, handler), rest]
    return written_at(document.locate(handler), document), json.dumps(meaning, sort_keys=True)
