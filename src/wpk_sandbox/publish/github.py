"""What GitHub Actions shows of a result: the job summary, annotations at the lines, outputs for later steps.

Imported only where GitHub Actions runs us, for its library's sake.
The environment and the stream come in, so that nothing here depends on where it runs. What goes into the runner's
files and commands is either ours (counts, enums, paths that we chose) or escaped.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from actions_toolkit import core

from wpk_sandbox.errors import PublishingError
from wpk_sandbox.finding import Finding, Location, Severity
from wpk_sandbox.report import phrases
from wpk_sandbox.report.escape import log_block, one_line
from wpk_sandbox.report.violations import violations
from wpk_sandbox.run.result import PackageResult, RunResult, StepResult, StepStatus, Verdict

# The runner keeps 10 of each level for a step and drops the others without a word; it cuts messages at 4096.
MOST_ANNOTATIONS = 10
MOST_MESSAGE = 4000
SUMMARY_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Annotation:
    """A message at a line of a file. `level` is `error` or `warning`."""

    level: str
    title: str
    message: str
    location: Location | None = None
    rank: int = 0


def publish(
    result: RunResult,
    summary: str,
    report: Path | None,
    environment: Mapping[str, str],
    stream: IO[str],
) -> None:
    """Annotations to `stream`, the summary and the outputs to the files that the environment names.

    Raises `PublishingError` when the runner's files cannot be written.
    """
    write_annotations(annotations(result), environment, stream)
    append_summary(summary, environment)
    write_outputs(outputs(result, report), environment)


def append_summary(text: str, environment: Mapping[str, str]) -> None:
    """Add to the job summary, unless what is there leaves no room, when the runner would drop the whole."""
    path = environment.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    data = text.encode("utf-8", "replace") + b"\n"
    if _size(path) + len(data) > SUMMARY_BYTES:
        data = b"\nThe dry run's summary found no room here; its report is with the artifacts.\n"
    _append(path, data)


def outputs(result: RunResult, report: Path | None) -> dict[str, str]:
    """What later steps can ask for: counts, enums and a path of ours, nothing that a package wrote."""
    verdicts = [package.verdict for package in result.packages]
    return {
        "verdict": str(result.verdict),
        "packages": str(len(verdicts)),
        "failed": str(verdicts.count(Verdict.FAIL)),
        "inconclusive": str(verdicts.count(Verdict.INCONCLUSIVE)),
        "risk": str(max((package.decision.risk for package in result.packages), default=0)),
        "report-path": str(report) if report else "",
    }


def write_outputs(values: Mapping[str, str], environment: Mapping[str, str]) -> None:
    """Append to the file of the step's outputs, each with a delimiter that its value cannot hold."""
    path = environment.get("GITHUB_OUTPUT")
    if not path:
        return
    text = "".join(core.prepare_key_value_message(name, value) + "\n" for name, value in values.items())
    _append(path, text.encode("utf-8", "replace"))


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.exists(path) else 0


def _append(path: str, data: bytes) -> None:
    """Add to a file that the runner named, all or nothing: half an output would be read as one."""
    try:
        before = _size(path)
        with open(path, "ab", buffering=0) as file:
            written = 0
            try:
                while written < len(data):
                    written += file.write(data[written:])
            except OSError:
                if written:
                    file.truncate(before)
                raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise PublishingError(f"could not write {path}, which the runner named: {reason}") from error


def annotations(result: RunResult) -> list[Annotation]:
    """Every problem as an annotation, worst first, each place and message once."""
    every = [*_left(result), *map(_from_finding, result.findings)]
    for package in result.packages:
        every += _from_package(package)
    distinct = {(each.level, each.location, each.message): each for each in every}
    return sorted(distinct.values(), key=lambda each: (each.level != "error", -each.rank))


def _left(result: RunResult) -> Iterator[Annotation]:
    for thing in result.tally.left:
        yield Annotation(
            "error", "left behind", f"{thing.kind} {thing.name} could not be removed: {thing.reason}", rank=9
        )


def _from_finding(finding: Finding) -> Annotation:
    level = "error" if finding.severity.rank >= Severity.HIGH.rank else "warning"
    fix = f"\nfix: {finding.fix}" if finding.fix else ""
    return Annotation(level, finding.rule, finding.message + fix, finding.location, finding.severity.rank)


