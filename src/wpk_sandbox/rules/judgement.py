"""The whole judgement of one package: rules, severities of the policy, waivers, decision, and what a change did."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from wpk_sandbox.finding import Finding
from wpk_sandbox.package.package import Case, Package
from wpk_sandbox.rules.check import check
from wpk_sandbox.rules.difference import risk_changes
from wpk_sandbox.rules.known import Known
from wpk_sandbox.rules.masking import hidden_of, hidden_values, without
from wpk_sandbox.rules.policy import Decision, FileWaiver, Policy, decide, weighed
from wpk_sandbox.rules.waivers import waive


@dataclass(frozen=True)
class Before:
    """The base version of a package, judged. Without a package: the base was looked at, and has none.

    `known` is used up while packages are judged: each waived finding of the base excuses one.
    """

    package: Package | None = None
    findings: tuple[Finding, ...] = ()
    risk: int | None = None
    known: Known = field(default_factory=Known)


@dataclass(frozen=True)
class Judgement:
    """What is to be said of a package. `used` are the policy's waivers that counted."""

    findings: tuple[Finding, ...]
    decision: Decision
    used: frozenset[FileWaiver] = frozenset()
    base_risk: int | None = None
    risk_changes: tuple[str, ...] = ()


def judgement(
    package: Package,
    further: Iterable[Finding],
    policy: Policy,
    today: date,
    before: Before | None = None,
    *,
    cases: Sequence[Case] = (),
) -> Judgement:
    """Judge a package; `further` are the findings of its loading, `cases` those of its case file.

    `before` is what a change is measured against: with it a comment waives only what the base waives too (and,
    where the policy says so, what is not critical).
    """
    further = tuple(further)
    found = weighed([*further, *check(package, policy, cases)], policy)
    known = before.known if before else None
    beside = [document for documents in package.files.values() for document in documents]
    waived = waive(package.document, found, policy, today, known, beside=beside)
    findings = tuple(sorted(_shown(package, cases, further, waived.findings), key=lambda each: each.order))
    decision = decide(findings, policy, automatic=package.safety.mode == "auto")
    if before is None or before.package is None:
        return Judgement(findings, decision, waived.used)
    changes = risk_changes((before.package, before.findings), (package, findings))
    return Judgement(findings, decision, waived.used, before.risk, changes)


def _shown(
    package: Package, cases: Sequence[Case], further: Sequence[Finding], findings: Sequence[Finding]
) -> Iterator[Finding]:
    """The findings without secrets in what the rules have not said themselves: of files, and reasons of waivers."""
    if not further and not any(each.waiver for each in findings):
        yield from findings
        return
    values = [value for case in cases for value in (case.parameters, case.event, *case.objects)]
    hidden = hidden_of([package]) | hidden_values(*values)
    yield from (without(finding, hidden) for finding in findings)


def judged_before(
    package: Package, further: Iterable[Finding], policy: Policy, today: date, *, cases: Sequence[Case] = ()
) -> Before:
    """The base version under the same policy and on the same day."""
    made = judgement(package, further, policy, today, cases=cases)
    known = Known(package.document, made.findings)
    return Before(package, made.findings, made.decision.risk, known)
