"""Findings as text: where, how bad, what, with the source line and a caret under the place."""

from collections.abc import Iterable, Iterator

from wpk_sandbox.finding import Finding, Location, Severity
from wpk_sandbox.report import escape
from wpk_sandbox.report.lines import Line, Tone, line, width

_EXCERPT_COLUMNS = 100
_AROUND = 20

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
    if finding.waiver:
        yield line((f"   {finding.waiver}", Tone.STRONG))
    yield from _remedy(finding)


def _source(finding: Finding) -> Iterator[Line]:
    if not finding.excerpt.strip():
        return
    before, marked, after = caret_parts(finding)
    number = str(finding.location.line)
    gutter = " " * max(5, len(number))
    yield line((f"{number:>5} | ", Tone.FAINT), before + marked + after)
    carets = "^" * max(1, width(marked))
    below = f" to line {finding.location.end_line}" if finding.location.end_line > finding.location.line else ""
    yield line((f"{gutter} | ", Tone.FAINT), " " * width(before), (carets + below, TONES[finding.severity]))


def caret_parts(finding: Finding) -> tuple[str, str, str]:
    """The excerpt before, at and after the place, harmless and cut to the columns that a reader needs around it.

    A tab takes one column, so that the caret stands where every reader of the text sees it.
    """
    source = finding.excerpt.rstrip("\r\n").replace("\t", " ")
    start, end = _range(finding.location, len(source))
    before, marked, after = source[:start], source[start:end], source[end:]
    whole = [escape.one_line(part) for part in (before, marked, after)]
    if sum(map(width, whole)) <= _EXCERPT_COLUMNS:
        return whole[0], whole[1], whole[2]
    shown = _head(marked, _EXCERPT_COLUMNS - 2 * _AROUND)
    if shown != whole[1]:
        return _tail(before, _AROUND), shown, "…"
    room = _EXCERPT_COLUMNS - width(shown)
    left = _tail(before, max(room // 2, room - width(whole[2])))
    return left, shown, _head(after, room - width(left), "…")


def _range(place: Location, length: int) -> tuple[int, int]:
    """The part of the line that a location marks: to its end, if the range goes on below."""
    start = min(max(place.column - 1, 0), length)
    if place.end_line > place.line:
        return start, length
    ends_here = place.end_line in (0, place.line) and place.end_column > place.column
    return start, min(place.end_column - 1, length) if ends_here else start + 1


def _head(text: str, columns: int, ellipsis: str = "") -> str:
    """The beginning of a text, harmless, in at most that many columns; `ellipsis` stands for what is cut."""
    whole = escape.one_line(text)
    if width(whole) <= columns:
        return whole
    return "".join(_fitting(text, columns - len(ellipsis))) + ellipsis


def _tail(text: str, columns: int) -> str:
    """The end of a text, harmless, in at most that many columns, behind `…` where something is cut."""
    whole = escape.one_line(text)
    if width(whole) <= columns:
        return whole
    return "…" + "".join(reversed(list(_fitting(reversed(text), columns - 1))))


def _fitting(characters: Iterable[str], columns: int) -> Iterator[str]:
    """Characters, each whole in its harmless form, as long as there is room."""
    for character in characters:
        shown = escape.one_line(character)
        columns -= width(shown)
        if columns < 0:
            return
        yield shown


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
