"""The command line: one function for each subcommand, and the only way out.

Whatever a subcommand needs is imported inside of it, so that `--help` answers at once.
"""

import gc
import logging
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from wpk_sandbox import __version__
from wpk_sandbox.errors import ExitCode, InterruptedRunError, UsageError, WpkSandboxError

if TYPE_CHECKING:
    from wpk_sandbox.judging import Request
    from wpk_sandbox.run.result import RunResult

Command = TypeVar("Command", bound=Callable[..., Any])
_SANDBOX = click.Choice(["auto", "local", "container", "kind", "vm"])
_FORMAT = click.Choice(["text", "json"])
_CHECK_FORMAT = click.Choice(["text", "json", "sarif", "gitlab", "github", "junit"])


def main() -> NoReturn:
    """Run the command line; the entry point of the package."""
    try:
        status = _status()
    except Exception as error:  # anything else is ours: Python would end with 1, which blames the package
        status = _bug(error)
    _end(status)


def _end(status: int) -> NoReturn:
    """End at once: Python would take 70 ms to take apart, piece by piece, what the kernel takes back anyway."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with suppress(OSError, ValueError):  # whoever read it has left
            stream.flush()
    os._exit(status)


def _bug(error: Exception) -> int:
    import traceback

    words = f"a bug in wpk-sandbox, which says nothing about the packages: {error!r}"
    click.echo(_safe(f"{traceback.format_exc()}wpk-sandbox: {words}"), err=True)
    return ExitCode.BUG


def _status() -> int:
    # What a start makes stays; looking through it for garbage after each 700 objects would take a tenth of it.
    gc.set_threshold(500_000)
    # What else is installed may plug into pydantic: it has no business here, and looking for it costs 40 ms.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        return int(commands(standalone_mode=False) or 0)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt, InterruptedRunError) as error:
        return getattr(error, "exit_code", ExitCode.INTERRUPTED)
    except SystemExit:
        # click's answer to a reader that left, with the code that would blame the package.
        return ExitCode.INCONCLUSIVE
    except WpkSandboxError as error:
        remedy = f"\n  → {_safe(error.remedy)}" if error.remedy else ""
        click.echo(f"wpk-sandbox: {_safe(str(error))}{remedy}", err=True)
        return error.exit_code


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wpk-sandbox")
@click.option("--debug", is_flag=True, help="Log every program that is called.")
def commands(debug: bool) -> None:
    """Dry-run WPK runbooks in a throw-away sandbox, and report what they really do.

    \b
    Exit codes: 0 pass · 1 fail (the package) · 2 usage or settings
                3 inconclusive (this host could not do it) · 4 publishing failed · 70 our bug
    """
    logging.basicConfig(level=logging.DEBUG if debug else logging.ERROR, format="%(levelname)s %(message)s")


def _choosing(command: Command) -> Command:
    """The options that every subcommand about packages takes."""
    return _choosing_packages(_FORMAT)(command)


def _choosing_packages(forms: click.Choice[str]) -> Callable[[Command], Command]:
    def add(command: Command) -> Command:
        for option in _options(forms):
            command = option(command)
        return command

    return add


def _options(forms: click.Choice[str]) -> Iterable[Callable[[Any], Any]]:
    return (
        click.option("--settings", "settings_file", type=click.Path(), help="Instead of `.wpk-sandbox.yaml`."),
        click.option("--param", "-p", multiple=True, metavar="NAME=VALUE", help="A parameter of the packages."),
        click.option("--event", "event_file", type=click.Path(), help="What the trigger told: JSON or YAML."),
        click.option("--format", "form", type=forms, default="text", help="What goes to standard output."),
        click.option("--sandbox", "--type", "sandbox", type=_SANDBOX, help="Where to run; default: auto."),
    )


@commands.command()
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--wpk", multiple=True, type=click.Path(), help="A package; the same as PATH.")
@click.option("--timeout", help="Time for one package, such as 30m.")
@click.option("--report", "report_folder", type=click.Path(), help="Write every form of the report here.")
@click.option("--save-logs", type=click.Path(), help="Write each step's output here.")
@click.option("--templates", type=click.Path(), help="A folder with your own `summary.md.j2`.")
@click.option("--monitor-resources", is_flag=True, help="Say what each package and step used.")
@click.option("--keep", is_flag=True, help="Keep the sandboxes for 24 hours, for looking around.")
@_choosing
def run(paths: tuple[str, ...], wpk: tuple[str, ...], **options: Any) -> int:
    """Dry-run packages: files, folders or globs."""
    flags = {"sandbox.type": options["sandbox"], "sandbox.limits.execution_time": options["timeout"]}
    request = _request((*paths, *wpk), {**flags, "report.templates": options["templates"]}, options)
    templates = request.settings["report.templates"]
    if templates and not Path(templates).is_dir():  # said now, not when the packages have run for an hour
        raise UsageError(f"there is no folder {templates}", "name a folder that holds summary.md.j2")
    return _try(request, options)


@commands.command()
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--fix", is_flag=True, help="First correct what is mechanical, keeping comments and layout.")
@click.option("--diff", is_flag=True, help="With --fix: show the corrections, and change nothing.")
@click.option("--category", default="", help="With --format sarif: tells apart the uploads of one commit.")
@click.option("--no-waived", is_flag=True, help="With --format sarif: leave out what is waived.")
@_choosing_packages(_CHECK_FORMAT)
def check(paths: tuple[str, ...], fix: bool, diff: bool, category: str, no_waived: bool, **options: Any) -> int:
    """Check packages with every rule, without running anything."""
    from wpk_sandbox import checking

    if diff and not fix:
        raise UsageError("`--diff` shows what `--fix` would do", "write --fix --diff")
    if (category or no_waived) and options["form"] != "sarif":
        raise UsageError("`--category` and `--no-waived` are about SARIF", "write --format sarif")
    request = _request(paths, {}, options)
    if fix:
        from wpk_sandbox import fixing

        if diff:
            return fixing.show(request, sys.stdout)
        fixing.fix(request, sys.stdout if options["form"] == "text" else sys.stderr)
    _speak_to(options["form"])
    return checking.check(request, options["form"], sys.stdout, category=category, waived=not no_waived)


@commands.command()
@click.argument("paths", nargs=-1, type=click.Path())
@_choosing
def plan(paths: tuple[str, ...], **options: Any) -> int:
    """Show what a run would do: each step's target, fidelity and reason."""
    from wpk_sandbox import planning

    flags = {"sandbox.type": options["sandbox"]}
    _speak_to(options["form"])
    return planning.show_plans(_request(paths, flags, options), options["form"], sys.stdout)


