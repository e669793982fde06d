"""Writes the reports and the logs of a run into folders that the user named.

Brings every form's library with it: import it when there is something to write.
"""

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from wpk_sandbox.errors import PublishingError, SettingsError
from wpk_sandbox.publish.sources import sources
from wpk_sandbox.report import phrases
from wpk_sandbox.report.codequality import code_quality
from wpk_sandbox.report.escape import visible
from wpk_sandbox.report.fingerprint import of_run
from wpk_sandbox.report.html import html
from wpk_sandbox.report.json import to_json
from wpk_sandbox.report.junit import junit
from wpk_sandbox.report.sarif import sarif
from wpk_sandbox.report.summary import summary
from wpk_sandbox.run.result import PackageResult, RunResult, StepResult


def write_reports(
    result: RunResult,
    folder: Path,
    templates: Path | None = None,
    log_folder: Path | None = None,
    *,
    environment: Mapping[str, str] = {},
    root: Path | None = None,
) -> Mapping[str, Path]:
    """Write every form of a result, and the steps' logs where asked for.

    Returns the path of each by its name: `result`, `junit`, `summary`, `report`, `sarif` and `gitlab` (findings
    for GitHub's code scanning and GitLab's code quality), and `logs`. A file is whole or absent, never half, and
    where there is no room for all, those of an earlier run stay. As root in a GitHub Action, files belong to the
    owner of the workspace, whose later steps must be able to remove them. `root` is where the paths of the findings
    begin: SARIF names the lines of those files as GitHub does.
    Raises `PublishingError`, and `SettingsError` for the user's template.
    """
    forms: Mapping[str, tuple[str, Callable[[], str]]] = {
        "result": ("result.json", lambda: to_json(result)),
        "junit": ("junit.xml", lambda: junit(result)),
        "sarif": ("findings.sarif", lambda: sarif(of_run(result), sources(root, of_run(result)) if root else {})),
        "gitlab": ("gl-code-quality-report.json", lambda: code_quality(of_run(result))),
        "summary": ("summary.md", lambda: summary(result, templates)),
        "report": ("report.html", lambda: html(result)),
    }
    owner = workspace_owner(environment)
    written: dict[str, Path] = {}
    with _clear_failure(folder):
        _make_folder(folder, owner)
        with _together(owner) as put:
            for name, (file, render) in forms.items():
                written[name] = put(folder / file, render())
    if log_folder is not None:
        written["logs"] = write_logs(result, log_folder, owner)
    return written


def write_logs(result: RunResult, folder: Path, owner: int | None = None) -> Path:
    """One file for each step that said something, in a folder for each package. Returns the folder."""
    with _clear_failure(folder):
        _make_folder(folder, owner)
        for number, package in enumerate(result.packages, 1):
            home = folder / f"{number:02}-{_file_name(phrases.title(package))}"
            logs = list(_logs(package))
            if logs:
                _make_folder(home, owner)
            for name, text in logs:
                write_whole(home / name, text, owner)
    return folder


def _logs(package: PackageResult) -> Iterator[tuple[str, str]]:
    for step in (*package.steps, *package.rollback.steps):
        if step.stdout or step.stderr or step.details:
            yield f"{step.phase}-{step.number:02}-{_file_name(step.label)}.log", _log(step)


def _log(step: StepResult) -> str:
    """Escaped, because a log is read with `cat`; the bytes as they were are in result.json."""
    head = f"{step.label}: {phrases.status(step)}, {phrases.seconds(step.seconds)}, {phrases.outcome(step)}"
    parts = [head, *step.details]
    for name, stream in (("stdout", step.stdout), ("stderr", step.stderr)):
        if stream:
            parts += ["", f"----- {name} -----", stream]
    if step.truncated:
        parts.append("----- cut at the output limit -----")
    return visible("\n".join(parts)).rstrip("\n") + "\n"


def _file_name(name: str) -> str:
    """The name with nothing in it that a file system, a shell or an artifact upload would stumble over."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:60] or "unnamed"


def workspace_owner(environment: Mapping[str, str]) -> int | None:
    """Who must own what we write: the owner of `GITHUB_WORKSPACE` when we are root there, else nobody else."""
    workspace = environment.get("GITHUB_WORKSPACE")
    if os.geteuid() != 0 or not workspace:
        return None
    try:
        return os.stat(workspace).st_uid
    except OSError:
        return None


def write_whole(path: Path, text: str, owner: int | None = None) -> Path:
    """Write a file by renaming a finished one over it, so that no reader sees half and no link is followed."""
    with _together(owner) as put:
        return put(path, text)


@contextmanager
def _together(owner: int | None) -> Iterator[Callable[[Path, str], Path]]:
    """Files that come into place together at the end of the block; none of them where one cannot be written."""
    ready: dict[Path, str] = {}

    def put(path: Path, text: str) -> Path:
        number, ready[path] = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with open(number, "w", encoding="utf-8", errors="replace", newline="\n") as file:
            file.write(text)
            os.fchmod(file.fileno(), 0o644)
            if owner is not None:
                os.fchown(file.fileno(), owner, -1)
            file.flush()
            os.fsync(file.fileno())  # or a host that stops keeps the new name with nothing in it
        return path

    try:
        try:
            yield put
        except SettingsError:  # the user's template: what is for programs is whole, and theirs
            _rename(ready)
            raise
        _rename(ready)
    finally:
        for temporary in ready.values():
            Path(temporary).unlink(missing_ok=True)


def _rename(ready: dict[Path, str]) -> None:
    for path in list(ready):
        os.replace(ready[path], path)
        del ready[path]


def _make_folder(folder: Path, owner: int | None) -> None:
    """Make a folder with its parents; those that we made belong to `owner`."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        if owner is not None:
            os.chown(each, owner, -1, follow_symlinks=False)


@contextmanager
def _clear_failure(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise PublishingError(
            f"could not write into {folder}: {reason}", "name a folder that can be written to"
        ) from error
