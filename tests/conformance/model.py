"""What is tried, where, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from wpk_sandbox.run.result import Limit


class Verdict(StrEnum):
    """What a cell of the table reads, best first."""

    REPORTED = "blocked and reported"
    BLOCKED = "blocked"
    NOT_APPLICABLE = "not applicable"
    OPEN = "open"


@dataclass(frozen=True)
class Number:
    """One of the kinds of attempts: what somebody would try, in a few words."""

    number: int
    group: str
    title: str


@dataclass(frozen=True)
class Attempt:
    """One concrete thing to try: a function of `probes` of the same name, or a command.

    `names` is a regular expression for what a report of it says. `not_for` tells for a sandbox why it cannot apply
    there. A command is blocked when its step ends by the limit `ends`; `timeout` is its step's, in seconds.
    """

    number: int
    name: str
    names: str = ""
    not_for: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    ends: tuple[Limit, ...] = ()
    timeout: int = 40
    alone: bool = False


@dataclass(frozen=True)
class Told:
    """What the attempt itself said of how it went: `open`, `blocked`, `absent` or `mistake`."""

    outcome: str
    seen: str = ""
    errno: str = ""


@dataclass(frozen=True)
class Cell:
    """What came of an attempt in a sandbox, beside what came of it where nothing stops it."""

    number: int
    name: str
    column: str
    verdict: Verdict
    seen: str = ""
    report: str = ""
    control: str = ""


def worst(cells: list[Cell]) -> Verdict:
    """The verdict of a number in a column: open if any is, and only what applies counts."""
    found = [cell.verdict for cell in cells]
    if Verdict.OPEN in found:
        return Verdict.OPEN
    apply = [verdict for verdict in found if verdict is not Verdict.NOT_APPLICABLE]
    if not apply:
        return Verdict.NOT_APPLICABLE
    return Verdict.REPORTED if Verdict.REPORTED in apply else Verdict.BLOCKED
