"""Findings as text: where, how bad, what, with the source line and a caret under the place."""

from collections.abc import Iterable, Iterator

from wpk_sandbox.finding import Finding, Severity
from wpk_sandbox.report import escape
from wpk_sandbox.report.lines import Line, Tone, line, width

_EXCERPT_COLUMNS = 100

TONES = {
    Severity.CRITICAL: Tone.BAD,
    Severity.HIGH: Tone.BAD,
    Severity.MEDIUM: Tone.WARN,
    Severity.LOW: Tone.FAINT,
    Severity.INFO: Tone.FAINT,
}


def finding_lines(findings: Iterable[Finding]) -> Iterator[Line]:
    """All findings, worst first."""
    for finding in sorted(findings, key=lambda each: each.order):
        yield from one_finding(finding)


def one_finding(finding: Finding) -> Iterator[Line]:
    """One finding with its excerpt and its fix."""
    severity = (str(finding.severity), TONES[finding.severity])
    yield line((str(finding.location), Tone.STRONG), ": ", severity, f" {finding.rule}: {finding.message}")
    yield from _source(finding)
    yield from _remedy(finding)


def _source(finding: Finding) -> Iterator[Line]:
    if not finding.excerpt.strip():
        return
    before, marked, after = caret_parts(finding)
    number = str(finding.location.line)
    gutter = " " * max(5, len(number) + 1)
    yield line((f"{number:>5} | ", Tone.FAINT), before + marked + after)
    carets = "^" * max(1, width(marked))
    yield line((f"{gutter} | ", Tone.FAINT), " " * width(before), (carets, TONES[finding.severity]))


def caret_parts(finding: Finding) -> tuple[str, str, str]:
    """The excerpt before, at and after the place, harmless and cut to what a reader needs around it."""
    place, source = finding.location, finding.excerpt.rstrip("\r\n").replace("\t", " ")
    start = min(max(place.column - 1, 0), len(source))
    same_line = place.end_line in (0, place.line)
    end = place.end_column - 1 if same_line and place.end_column > place.column else None
    if end is None:  # the range goes on below, or only its start is known
        end = len(source) if place.end_line > place.line else start + 1
    first = max(0, start - _EXCERPT_COLUMNS // 2) if len(source) > _EXCERPT_COLUMNS else 0
    last = first + _EXCERPT_COLUMNS
    before = ("…" if first else "") + escape.one_line(source[first:start])
    after = escape.one_line(source[end:last]) + ("…" if len(source) > last else "")
    return before, escape.one_line(source[start : min(end, last)]), after


def _remedy(finding: Finding) -> Iterator[Line]:
    weakness = f"CWE-{finding.cwe} · " if finding.cwe else ""
    where_to_read = (f"{weakness}wpk-sandbox explain {finding.rule}", Tone.FAINT)
    fix = finding.fix.strip()
    if not fix:
        yield line("   ", where_to_read)
    elif "\n" not in fix and len(fix) <= 60:
        yield line(f"   fix: {fix}".ljust(44), "  ", where_to_read)
    else:
        first, *rest = fix.splitlines()
        yield line(f"   fix: {first}")
        for further in rest:
            yield line(f"        {further}")
        yield line("   ", where_to_read)
