"""Places of a SARIF log: files as relative references, regions of them, and what would be written there instead."""

from typing import Any
from urllib.parse import quote

from wpk_sandbox.finding import Finding, Location
from wpk_sandbox.package.text import position
from wpk_sandbox.report.escape import one_line
from wpk_sandbox.report.extent import Extent, extent
from wpk_sandbox.report.fit import brief
from wpk_sandbox.report.source import Source
from wpk_sandbox.rules.corrections import Fix
from wpk_sandbox.rules.edit import Edit

# Mixed line ends take an edit for each line: `check --fix` is there for such a file.
MOST_EDITS = 100
_BYTE_ORDER_MARK = "\ufeff"


def physical(finding: Finding) -> dict[str, Any]:
    """The place of a finding, with its line where the line says more than the place marks."""
    found = place(finding.location)
    line, here = finding.excerpt, extent(finding.location)
    whole = (here.column, here.end_column) == (1, len(line) + 1)
    if line.strip() and here.line == here.end_line and not whole:
        shown = one_line(brief(line).replace("\t", " "))
        found["contextRegion"] = {"startLine": here.line, "snippet": {"text": shown}}
    return found


def place(location: Location) -> dict[str, Any]:
    """A file and a region of it."""
    return {"artifactLocation": artifact(location.path), "region": _region(extent(location))}


def artifact(path: str) -> dict[str, str]:
    """A file: from the root of the repository, or by its whole path where it lies outside."""
    reference = uri(path)
    return {"uri": reference} if path.startswith("/") else {"uri": reference, "uriBaseId": "%SRCROOT%"}


def uri(path: str) -> str:
    """A path from the root of the repository as a relative reference of RFC 3986."""
    while path.startswith("./"):
        path = path[2:]
    encoded = quote(path, safe="/", errors="replace")
    return f"file://{encoded}" if path.startswith("/") else encoded


def _region(here: Extent) -> dict[str, int]:
    """Columns count code points, as `columnKind` says; GitHub asks for all four numbers."""
    return {
        "startLine": here.line,
        "startColumn": here.column,
        "endLine": here.end_line,
        "endColumn": here.end_column,
    }


def fixes(finding: Finding, source: Source) -> list[dict[str, Any]]:
    """What `check --fix` would write for this finding."""
    return [_fix(each, source.text) for each in source.fixes if _mends(each, finding)]


def _mends(fix: Fix, finding: Finding) -> bool:
    """Whether a fix is this finding's and can be said: a byte order mark has no column. A waiver is respected."""
    return (
        (fix.name, fix.location) == (finding.rule, finding.location)
        and finding.waiver is None
        and finding.rule != "yaml-byte-order-mark"
        and len(fix.edits) <= MOST_EDITS
    )


def _fix(fix: Fix, text: str) -> dict[str, Any]:
    replacements = [_replacement(edit, text) for edit in fix.edits]
    change = {"artifactLocation": artifact(fix.location.path), "replacements": replacements}
    return {"description": {"text": one_line(fix.message)}, "artifactChanges": [change]}


def _replacement(edit: Edit, text: str) -> dict[str, Any]:
    (line, column), (end_line, end_column) = (_position(text, index) for index in (edit.start, edit.end))
    region = _region(Extent(line, column, end_line, end_column))
    return {"deletedRegion": region, "insertedContent": {"text": edit.replacement}}


def _position(text: str, index: int) -> tuple[int, int]:
    """Line and column, for which a byte order mark is no character."""
    line, column = position(text, index)
    return line, column - (line == 1 and text.startswith(_BYTE_ORDER_MARK))
