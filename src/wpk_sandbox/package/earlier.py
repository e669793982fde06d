"""Packages as they were before a change: read from the base revision, and followed through renames."""

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
MOST_MOVED = 200
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
            versions = (version for path in self._gone for version in self._versions(path) or ())
            return next((version for version in versions if version[0].name == package.name), None)
        return None

    def read(self, path: str) -> bytes | None:
        """The bytes of a file at the base; None where there is none."""
        shown = self.repository.git("cat-file", "blob", f"{self.base}:./{path}")
        return shown.stdout.encode("utf-8", "surrogateescape") if shown.ok else None

    def _versions(self, path: str) -> list[Version] | None:
        """The packages of a file at the base; None where there is no such file."""
        data = self.read(path) if encodable(path) else None
        if data is None:
            return None
        loaded = load_bytes(data, path)
        return [(each, () if index else loaded.findings) for index, each in enumerate(loaded.packages)]

    @cached_property
    def _renamed(self) -> dict[str, str]:
        """New paths to old ones."""
        return {new: old for old, new in self.repository.renames(self.base, "HEAD").items()}

    @cached_property
    def _gone(self) -> tuple[str, ...]:
        """The package files of the base that are no longer there."""
        changes = self.repository.diff(self.base, "HEAD")
        if changes is None:
            raise UnavailableError("too many files changed to say what became of the base's packages")
        gone = (change.path for change in changes if change.status == "D" and matches(change.path, self.patterns))
        return tuple(gone)[:MOST_MOVED]


def _at_its_place(candidates: Sequence[Version], package: Package) -> Version:
    """Of several the one that has the same place in its file."""
    place = package.document.index
    return next((each for each in candidates if each[0].document.index == place), candidates[0])
