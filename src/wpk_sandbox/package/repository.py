"""What we ask of git, hardened: the repository is somebody's change, and its settings may not run anything.

https://git-scm.com/docs/git-config: `safe.directory` is read from the environment since 2.38, so a checkout that
belongs to another user (the Action's) can be read without writing anybody's configuration.
"""

import io
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wpk_sandbox import command
from wpk_sandbox.command import CommandResult
from wpk_sandbox.errors import UsageError

DEEPEN = (50, 200)
QUICK = 60.0
FETCH = 300.0
LARGEST_DIFF = 32 * 1024 * 1024
_HASH = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
# A `.gitmodules` of the change could ask to be shown no submodule.
_FETCH_BASE = "let the checkout fetch it: `fetch-depth: 0` and no `filter` (GitHub), `GIT_DEPTH: 0` (GitLab)"
_SUBMODULES = "--ignore-submodules=none"
_SETTINGS = (
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    ("core.quotePath", "false"),
    ("protocol.ext.allow", "never"),
    ("gc.auto", "0"),
    ("submodule.recurse", "false"),
)


@dataclass(frozen=True)
class Change:
    """One changed path. Modes are git's, in octal text; `status` is A, M, T or D; `old` is what it held before."""

    path: str
    old_mode: str
    new_mode: str
    status: str
    old: str = ""

    @property
    def regular_before(self) -> bool:
        """True where the path was a file."""
        return self.old_mode.startswith("100")

    @property
    def linked(self) -> str:
        """What the path is when it is not a file: a symbolic link or a submodule."""
        return {"120000": "a symbolic link", "160000": "a submodule"}.get(self.new_mode, "")


