"""Which packages a change touches: their own files, their case files, and the files that these name.

When that cannot be known, every package is taken and the notes say so: an empty answer must mean that nothing
changed, never that we could not look.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from wpk_sandbox.errors import UsageError
from wpk_sandbox.finding import Finding
from wpk_sandbox.package import problems
from wpk_sandbox.package.case import case_paths, referenced_paths
from wpk_sandbox.package.repository import Change, Repository, is_hash
from wpk_sandbox.package.selection import (
    PATTERNS,
    Selection,
    encodable,
    everything,
    find,
    matches,
    normal,
    printable,
    refused,
)
from wpk_sandbox.package.source import parse, read_file
from wpk_sandbox.package.uncovered import uncovered
from wpk_sandbox.package.validate import nearest

MOST_NOTES = 20
# A word that may be a path: of a manifest in a field of its own, or of a script in the middle of a command.
_WORD = re.compile(r"[^\s'\"`;|&<>(){}\[\]$=,]*[/.][^\s'\"`;|&<>(){}\[\]$=,]*")


def changed(
    root: str | Path,
    base: str,
    head: str = "HEAD",
    patterns: Sequence[str] = PATTERNS,
    *,
    exact: bool = False,
) -> Selection:
    """The packages that differ between `head` and what it has in common with `base` (with `exact`: and `base`).

    Packages are read from the folder `root`, so `head` should be what is checked out there. Raises
    `errors.UsageError` for a revision that does not exist.
    """
    repository = Repository(Path(root))
    repository.require()
    tip = repository.have(head)
    if tip is None:
        raise UsageError(f"there is no revision `{head}`", _meant(head, repository))
    starts = _starts(repository, base, tip, exact)
    if not starts:
        why = f"what `{base[:80]}` and `{head[:80]}` have in common cannot be found, so every package is taken"
        return everything(root, patterns, why)
    return _select(repository, starts, tip, patterns)


def _starts(repository: Repository, base: str, tip: str, exact: bool) -> tuple[str, ...]:
    """The commits to compare with, none when the history does not tell; several mostly make no difference."""
    commit = repository.have(base) or (None if is_hash(base) else repository.have_branch(base))
    if commit is None and not is_hash(base):
        raise UsageError(f"there is no revision `{base}`", _meant(base, repository))
    if commit is None:
        return ()
    return (commit,) if exact else repository.merge_bases(commit, tip)


def _meant(revision: str, repository: Repository) -> str:
    guess = nearest(revision, repository.branches())
    return f"did you mean `{guess}`?" if guess else "name a commit, a branch or a tag"


def _differing(repository: Repository, bases: Sequence[str], head: str) -> list[Change] | None:
    """The paths that differ from any of the bases; None for too many."""
    found: dict[str, Change] = {}
    for base in bases:
        changes = repository.diff(base, head)
        if changes is None:
            return None
        found = {change.path: change for change in changes} | found
    return [found[path] for path in sorted(found)]


def _select(repository: Repository, bases: Sequence[str], head: str, patterns: Sequence[str]) -> Selection:
    base = bases[0]
    changes = _differing(repository, bases, head)
    if changes is None:
        return everything(
            repository.root, patterns, "too many files changed to list them, so every package is taken"
        )
    own = [change for change in changes if matches(change.path, patterns)]
    gone = [change.path for change in own if change.status == "D"]
    renames = repository.renames(base, head) if gone else {}
    findings = [finding for change in own if (finding := _refusal(change))]
    findings += [*_replaced(changes, gone), *uncovered(repository, changes, renames, patterns)]
    files = {change.path for change in own if change.status != "D" and not _refusal(change)}
    notes = [f"compared with {base[:12]}: {len(changes)} changed files", *_gone(gone, renames)]
    if head != repository.resolve("HEAD"):
        notes.append(f"packages are read from the folder, where not {head[:12]} is checked out")
    others = frozenset(change.path for change in changes if change.path not in files and encodable(change.path))
    every = find(["."], patterns, root=repository.root).files if files or others else ()
    for path, touched in _dependent(repository.root, others, sorted(set(every) - files)):
        files.add(path)
        notes.append(f"`{printable(path)}` is taken because `{printable(touched)}` changed")
    beside = tuple(sorted(set(every) - files))
    return Selection(tuple(sorted(files)), tuple(notes), tuple(findings), beside=beside)


def _refusal(change: Change) -> Finding | None:
    if change.status == "D":
        return None
    if change.linked:
        return refused(change.path, problems.FILE_LINK, f"`{printable(change.path)}` is {change.linked}")
    if not encodable(change.path):
        message = f"the name `{printable(change.path)}` is not UTF-8"
        return refused(change.path, problems.FILE_NAME, message)
    return None


def _replaced(changes: Iterable[Change], gone: Sequence[str]) -> Iterator[Finding]:
    """A finding for each folder of packages that became a link or a submodule: what is in it is not looked at."""
    for change in (each for each in changes if each.linked and each.status != "D"):
        below = [path for path in gone if path.startswith(f"{change.path}/")]
        if below:
            message = f"`{printable(change.path)}`, where `{printable(below[0])}` was, is {change.linked} now"
            yield refused(change.path, problems.FILE_LINK, message)


def _gone(gone: Sequence[str], renames: Mapping[str, str]) -> Iterator[str]:
    """A note for each package that is no longer where it was; more than a reader reads would hide all others."""
    for path in gone[:MOST_NOTES]:
        if path in renames:
            yield f"`{printable(path)}` → `{printable(renames[path])}` was renamed"
        else:
            yield f"`{printable(path)}` was deleted, so nothing of it is tried"
    if len(gone) > MOST_NOTES:
        yield f"and {len(gone) - MOST_NOTES} more packages were deleted or renamed"


def _dependent(root: Path, others: frozenset[str], unchanged: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The unchanged packages that depend on a changed file, each with that file."""
    for path in unchanged if others else ():
        touched = sorted(others.intersection(_depends_on(root, path)))
        if touched:
            yield path, touched[0]


def _depends_on(root: Path, path: str) -> Iterator[str]:
    """The paths of a package's case file and of the files that it and its case file may name."""
    cases = case_paths(path)
    yield from cases
    for file in (path, *(case for case in cases if (root / case).is_file())):
        data = read_file(root / file, file, root)
        if isinstance(data, Finding):
            continue
        for document in parse(data, file).documents:
            yield from referenced_paths(document)
            for name in _named_files(document.data):
                yield from (normal(name), normal(str(PurePosixPath(path).parent / name)))


def _named_files(data: Any) -> Iterator[str]:
    """Every text, and every word in it, that may be the path of a file."""
    if isinstance(data, str):
        yield data
        yield from (match[0] for match in _WORD.finditer(data))
    values = data if isinstance(data, list) else data.values() if isinstance(data, dict) else ()
    for value in values:
        yield from _named_files(value)
