"""Keeps secrets out of findings: a report must not spread what it warns of."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from wpk_sandbox.finding import Finding
from wpk_sandbox.package.package import Package
from wpk_sandbox.rules import secrets
from wpk_sandbox.rules.policy import Policy
from wpk_sandbox.rules.secrets import Secret
from wpk_sandbox.rules.subject import Subject

HIDDEN = "***"
LONGEST_EXCERPT = 4096
# In a file that cannot be read as a package nothing is known but its lines.
_NAMED = re.compile(
    r"(?:passw|pwd|secret|token|credential|(?:api|access|account|private)[_-]?key)[\w.-]*[\"']?\s*[:=]\s*[\"']?"
    r"(?!\$|\s)([^\s\"',;|&}]{3,})",
    re.IGNORECASE,
)


def hidden_texts(subject: Subject) -> tuple[str, ...]:
    """Every text of a package that no finding may show: secrets as they are, and as the file writes them; longest
    first.
    """
    texts: set[str] = set()
    for secret in secrets.found(subject):
        texts |= {secret.value, *secret.value.split("\n"), *_written(subject, secret)}
    return tuple(sorted((text for text in texts if len(text) > 2), key=len, reverse=True))


def _written(subject: Subject, secret: Secret) -> Iterator[str]:
    place = subject.places.locate(secret.pointer, secret.text, secret.span)
    yield from (line.strip() for line in subject.places.written(place).split("\n"))


def hidden_of(packages: Iterable[Package]) -> list[str]:
    """The same of all packages of a file."""
    return [text for package in packages for text in hidden_texts(Subject(package, Policy()))]


def starred(text: str, texts: Sequence[str]) -> str:
    """The text with these texts starred out, as long as before."""
    return _starred(text, texts, same_length=True)


def masked(findings: Sequence[Finding], packages: Iterable[Package]) -> tuple[Finding, ...]:
    """The findings of loading a file without the secrets of its packages, or of its lines where it has none."""
    if not findings:
        return ()
    subjects = [Subject(package, Policy()) for package in packages]
    if not subjects:
        return tuple(without(finding, _NAMED.findall(finding.excerpt)) for finding in findings)
    texts = [text for subject in subjects for text in hidden_texts(subject)]
    lines = subjects[0].places.line  # all packages of a file have its text
    return tuple(shown(finding, finding.excerpt and lines(finding.location.line), texts) for finding in findings)


def shown(finding: Finding, line: str, texts: Sequence[str]) -> Finding:
    """The finding with the source line that it points at; cut last, or half of a secret might stay."""
    whole = without(replace(finding, excerpt=line), texts)
    return replace(whole, excerpt=whole.excerpt[:LONGEST_EXCERPT])


def without(finding: Finding, texts: Sequence[str]) -> Finding:
    """The finding with these texts starred out; its excerpt keeps its length, so that columns stay true."""
    whole = "\0".join((finding.excerpt, finding.message, finding.fix))
    texts = [text for text in texts if text in whole]
    if not texts:
        return finding
    return replace(
        finding,
        excerpt=_starred(finding.excerpt, texts, same_length=True),
        message=_starred(finding.message, texts),
        fix=_starred(finding.fix, texts),
    )


def _starred(text: str, texts: Sequence[str], *, same_length: bool = False) -> str:
    for secret in texts:
        text = text.replace(secret, "*" * len(secret) if same_length else HIDDEN)
    return text
