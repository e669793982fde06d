"""What can be said of packages without running or planning them: findings and decisions."""

import json
from dataclasses import replace
from typing import IO

from wpk_sandbox.check_forms import FORMS, Checked
from wpk_sandbox.errors import ExitCode
from wpk_sandbox.finding import Finding
from wpk_sandbox.judging import Judged, Request, judge, refusal
from wpk_sandbox.package.problems import fatal
from wpk_sandbox.package.selection import Selection, printable
from wpk_sandbox.report.findings import finding_lines
from wpk_sandbox.report.terminal import write
from wpk_sandbox.run.secrecy import discreet_name


def check(request: Request, form: str, stream: IO[str], *, category: str = "", waived: bool = True) -> int:
    """Write every finding and decision; fails when a package is blocked or cannot be understood.

    `category` and `waived` are SARIF's: what tells the log apart, and whether it has what is waived.
    """
    loose: list[Finding] = []
    judged = tuple(_named_openly(each, request) for each in _first_cases(list(judge(request, loose))))
    FORMS[form](Checked(request, judged, tuple(loose), category, waived), stream)
    refused = any(refusal(each, request.settings) for each in judged)
    bad = refused or any(fatal(finding.severity) for finding in loose)
    return ExitCode.FAIL if bad else ExitCode.PASS


def show_selection(selection: Selection, form: str, stream: IO[str], beside: IO[str]) -> int:
    """Write the names of the packages that were chosen, one a line; what may be none is said `beside`, and fails.

    A name is one line of printable characters, and no option of whatever program is given it.
    """
    if form == "json":
        said = {"files": selection.files, "notes": selection.notes, "all": selection.everything}
        findings = [f"{each.location}: {each.rule}: {each.message}" for each in selection.findings]
        stream.write(json.dumps({**said, "findings": findings}) + "\n")
    else:
        for path in selection.files:
            stream.write(("./" if path.startswith("-") else "") + printable(path) + "\n")
        write(finding_lines(selection.findings), beside)
    return ExitCode.FAIL if any(fatal(each.severity) for each in selection.findings) else ExitCode.PASS


def _named_openly(judged: Judged, request: Request) -> Judged:
    """A package whose name and version may be said; its findings may be already."""
    hidden = request.hidden(judged.package, judged.case)
    return replace(judged, package=discreet_name(judged.package, hidden)) if hidden else judged


def _first_cases(judged: list[Judged]) -> tuple[Judged, ...]:
    """Findings are about the package, whatever the case: once is enough."""
    seen: dict[tuple[str, int], Judged] = {}
    for each in judged:
        seen.setdefault((each.package.path, each.package.document.index), each)
    return tuple(seen.values())
