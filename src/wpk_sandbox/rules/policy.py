"""From findings to a decision: what each rule adds to the risk, and what the sum means.

Thresholds are the newer of the published policy's two scales: below 25 approve, below
50 review, below 76 a person must look, from 76 the package never starts.

The points of each severity are chosen for that scale (`POINTS`): one critical finding reaches the block by itself;
one high finding asks for a review, two for a person, three block; mediums add up to a review from the third on;
lows only tip a scale that is nearly full; infos never count.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from wpk_sandbox.finding import Finding, Location, Severity, Waiver

POINTS: Mapping[Severity, int] = {
    Severity.CRITICAL: 80,
    Severity.HIGH: 30,
    Severity.MEDIUM: 10,
    Severity.LOW: 3,
    Severity.INFO: 0,
}


class Outcome(StrEnum):
    """What the risk asks for."""

    APPROVE = "approve"
    REVIEW = "review"
    PERSON = "needs a person"
    BLOCK = "block"


@dataclass(frozen=True)
class CustomRule:
    """A rule of the repository's own: a finding where the CEL expression `when` is true of a package's plain data.

    `at` is the JSON pointer of what the finding points at. `hits` and `misses` are packages, or parts of some, that
    `policy test` holds the rule to.
    """

    id: str
    when: str
    message: str
    severity: Severity = Severity.MEDIUM
    fix: str = ""
    at: str = "/metadata/name"
    hits: tuple[Mapping[str, Any], ...] = ()
    misses: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class FileWaiver:
    """An entry of `policy.waivers`: findings of a rule in the files of a path (`*` matches) may stand.

    `text` narrows it to findings that mark just that text, or all of a line, command or handler that is it.
    `problem` says what the entry lacks.
    """

    rule: str
    path: str
    waiver: Waiver
    text: str = ""
    problem: str = ""

    @property
    def exact(self) -> bool:
        """True when it is about one text in one file, which is what a critical rule takes."""
        return bool(self.text) and not any(sign in self.path for sign in "*?")


@dataclass(frozen=True)
class Policy:
    """What a repository lets through. Scores from each bound on mean the next stricter outcome.

    `severity` gives rules another severity, or None to turn them off. `required_fields` are dotted paths.
    `inline_waivers` says which comments of a change count (`any`, those that the `base` has, `none`), `waiver_days`
    how many days from today a waiver may run at most.
    """

    review_from: int = 25
    person_from: int = 50
    block_from: int = 76
    allowed_images: tuple[str, ...] = ()
    allowed_registries: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    max_cpu: float = 2.0
    max_memory: int = 8 * 1024**3
    severity: Mapping[str, Severity | None] = field(default_factory=dict)
    required_fields: tuple[str, ...] = ()
    rules: tuple[CustomRule, ...] = ()
    waivers: tuple[FileWaiver, ...] = ()
    inline_waivers: str = "base"
    waiver_days: int = 366


@dataclass(frozen=True)
class RiskItem:
    """One line of the explanation: this rule added these points because of this place."""

    rule: str
    points: int
    location: Location
    message: str


@dataclass(frozen=True)
class Decision:
    """The risk score (0 to 100), what it asks for, why in one line, and its table."""

    risk: int
    outcome: Outcome
    reason: str
    items: tuple[RiskItem, ...] = ()

    @property
    def blocked(self) -> bool:
        """True when the package must not start."""
        return self.outcome is Outcome.BLOCK


def weighed(findings: Iterable[Finding], policy: Policy) -> tuple[Finding, ...]:
    """The findings with the severities that the policy gives them, without those that it turns off."""
    kept = []
    for finding in findings:
        severity = policy.severity.get(finding.rule, finding.severity)
        if severity is finding.severity:
            kept.append(finding)
        elif severity is not None:
            kept.append(replace(finding, severity=severity, points=POINTS[severity]))
    return tuple(kept)


def decide(findings: Iterable[Finding], policy: Policy, *, automatic: bool) -> Decision:
    """Add the points up (at most 100) and compare; `automatic` packages are held to the stricter neighbour.

    A critical finding blocks whatever the score is. A waived one counts for nothing.
    """
    found = sorted((each for each in findings if each.waiver is None), key=lambda finding: finding.order)
    items = tuple(RiskItem(f.rule, f.points, f.location, f.message) for f in found if f.points)
    risk = min(100, sum(item.points for item in items))
    outcome = _outcome(risk, policy)
    reason = f"risk {risk} of 100"
    if automatic and outcome in (Outcome.REVIEW, Outcome.PERSON):
        outcome = Outcome.PERSON if outcome is Outcome.REVIEW else Outcome.BLOCK
        reason += ", held to the stricter neighbour because of `mode: auto`"
    critical = next((f for f in found if f.severity is Severity.CRITICAL), None)
    if critical:
        outcome, reason = Outcome.BLOCK, f"{critical.rule} at line {critical.location.line} is critical"
    return Decision(risk, outcome, reason, items)


def _outcome(risk: int, policy: Policy) -> Outcome:
    if risk >= policy.block_from:
        return Outcome.BLOCK
    if risk >= policy.person_from:
        return Outcome.PERSON
    return Outcome.REVIEW if risk >= policy.review_from else Outcome.APPROVE