@dataclass(frozen=True)
class Repository:
    """A git repository, or a folder in one; paths are relative to that folder."""

    root: Path

    def git(self, *arguments: str, timeout: float = QUICK, stdin: bytes = b"") -> CommandResult:
        """Run git in the root; file names in the output keep bytes that are not UTF-8 as surrogates."""
        argv = ("git", "-C", str(self.root), *arguments)
        return command.run(
            argv,
            timeout=timeout,
            stdin=stdin,
            env=_environment(self.root),
            output_cap=LARGEST_DIFF,
            undecodable="surrogateescape",
        )

    def require(self) -> None:
        """Raise `errors.UsageError` unless the root lies in a git repository."""
        result = self.git("rev-parse", "--is-inside-work-tree")
        if not result.ok:
            message = f"`{self.root}` is not in a git repository: {result.stderr.strip()[:300]}"
            raise UsageError(message, "name the packages instead, or check the repository out with its history")

    def resolve(self, revision: str) -> str | None:
        """The hash of the commit that a revision means, if it is here."""
        if not revision or revision.startswith("-") or "\0" in revision:
            return None
        result = self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return result.stdout.strip() if result.ok else None

    def parents(self, revision: str) -> tuple[str, ...]:
        """The hashes of a commit's parents as the commit names them, whether or not they are here."""
        result = self.git("cat-file", "commit", revision)
        header = result.stdout.partition("\n\n")[0] if result.ok else ""
        return tuple(line.removeprefix("parent ") for line in header.splitlines() if line.startswith("parent "))

    def shallow(self) -> bool:
        """True when older history was left out of the clone."""
        return self.git("rev-parse", "--is-shallow-repository").stdout.strip() == "true"

    def branches(self) -> tuple[str, ...]:
        """The short names of branches and tags, for suggesting one."""
        return tuple(self.git("for-each-ref", "--format=%(refname:short)", "--count=1000").stdout.split())

    def remote(self) -> str | None:
        """The remote to fetch from: `origin`, or the first there is."""
        remotes = self.git("remote").stdout.split()
        return "origin" if "origin" in remotes else next(iter(remotes), None)

    def fetch(self, *arguments: str) -> bool:
        """Fetch from the remote; False when there is none or it does not answer."""
        remote = self.remote()
        if remote is None:
            return False
        options = [argument for argument in arguments if argument.startswith("--")]
        wanted = [argument for argument in arguments if not argument.startswith("--")]
        quiet = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-gc")
        return self.git("fetch", *quiet, *options, remote, *wanted, timeout=FETCH).ok

    def have(self, revision: str) -> str | None:
        """The hash of a commit that is here, or that the remote has, from which it is fetched."""
        commit = self.resolve(revision)
        if commit is None and is_hash(revision):
            self.fetch(*self._bare(), revision)
            commit = self.resolve(revision)
        return commit

    def have_branch(self, name: str) -> str | None:
        """The hash of a branch of the remote, which is fetched where it is not here."""
        remote = self.remote() or "origin"
        reference = f"refs/remotes/{remote}/{name}"
        commit = self.resolve(reference)
        if commit is None:
            self.fetch(*self._bare(), f"+refs/heads/{name}:{reference}")
            commit = self.resolve(reference)
        return commit

    def _bare(self) -> tuple[str, ...]:
        """The option to fetch without history; only in a shallow clone, since it would make one of a full clone."""
        return ("--depth=1",) if self.shallow() else ()

    def merge_bases(self, base: str, head: str) -> tuple[str, ...]:
        """The newest commits that two commits have in common; a shallow clone is deepened until one shows.

        Branches that were merged into one another have several.
        """
        found = self._merge_bases(base, head)
        steps = [*(f"--deepen={count}" for count in DEEPEN), "--unshallow"]
        while not found and steps and self.shallow():
            step = steps.pop(0)
            if not self.fetch(step, base, head):
                self.fetch(step)  # the remote lacks one of the two: a commit that was never pushed
            found = self._merge_bases(base, head)
        return found

    def _merge_bases(self, base: str, head: str) -> tuple[str, ...]:
        result = self.git("merge-base", "--all", base, head)
        return tuple(result.stdout.split()) if result.ok else ()

    def diff(self, base: str, head: str) -> tuple[Change, ...] | None:
        """The paths that differ between two commits, a rename as a removal and an addition; None for too many."""
        hardened = ("--no-ext-diff", "--no-textconv", "--no-renames", "--full-index", "--relative", _SUBMODULES)
        result = self.git("diff-tree", "-r", "-z", "--raw", *hardened, base, head).require()
        if len(result.stdout) >= LARGEST_DIFF:
            return None
        fields = result.stdout.split("\0")
        changes = []
        for facts, path in zip(fields[::2], fields[1::2], strict=False):
            old_mode, new_mode, old, _, status = facts.removeprefix(":").split()
            changes.append(Change(path, old_mode, new_mode, status[:1], old))
        return tuple(changes)

    def entry(self, revision: str, path: str) -> tuple[str, str] | None:
        """The mode and the hash of a path at a revision; None where there is no such path.

        Raises `errors.UnavailableError` where the revision, or a part of it, is not here: that is no answer.
        """
        listed = self.git("ls-tree", "-z", revision, "--", path).require(_FETCH_BASE)
        facts = listed.stdout.partition("\t")[0].split()
        return (facts[0], facts[2]) if facts else None

    def tree(self, revision: str) -> dict[str, tuple[str, str]] | None:
        """The mode and the hash of every file at a revision, in one call; None for more than can be listed.

        Raises `errors.UnavailableError` as `entry` does.
        """
        listed = self.git("ls-tree", "-r", "-z", revision).require(_FETCH_BASE).stdout
        if len(listed) >= LARGEST_DIFF:
            return None
        lines = (line.partition("\t") for line in listed.split("\0") if line)
        return {path: (facts.split()[0], facts.split()[2]) for facts, _, path in lines}

    def hashes(self, paths: Sequence[str]) -> dict[str, str]:
        """The hashes of files of the work tree, as they are; a path with a line end is left out."""
        plain = [path for path in paths if "\n" not in path]
        told = self.git(
            "hash-object",
            "--no-filters",
            "--stdin-paths",
            stdin="\n".join(plain).encode("utf-8", "surrogateescape"),
        ).stdout
        return dict(zip(plain, told.split(), strict=False)) if plain else {}

    def blob(self, name: str) -> bytes:
        """The bytes of a file by its hash. Raises `errors.UnavailableError` where they are not here."""
        shown = self.git("cat-file", "blob", name).require(_FETCH_BASE)
        return shown.stdout.encode("utf-8", "surrogateescape")

    def blobs(self, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """The bytes of many files by their hashes, with the hashes; as many as 32 MiB hold.

        https://git-scm.com/docs/git-cat-file#_batch_output
        """
        told = self.git("cat-file", "--batch", stdin="\n".join(names).encode()).require(_FETCH_BASE).stdout
        stream = io.BytesIO(told.encode("utf-8", "surrogateescape"))
        while header := stream.readline():
            facts = header.split()
            if len(facts) == 3:
                yield facts[0].decode(), stream.read(int(facts[2]))
                stream.readline()

    def renames(self, base: str, head: str) -> dict[str, str]:
        """Old paths to new ones, where git finds the contents alike."""
        options = (
            "-r",
            "-z",
            "-M",
            "--diff-filter=R",
            "--name-status",
            "--no-ext-diff",
            "--no-textconv",
            "--relative",
            _SUBMODULES,
        )
        fields = self.git("diff-tree", *options, base, head).require().stdout.split("\0")
        return dict(zip(fields[1::3], fields[2::3], strict=False))


def is_hash(revision: str) -> bool:
    """True for the full hash of a commit."""
    return _HASH.fullmatch(revision) is not None


def _environment(root: Path) -> dict[str, str]:
    here = Path(os.path.abspath(root))
    # The repository may begin in any folder above; only these are trusted, and only for what we run.
    safe = [("safe.directory", str(folder)) for folder in (here, *here.parents)]
    settings: Sequence[tuple[str, str]] = (*safe, *_SETTINGS)
    environment = {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_ASKPASS": "true",
        "LC_ALL": "C",
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for index, (key, value) in enumerate(settings):
        environment[f"GIT_CONFIG_KEY_{index}"] = key
        environment[f"GIT_CONFIG_VALUE_{index}"] = value
    return environment
