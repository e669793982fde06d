"""Examines a package with every rule; pure, so that the same package and policy always give the same findings."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from wpk_sandbox.finding import Finding
from wpk_sandbox.package.package import Case, Document, Package
from wpk_sandbox.rules import (
    custom,
    host,
    images,
    network,
    objects,
    privilege,
    resources,
    rights,
    safety,
    scripts,
    secrets,
)
from wpk_sandbox.rules.attached import attached
from wpk_sandbox.rules.hiding import Hiding
from wpk_sandbox.rules.masking import documents_of, hidden_in, shown
from wpk_sandbox.rules.piped import piped
from wpk_sandbox.rules.policy import Policy
from wpk_sandbox.rules.subject import Subject

_Family = Callable[[Subject], Iterator[Finding]]

# What is said of objects, wherever they stand.
_OF_OBJECTS: tuple[_Family, ...] = (
    scripts.check,
    privilege.check,
    host.check,
    rights.check,
    objects.check,
    network.check,
    secrets.check,
    resources.check,
    images.check,
)
_OF_PACKAGES: tuple[_Family, ...] = (*_OF_OBJECTS, safety.check, custom.check)


def check(package: Package, policy: Policy, cases: Sequence[Case] = ()) -> tuple[Finding, ...]:
    """Everything that the rules have to say about a package and the files that it names, worst first.

    The loader's findings are not among them. `cases` are those of its case file: they tell what no package can,
    such as the target and the parameters.
    """
    told = [_told(Subject(package, policy, cases), _OF_PACKAGES)]
    told += (_told(Subject(part, policy), _OF_OBJECTS) for part in attached(package))
    # What one document holds, another may repeat.
    documents = [*documents_of(package), *(document for each in told for document in each.piped)]
    hidden = hidden_in(documents) if any(each.findings for each in told) else Hiding()
    masked = (
        shown(finding, each.line(finding.location.line), hidden) for each in told for finding in each.findings
    )
    return tuple(sorted(masked, key=lambda finding: finding.order))


@dataclass(frozen=True)
class _Told:
    """What is said of a subject, before its secrets are starred, and the objects in its scripts."""

    line: Callable[[int], str]
    findings: tuple[Finding, ...]
    piped: tuple[Document, ...]


def _told(subject: Subject, families: Sequence[_Family]) -> _Told:
    """The findings about a subject and the objects in its scripts, each once."""
    found = [finding for family in families for finding in family(subject)]
    documents = []
    for part in piped(subject):
        documents.append(part.package.document)
        within = Subject(part.package, subject.policy)
        for finding in (finding for family in _OF_OBJECTS for finding in family(within)):
            found.append(replace(finding, location=part.location(finding.location, subject)))
    distinct = {(finding.rule, finding.location): finding for finding in reversed(found)}
    return _Told(cache(subject.places.line), tuple(reversed(distinct.values())), tuple(documents))
