"""Which files are packages: those that are named, those in folders, and all of a repository."""

import difflib
import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from wpk_sandbox.errors import UsageError
from wpk_sandbox.finding import Finding, Location, Rule
from wpk_sandbox.package import problems
from wpk_sandbox.package.case import CASE_ENDINGS

PATTERNS = ("*.wpk.yaml", "*.wpk.yml")
_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Selection:
    """The packages to try: paths relative to the root (absolute outside of it), sorted.

    `notes` say how they were chosen and what was left out; `findings` are about paths that may not be packages.
    `everything` is true when all packages were taken, on purpose or because it could not be known which changed;
    else `beside` are the package files that a change does not touch.
    """

    files: tuple[str, ...]
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    everything: bool = False
    beside: tuple[str, ...] = ()


def find(paths: Sequence[str], patterns: Sequence[str] = PATTERNS, *, root: str | Path = ".") -> Selection:
    """The packages that files, folders and globs stand for; relative paths begin at `root`.

    A file that is named is taken whatever its name is; in folders only what matches a pattern, and of a glob every
    YAML file but case files. Raises `errors.UsageError` for a path that does not exist.
    """
    files: set[str] = set()
    notes: list[str] = []
    findings: list[Finding] = []
    for path in paths:
        found = [_checked(name, Path(root), explicit=name == path) for name in _named(path, patterns, Path(root))]
        files.update(name for name in found if isinstance(name, str))
        findings += [finding for finding in found if isinstance(finding, Finding)]
        if not found:
            notes.append(f"`{printable(path)}` holds no package ({', '.join(patterns)})")
    return Selection(tuple(sorted(files)), tuple(notes), tuple(findings))


def everything(root: str | Path, patterns: Sequence[str], why: str) -> Selection:
    """All packages of a repository; `why` says in the notes what made us take them."""
    found = find(["."], patterns, root=root)
    return Selection(found.files, (why, *found.notes), found.findings, everything=True)


def matches(path: str, patterns: Sequence[str]) -> bool:
    """True when a path matches a pattern: by its name, or as a whole when the pattern has a `/`.

    Case does not count: on many machines `A.WPK.YAML` and `a.wpk.yaml` are one file.
    """
    name = path.rpartition("/")[2].lower()
    return any(
        _expression(pattern.lower()).fullmatch(path.lower() if "/" in pattern else name) for pattern in patterns
    )


def matches_whole(path: str, pattern: str) -> bool:
    """True when a pattern matches the whole of a path, letter for letter; a `*` stays in one folder."""
    return _expression(pattern).fullmatch(path) is not None


def encodable(path: str) -> bool:
    """True when the bytes of a file's name are UTF-8, so that a report can name the file."""
    return path.isascii() or not any("\ud800" <= character <= "\udfff" for character in path)


def printable(path: str) -> str:
    """A path for a reader: what cannot be printed is escaped."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "surrogatepass").decode()
        for character in path
    )


def normal(path: str) -> str:
    """A path without `.` and `..` where they can be resolved."""
    return os.path.normpath(path)


def refused(path: str, rule: Rule, message: str) -> Finding:
    """A finding about a path that may not be a package."""
    return rule.at(Location(printable(path)), message)


def _named(path: str, patterns: Sequence[str], root: Path) -> Iterator[str]:
    full = root / path
    if full.is_dir():
        yield from _inside(full, patterns, root)
    elif os.path.lexists(full):
        yield _relative(full, root)
    elif _GLOB.search(path):
        for match in sorted(glob.glob(path, root_dir=root, recursive=True)):
            if (root / match).is_dir():
                yield from _inside(root / match, patterns, root)
            elif match.endswith((".yaml", ".yml")) and not match.endswith(CASE_ENDINGS):
                yield _relative(root / match, root)
    else:
        raise UsageError(f"there is no `{printable(path)}`", _nearest(full))


def _inside(folder: Path, patterns: Sequence[str], root: Path) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != ".git")
        # os.walk counts a link to a folder among the folders, and does not follow it.
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        for name in sorted(names + links):
            path = _relative(Path(parent, name), root)
            if matches(path, patterns):
                yield path


def _checked(path: str, root: Path, *, explicit: bool) -> str | Finding:
    if not encodable(path):
        return refused(path, problems.FILE_NAME, f"the name `{printable(path)}` is not UTF-8")
    if not explicit and (root / path).is_symlink():
        return refused(path, problems.FILE_LINK, f"`{printable(path)}` is a symbolic link")
    return path


def _relative(path: Path, root: Path) -> str:
    absolute, base = os.path.abspath(path), os.path.abspath(root)
    return os.path.relpath(absolute, base) if Path(absolute).is_relative_to(base) else absolute


def _nearest(path: Path) -> str:
    """What was probably meant by a path that does not exist."""
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder `{folder}` either"
    close = difflib.get_close_matches(path.name, [entry.name for entry in os.scandir(folder)], n=1, cutoff=0.5)
    return f"did you mean `{printable(str(folder / close[0]))}`?" if close else "check the path"


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    """A glob as a regular expression: `*` and `?` stay in one folder, `**/` is any number of folders."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meaning.get(part) or re.escape(part) for part in parts), re.DOTALL)
