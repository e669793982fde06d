"""Examines a package with every rule; pure, so that the same package and policy always give the same findings."""

from collections.abc import Callable, Iterator, Sequence

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
from wpk_sandbox.rules.masking import hidden_texts, shown
from wpk_sandbox.rules.policy import Policy
from wpk_sandbox.rules.subject import Subject

_FAMILIES: tuple[Callable[[Subject], Iterator[Finding]], ...] = (
    scripts.check,
    privilege.check,
    host.check,
    rights.check,
    objects.check,
    network.check,
    secrets.check,
    resources.check,
    images.check,
    safety.check,
    custom.check,
)


def check(package: Package, policy: Policy, cases: Sequence[Case] = ()) -> tuple[Finding, ...]:
    """Everything that the rules have to say about a package, worst first, without the loader's findings.

    `cases` are those of its case file: they tell what no package can, such as the target and the parameters.
    """
    subject = Subject(package, policy, cases)
    distinct: dict[tuple[object, ...], Finding] = {}
    for family in _FAMILIES:
        for finding in family(subject):
            distinct.setdefault((finding.rule, finding.location), finding)
    hidden = hidden_texts(subject) if distinct else ()
    line = subject.places.line
    told = (shown(finding, line(finding.location.line), hidden) for finding in distinct.values())
    return tuple(sorted(told, key=lambda finding: finding.order))
