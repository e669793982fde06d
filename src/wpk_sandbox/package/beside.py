"""The packages of a repository that a change does not touch, found by their names without loading them all."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from wpk_sandbox.finding import Finding, Location
from wpk_sandbox.package.load import load_bytes
from wpk_sandbox.package.source import read_file

# Everything that may be the name of a package; which it is, only loading the file tells.
_NAMES = re.compile(rb"\bname[\"']?\s*:\s*(?:[&!]\S+\s+)*[\"']?([a-z0-9-]+)")


@dataclass(frozen=True)
class Beside:
    """The package files `paths` of the repository `root`; they are read when a name is first looked up."""

    root: Path
    paths: Sequence[str]

    def named(self, name: str) -> Location | None:
        """The place of the name of a package that is called so, or None."""
        for path in self._files.get(name.encode("utf-8", "replace"), ()):
            data = read_file(self.root / path, path, self.root)
            for package in () if isinstance(data, Finding) else load_bytes(data, path).packages:
                if package.name == name:
                    return package.document.locate("/metadata/name")
        return None

    @cached_property
    def _files(self) -> dict[bytes, list[str]]:
        """By each text that may be a package's name the files that hold it."""
        found: dict[bytes, list[str]] = {}
        for path in self.paths:
            data = read_file(self.root / path, path, self.root)
            for name in () if isinstance(data, Finding) else set(_NAMES.findall(data)):
                found.setdefault(name, []).append(path)
        return found
