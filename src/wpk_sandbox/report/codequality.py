"""Findings as GitLab's code quality report, which its merge requests show beside the lines.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

import json
from collections.abc import Iterable
from typing import Any

from wpk_sandbox.finding import Finding, Severity
from wpk_sandbox.report.escape import one_line
from wpk_sandbox.report.extent import extent
from wpk_sandbox.report.fingerprint import Named, named
from wpk_sandbox.report.fit import brief

_SEVERITIES = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
    Severity.INFO: "info",
}


def code_quality(findings: Iterable[Finding]) -> str:
    """The report, worst first; what is waived is left out, since GitLab has no word for it."""
    counted = (each for each in named(findings) if each.finding.waiver is None)
    document = [_entry(each) for each in counted]
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "replace").decode()


def _entry(each: Named) -> dict[str, Any]:
    finding, place = each.finding, each.finding.location
    here = extent(place)
    begin = {"line": here.line, "column": here.column}
    end = {"line": here.end_line, "column": here.end_column}
    return {
        "type": "issue",
        "check_name": finding.rule,
        "description": one_line(f"{finding.rule}: {brief(finding.message)}"),
        "content": {"body": one_line(brief(finding.fix))},
        "categories": ["Security" if finding.cwe else "Bug Risk"],
        "severity": _SEVERITIES[finding.severity],
        "fingerprint": each.fingerprint,
        "location": {
            "path": place.path.removeprefix("./"),
            # GitLab takes `positions` where both are given; older ones know `lines` alone.
            "lines": {"begin": begin["line"], "end": end["line"]},
            "positions": {"begin": begin, "end": end},
        },
    }
