"""From a path to plain data with the place of each value; the only reader of files.

Nothing here trusts the file: it is opened without following a link out of the repository, read up to a bound, and
must be printable UTF-8 before YAML sees it (`composer`).
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from wpk_sandbox.finding import Finding, Location
from wpk_sandbox.package import problems
from wpk_sandbox.package.composer import compose
from wpk_sandbox.package.package import Document
from wpk_sandbox.package.text import decode, remarks

LARGEST_FILE = 1024 * 1024
MOST_FINDINGS = 100


@dataclass(frozen=True)
class Source:
    """What a file holds: the documents that could be read, and everything that is wrong with the text.

    A document with a finding of severity high is not among `documents`.
    """

    documents: tuple[Document, ...]
    findings: tuple[Finding, ...]


def read_file(path: str | Path, display: str, root: str | Path | None = None) -> bytes | Finding:
    """The bytes of a regular file of at most 1 MiB, or why they cannot be had.

    The path may lead through links, but not out of `root`; without a root that is the working folder for a path in
    it, and the file's own folder for any other.
    """
    here = problems.whole_file(display)
    try:
        real = os.path.realpath(path)
        if not _inside(real, os.path.realpath(root or _natural_root(path))):
            return problems.FILE_OUTSIDE.at(here, f"`{display}` leads out of the repository, to `{real}`")
        # O_NONBLOCK: opening a FIFO must not wait for a writer. O_NOFOLLOW: nobody swaps in a link after the check.
        descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return problems.FILE_UNREADABLE.at(here, f"`{display}` is {_kind(status.st_mode)}, not a file")
            data = _read(descriptor)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return problems.FILE_UNREADABLE.at(here, f"`{display}` cannot be read: {reason.lower()}")
    if len(data) > LARGEST_FILE:
        size = max(status.st_size, len(data)) / 1024 / 1024
        return problems.YAML_TOO_LARGE.at(
            here, f"`{display}` has {size:.1f} MiB, and the most that is read is 1 MiB"
        )
    return data


def _read(descriptor: int) -> bytes:
    """At most one byte more than what may be read."""
    data = b""
    while len(data) <= LARGEST_FILE and (chunk := os.read(descriptor, LARGEST_FILE + 1 - len(data))):
        data += chunk
    return data


def parse(data: bytes, path: str) -> Source:
    """Read YAML documents from bytes; never raises for what the bytes are."""
    if len(data) > LARGEST_FILE:
        message = f"the file has {len(data)} bytes, and the most that is read is {LARGEST_FILE}"
        return Source((), (problems.YAML_TOO_LARGE.at(Location(path), message),))
    text = decode(data, path)
    if isinstance(text, Finding):
        return Source((), (text,))
    findings = list(remarks(data, text, path))
    documents = compose(text, path, findings)
    return Source(tuple(documents), capped(findings))


def capped(findings: list[Finding]) -> tuple[Finding, ...]:
    """The findings in order, the worst hundred of them when there are more."""
    if len(findings) <= MOST_FINDINGS:
        return tuple(findings)
    kept = sorted(findings, key=lambda finding: finding.order)[: MOST_FINDINGS - 1]
    last = problems.TOO_MANY_PROBLEMS.at(
        kept[-1].location, f"{len(findings) - len(kept)} further problems of this file are not shown"
    )
    return (*kept, last)


def _natural_root(path: str | Path) -> str:
    absolute, here = os.path.abspath(path), os.getcwd()
    return here if _inside(absolute, here) else os.path.dirname(absolute)


def _inside(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "something else")