@commands.command()
@click.option("--base", help="The revision to compare with; default: what the CI event says.")
@click.option("--head", default="HEAD", show_default=True, help="The revision that holds the changes.")
@click.option("--format", "form", type=_FORMAT, default="text", help="What goes to standard output.")
def changed(base: str | None, head: str, form: str) -> int:
    """List the packages that changed between two revisions, or for the CI event."""
    from wpk_sandbox import asking, checking
    from wpk_sandbox.package.discover import changed as changed_between

    root = asking.repository()
    settings = asking.settings_in_force(root, None, {})
    patterns = settings["discover.patterns"]
    selection = changed_between(root, base, head, patterns) if base else asking.for_event(root, settings)
    for note in selection.notes if form == "text" else ():
        _say_note(note)
    return checking.show_selection(selection, form, sys.stdout, sys.stderr)


@commands.command()
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--report", "report_folder", type=click.Path(), help="Write the reports here.")
@_choosing
def ci(paths: tuple[str, ...], **options: Any) -> int:
    """Do what the Action does: try what the event changed, write the reports, publish the result."""
    from wpk_sandbox import asking, continuous

    flags = {"sandbox.type": options["sandbox"], "report.directory": options["report_folder"]}
    root = continuous.workspace(os.environ)
    settings = continuous.settings(root, os.environ, asking.given(flags), options["settings_file"])
    chosen = paths or tuple(os.environ.get("INPUT_PATHS", "").split())
    selection = asking.found(chosen, root, settings) if chosen else asking.for_event(root, settings)
    return continuous.run(asking.filled(root, selection, settings, options), os.environ, sys.stdout)


@commands.command()
@click.option("--settings", "settings_file", type=click.Path(), help="Instead of `.wpk-sandbox.yaml`.")
def doctor(settings_file: str | None) -> int:
    """Say what this host can do, what is missing, and how to get it."""
    from wpk_sandbox import asking
    from wpk_sandbox.doctor import doctor_lines, examine

    click.echo(doctor_lines(examine(asking.settings_of(asking.repository(), settings_file, {}).spec)))
    return ExitCode.PASS


@commands.command()
@click.option("--run", "run_id", help="Remove everything of this run, expired or not.")
@click.option("--ci", "of_job", is_flag=True, help="Remove everything of this CI job.")
@click.option("--dry-run", is_flag=True, help="List what would be removed.")
def reap(run_id: str | None, of_job: bool, dry_run: bool) -> int:
    """Remove what killed runs left behind, by our labels and nothing else."""
    from datetime import UTC, datetime

    from wpk_sandbox.run_id import new_run_id
    from wpk_sandbox.sandbox import reap as reaping

    whose = new_run_id(os.environ) if of_job else run_id
    now = datetime.now(UTC)
    if dry_run:
        for thing in reaping.leftovers(now=now, everything_of_run=whose):
            click.echo(f"{thing.kind} {thing.name}")
        return ExitCode.PASS
    tally = reaping.reap(now=now, everything_of_run=whose)
    click.echo(f"found {tally.made}, removed {tally.removed}, left {len(tally.left)}")
    for left in tally.left:
        click.echo(f"  left {left.kind} {left.name}: {_safe(left.reason)}", err=True)
    return ExitCode.INCONCLUSIVE if tally.left else ExitCode.PASS


