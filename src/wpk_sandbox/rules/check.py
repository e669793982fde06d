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
from wpk_sandbox.rules.policy import Policy
from wpk_sandbox.rules.secrets import Secret
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
HIDDEN = "***"
LONGEST_EXCERPT = 4096


def check(package: Package, policy: Policy, cases: Sequence[Case] = ()) -> tuple[Finding, ...]:
    """Everything that the rules have to say about a package, worst first, without the loader's findings.

    `cases` are those of its case file: they tell what no package can, such as the target and the parameters.
    """
    subject = Subject(package, policy, cases)
    distinct: dict[tuple[object, ...], Finding] = {}
    for family in _FAMILIES:
        for finding in family(subject):
            distinct.setdefault((finding.rule, finding.location), finding)
    hidden = _hidden(subject) if distinct else ()
    shown = (_shown(subject, finding, hidden) for finding in distinct.values())
    return tuple(sorted(shown, key=lambda finding: finding.order))


def _hidden(subject: Subject) -> tuple[str, ...]:
    """Every text that no finding may show: secrets as they are, and as the file writes them; longest first."""
    texts: set[str] = set()
    for secret in secrets.found(subject):
        texts |= {secret.value, *secret.value.split("\n"), *_written(subject, secret)}
    return tuple(sorted((text for text in texts if len(text) > 2), key=len, reverse=True))


def _written(subject: Subject, secret: Secret) -> Iterator[str]:
    place = subject.places.locate(secret.pointer, secret.text, secret.span)
    yield from (line.strip() for line in subject.places.written(place).split("\n"))


def _shown(subject: Subject, finding: Finding, hidden: tuple[str, ...]) -> Finding:
    """The finding with the source line that it points at, and without any secret."""
    line = subject.places.line(finding.location.line)[:LONGEST_EXCERPT]
    return replace(
        finding,
        excerpt=_without(line, hidden, same_length=True),
        message=_without(finding.message, hidden),
        fix=_without(finding.fix, hidden),
    )


def _without(text: str, hidden: tuple[str, ...], *, same_length: bool = False) -> str:
    """The text with secrets starred out; of the same length where columns must stay true."""
    for secret in hidden:
        text = text.replace(secret, "*" * len(secret) if same_length else HIDDEN)
    return text
