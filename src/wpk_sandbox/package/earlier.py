"""Packages as they were before a change: read from the base revision, and followed through renames."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from wpk_sandbox.errors import UnavailableError
from wpk_sandbox.finding import Finding
from wpk_sandbox.package.load import load_bytes
from wpk_sandbox.package.package import Package
from wpk_sandbox.package.repository import Repository
from wpk_sandbox.package.selection import PATTERNS, encodable, matches

# More files of the base are not searched for a package that moved: it counts as new then.
MOST_MOVED = 5000
# A package, and what was said of its file when it was loaded (with the first package of a file).
Version = tuple[Package, tuple[Finding, ...]]


@dataclass(frozen=True)
class Earlier:
    """A repository as it was at the revision `base`, for what is checked out now."""

    repository: Repository
    base: str
    patterns: Sequence[str] = PATTERNS

    def version_of(self, package: Package) -> Version | None:
        """The package at the base: in its file, in what was renamed to that, or by its name in a lost file.

        None for a package that is new. Raises `errors.UnavailableError` when git cannot say what changed.
        """
        for path in (package.path, self._renamed.get(package.path)):
            if path and (found := self._versions(path)):
                same = [version for version in found if version[0].name == package.name]
                return _at_its_place(same or found, package)
        if self._versions(package.path) is None:
            name = package.name.encode("utf-8", "surrogatepass")
            holding = ((path, data) for path, data in self._gone.items() if name in data)
            versions = (version for path, data in holding for version in _loaded(path, data))
            return next((version for version in versions if version[0].name == package.name), None)
        return None

    def read(self, path: str) -> bytes | None:
        """The bytes of a file at the base; None where there is none.

        Raises `errors.UnavailableError` where git cannot say: what cannot be had may be there all the same.
        """
        if os.path.isabs(path) or path.startswith("../") or not encodable(path):
            return None
        mode, name = self._entry(os.path.normpath(path)) or ("", "")
        return self.repository.blob(name) if mode.startswith("100") else None

    def changes(self, path: str) -> bool:
        """True when a file or a folder is not what it was at the base."""
        return self.repository.entry(self.base, path) != self.repository.entry("HEAD", path)

    def linked(self, path: str) -> bool:
        """True where the base has a symbolic link at a path."""
        mode, _ = self.repository.entry(self.base, path) or ("", "")
        return mode == "120000"

    def _versions(self, path: str) -> list[Version] | None:
        """The packages of a file at the base; None where there is no such file."""
        data = self.read(path)
        return None if data is None else _loaded(path, data)

    def _entry(self, path: str) -> tuple[str, str] | None:
        return self._tree.get(path) if self._tree is not None else self.repository.entry(self.base, path)

    @cached_property
    def _tree(self) -> dict[str, tuple[str, str]] | None:
        return self.repository.tree(self.base)

    @cached_property
    def _renamed(self) -> dict[str, str]:
        """New paths to old ones."""
        return {new: old for old, new in self.repository.renames(self.base, "HEAD").items()}

    @cached_property
    def _gone(self) -> dict[str, bytes]:
        """The package files of the base that are no longer there, by their paths."""
        changes = self.repository.diff(self.base, "HEAD")
        if changes is None:
            raise UnavailableError("too many files changed to say what became of the base's packages")
        gone = [each for each in changes if each.status == "D" and each.regular_before]
        gone = [each for each in gone if matches(each.path, self.patterns)][:MOST_MOVED]
        data = dict(self.repository.blobs([each.old for each in gone]))
        return {each.path: data[each.old] for each in gone if each.old in data}


def _loaded(path: str, data: bytes) -> list[Version]:
    loaded = load_bytes(data, path)
    return [(each, () if index else loaded.findings) for index, each in enumerate(loaded.packages)]


def _at_its_place(candidates: Sequence[Version], package: Package) -> Version:
    """Of several the one that has the same place in its file."""
    place = package.document.index
    return next((each for each in candidates if each[0].document.index == place), candidates[0])
