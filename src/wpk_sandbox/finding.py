"""A problem in the user's package, as data: what, where, how bad, why and how to fix it."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is; `rank` orders them, worst highest."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for info to 4 for critical."""
        return list(reversed(Severity)).index(self)


@dataclass(frozen=True, order=True)
class Location:
    """A range of a file. Lines and columns count from 1; the end column is one past the last character."""

    path: str
    line: int = 1
    column: int = 1
    end_line: int = 0
    end_column: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Waiver:
    """Somebody's word that a finding may stand: why, until which day (ISO 8601, that day included), and whose.

    `location` is where it is written: a comment in the package, or an entry of the settings file. `new` is true
    where the change that is judged waives for itself what the base does not.
    """

    reason: str
    until: str
    owner: str
    location: Location
    new: bool = False

    def __str__(self) -> str:
        waived = "waived in this change by its author," if self.new else "waived"
        return f"{waived} until {self.until} by {self.owner}: {self.reason}"


@dataclass(frozen=True)
class Finding:
    """One problem at one place.

    `excerpt` is the source line that the location starts on; `fix` is what to write or do instead;
    `cwe` is the number of the weakness at https://cwe.mitre.org, if one fits; `points` is what it adds
    to the risk score (0 to 100). A finding with a `waiver` is reported as suppressed: it adds nothing to the
    risk (its points are 0) and blocks nothing.
    """

    rule: str
    severity: Severity
    message: str
    location: Location
    fix: str = ""
    cwe: int | None = None
    points: int = 0
    excerpt: str = ""
    waiver: Waiver | None = None

    @property
    def order(self) -> tuple[int, Location, str]:
        """Sorts the worst first, then by place."""
        return (-self.severity.rank, self.location, self.rule)


@dataclass(frozen=True)
class Rule:
    """What a finding is an instance of: the one source for the docs, `explain`, SARIF and the reports.

    `id` is lower-case words joined by hyphens and never changes its meaning. `title` is one line, `why` says what
    goes wrong in production, `fix` what to do instead; both are plain Markdown paragraphs. `points` is what one
    finding adds to the risk.
    """

    id: str
    severity: Severity
    title: str
    why: str
    fix: str
    cwe: int | None = None
    points: int = 0

    def at(self, location: Location, message: str, *, fix: str = "", excerpt: str = "") -> Finding:
        """A finding of this rule; `fix` says what to write here, when that is known better than in general."""
        return Finding(self.id, self.severity, message, location, fix or self.fix, self.cwe, self.points, excerpt)
