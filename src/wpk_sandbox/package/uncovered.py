"""Packages of a change that no pattern finds: where nobody looks, nobody checks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from wpk_sandbox.finding import Finding, Location, Rule, Severity
from wpk_sandbox.package.format import KIND
from wpk_sandbox.package.package import Document
from wpk_sandbox.package.repository import Change, Repository
from wpk_sandbox.package.selection import encodable, matches, printable
from wpk_sandbox.package.source import parse, read_file

HIDDEN = Rule(
    "package-hidden",
    Severity.HIGH,
    "A package moves to where no pattern finds it",
    "It was checked until now. Under its new name no check looks at it any more, while whatever loads runbooks may"
    " still find it.",
    "Keep a name that `discover.patterns` finds, or delete the file. If packages are to have other names from now"
    " on, change the patterns first.",
    points=10,
)
UNCOVERED = Rule(
    "package-uncovered",
    Severity.MEDIUM,
    "A WorkflowPackage stands where no pattern finds it",
    "Nothing of it is checked: `discover.patterns` says what package files are called, and this one is called"
    " otherwise.",
    "Rename the file, or add its name to `discover.patterns`.",
    points=10,
)
RULES = (HIDDEN, UNCOVERED)


def uncovered(
    repository: Repository,
    changes: Sequence[Change],
    renames: Mapping[str, str],
    patterns: Sequence[str],
) -> Iterator[Finding]:
    """A finding for each changed file that holds a package and that no pattern finds.

    `renames` are old paths to new ones. A package that went by its name from a file that patterns find to one that
    they do not is hidden, whatever git takes the files for.
    """
    came_from = {new: old for old, new in renames.items() if matches(old, patterns)}
    found: list[tuple[str, Document]] = []
    for change in changes:
        if change.status == "D" or change.linked or matches(change.path, patterns):
            continue
        packages = list(_packages_of(repository, change.path))
        found += [(change.path, document) for document in packages]
        if not packages and change.path in came_from:  # it may hold one that cannot be read, or nobody reads yet
            yield _hidden(change.path, came_from[change.path], patterns)
    before = _names(repository, changes, patterns) if found else {}
    for path, document in found:
        old = came_from.get(path) or before.get(_name(document))
        if old:
            yield _hidden(path, old, patterns, document)
        else:
            place, excerpt = _place(path, document)
            message = f"this is a {KIND}, and {_not_found(path, patterns)}"
            yield UNCOVERED.at(place, message, excerpt=excerpt)


def _packages_of(repository: Repository, path: str) -> Iterator[Document]:
    """The documents of a checked out file that say that they are packages."""
    data = read_file(repository.root / path, path, repository.root) if encodable(path) else b""
    if not isinstance(data, Finding) and KIND.encode() in data:
        yield from (each for each in parse(data, path).documents if _is_package(each))


def _names(repository: Repository, changes: Sequence[Change], patterns: Sequence[str]) -> dict[str, str]:
    """The names of the packages that went, each with its file."""
    found: dict[str, str] = {}
    for change in (each for each in changes if each.status == "D" and each.regular_before):
        if matches(change.path, patterns):
            documents = parse(repository.blob(change.old), change.path).documents
            found |= {_name(document): change.path for document in documents if _is_package(document)}
    return found


def _is_package(document: Document) -> bool:
    return isinstance(document.data, dict) and document.data.get("kind") == KIND


def _name(document: Document) -> str:
    metadata = document.data.get("metadata")
    return str(metadata.get("name")) if isinstance(metadata, dict) else ""


def _hidden(path: str, old: str, patterns: Sequence[str], document: Document | None = None) -> Finding:
    place, excerpt = _place(path, document)
    message = f"the package of `{printable(old)}` moves here, and {_not_found(path, patterns)}"
    return HIDDEN.at(place, message, excerpt=excerpt)


def _not_found(path: str, patterns: Sequence[str]) -> str:
    return f"no pattern ({', '.join(patterns)}) finds `{printable(path)}`"


def _place(path: str, document: Document | None) -> tuple[Location, str]:
    """Where the document says what it is; the file, where there is none."""
    if document is None:
        return Location(printable(path)), ""
    place = document.locate("/kind")
    return replace(place, path=printable(path)), document.line(place.line)[:200]
