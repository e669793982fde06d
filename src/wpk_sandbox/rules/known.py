"""The critical findings that a base branch knows of and waives: the only ones that a comment can waive in CI."""

from collections import Counter
from collections.abc import Iterable

from wpk_sandbox.finding import Finding, Location, Severity, Waiver
from wpk_sandbox.package.package import Document, Package
from wpk_sandbox.rules.catalogue import rule as find_rule
from wpk_sandbox.rules.comments import lines_of
from wpk_sandbox.rules.policy import Policy

_Likeness = tuple[str, str, str, str]


class KnownCritical:
    """Critical findings of the base version, each of which excuses one like it under a waiver of the same terms."""

    def __init__(self, document: Document | None = None, findings: Iterable[Finding] = ()) -> None:
        self._left: Counter[_Likeness] = Counter()
        for finding in findings:
            if document and finding.waiver and critical(finding):
                self._left[_likeness(finding, finding.waiver, document)] += 1

    def take(self, finding: Finding, waiver: Waiver, document: Document) -> bool:
        """True, once, for a finding that the base has just so, in a handler that says the same to the letter.

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
        if _within(finding.location, package.document.locate(step.pointer)):
            return step.name
    return ""


def _likeness(finding: Finding, waiver: Waiver, document: Document) -> _Likeness:
    return finding.rule, finding.message, str(waiver), _surroundings(finding, document)


def _surroundings(finding: Finding, document: Document) -> str:
    """The lines of the handler that a finding lies in, its comments included; else those of the whole package."""
    lines = lines_of(document)
    root = document.locate("")
    place = next((each for each in _handlers(document) if _within(finding.location, each)), root)
    return "\n".join(line.strip() for line in lines[place.line - 1 : place.end_line])


def _handlers(document: Document) -> Iterable[Location]:
    for pointer, place in document.places.items():
        parent, _, last = pointer.rpartition("/")
        if last.isdecimal() and parent in ("/spec/handlers", "/spec/rollback/handlers"):
            yield place


def _within(place: Location, whole: Location) -> bool:
    return (whole.line, whole.column) <= (place.line, place.column) and place.line <= whole.end_line
