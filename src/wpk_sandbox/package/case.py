"""The situations to try a package in: its case file, the objects it names, and the event of the command line."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from wpk_sandbox.errors import UsageError
from wpk_sandbox.finding import Finding, Location
from wpk_sandbox.package import problems
from wpk_sandbox.package.caseformat import CaseFile
from wpk_sandbox.package.mock import REMEDY as MOCK_REMEDY
from wpk_sandbox.package.mock import Mock, mock_of
from wpk_sandbox.package.package import Case, Document, Package
from wpk_sandbox.package.source import parse, read_file
from wpk_sandbox.package.validate import Problem, check, shown

PACKAGE_ENDINGS = (".wpk.yaml", ".wpk.yml", ".yaml", ".yml")
CASE_ENDINGS = (".wpk.test.yaml", ".wpk.test.yml")
_NOT_USED = ("expect",)


def case_paths(package_path: str) -> tuple[str, ...]:
    """Where the case file of a package may stand: `web.wpk.test.yaml` beside `web.wpk.yaml`."""
    stem = next(
        (package_path.removesuffix(end) for end in PACKAGE_ENDINGS if package_path.endswith(end)), package_path
    )
    return tuple(f"{stem}{ending}" for ending in CASE_ENDINGS)


def load_cases(package: Package, root: str | Path) -> tuple[tuple[Case, ...], tuple[Finding, ...]]:
    """The cases of a package, and what is wrong with them; at least one case, empty where there is no other.

    `root` is the repository: the package's path and all others are relative to it and may not leave it. A case with
    a finding of severity high is left out.
    """
    path = next((path for path in case_paths(package.path) if os.path.lexists(Path(root, path))), None)
    if path is None:
        return (Case(),), ()
    if os.path.isabs(path) or path.startswith("../"):
        root = Path(root, path).parent  # a package outside of the repository is a world of its own
    data = read_file(Path(root, path), path, root)
    if isinstance(data, Finding):
        return (Case(),), (data,)
    source = parse(data, path)
    findings = list(source.findings)
    cases: list[Case] = []
    documents = [document for document in source.documents if document.data is not None]
    if len(documents) == 1:
        cases, found = _cases(_File(documents[0], Path(root)))
        findings += found
    elif not any(problems.fatal(finding.severity) for finding in findings):
        message = f"a case file holds one document, this one holds {len(documents)}"
        findings.append(problems.CASE_INVALID.at(Location(path), message))
    return tuple(cases) or (Case(),), tuple(findings)


def referenced_paths(document: Document) -> frozenset[str]:
    """The files that a case file names, relative to the repository."""
    entries = document.data.get("cases") if isinstance(document.data, dict) else None
    objects = [
        item
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("objects"), list)
        for item in entry["objects"]
    ]
    return frozenset(_beside(document.path, item) for item in objects if isinstance(item, str))


def load_event(path: str | Path) -> Mapping[str, Any]:
    """The trigger's event in a JSON or YAML file. Raises `errors.UsageError` when it is not one mapping."""
    data = read_file(path, str(path), Path(path).absolute().parent)
    if isinstance(data, Finding):
        raise UsageError(data.message, "give the path of a JSON or YAML file with `--event`")
    if str(path).endswith(".json"):
        return _json_event(data, path)
    source = parse(data, str(path))
    serious = [finding for finding in source.findings if problems.fatal(finding.severity)]
    if serious:
        raise UsageError(f"the event {serious[0].location} cannot be used: {serious[0].message}", serious[0].fix)
    if len(source.documents) != 1:
        raise UsageError(f"the event `{path}` must hold one document, not {len(source.documents)}")
    return _event(source.documents[0].data, path)


def _json_event(data: bytes, path: str | Path) -> Mapping[str, Any]:
    try:
        event = json.loads(data)
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}:{error.lineno}:{error.colno}: the event is not JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: the event is not JSON: {error}") from error
    return _event(event, path)


def _event(data: Any, path: str | Path) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise UsageError(f"the event `{path}` must be a mapping such as `deployment: web`, not {shown(data)}")
    return data


@dataclass(frozen=True)
class _File:
    document: Document
    root: Path

    @property
    def path(self) -> str:
        return self.document.path

    def place(self, pointer: str) -> Location:
        return self.document.locate(pointer)