@commands.command()
@click.argument("which", type=click.Choice(["package", "case", "settings", "result"]))
def schema(which: str) -> int:
    """Print a JSON Schema, for editors and for readers of `result.json`."""
    import json

    from wpk_sandbox.generated import schemas

    click.echo(json.dumps(schemas()[which](), indent=2, ensure_ascii=False))
    return ExitCode.PASS


@commands.command()
@click.argument("rule_id", metavar="RULE", required=False)
def explain(rule_id: str | None) -> int:
    """Explain a rule: what it finds, why it matters, how to fix it. Without RULE, list all."""
    from wpk_sandbox import explaining

    return explaining.list_rules(sys.stdout) if rule_id is None else explaining.explain_rule(rule_id, sys.stdout)


@commands.group()
def policy() -> None:
    """Work on the policy of a repository."""


@policy.command("test")
@click.option("--settings", "settings_file", type=click.Path(), help="Instead of `.wpk-sandbox.yaml`.")
def policy_test(settings_file: str | None) -> int:
    """Try the policy: its rules on their own examples, and its waivers."""
    from datetime import UTC, datetime

    from wpk_sandbox import asking
    from wpk_sandbox.rules.policy_trial import trials

    settings = asking.settings_of(asking.repository(), settings_file, {})
    tried = list(trials(settings.policy, datetime.now(UTC).date()))
    for trial in tried:
        click.echo(_safe(f"{'ok  ' if trial.good else 'FAIL'} {trial.subject}: {trial.words}"))
    wrong = sum(not trial.good for trial in tried)
    click.echo(f"{len(tried)} tried, {wrong} wrong")
    return ExitCode.FAIL if wrong else ExitCode.PASS


@commands.command()
@click.option("--ci", "system", type=click.Choice(["github", "gitlab"]), help="Default: what the repository uses.")
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
def init(system: Any, force: bool) -> int:
    """Write a workflow, a settings file and, in a repository without packages, a sample."""
    from wpk_sandbox import asking
    from wpk_sandbox.starter import init as start

    for written in start(asking.repository(), ci=system, force=force):
        click.echo(str(written))
    return ExitCode.PASS


@commands.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print the completion script of a shell: `eval "$(wpk-sandbox completion bash)"`."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise UsageError(f"there is no completion for {shell}")
    click.echo(found(commands, {}, "wpk-sandbox", "_WPK_SANDBOX_COMPLETE").source())
    return ExitCode.PASS


def _try(request: "Request", options: Mapping[str, Any]) -> int:
    """Run, show while it goes on, write what was asked for; the verdict is the exit code."""
    from wpk_sandbox.package.base import refuse_unsafe
    from wpk_sandbox.pipeline import try_packages
    from wpk_sandbox.report.plain import observer
    from wpk_sandbox.sandbox.interrupts import signals_wait

    refuse_unsafe(os.environ)
    as_json = options["form"] == "json"
    _speak_to(options["form"])
    with observer(sys.stderr if as_json else sys.stdout) as listener:
        result, stopped = try_packages(request, listener)
        listener.run_finished(result)
    with signals_wait():
        if options["monitor_resources"]:
            _say_usage(result)
        if as_json:
            from wpk_sandbox.report.json import to_json

            click.echo(to_json(result))
        _write(request, result, options)
    return stopped.exit_code if stopped else _exit_code(result)


def _write(request: "Request", result: "RunResult", options: Mapping[str, Any]) -> None:
    if options["report_folder"]:
        from wpk_sandbox.publish.files import write_reports

        templates = request.settings["report.templates"]
        folder, own = Path(options["report_folder"]), Path(templates) if templates else None
        written = write_reports(result, folder, own, root=request.root)
        click.echo("reports: " + ", ".join(str(path) for path in written.values()), err=True)
    if options["save_logs"]:
        from wpk_sandbox.publish.files import write_logs

        click.echo(f"logs: {write_logs(result, Path(options['save_logs']))}", err=True)


def _exit_code(result: "RunResult") -> int:
    return {"pass": ExitCode.PASS, "fail": ExitCode.FAIL, "inconclusive": ExitCode.INCONCLUSIVE}[result.verdict]


def _say_usage(result: "RunResult") -> None:
    from wpk_sandbox.report.used import usage_lines

    for line in usage_lines(result.packages):
        click.echo(_safe(line), err=True)


def _request(paths: Iterable[str], flags: Mapping[str, Any], options: Mapping[str, Any]) -> "Request":
    from wpk_sandbox import asking

    return asking.request(paths, flags, options, _say_note)


def _say_note(note: str) -> None:
    click.echo(f"note: {_safe(note)}", err=True)


def _speak_to(form: str) -> None:
    """Programs read UTF-8, whatever the locale of the terminal is."""
    if form != "text" and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")


def _safe(text: str) -> str:
    from wpk_sandbox.report.escape import log_block

    return log_block(text).rstrip("\n")
