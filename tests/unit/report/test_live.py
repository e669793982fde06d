"""What a run tells while it goes on, in a log and on a terminal."""

import io

from rich.console import Console

from report.hostile import HOSTILE_RUN
from report.planned import planned_step, small_plan
from report.sample import BLOCKED, EVERYTHING, FAILING, GREEN
from wpk_sandbox.plan.plan import Phase, Plan
from wpk_sandbox.report.live import Live
from wpk_sandbox.report.plain import Plain, observer
from wpk_sandbox.report.text import text
from wpk_sandbox.run.observe import Observer
from wpk_sandbox.run.result import PackageResult, RunResult


def replay(listener: Observer, package: PackageResult, plan: Plan) -> None:
    """Tell the events of a package in the order in which a run tells them."""
    listener.package_started(
        package.name, package.version, package.path, package.decision.risk, str(package.decision.outcome)
    )
    if package.sandbox:
        listener.sandbox_opening(package.sandbox.type, package.sandbox.reason)
        listener.sandbox_ready(package.sandbox)
        listener.run_started(plan)
    for steps in (package.steps, package.rollback.steps):
        for step in steps:
            listener.step_started(planned_step(step.number, step.name, step.phase), len(steps))
            listener.step_finished(step, len(steps))
    listener.rollback_finished(package.rollback)
    listener.package_finished(package)


def plan_of(package: PackageResult) -> Plan:
    return small_plan(
        [planned_step(step.number, step.name) for step in package.steps],
        [planned_step(step.number, step.name, Phase.ROLLBACK) for step in package.rollback.steps],
        case=package.case,
    )


def told(result: RunResult, *, rich: bool) -> str:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=200, color_system="standard")
    with Live(console) if rich else Plain(stream) as listener:
        for package in result.packages:
            replay(listener, package, plan_of(package))
        listener.run_finished(result)
    return stream.getvalue()


def test_a_log_tells_while_it_goes_what_the_result_tells_afterwards() -> None:
    assert told(EVERYTHING, rich=False) == text(EVERYTHING)


def test_a_log_has_no_escape_sequences_and_no_spinner() -> None:
    assert "\x1b" not in told(EVERYTHING, rich=False)
    assert "opening sandbox" not in told(EVERYTHING, rich=False)


def test_a_terminal_shows_colours_and_what_is_going_on() -> None:
    shown = told(GREEN, rich=True)
    assert "\x1b[32mOK" in shown
    assert "opening sandbox kind: the package acts on Kubernetes objects" in shown
    assert "\x1b[?25h" in shown[shown.rindex("\x1b[?25l") :], "the cursor must come back"


def test_a_terminal_gets_no_sequence_of_a_package() -> None:
    shown = told(HOSTILE_RUN, rich=True)
    assert "\\x1b]0;title" in shown
    assert "\x1b]0;" not in shown
    assert "\u202e" not in shown


def test_markup_of_a_package_stays_text() -> None:
    stream = io.StringIO()
    with Live(Console(file=stream, force_terminal=True, width=200)) as listener:
        listener.note("[red]not ours[/red]")
        listener.sandbox_opening("kind", "[bold]x[/bold] {task.description}")
    assert "[red]not ours[/red]" in stream.getvalue()
    assert "[bold]x[/bold] {task.description}" in stream.getvalue()


def test_leaving_stops_the_spinner_after_a_crash() -> None:
    stream = io.StringIO()
    try:
        with Live(Console(file=stream, force_terminal=True)) as listener:
            listener.sandbox_opening("kind", "")
            raise KeyError
    except KeyError:
        pass
    shown = stream.getvalue()
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


def test_long_lines_are_not_broken_on_a_terminal() -> None:
    stream = io.StringIO()
    with Live(Console(file=stream, force_terminal=True, width=40)) as listener:
        listener.note("x" * 100)
    assert "x" * 100 in stream.getvalue()


def test_a_pipe_gets_plain_lines() -> None:
    assert type(observer(io.StringIO())) is Plain


def test_each_line_is_there_at_once() -> None:
    class Slow(io.StringIO):
        flushed = ""

        def flush(self) -> None:
            self.flushed = self.getvalue()

    stream = Slow()
    Plain(stream).step_finished(FAILING.steps[0], 5)
    assert "Step 1/5: save-count" in stream.flushed


def test_on_a_terminal_a_finding_fits_its_width() -> None:
    stream = io.StringIO()
    Live(Console(file=stream, force_terminal=True, width=60, color_system=None)).package_finished(BLOCKED)
    assert "   24 |       command: rm -rf" in stream.getvalue()
    assert "shell-destroy-data:\n   deletes everything under $DIR, which may be empty\n" in stream.getvalue()