def _cases(file: _File) -> tuple[list[Case], list[Finding]]:
    found = check(file.document.data, CaseFile)
    findings = [_case_finding(problem, file) for problem in found]
    unfit = [problem.pointer for problem in found if problem.rule is not problems.UNKNOWN_FIELD]
    entries = file.document.data.get("cases") if isinstance(file.document.data, dict) else None
    cases: list[Case] = []
    names: set[str] = set()
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        pointer = f"/cases/{index}"
        if any(f"{place}/".startswith(f"{pointer}/") for place in unfit):
            continue
        case, more = _case(entry, pointer, file)
        findings += more
        if entry["name"] in names:
            message = f"a case called `{entry['name']}` stands already in this file"
            findings.append(
                problems.CASE_INVALID.at(file.place(f"{pointer}/name"), message, fix="Rename the case.")
            )
        elif not any(problems.fatal(finding.severity) for finding in more):
            cases.append(case)
        names.add(entry["name"])
    return cases, findings


def _case_finding(problem: Problem, file: _File) -> Finding:
    if problem.rule is problems.UNKNOWN_FIELD:
        return problem.finding(file.document)
    place = file.document.locate_key(problem.pointer) if problem.at_key else file.place(problem.pointer)
    excerpt = file.document.line(place.line)[:200]
    return problems.CASE_INVALID.at(place, problem.message, fix=problem.fix, excerpt=excerpt)


def _case(entry: Mapping[str, Any], pointer: str, file: _File) -> tuple[Case, list[Finding]]:
    findings = [
        problems.CASE_NOT_USED.at(file.document.locate_key(f"{pointer}/{field}"), f"`{field}` is not used yet")
        for field in _NOT_USED
        if entry.get(field) is not None
    ]
    objects: list[Mapping[str, Any]] = []
    for index, item in enumerate(entry.get("objects") or []):
        for result in _objects(item, file.place(f"{pointer}/objects/{index}"), file):
            if isinstance(result, Finding):
                findings.append(result)
            else:
                objects.append(result)
    parameters = {key: _text(value) for key, value in (entry.get("parameters") or {}).items()}
    mocks, unfit = _mocks(entry, pointer, file)
    case = Case(entry["name"], entry.get("event") or {}, parameters, tuple(objects), mocks)
    return case, [*findings, *unfit]


def _mocks(entry: Mapping[str, Any], pointer: str, file: _File) -> tuple[tuple[Mock, ...], list[Finding]]:
    mocks, findings = [], []
    for index, item in enumerate(entry.get("mocks") or []):
        try:
            mocks.append(mock_of(item))
        except ValueError as error:
            place = file.place(f"{pointer}/mocks/{index}/request/url")
            findings.append(problems.CASE_INVALID.at(place, str(error), fix=MOCK_REMEDY))
    return tuple(mocks), findings


def _objects(item: Any, place: Location, file: _File) -> Iterator[Mapping[str, Any] | Finding]:
    """The objects that an entry of `objects` stands for: those of a file, or itself."""
    if not isinstance(item, str):
        yield from _manifest(item, place)
        return
    path = _beside(file.path, item)
    data = read_file(file.root / path, path, file.root)
    if isinstance(data, Finding):
        # Where the file is named is where its absence is put right.
        yield replace(data, location=place)
        return
    source = parse(data, path)
    yield from source.findings
    for document in source.documents:
        if document.data is not None:
            yield from _manifest(document.data, document.locate(""))


def _manifest(data: Any, place: Location) -> Iterator[Mapping[str, Any] | Finding]:
    if isinstance(data, dict) and data.get("kind") == "List" and isinstance(data.get("items"), list):
        for item in data["items"]:
            yield from _manifest(item, place)
        return
    missing = _lacks(data)
    if missing:
        yield problems.CASE_OBJECT.at(place, missing)
    else:
        yield data


def _lacks(data: Any) -> str:
    if not isinstance(data, dict):
        return f"an object must be a mapping, not {shown(data)}"
    metadata = data.get("metadata")
    named = isinstance(metadata, dict) and isinstance(metadata.get("name"), str) and metadata["name"]
    missing = [field for field in ("apiVersion", "kind") if not isinstance(data.get(field), str) or not data[field]]
    missing += [] if named else ["metadata.name"]
    return f"the object lacks {', '.join(f'`{field}`' for field in missing)}" if missing else ""


def _beside(path: str, name: str) -> str:
    """A path relative to a file, as one relative to what that file's path is relative to."""
    return os.path.normpath(os.path.join(PurePosixPath(path).parent, name))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
