"""Waivers: somebody's word, for a reason and until a day, that a finding may stand.

A waiver stands in the package, as a comment on the line that a finding starts on or right above it, or in the
repository's policy. What is waived stays in every report.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from wpk_sandbox.finding import Finding, Location, Rule, Severity, Waiver
from wpk_sandbox.package.package import Document
from wpk_sandbox.package.problems import LOAD_RULES
from wpk_sandbox.package.selection import matches_whole
from wpk_sandbox.rules.catalogue import nearest
from wpk_sandbox.rules.catalogue import rule as find_rule
from wpk_sandbox.rules.comments import lines_of
from wpk_sandbox.rules.known import Known, critical
from wpk_sandbox.rules.policy import FileWaiver, Policy
from wpk_sandbox.rules.waived_text import marked, whole
from wpk_sandbox.rules.waiver_rules import EXPIRED, INVALID, NEW, REFUSED, RULES, UNUSED
from wpk_sandbox.rules.waiver_text import Live, Written, written

_OWN = frozenset(rule.id for rule in RULES)
_UNREADABLE = frozenset(rule.id for rule in LOAD_RULES if rule.severity.rank >= Severity.HIGH.rank)

IN_MANIFEST = "the waiver stands in a manifest, where none counts: only an entry of `policy.waivers` waives here"
TOO_BROAD = "is about a critical rule, which takes a `path` without `*`, and as `text` the whole command or handler"


@dataclass(frozen=True)
class Waived:
    """The findings with their waivers, those about waivers among them, and the policy's entries that did it."""

    findings: tuple[Finding, ...]
    used: frozenset[FileWaiver] = frozenset()


@dataclass
class _Court:
    """What waivers are held to, and what became of each: `used` was about a finding, whether or not it counted."""

    policy: Policy
    documents: Sequence[Document]
    known: Known | None
    used: set[Written | FileWaiver] = field(default_factory=set)
    refused: dict[Written | FileWaiver, str] = field(default_factory=dict)
    new: dict[Written, str] = field(default_factory=dict)


def waive(
    document: Document,
    findings: Sequence[Finding],
    policy: Policy,
    today: date,
    known: Known | None = None,
    *,
    beside: Sequence[Document] = (),
) -> Waived:
    """Put waivers on the findings of one package; `beside` are the documents of the files that it names.

    `known` holds the findings that the base version of the package has, waived: where it is given, a comment waives
    no other one, unless the policy lets it.
    """
    comments = tuple(_named(each, policy, today) for each in written(document))
    live = Live((each for each in comments if not each.problem and not _over(each.waiver, today)), document)
    entries = [
        each for each in policy.waivers if not _problem(each, policy, today) and not _over(each.waiver, today)
    ]
    court = _Court(policy, (document, *beside), known)
    done: list[Finding] = []
    for finding in findings:
        candidates: list[Written | FileWaiver] = [
            *live.about(finding),
            *(e for e in entries if _fits(e, finding, court.documents)),
        ]
        waiver = next((w for each in candidates if (w := _ruling(each, finding, document, court))), None)
        done.append(replace(finding, waiver=waiver, points=0) if waiver else finding)
    done += _about(document, comments, court, today)
    return Waived(tuple(done), frozenset(each for each in court.used if isinstance(each, FileWaiver)))


def about_policy(
    policy: Policy, paths: Sequence[str], used: frozenset[FileWaiver], today: date
) -> Iterator[Finding]:
    """What is to be said of the policy's own waivers, once the packages of `paths` were judged."""
    for entry in policy.waivers:
        place = entry.waiver.location
        if problem := _problem(entry, policy, today):
            yield INVALID.at(place, f"the waiver of `{entry.rule}` {problem}")
        elif _over(entry.waiver, today):
            yield EXPIRED.at(place, f"the waiver of `{entry.rule}` ran out on {entry.waiver.until}")
        elif entry not in used and any(matches_whole(path, entry.path) for path in paths):
            yield UNUSED.at(place, f"`{entry.path}` has no finding of `{entry.rule}` that this would waive")


