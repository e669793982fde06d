"""Whether what is checked out is what was committed.

Attributes of the change itself (`ident`, `filter`, `working-tree-encoding`) let git write other bytes into the work
tree than the commit holds, while tools that read the commit run those: https://git-scm.com/docs/gitattributes
"""

from collections.abc import Iterator, Sequence

from wpk_sandbox.finding import Finding
from wpk_sandbox.package import problems
from wpk_sandbox.package.repository import Repository
from wpk_sandbox.package.selection import printable, refused
from wpk_sandbox.package.source import read_file


def not_as_committed(repository: Repository, paths: Sequence[str]) -> Iterator[Finding]:
    """A finding for each file of the checked out commit that the work tree holds otherwise; line ends do not count.

    Files that the commit does not have were made by the job, and are its own.
    """
    tree = repository.tree("HEAD") or {}
    tracked = [path for path in paths if tree.get(path, ("", ""))[0].startswith("100")]
    hashes = repository.hashes(tracked)
    for path in tracked:
        name = tree[path][1]
        if hashes.get(path) != name and not _alike(repository, path, name):
            message = f"`{printable(path)}` is checked out as something else than the commit holds"
            yield refused(path, problems.FILE_NOT_AS_COMMITTED, message)


def _alike(repository: Repository, path: str, name: str) -> bool:
    data = read_file(repository.root / path, path, repository.root)
    # A file that cannot be read is told by whoever reads it for what it holds.
    return isinstance(data, Finding) or _lines(data) == _lines(repository.blob(name))


def _lines(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n")
