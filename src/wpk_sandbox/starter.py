"""Puts into a repository what it needs to have its runbooks dry-run: `wpk-sandbox init`.

Asks nothing that it can find out, and overwrites nothing that is there unless it is told to.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from wpk_sandbox import command
from wpk_sandbox.errors import UsageError

Service = Literal["github", "gitlab"]

SETTINGS_FILE = ".wpk-sandbox.yaml"
WORKFLOW_FILE = ".github/workflows/wpk-sandbox.yml"
GITLAB_FILE = ".gitlab-ci.yml"
GITLAB_JOB_FILE = ".gitlab/wpk-sandbox.yml"
SAMPLE_FILE = "runbooks/restart-web.wpk.yaml"


@dataclass(frozen=True)
class Written:
    """What became of one file: `how` is `written`, `replaced` or `kept`; `note` is what is left to do by hand."""

    path: str
    how: Literal["written", "replaced", "kept"]
    note: str = ""

    def __str__(self) -> str:
        return f"{self.how:<8}  {self.path}{f'; {self.note}' if self.note else ''}"


def init(root: Path, *, ci: Service | None = None, force: bool = False) -> tuple[Written, ...]:
    """Write the CI job, the settings and, where there is no package yet, a first runbook, under `root`.

    `ci` names the service where the repository does not tell it. `force` replaces what is there, but for
    `.gitlab-ci.yml`, which holds a project's other jobs. Raises `errors.UsageError` when nothing can be written.
    """
    if not root.is_dir():
        raise UsageError(f"`{root}` is not a folder", "name the folder of a repository")
    wanted = tuple(_wanted(root, ci or detect(root)))
    for path, _ in wanted:
        _require_inside(root, path)
    return tuple(_write(root, path, text, force=force and path != GITLAB_FILE) for path, text in wanted)


def detect(root: Path) -> Service:
    """The service that the repository is on: by its CI files, else by its remotes, else GitHub."""
    if (root / GITLAB_FILE).exists():
        return "gitlab"
    if (root / ".github").is_dir():
        return "github"
    return "gitlab" if any("gitlab" in host for host in _remote_hosts(root)) else "github"


def host_of(url: str) -> str:
    """The host of a remote's URL, which may be written as `git@host:path`; empty for a path."""
    if "://" in url:
        return (urlsplit(url).hostname or "").lower()
    address, colon, _ = url.partition(":")
    return address.rpartition("@")[2].lower() if colon and "/" not in address else ""


def _remote_hosts(root: Path) -> tuple[str, ...]:
    from wpk_sandbox.package.repository import Repository  # noqa: PLC0415 - only where the files do not tell

    if command.find("git") is None:
        return ()
    listed = Repository(root).git("config", "--get-regexp", r"^remote\..*\.url$")
    return tuple(host_of(line.partition(" ")[2]) for line in listed.stdout.splitlines())


def _wanted(root: Path, service: Service) -> Iterator[tuple[str, str]]:
    """Each file with its contents."""
    from wpk_sandbox.generated import commented_defaults  # noqa: PLC0415 - only `init` needs them
    from wpk_sandbox.package.selection import find  # noqa: PLC0415

    if service == "github":
        yield WORKFLOW_FILE, _template("github.yml")
    else:
        yield GITLAB_JOB_FILE, _template("gitlab.yml")
        yield GITLAB_FILE, _template("gitlab-root.yml")
    yield SETTINGS_FILE, commented_defaults()
    # The sample itself counts as a package only beside others, so that a second `init` reports it again.
    if not set(find(["."], root=root).files) - {SAMPLE_FILE}:
        yield SAMPLE_FILE, _template("restart-web.wpk.yaml")


def _template(name: str) -> str:
    return (files("wpk_sandbox") / "starter_files" / name).read_text(encoding="utf-8")


def _require_inside(root: Path, path: str) -> None:
    """A link in the repository must not make us write elsewhere."""
    folder = (root / path).parent
    if not folder.resolve().is_relative_to(root.resolve()):
        raise UsageError(f"`{folder}` leads out of `{root}`", "replace the symbolic link by a folder")


def _write(root: Path, path: str, text: str, *, force: bool) -> Written:
    target = root / path
    there = target.exists() or target.is_symlink()
    if there and not force:
        return Written(path, "kept", _missing_include(target) if path == GITLAB_FILE else "")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_symlink():
            target.unlink()
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"could not write `{target}`: {error.strerror}", "check the folder's rights") from error
    return Written(path, "replaced" if there else "written")


def _missing_include(target: Path) -> str:
    """What to add to a `.gitlab-ci.yml` that does not include our job."""
    try:
        included = GITLAB_JOB_FILE in target.read_text(encoding="utf-8", errors="replace")
    except OSError:
        included = False
    return "" if included else f"add to its `include`: `- local: {GITLAB_JOB_FILE}`"