def too_long(until: str, policy: Policy, today: date) -> str:
    """What to say of a waiver that runs longer than the policy lets it, or nothing."""
    days = (date.fromisoformat(until) - today).days
    if days <= policy.waiver_days:
        return ""
    return f"runs for {days} days, and may run for {policy.waiver_days} at most (`policy.waiver_days`)"


def _problem(waiver: Written | FileWaiver, policy: Policy, today: date) -> str:
    return waiver.problem or too_long(waiver.waiver.until, policy, today)


def _named(waiver: Written, policy: Policy, today: date) -> Written:
    """The waiver, with its problem where it names no rule at all or runs too long."""
    if waiver.problem:
        return waiver
    if find_rule(waiver.rule) or any(rule.id == waiver.rule for rule in policy.rules):
        return replace(waiver, problem=_problem(waiver, policy, today))
    near = nearest(waiver.rule)
    hint = f"; did you mean `{near}`?" if near else ""
    return replace(waiver, problem=f"names `{waiver.rule}`, and there is no such rule{hint}")


def _fits(entry: FileWaiver, finding: Finding, documents: Sequence[Document]) -> bool:
    if entry.rule != finding.rule or not matches_whole(finding.location.path, entry.path):
        return False
    return not entry.text or marked(entry.text, finding, documents) or whole(entry.text, finding, documents)


def _over(waiver: Waiver, today: date) -> bool:
    return date.fromisoformat(waiver.until) < today


def _ruling(candidate: Written | FileWaiver, finding: Finding, document: Document, court: _Court) -> Waiver | None:
    """The waiver, if it counts for a finding that it is about; what is to be said of it is noted."""
    court.used.add(candidate)
    if why := _refusal(candidate, finding, court):
        court.refused[candidate] = why
        return None
    if isinstance(candidate, FileWaiver) or court.known is None:
        return candidate.waiver
    if court.known.take(finding, candidate.waiver, document):
        return candidate.waiver
    if critical(finding):
        court.refused[candidate] = f"`{finding.rule}` is critical, and the base branch does not waive it here"
        return None
    counts = court.policy.inline_waivers == "any"
    then = ": waived in this change by its author" if counts else ", so it counts until this change is merged"
    court.new[candidate] = f"the base branch does not waive `{finding.rule}` here{then}"
    return replace(candidate.waiver, new=True) if counts else None


def _refusal(candidate: Written | FileWaiver, finding: Finding, court: _Court) -> str:
    """Why a waiver can never count for a finding that it is about, or nothing."""
    if finding.rule in _UNREADABLE or finding.rule in _OWN:
        return f"`{finding.rule}` cannot be waived"
    if isinstance(candidate, FileWaiver):
        exact = candidate.exact and whole(candidate.text, finding, court.documents)
        return f"the waiver of `{candidate.rule}` {TOO_BROAD}" if critical(finding) and not exact else ""
    if court.policy.inline_waivers == "none":
        return "comments waive nothing in this repository (`policy.inline_waivers`)"
    return ""


def _about(document: Document, comments: Sequence[Written], court: _Court, today: date) -> Iterator[Finding]:
    """Findings about the waivers of a package."""
    for waiver, why in court.refused.items():
        yield _at(REFUSED, waiver.waiver.location, why, document)
    for waiver, words in court.new.items():
        yield _at(NEW, waiver.waiver.location, words, document)
    for comment in comments:
        place = comment.waiver.location
        if comment.problem:
            yield _at(INVALID, place, f"the waiver {comment.problem}", document)
        elif _over(comment.waiver, today):
            message = f"the waiver of `{comment.rule}` ran out on {comment.waiver.until}"
            yield _at(EXPIRED, place, message, document)
        elif comment not in court.used:
            yield _at(UNUSED, place, f"there is no finding of `{comment.rule}` here", document)
    for manifest in (each for each in court.documents if each.path != document.path):
        for comment in written(manifest):
            yield _at(INVALID, comment.waiver.location, IN_MANIFEST, manifest)


def _at(rule: Rule, place: Location, message: str, document: Document) -> Finding:
    """A finding that shows the comment alone: what stands before it may be a secret."""
    start = place.column - 1
    excerpt = " " * start + lines_of(document)[place.line - 1][start:] if place.path == document.path else ""
    return rule.at(place, message, excerpt=excerpt)
