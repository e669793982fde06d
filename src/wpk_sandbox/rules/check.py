"""Examines a package with every rule; pure, so that the same package and policy always give the same findings."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from wpk_sandbox.finding import Finding
from wpk_sandbox.package.package import Case, Package
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
from wpk_sandbox.rules.masking import hidden_texts, shown
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
    told = [*_told(Subject(package, policy, cases), _OF_PACKAGES)]
    for part in attached(package):
        told += _told(Subject(part, policy), _OF_OBJECTS)
    return tuple(sorted(told, key=lambda finding: finding.order))


def _told(subject: Subject, families: Sequence[_Family]) -> Iterator[Finding]:
    """The findings about a subject and the objects in its scripts: each once, with its line, without secrets."""
    found = [finding for family in families for finding in family(subject)]
    hidden = hidden_texts(subject) if found else ()
    for part in piped(subject):
        within = Subject(part.package, subject.policy)
        hidden += hidden_texts(within)
        for finding in (finding for family in _OF_OBJECTS for finding in family(within)):
            found.append(replace(finding, location=part.location(finding.location, subject)))
    distinct = {(finding.rule, finding.location): finding for finding in reversed(found)}
    for finding in reversed(distinct.values()):
        yield shown(finding, subject.places.line(finding.location.line), hidden)
