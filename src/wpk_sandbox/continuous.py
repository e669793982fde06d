"""What a CI job does: settings from the base revision, a run, the report files, and what the CI system shows."""

import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from wpk_sandbox.errors import ExitCode, PublishingError, UnavailableError, UsageError, WpkSandboxError
from wpk_sandbox.finding import Finding
from wpk_sandbox.judging import Request
from wpk_sandbox.package.base import base_of, refuse_unsafe
from wpk_sandbox.package.earlier import Earlier
from wpk_sandbox.package.repository import Repository
from wpk_sandbox.package.source import read_file
from wpk_sandbox.pipeline import try_packages
from wpk_sandbox.publish import github
from wpk_sandbox.publish.files import write_reports
from wpk_sandbox.report.plain import observer
from wpk_sandbox.report.summary import summary
from wpk_sandbox.run.result import RunResult, Verdict
from wpk_sandbox.sandbox.interrupts import signals_wait
from wpk_sandbox.settings import FILE_NAME, Settings, resolve

_CODES = {Verdict.PASS: ExitCode.PASS, Verdict.FAIL: ExitCode.FAIL, Verdict.INCONCLUSIVE: ExitCode.INCONCLUSIVE}


def workspace(environment: Mapping[str, str]) -> Path:
    """The checkout: GitHub's workspace, GitLab's project folder, or where we stand."""
    return Path(environment.get("GITHUB_WORKSPACE") or environment.get("CI_PROJECT_DIR") or Path.cwd())


def settings(root: Path, environment: Mapping[str, str], flags: Mapping[str, Any], file: str | None) -> Settings:
    """The settings in force. A pull request is held to those of its base: its own copy decides nothing.

    Raises `errors.UnavailableError` when the base is not to be had: what it asks for is then not known.
    """
    path = Path(file) if file else root / FILE_NAME
    inside = _within(root, path)
    base = base_of(root, environment)
    # What lies outside of the repository is none of the change's.
    content = _of_base(Repository(root), base, inside) if base and inside else _of_checkout(path)
    return resolve(flags=flags, environment=environment, file=content, file_name=file or FILE_NAME)


def _of_checkout(path: Path) -> bytes | None:
    if not os.path.lexists(path):
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"the settings file {path} cannot be read: {error.strerror}") from error


def _within(root: Path, path: Path) -> str:
    """A path as one relative to a folder that it lies in, whichever way both are spelt; else nothing.

    A link on the way out counts for nothing, since a change may have made it.
    """
    plain, real = os.path.relpath(path, root), os.path.join(os.path.realpath(path.parent), path.name)
    ways = (plain, os.path.relpath(real, os.path.realpath(root)))
    return next((way for way in ways if way != ".." and not way.startswith("../")), "")


def has_settings(folder: Path, environment: Mapping[str, str]) -> bool:
    """True where a folder holds a settings file; for a pull request, where its base does."""
    base = base_of(folder, environment)
    if not base:
        return (folder / FILE_NAME).exists()
    repository = Repository(folder)
    return repository.have(base) is not None and Earlier(repository, base).read(FILE_NAME) is not None


def _of_base(repository: Repository, base: str, name: str) -> bytes | None:
    if repository.have(base) is None:
        remedy = "let the checkout fetch it: `fetch-depth: 0` (GitHub), `GIT_DEPTH: 0` (GitLab)"
        raise UnavailableError(f"the settings of the base {base[:12]} cannot be read", remedy)
    earlier = Earlier(repository, base)
    if earlier.linked(name):
        raise UsageError(f"at the base `{name}` is a symbolic link", "put the settings themselves there")
    return earlier.read(name)


def measured(request: Request, environment: Mapping[str, str]) -> Request:
    """The request with the base that the change is measured against, where the CI system tells one."""
    base = base_of(request.root, environment)
    if not base:
        return request
    earlier = Earlier(Repository(request.root), base, request.settings["discover.patterns"])
    notes = (*request.selection.notes, *_of_settings(request, earlier))
    return replace(request, earlier=earlier, selection=replace(request.selection, notes=notes))


def _of_settings(request: Request, earlier: Earlier) -> Iterator[str]:
    """What reviewers should know of a change of the settings, which counts from the merge on."""
    if _templates_change(request, earlier):
        yield f"`{request.settings['report.templates']}` is changed here, so the summary is the built-in one"
    now = read_file(request.root / FILE_NAME, FILE_NAME, request.root)
    content = None if isinstance(now, Finding) else now
    if content == earlier.read(FILE_NAME):
        return
    yield f"`{FILE_NAME}` is changed here; until this is merged, that of the base counts"
    try:
        resolve(file=content)
    except WpkSandboxError as error:
        yield f"as it is changed here, it cannot be used: {error}"


def _templates_change(request: Request, earlier: Earlier | None) -> bool:
    """True where the change could make the summary say whatever it likes."""
    name = str(request.settings["report.templates"])
    inside = _within(request.root, request.root / name) if name else ""
    return bool(earlier and inside and earlier.changes(inside))


def _report_folder(request: Request) -> Path:
    """Where the reports go. Raises `errors.UsageError` where a link leads a path in the repository out of it."""
    name = str(request.settings["report.directory"])
    real, root = os.path.realpath(request.root / name), os.path.realpath(request.root)
    if not os.path.isabs(name) and not f"{real}/".startswith(f"{root}/") and not name.startswith(".."):
        raise UsageError(f"`{name}` leads out of the repository, to `{real}`", "remove the link, or name a folder")
    return request.root / name


def run(request: Request, environment: Mapping[str, str], stream: IO[str]) -> int:
    """Try what was chosen, write every report, publish; the verdict alone is the exit code."""
    refuse_unsafe(environment)
    request = measured(request, environment)
    folder, templates = _report_folder(request), request.settings["report.templates"]
    own = templates and not _templates_change(request, request.earlier)
    custom = request.root / templates if own else None
    with observer(stream) as listener:
        for note in request.selection.notes:
            listener.note(note)
        result, stopped = try_packages(request, listener)
        listener.run_finished(result)
    with signals_wait():
        write_reports(result, folder, custom, environment=environment, root=request.root)
    if environment.get("GITHUB_ACTIONS"):
        # From the workspace, because the path of this container means nothing to the job's later steps.
        report = Path(request.settings["report.directory"])
        _publish(result, summary(result, custom), report, environment, stream)
    return stopped.exit_code if stopped else _CODES[result.verdict]


def _publish(
    result: RunResult, text: str, report: Path | None, environment: Mapping[str, str], stream: IO[str]
) -> None:
    """What GitHub does not take is said; the verdict stands."""
    buffer = io.StringIO()
    try:
        github.publish(result, text, report, environment, buffer)
    except PublishingError as error:
        buffer.write(f"::warning::wpk-sandbox could not publish everything\n{error}\n")
    stream.write(buffer.getvalue())
    stream.flush()
