"""What the `text` of a policy's waiver is held against.

A line says what it does only together with the lines around it: `rm -rf *` is one thing after `cd /tmp/build` and
another after `cd /`. So the line will do for what is not critical; else the text must be the whole command, or the
whole handler.
"""

from collections.abc import Iterator, Sequence

from wpk_sandbox.finding import Finding, Location
from wpk_sandbox.package.package import Document
from wpk_sandbox.package.validate import value_at
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.comments import lines_of

_COMMAND = Pattern(r".*/(command|script|args)(/\d+)?")
_HANDLER = Pattern(r"/spec/(rollback/)?handlers/\d+")


def marked(text: str, finding: Finding, documents: Sequence[Document]) -> bool:
    """True when a finding marks just this text, or is on one line that it is; blanks count as one.

    A part of a line would not do: whoever may change the line could write what is waived behind what is not.
    """
    return " ".join(text.split()) in _marks(finding, _document(finding, documents))


def whole(text: str, finding: Finding, documents: Sequence[Document]) -> bool:
    """True when this text is the whole command that a finding lies in, or its whole handler, line by line.

    Where there is no handler it is the whole document, such as a manifest beside the package.
    """
    document = _document(finding, documents)
    return document is not None and bool(text) and _lines(text) in _wholes(finding, document)


def handler_of(place: Location, document: Document) -> str:
    """The pointer of the handler that a place lies in; empty where it lies in none."""
    handlers = [pointer for pointer in document.places if _HANDLER.fullmatch(pointer)]
    around = [pointer for pointer in handlers if within(place, document.places[pointer])]
    # Several may stand on one line: the last one that begins before the place holds it.
    return max(around, key=lambda pointer: document.places[pointer], default="")


def within(place: Location, there: Location) -> bool:
    """True for a place that begins in another and ends no line later."""
    return (there.line, there.column) <= (place.line, place.column) and place.line <= there.end_line


def written_at(place: Location, document: Document) -> str:
    """The lines of a place, without their indentation.

    A block ends where the next one begins: the line of that, and comments above it, are no part of it.
    """
    lines = list(lines_of(document)[place.line - 1 : max(place.line, place.end_line)])
    if len(lines) > 1 and not lines[-1][: place.end_column - 1].strip():
        lines.pop()
    while len(lines) > 1 and lines[-1].strip()[:1] in ("", "#"):
        lines.pop()
    return "\n".join(line.strip() for line in lines)


def command_at(place: Location, document: Document) -> str:
    """The whole text of the command that a place lies in; empty where it lies in none."""
    for pointer in (each for each in document.places if _COMMAND.fullmatch(each)):
        value = value_at(document.data, pointer)
        if isinstance(value, str) and within(place, document.places[pointer]):
            return value
    return ""


def _document(finding: Finding, documents: Sequence[Document]) -> Document | None:
    """The one of several documents that a finding is in."""
    there = (each for each in documents if each.path == finding.location.path)
    return next((each for each in there if within(finding.location, each.locate(""))), None)


def _marks(finding: Finding, document: Document | None) -> Iterator[str]:
    place = finding.location
    if document is None:
        yield " ".join(finding.excerpt.split())
        return
    lines = lines_of(document)[place.line - 1 : max(place.line, place.end_line)]
    if lines and place.end_line:
        cut = [*lines[:-1], lines[-1][: place.end_column - 1]]
        cut[0] = cut[0][place.column - 1 :]
        yield " ".join("\n".join(cut).split())
    if len(lines) == 1:
        yield " ".join(lines[0].split())


def _wholes(finding: Finding, document: Document) -> Iterator[str]:
    yield _lines(command_at(finding.location, document))
    yield _lines(written_at(document.locate(handler_of(finding.location, document)), document))


def _lines(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)
