"""Findings as text: where, how bad, what, with the source line and a caret under the place."""

from collections import Counter
from collections.abc import Iterable, Iterator

from wpk_sandbox.finding import Finding, Location, Severity
from wpk_sandbox.report import escape
from wpk_sandbox.report.lines import ENDLESS, Line, Tone, folded, line, width

# So many findings of one rule in one file are shown whole; of the others their places and messages say enough.
MOST_WHOLE = 3
_LEAST_EXCERPT, _MOST_EXCERPT = 24, 100
_LONGEST_FIX = 60
_INDENT = "   "
_FIX = "   fix: "

TONES = {
    Severity.CRITICAL: Tone.BAD,
    Severity.HIGH: Tone.BAD,
    Severity.MEDIUM: Tone.WARN,
    Severity.LOW: Tone.FAINT,
    Severity.INFO: Tone.FAINT,
}


def finding_lines(findings: Iterable[Finding], columns: int = ENDLESS) -> Iterator[Line]:
    """All findings, worst first; from the fourth of a rule in a file on without the source and the fix."""
    seen: Counter[tuple[str, str]] = Counter()
    for finding in sorted(findings, key=lambda each: each.order):
        kind = finding.rule, finding.location.path
        seen[kind] += 1
        yield from one_finding(finding, columns, whole=seen[kind] <= MOST_WHOLE)


def one_finding(finding: Finding, columns: int = ENDLESS, *, whole: bool = True) -> Iterator[Line]:
    """One finding with its excerpt and its fix, or without them."""
    yield from _head_lines(finding, columns)
    if whole:
        yield from _source(finding, columns)
    if finding.waiver:
        for words in folded(str(finding.waiver), columns - len(_INDENT)):
            yield line((_INDENT + words, Tone.STRONG))
    if whole:
        yield from _remedy(finding, columns)


def _head_lines(finding: Finding, columns: int) -> Iterator[Line]:
    severity = (str(finding.severity), TONES[finding.severity])
    where, rule = str(finding.location), f" {finding.rule}: "
    taken = width(escape.one_line(where)) + len(": ") + len(severity[0]) + width(rule)
    first, *rest = folded(finding.message, columns - len(_INDENT), taken - len(_INDENT))
    yield line((where, Tone.STRONG), ": ", severity, rule + first)
    yield from (line(_INDENT + further) for further in rest)


def _source(finding: Finding, columns: int) -> Iterator[Line]:
    if not finding.excerpt.strip():
        return
    number = f"{finding.location.line:>5}"
    below = f" to line {finding.location.end_line}" if finding.location.end_line > finding.location.line else ""
    before, marked, after = caret_parts(finding, columns - len(number) - len(" | ") - len(below))
    yield line((f"{number} | ", Tone.FAINT), before + marked + after)
    carets = "^" * max(1, width(marked))
    gutter = " " * len(number)
    yield line((f"{gutter} | ", Tone.FAINT), " " * width(before), (carets + below, TONES[finding.severity]))


def caret_parts(finding: Finding, columns: int = _MOST_EXCERPT) -> tuple[str, str, str]:
    """The excerpt before, at and after the place, harmless and cut to the columns that there are around it.

    A tab takes one column, so that the caret stands where every reader of the text sees it.
    """
    columns = min(max(columns, _LEAST_EXCERPT), _MOST_EXCERPT)
    around = columns // 5
    source = finding.excerpt.rstrip("\r\n").replace("\t", " ")
    start, end = _range(finding.location, len(source))
    before, marked, after = source[:start], source[start:end], source[end:]
    whole = [escape.one_line(part) for part in (before, marked, after)]
    if sum(map(width, whole)) <= columns:
        return whole[0], whole[1], whole[2]
    shown = _head(marked, columns - 2 * around)
    if shown != whole[1]:
        return _tail(before, around), shown, "…"
    room = columns - width(shown)
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


def _remedy(finding: Finding, columns: int) -> Iterator[Line]:
    weakness = f"CWE-{finding.cwe} · " if finding.cwe else ""
    reading = (f"{weakness}wpk-sandbox explain {finding.rule}", Tone.FAINT)
    fix = finding.fix.strip()
    beside = f"{_FIX}{fix}".ljust(44) + "  "
    if fix and "\n" not in fix and len(fix) <= _LONGEST_FIX and width(beside + reading[0]) <= columns:
        yield line(beside, reading)
        return
    for number, words in enumerate(_words(fix, columns - len(_FIX)) if fix else ()):
        yield line((_FIX if number == 0 else " " * len(_FIX)) + words)
    yield line(_INDENT, reading)


def _words(fix: str, columns: int) -> Iterator[str]:
    """The lines of a fix; what is to be written on several lines is left as it is."""
    parts = fix.splitlines()
    yield from folded(fix, columns) if len(parts) == 1 else parts
