"""From a file to the packages in it. Whatever it holds, the answer is packages and findings, never a traceback.

A document of another kind is passed over, since tools share files; a file without any WorkflowPackage is a finding.
A document with a finding of severity high gives no package (`problems`); a step that is not understood stays in its
package as an `UnknownAction`.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wpk_sandbox.finding import Finding, Location
from wpk_sandbox.package import problems
from wpk_sandbox.package.build import build
from wpk_sandbox.package.format import API_VERSION, KIND, WorkflowPackage
from wpk_sandbox.package.free import slips
from wpk_sandbox.package.package import Document, Package
from wpk_sandbox.package.source import capped, parse, read_file
from wpk_sandbox.package.validate import Problem, check, nearest, shown, value_at

# Without these there is nothing to report on or to run; the rest of a package can be left out.
_ESSENTIAL = frozenset({"", "/metadata", "/metadata/name", "/spec", "/spec/handlers"})
_REQUIRED = {("", "apiVersion"), ("", "metadata"), ("/metadata", "name"), ("", "spec"), ("/spec", "handlers")}


@dataclass(frozen=True)
class Loaded:
    """What a file holds. Each finding's location tells the file and the line that it is about."""

    packages: tuple[Package, ...]
    findings: tuple[Finding, ...]


def load_file(path: str | Path, *, display: str | None = None, root: str | Path | None = None) -> Loaded:
    """Load a file, which reports call `display`; links may not lead out of `root` (see `source.read_file`)."""
    name = display or str(path)
    data = read_file(path, name, root)
    return Loaded((), (data,)) if isinstance(data, Finding) else load_bytes(data, name)


def load_bytes(data: bytes, path: str) -> Loaded:
    """Load the bytes of a file that reports call `path`."""
    source = parse(data, path)
    findings = list(source.findings)
    digest = hashlib.sha256(data).hexdigest()
    packages, others, near = [], [], False
    for document in source.documents:
        kind = _kind(document)
        if kind == KIND:
            package, found = _load(document, digest)
            packages += [package] if package else []
            findings += found
            near = True
        elif kind is not None and nearest(kind, (KIND,)):
            findings.append(_near_miss(document, kind))
            near = True
        else:
            others.append(document)
    if not near and not any(problems.fatal(finding.severity) for finding in findings):
        findings.append(_no_package(others, path))
    findings += (finding for document in others for finding in _nested(document))
    return Loaded(tuple(packages), capped(findings))


def _kind(document: Document) -> str | None:
    kind = document.data.get("kind") if isinstance(document.data, dict) else None
    return kind if isinstance(kind, str) else None


def _nested(document: Document) -> Iterator[Finding]:
    """A finding for each package that stands inside of something else, such as a `List`: there nobody reads it."""
    for pointer in document.places:
        around = value_at(document.data, pointer.removesuffix("/kind")) if pointer.endswith("/kind") else None
        # Others only name the kind, as the definition of a resource does.
        if around is not document.data and isinstance(around, dict) and around["kind"] == KIND and "spec" in around:
            place = document.locate(pointer)
            message = f"this {KIND} stands inside of another document, where it is not looked at"
            fix = "Give it a document of its own."
            yield problems.NOT_A_PACKAGE.at(place, message, fix=fix, excerpt=document.line(place.line)[:200])


def _near_miss(document: Document, kind: str) -> Finding:
    place = document.locate("/kind")
    message = f"the kind `{kind}` is unknown; did you mean `{KIND}`?"
    return problems.NOT_A_PACKAGE.at(
        place, message, fix=f"Write `kind: {KIND}`.", excerpt=document.line(place.line)
    )


def _no_package(others: list[Document], path: str) -> Finding:
    documents = [document for document in others if document.data is not None]
    if not documents:
        return problems.NOT_A_PACKAGE.at(Location(path), "the file is empty, or holds only comments")
    first = documents[0]
    data = first.data
    if not isinstance(data, dict):
        return problems.NOT_A_PACKAGE.at(
            first.locate(""), f"the document is {shown(data)}, not a mapping with `kind: {KIND}`"
        )
    if "kind" not in data:
        guess = nearest("kind", data)
        hint = f"; did you mean `kind` where you wrote `{guess}`?" if guess else ""
        return problems.NOT_A_PACKAGE.at(first.locate(""), f"the document has no `kind`{hint}")
    kinds = ", ".join(sorted({shown(_kind(document)) for document in documents}))
    return problems.NOT_A_PACKAGE.at(
        first.locate("/kind"), f"the file holds no document of the kind {KIND}, only {kinds}"
    )


def _load(document: Document, digest: str) -> tuple[Package | None, list[Finding]]:
    found = [_weighed(problem, document.data) for problem in check(document.data, WorkflowPackage)]
    found += slips(document.data)
    findings = [problem.finding(document) for problem in found]
    if any(problems.fatal(problem.rule.severity) for problem in found):
        return None, findings
    unfit = {problem.place: problem.message for problem in found if problem.rule is not problems.UNKNOWN_FIELD}
    return build(document, unfit, digest), findings


def _weighed(problem: Problem, data: Any) -> Problem:
    """The problem with the rule that its place calls for: some places a package cannot do without."""
    if problem.pointer == "/apiVersion":
        message = f"`apiVersion` must be `{API_VERSION}`, not {shown(value_at(data, '/apiVersion'))}"
        return replace(problem, rule=problems.WRONG_API_VERSION, message=message)
    if (problem.pointer, problem.lacks) in _REQUIRED:
        return replace(problem, rule=problems.MISSING_FIELD)
    if problem.rule is problems.INVALID_VALUE and problem.pointer in _ESSENTIAL:
        return _essential(problem, value_at(data, problem.pointer))
    return problem


def _essential(problem: Problem, value: Any) -> Problem:
    """An unfit value in a place that matters: nothing there, the wrong shape, or only a badly spelt name."""
    if (
        value is None
        or (value == [] and problem.pointer == "/spec/handlers")
        or (problem.pointer == "/metadata/name" and isinstance(value, dict | list))
    ):
        return replace(problem, rule=problems.MISSING_FIELD)
    if problem.pointer == "/metadata/name":
        return problem
    return replace(problem, rule=problems.WRONG_STRUCTURE)
