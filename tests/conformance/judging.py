"""From what an attempt told, here and where nothing stops it, to a cell of the table."""

import re
from dataclasses import dataclass, field

from model import Attempt, Cell, Told, Verdict
from sandboxes import Tried

# What a call says where the kernel was built without it, or the host has no such thing.
NONE_HERE = {"ENOSYS", "EAFNOSUPPORT", "EPROTONOSUPPORT", "EOPNOTSUPP", "ENODEV", "ENXIO", "ENOENT"}

# A refused object or call is a failed step, whose message says who refused it and why.
OF_CLUSTERS = 55


@dataclass
class Findings:
    """All cells so far, and what makes the whole fail beside an open one."""

    cells: list[Cell] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add(self, attempt: Attempt, column: str, tried: Tried, control: Told) -> None:
        """Judge one attempt; a control that did not succeed proves nothing, which is a fault."""
        verdict, seen = judged(attempt, column, tried, control)
        if verdict in (Verdict.BLOCKED, Verdict.REPORTED) and control.outcome != "open":
            self.faults.append(f"{attempt.name}: its control did not succeed either: {control.seen}")
        report = reported(attempt, tried)
        if verdict is Verdict.BLOCKED and report:
            verdict = Verdict.REPORTED
        self.cells.append(Cell(attempt.number, attempt.name, column, verdict, seen, report, control.seen))

    def none(self, number: int, name: str, column: str, reason: str) -> None:
        """What cannot apply, with its reason."""
        self.cells.append(Cell(number, name, column, Verdict.NOT_APPLICABLE, reason))


def judged(attempt: Attempt, column: str, tried: Tried, control: Told) -> tuple[Verdict, str]:
    """The verdict, without regard to reports, and what was seen."""
    told = tried.told
    if reason := attempt.not_for.get(column):
        return Verdict.NOT_APPLICABLE, reason
    if told.outcome in ("open", "mistake"):
        return Verdict.OPEN, told.seen
    if control.outcome == "absent" or (control.outcome == "blocked" and control.errno in NONE_HERE):
        return Verdict.NOT_APPLICABLE, f"this host has none of it ({control.seen})"
    return Verdict.BLOCKED, told.seen if told.outcome == "blocked" else f"nothing of it is there: {told.seen}"


def reported(attempt: Attempt, tried: Tried) -> str:
    """The first thing that the result says of it; a limit that ended the step names it in any case."""
    if tried.step is not None and tried.step.limit:
        return tried.reports[0]
    if attempt.number == OF_CLUSTERS and tried.step is not None and tried.told.outcome == "blocked":
        return f"the step failed: {tried.step.message}"
    pattern = re.compile(attempt.names, re.IGNORECASE) if attempt.names else None
    return next((line for line in tried.reports if pattern and pattern.search(line)), "")
