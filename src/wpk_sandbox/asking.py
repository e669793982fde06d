"""What a call asks for: the packages, settings and parameters that its words, and the job that it runs in, name.

Whatever is not always needed is imported where it is, as in `cli.py`.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wpk_sandbox.errors import UsageError

if TYPE_CHECKING:
    from wpk_sandbox.judging import Request
    from wpk_sandbox.package.selection import Selection
    from wpk_sandbox.settings import Settings


def request(
    paths: Iterable[str], flags: Mapping[str, Any], options: Mapping[str, Any], say: Callable[[str], None]
) -> "Request":
    """Everything that one call is asked to do; `say` is told each note on how the packages were chosen.

    `flags` are settings by their names, None where nothing was said; `options` those of the command line. Raises
    `UsageError`, and in the job of a pull request whatever `continuous.settings` raises.
    """
    root = repository()
    settings = settings_in_force(root, options["settings_file"], flags)
    request = filled(root, found(tuple(paths), root, settings), settings, options)
    if _in_a_job():
        from wpk_sandbox import continuous

        request = continuous.measured(request, os.environ)
    for note in request.selection.notes:
        say(note)
    return request


def settings_in_force(root: Path, file: str | None, flags: Mapping[str, Any]) -> "Settings":
    """The settings; in the job of a pull request those of its base, whichever subcommand it calls."""
    if _in_a_job():
        from wpk_sandbox import continuous
        from wpk_sandbox.package.base import told_base

        if told_base(os.environ):
            return continuous.settings(root, os.environ, given(flags), file)
    return settings_of(root, file, flags)


def _in_a_job() -> bool:
    """True where a CI system may tell of a base; anywhere else nobody waits for the imports."""
    return any(name in os.environ for name in ("GITHUB_EVENT_NAME", "GITHUB_EVENT_PATH", "CI_PIPELINE_SOURCE"))


def filled(root: Path, selection: "Selection", settings: "Settings", options: Mapping[str, Any]) -> "Request":
    """The request for a selection, with the parameters, the event and the id of this run."""
    from wpk_sandbox.judging import Request
    from wpk_sandbox.package.case import load_event
    from wpk_sandbox.run_id import new_run_id

    event = load_event(options["event_file"]) if options["event_file"] else {}
    parameters = dict(_parameter(text) for text in options["param"])
    run_id = new_run_id(os.environ)
    return Request(root, selection, settings, run_id, parameters, event, keep=options.get("keep", False))


def found(paths: tuple[str, ...], root: Path, settings: "Settings") -> "Selection":
    """The packages that were named; paths are the caller's, results are relative to the root.

    Raises `UsageError` where there is none: a check that looks at nothing would pass whatever moves away.
    """
    from wpk_sandbox.package.selection import find

    here = [os.path.relpath(path, root) if Path.cwd() != root else path for path in paths or (".",)]
    patterns = settings["discover.patterns"]
    selection = find(here, patterns, root=root)
    if not selection.files and not selection.findings:
        called = f"package files are called {' or '.join(patterns)} (`discover.patterns`)"
        raise UsageError(
            "there is no package to look at",
            f"name a file, a folder or a glob; {called}; `init` writes a first one",
        )
    return selection


def for_event(root: Path, settings: "Settings") -> "Selection":
    """What the event of a CI job is about."""
    from wpk_sandbox.package.case import load_event
    from wpk_sandbox.package.discover import changed_for_event

    path = os.environ.get("GITHUB_EVENT_PATH")
    return changed_for_event(root, os.environ, load_event(path) if path else {}, settings["discover.patterns"])


def settings_of(root: Path, file: str | None, flags: Mapping[str, Any]) -> "Settings":
    """The settings of a repository, or of the file that is named instead. Raises `UsageError`."""
    from wpk_sandbox import settings

    path = Path(file) if file else root / settings.FILE_NAME
    content = None
    if file or os.path.lexists(path):
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UsageError(f"the settings file {path} cannot be read: {error.strerror}") from error
    name = os.path.relpath(path)
    return settings.resolve(flags=given(flags), environment=os.environ, file=content, file_name=name)


def given(flags: Mapping[str, Any]) -> dict[str, Any]:
    """What was said of the flags."""
    return {name: value for name, value in flags.items() if value is not None}


def repository() -> Path:
    """The repository that we stand in: the nearest folder with `.git` or a settings file, else this one."""
    here = Path.cwd()
    marked = (each for each in (here, *here.parents) if (each / ".git").exists() or _has_settings(each))
    return next(marked, here)


def _has_settings(folder: Path) -> bool:
    if not _in_a_job():
        return (folder / ".wpk-sandbox.yaml").exists()
    from wpk_sandbox import continuous

    return continuous.has_settings(folder, os.environ)


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise UsageError(f"`--param {text}` is not NAME=VALUE")
    return name, value
