"""The files of the repository that a package applies: they are as much a part of it as what stands in it.

They are read once, through the same guard as packages, so that what was checked is what is run.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from wpk_sandbox.finding import Finding
from wpk_sandbox.package import problems
from wpk_sandbox.package.package import Document, KubernetesAction, Package, Step
from wpk_sandbox.package.selection import normal
from wpk_sandbox.package.source import parse

# Other words that authors use for the same option, the format's own first.
FILE_OPTIONS = ("manifest", "manifests", "file", "path")
MANIFEST_OPTIONS = (*FILE_OPTIONS, "template", "object")
MOST_FILES = 50

# Gives the bytes of a file by its path in the repository, why they cannot be had, or None where nobody asks why.
Reader = Callable[[str], bytes | Finding | None]


def is_path(value: Any) -> bool:
    """True for what names a file of the repository rather than an object."""
    return isinstance(value, str) and value.lower().endswith((".yaml", ".yml", ".json"))


def referenced_paths(action: KubernetesAction) -> Iterator[str]:
    """The files of the repository that an action names as its manifests, as they are written."""
    yield from (path for _, path in _named(action))


def with_files(package: Package, read: Reader) -> tuple[Package, tuple[Finding, ...]]:
    """The package with the documents of the files that it names, and what is wrong with these.

    A file that cannot be read is told where the package names it. A path with a parameter is known only when the
    runbook fires, and is left out.
    """
    files: dict[str, tuple[Document, ...]] = {}
    findings: list[Finding] = []
    for pointer, path in _paths(package):
        if path in files or "${" in path:
            continue
        if len(files) >= MOST_FILES:
            message = f"the package names more than {MOST_FILES} files, and the others are not read"
            findings.append(_at(problems.YAML_TOO_LARGE.at(package.document.locate(pointer), message), package))
            break
        files[path], found = _documents(package, pointer, path, read)
        findings += found
    return (replace(package, files=files) if files else package), tuple(findings)


def _documents(
    package: Package, pointer: str, path: str, read: Reader
) -> tuple[tuple[Document, ...], tuple[Finding, ...]]:
    data = read(path)
    if data is None:
        return (), ()
    if isinstance(data, Finding):
        here = replace(data, location=package.document.locate(pointer))
        return (), (_at(here, package),)
    source = parse(data, normal(path))
    return source.documents, source.findings


def _at(finding: Finding, package: Package) -> Finding:
    return replace(finding, excerpt=package.document.line(finding.location.line)[:200])


def _paths(package: Package) -> Iterator[tuple[str, str]]:
    """The pointers and the texts of all paths."""
    for handler in (*package.handlers, *package.rollback.handlers):
        for step in handler.steps:
            if isinstance(step.action, KubernetesAction):
                yield from ((_pointer(step, ending), path) for ending, path in _named(step.action))


def _pointer(step: Step, ending: str) -> str:
    return f"{step.pointer}/config/{ending}"


def _named(action: KubernetesAction) -> Iterator[tuple[str, str]]:
    """Each path with the end of its pointer: the option, and the place in its list."""
    if action.verb not in ("apply", "run", "create"):
        return
    keys = FILE_OPTIONS if action.verb == "run" else MANIFEST_OPTIONS
    key = next((key for key in keys if action.options.get(key)), "")
    value = action.options.get(key)
    if isinstance(value, list | tuple):
        yield from ((f"{key}/{index}", item) for index, item in enumerate(value) if is_path(item))
    elif is_path(value):
        yield key, str(value)
