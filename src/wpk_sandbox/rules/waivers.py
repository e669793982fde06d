"""Waivers: somebody's word, for a reason and until a day, that a finding may stand.

A waiver stands in the package, as a comment on the line that a finding starts on or right above it, or in the
repository's policy. What is waived stays in every report.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase

from wpk_sandbox.finding import Finding, Location, Rule, Severity, Waiver
from wpk_sandbox.package.package import Document
from wpk_sandbox.package.problems import LOAD_RULES
from wpk_sandbox.rules.catalogue import nearest
from wpk_sandbox.rules.catalogue import rule as find_rule
from wpk_sandbox.rules.comments import lines_of
from wpk_sandbox.rules.known import KnownCritical, critical
from wpk_sandbox.rules.policy import FileWaiver, Policy
from wpk_sandbox.rules.waiver_rules import EXPIRED, INVALID, REFUSED, RULES, UNUSED
from wpk_sandbox.rules.waiver_text import Written, written

_OWN = frozenset(rule.id for rule in RULES)
_UNREADABLE = frozenset(rule.id for rule in LOAD_RULES if rule.severity.rank >= Severity.HIGH.rank)

TOO_BROAD = "is about a critical rule, which takes a `path` without `*` and the `text` of one line"


@dataclass(frozen=True)
class Waived:
    """The findings with their waivers, those about waivers among them, and the policy's entries that did it."""

    findings: tuple[Finding, ...]
    used: frozenset[FileWaiver] = frozenset()


def waive(
    document: Document,
    findings: Sequence[Finding],
    policy: Policy,
    today: date,
    known: KnownCritical | None = None,
) -> Waived:
    """Put waivers on the findings of one package.

    `known` holds the critical findings that the base version of the package has, waived: where it is given, a
    comment waives no other critical finding.
    """
    comments = tuple(_named(each, policy) for each in written(document))
    live = [each for each in comments if not each.problem and not _over(each.waiver, today)]
    entries = [each for each in policy.waivers if not each.problem and not _over(each.waiver, today)]
    done: list[Finding] = []
    used: set[Written | FileWaiver] = set()
    refused: dict[Written | FileWaiver, str] = {}
    for finding in findings:
        candidates: list[Written | FileWaiver] = [
            *(w for w in live if w.covers(finding, document)),
            *(e for e in entries if _fits(e, finding, document)),
        ]
        for candidate in candidates:
            used.add(candidate)
            if why := _refusal(candidate, finding, document, known):
                refused[candidate] = why
                continue
            finding = replace(finding, waiver=candidate.waiver, points=0)  # noqa: PLW2901 -- the same, waived
            break
        done.append(finding)
    done += _about(document, comments, used, refused, today)
    return Waived(tuple(done), frozenset(each for each in used if isinstance(each, FileWaiver)))


def about_policy(
    policy: Policy, paths: Sequence[str], used: frozenset[FileWaiver], today: date
) -> Iterator[Finding]:
    """What is to be said of the policy's own waivers, once the packages of `paths` were judged."""
    for entry in policy.waivers:
        place = entry.waiver.location
        if entry.problem:
            yield INVALID.at(place, f"the waiver of `{entry.rule}` {entry.problem}")
        elif _over(entry.waiver, today):
            yield EXPIRED.at(place, f"the waiver of `{entry.rule}` ran out on {entry.waiver.until}")
        elif entry not in used and any(fnmatchcase(path, entry.path) for path in paths):
            yield UNUSED.at(place, f"`{entry.path}` has no finding of `{entry.rule}` that this would waive")


def _named(waiver: Written, policy: Policy) -> Written:
    """The waiver, with its problem where it names no rule at all."""
    if waiver.problem or find_rule(waiver.rule) or any(rule.id == waiver.rule for rule in policy.rules):
        return waiver
    near = nearest(waiver.rule)
    hint = f"; did you mean `{near}`?" if near else ""
    return replace(waiver, problem=f"names `{waiver.rule}`, and there is no such rule{hint}")


def _fits(entry: FileWaiver, finding: Finding, document: Document) -> bool:
    if entry.rule != finding.rule or not fnmatchcase(finding.location.path, entry.path):
        return False
    return not entry.text or " ".join(entry.text.split()) in _texts(finding, document)


def _texts(finding: Finding, document: Document) -> Iterator[str]:
    """What a finding marks, and the line that it is all on; blanks count as one.

    A part of a line would not do: whoever may change the line could write what is waived behind what is not.
    """
    place = finding.location
    if place.path != document.path:
        yield " ".join(finding.excerpt.split())
        return
    lines = lines_of(document)[place.line - 1 : max(place.line, place.end_line)]
    if lines and place.end_line:
        marked = [*lines[:-1], lines[-1][: place.end_column - 1]]
        marked[0] = marked[0][place.column - 1 :]
        yield " ".join("\n".join(marked).split())
    if len(lines) == 1:
        yield " ".join(lines[0].split())


def _over(waiver: Waiver, today: date) -> bool:
    return date.fromisoformat(waiver.until) < today


def _refusal(
    candidate: Written | FileWaiver, finding: Finding, document: Document, known: KnownCritical | None
) -> str:
    """Why a waiver does not count for a finding that it is about, or nothing."""
    if finding.rule in _UNREADABLE or finding.rule in _OWN:
        return f"`{finding.rule}` cannot be waived"
    if not critical(finding):
        return ""
    if isinstance(candidate, FileWaiver):
        return "" if candidate.exact else f"the waiver of `{candidate.rule}` {TOO_BROAD}"
    if known is None or known.take(finding, candidate.waiver, document):
        return ""
    return f"`{finding.rule}` is critical, and the base branch does not waive it here"


def _about(
    document: Document,
    comments: Sequence[Written],
    used: set[Written | FileWaiver],
    refused: dict[Written | FileWaiver, str],
    today: date,
) -> Iterator[Finding]:
    """Findings about the waivers of a package."""
    for waiver, why in refused.items():
        yield _at(REFUSED, waiver.waiver.location, why, document)
    for comment in comments:
        place = comment.waiver.location
        if comment.problem:
            yield _at(INVALID, place, f"the waiver {comment.problem}", document)
        elif _over(comment.waiver, today):
            message = f"the waiver of `{comment.rule}` ran out on {comment.waiver.until}"
            yield _at(EXPIRED, place, message, document)
        elif comment not in used:
            yield _at(UNUSED, place, f"there is no finding of `{comment.rule}` here", document)


def _at(rule: Rule, place: Location, message: str, document: Document) -> Finding:
    """A finding that shows the comment alone: what stands before it may be a secret."""
    start = place.column - 1
    excerpt = " " * start + lines_of(document)[place.line - 1][start:] if place.path == document.path else ""
    return rule.at(place, message, excerpt=excerpt)
