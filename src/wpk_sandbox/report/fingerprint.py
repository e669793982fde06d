"""Names for findings that outlive edits, so that a CI system knows an old finding when its line has moved.

A fingerprint is made of what the finding is about (rule, file, the text that it points at and the line around it)
and never of line numbers. Equal findings of one file are told apart by their order in it.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from wpk_sandbox.finding import Finding
from wpk_sandbox.report.violations import violations
from wpk_sandbox.run.result import RunResult


@dataclass(frozen=True)
class Named:
    """A finding with its fingerprint: `hash` of what it is about, and its `number` among equal ones, from 1."""

    finding: Finding
    hash: str
    number: int

    @property
    def fingerprint(self) -> str:
        """The whole name: unique in a report."""
        return f"{self.hash}:{self.number}"


def named(findings: Iterable[Finding]) -> tuple[Named, ...]:
    """Each distinct finding once with its fingerprint, worst first."""
    distinct = {(each.rule, each.location, each.message): each for each in findings}
    seen: Counter[str] = Counter()
    result = []
    for finding in sorted(distinct.values(), key=lambda each: (each.location, each.rule, each.message)):
        hashed = _hash(finding)
        seen[hashed] += 1
        result.append(Named(finding, hashed, seen[hashed]))
    return tuple(sorted(result, key=lambda each: (each.finding.order, each.finding.message)))


def of_run(result: RunResult) -> tuple[Finding, ...]:
    """Every finding of a run, what its sandboxes saw too; one in several cases of a package stands here once."""
    every = [*result.findings, *(finding for package in result.packages for finding in package.findings)]
    every += (finding for package in result.packages for finding in violations(package))
    return tuple(dict.fromkeys(every))


def _hash(finding: Finding) -> str:
    place = finding.location
    same_line = place.end_line == place.line and place.end_column > place.column
    marked = finding.excerpt[place.column - 1 : place.end_column - 1] if same_line else ""
    line = " ".join(finding.excerpt.split())
    about = (line, marked) if line else (finding.message,)
    text = "\0".join((finding.rule, place.path, *about))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