def _from_package(package: PackageResult) -> Iterator[Annotation]:
    for finding in package.findings:
        if finding.severity is not Severity.INFO and finding.waiver is None:
            yield _from_finding(finding)
    yield from map(_from_finding, violations(package))
    failed = [step for step in package.steps if step.status is StepStatus.FAILED]
    for step in failed:
        yield _from_step(package, step)
    if phrases.rollback_is_bad(package.rollback):
        place = package.rollback.steps[0].location if package.rollback.steps else Location(package.path)
        changes = "".join(f"\n{phrases.effect_text(effect)}" for effect in package.rollback.residue)
        title = f"{phrases.title(package)}: rollback"
        yield Annotation("error", title, f"the rollback {phrases.rollback(package.rollback)}{changes}", place, 6)
    if package.verdict is Verdict.INCONCLUSIVE:
        title = f"{phrases.title(package)}: inconclusive"
        yield Annotation("warning", title, package.reason, Location(package.path), 7)
    elif package.verdict is Verdict.FAIL and not failed:
        yield Annotation("error", f"{phrases.title(package)}: failed", package.reason, Location(package.path), 7)


def _from_step(package: PackageResult, step: StepResult) -> Annotation:
    advice = (f"→ {step.advice}",) if step.advice else ()
    message = "\n".join((phrases.outcome(step), *step.details, *advice))
    title = f"{phrases.title(package)}: step {step.number}, {step.label}"
    return Annotation("error", title, message, step.location, 8)


def write_annotations(items: Iterable[Annotation], environment: Mapping[str, str], stream: IO[str]) -> None:
    """At most ten errors and ten warnings; the last of each says how many more there are."""
    by_level: dict[str, list[Annotation]] = {"error": [], "warning": []}
    for each in items:
        by_level[each.level].append(each)
    with redirect_stdout(stream):  # the library writes to standard output only
        for level, group in by_level.items():
            for each in _shown(level, group):
                core.issue_command(level, _properties(each, environment), _message(each.message))


def _shown(level: str, group: list[Annotation]) -> list[Annotation]:
    if len(group) <= MOST_ANNOTATIONS:
        return group
    more = len(group) - (MOST_ANNOTATIONS - 1)
    return [*group[: MOST_ANNOTATIONS - 1], Annotation(level, "more", f"{more} more {level}s are in the report")]


def _message(text: str) -> str:
    """Harmless in each line; the library encodes the line ends."""
    return log_block(text)[:MOST_MESSAGE]


def _properties(each: Annotation, environment: Mapping[str, str]) -> dict[str, str]:
    properties = {"title": one_line(each.title)[:250]}
    file = each.location and relative(each.location.path, environment.get("GITHUB_WORKSPACE", ""))
    if each.location and file:
        place = each.location
        properties |= {"file": one_line(file), "line": str(place.line)}
        if place.end_line > place.line:
            properties["endLine"] = str(place.end_line)
        elif place.column > 1:
            properties["col"] = str(place.column)
            if place.end_column > place.column:
                properties["endColumn"] = str(place.end_column)
    return properties


def relative(path: str, workspace: str) -> str | None:
    """The path as GitHub knows it, from the workspace; None for what lies outside."""
    pure = PurePosixPath(path)
    if pure.is_absolute():
        if not workspace or not pure.is_relative_to(workspace):
            return None
        pure = pure.relative_to(workspace)
    return None if ".." in pure.parts else str(pure)


def write_log_groups(result: RunResult, stream: IO[str], token: str) -> None:
    """The output of every step, folded by package, while the runner takes no commands.

    `token` must be random and new (`secrets.token_hex(32)`): whoever knows it can end the pause.
    """
    with redirect_stdout(stream):
        for package in result.packages:
            steps = [*package.steps, *package.rollback.steps]
            said = [step for step in steps if step.stdout or step.stderr]
            if not said:
                continue
            core.start_group(f"{one_line(phrases.title(package))}: output of {phrases.count(len(said), 'step')}")
            core.issue("stop-commands", token)
            for step in said:
                stream.write(_step_log(step, token))
            core.issue(token)
            core.end_group()


def _step_log(step: StepResult, token: str) -> str:
    parts = [f"[{step.number}] {step.label}", step.stdout, step.stderr]
    text = "\n".join(log_block(part.rstrip("\n")) for part in parts if part)
    lines = (line[:4096] for line in text.replace(token, "***").split("\n"))
    return "".join(f"  {line}\n" for line in lines)
