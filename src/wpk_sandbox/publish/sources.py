"""Reads the files that findings are about, for the forms that name their lines."""

from collections.abc import Iterable
from pathlib import Path

from wpk_sandbox.finding import Finding
from wpk_sandbox.package.source import read_file
from wpk_sandbox.report.source import Source


def sources(root: Path, findings: Iterable[Finding]) -> dict[str, Source]:
    """Each file of the findings by its path; what cannot be read, or leads out of the repository, is left out."""
    read = {path: read_file(root / path, path, root) for path in {each.location.path for each in findings}}
    return {path: Source(data.decode("utf-8", "replace")) for path, data in read.items() if isinstance(data, bytes)}
