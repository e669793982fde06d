"""Tells a run while it goes on, in plain lines: for CI logs, pipes and files."""

from collections.abc import Iterable
from types import TracebackType
from typing import IO, Self

from wpk_sandbox.plan.plan import Phase, Plan, PlannedStep
from wpk_sandbox.report.lines import ENDLESS, Line, Tone, line
from wpk_sandbox.report.text import (
    case_line,
    closing_lines,
    header,
    label_columns,
    opening_text,
    run_lines,
    sandbox_lines,
    step_head,
    step_lines,
)
from wpk_sandbox.run.result import PackageResult, RollbackResult, RunResult, SandboxResult, StepResult


class Plain:
    """Writes each line as soon as its event is over."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._columns: dict[Phase, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rest()

    def package_started(self, name: str, version: str, path: str, risk: int, decision: str) -> None:
        self._columns = {}
        self._say([header(name, version, path, risk, decision)])

    def sandbox_opening(self, sandbox: str, reason: str) -> None:
        self._busy(opening_text(sandbox, reason))

    def sandbox_ready(self, sandbox: SandboxResult) -> None:
        self._say(sandbox_lines(sandbox))

    def run_started(self, plan: Plan) -> None:
        self._columns = {
            Phase.RUN: label_columns(step.label for step in plan.steps),
            Phase.ROLLBACK: label_columns(step.label for step in plan.rollback),
        }
        self._say(case_line(plan.case.name))

    def step_started(self, step: PlannedStep, total: int) -> None:
        self._busy(step_head(step.number, total, step.phase, step.label, self._width(step.phase, step.label)))

    def step_finished(self, result: StepResult, total: int) -> None:
        self._say(step_lines(result, total, self._width(result.phase, result.label)))

    def rollback_finished(self, result: RollbackResult) -> None:
        """Said with the package's other closing lines."""

    def package_finished(self, result: PackageResult) -> None:
        self._say(closing_lines(result, self._room()))

    def note(self, text: str) -> None:
        self._say([line((f"  {text}", Tone.FAINT))])

    def run_finished(self, result: RunResult) -> None:
        """The answer for all packages together."""
        self._say(run_lines(result, self._room()))

    def _width(self, phase: Phase, label: str) -> int:
        return self._columns.get(phase) or label_columns([label])

    def _room(self) -> int:
        """How many columns a line has."""
        return ENDLESS

    def _busy(self, words: str) -> None:
        """Something takes a while; a log shows it when it is over."""

    def _rest(self) -> None:
        """Nothing is going on any more."""

    def _say(self, lines: Iterable[Line]) -> None:
        for each in lines:
            self._stream.write(f"{each}\n")
        self._stream.flush()


def observer(stream: IO[str]) -> Plain:
    """`Live` when the stream is a terminal that can show it, otherwise `Plain`."""
    if not stream.isatty():
        return Plain(stream)
    from rich.console import Console  # noqa: PLC0415 -- costs a log or a pipe 50 ms that it need not spend

    from wpk_sandbox.report.live import Live  # noqa: PLC0415 -- the same

    console = Console(file=stream)
    return Plain(stream) if console.is_dumb_terminal else Live(console)
