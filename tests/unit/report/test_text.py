"""The result on a terminal and in a log."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from report.hostile import HOSTILE_RUN
from report.parts import run, step
from report.sample import BLOCKED, EMPTY, EVERYTHING, FAILING, GREEN, INCONCLUSIVE, PASSING
from report.watched import WATCHED
from wpk_sandbox.finding import Severity
from wpk_sandbox.plan.plan import Fidelity
from wpk_sandbox.report.lines import plain
from wpk_sandbox.report.text import MOST_SEEN, package_lines, step_lines, text
from wpk_sandbox.run.result import RollbackResult, RollbackStatus, StepStatus, Verdict
from wpk_sandbox.sandbox.sandbox import Attempt, SecurityEvent, Threat

Golden = Callable[[str, str], None]
HIGH = Severity.HIGH


def test_everything_reads_as_agreed(golden: Golden) -> None:
    golden("report/everything.txt", text(EVERYTHING))


def test_what_was_watched_reads_as_agreed(golden: Golden) -> None:
    golden("report/watched.txt", text(WATCHED))


def test_a_flood_of_attempts_is_counted_and_not_listed() -> None:
    flood = tuple(Attempt("dns", name=f"host-{number}.example") for number in range(20))
    lines = [str(each) for each in step_lines(step(1, "flood", network=flood), 1, 10)]
    assert len(lines) == 1 + MOST_SEEN + 1
    assert lines[-1].strip() == "and 14 more, see the report"


def test_what_was_stopped_stands_before_what_was_tried() -> None:
    seen = step(
        1, "both", network=(Attempt("dns", name="a.example"),), events=(SecurityEvent(Threat.ESCAPE, HIGH, "left"),)
    )
    _, first, second = (str(each).strip() for each in step_lines(seen, 1, 10))
    assert (first, second) == ("high escape attempt: left", "looked up a.example (refused)")


def test_hostile_text_reads_as_agreed(golden: Golden) -> None:
    golden("report/hostile.txt", text(HOSTILE_RUN))


def test_no_line_of_a_log_is_a_command_to_the_runner() -> None:
    lines = text(HOSTILE_RUN).splitlines()
    assert any(":\u200b:error" in line for line in lines), "the sample must try it"
    assert not [line for line in lines if line.lstrip().startswith("::") or "##[" in line]


def test_every_line_is_printable_but_for_the_mark_that_defuses() -> None:
    assert all(line.replace("\u200b", "").isprintable() for line in text(HOSTILE_RUN).splitlines())


def test_steps_keep_the_form_of_the_specification() -> None:
    lines = text(GREEN).splitlines()
    assert any(line.startswith("  Step 1/4: collect-logs ") and " OK " in line for line in lines)
    assert any("Step 3/4: verify-health ........ OK (dry-run)" in line for line in lines)
    assert any("Step 4/4: notify ............... OK (simulated)" in line for line in lines)


def test_status_words_stand_in_one_column() -> None:
    steps = [line for line in text(GREEN).splitlines() if line.startswith("  Step")]
    assert len({line.index(" OK") for line in steps}) == 1


def test_a_failure_says_what_where_and_what_next() -> None:
    lines = plain(package_lines(FAILING))
    assert (
        "Step 3/5: wait-ready ... FAILED              60.0 s  timed out (step limit, line 31, 2 attempts)" in lines
    )
    assert "CrashLoopBackOff" in lines
    assert "→ give the pod its configuration" in lines


def test_a_failed_step_shows_the_end_of_its_output() -> None:
    output = "".join(f"line {number}\n" for number in range(100))
    shown = plain(step_lines(step(1, "loud", StepStatus.FAILED, stderr=output), 1, 10))
    assert "| line 99" in shown
    assert "| line 91" not in shown


@pytest.mark.parametrize(
    "quoted", [{"details": ("copying", "cp: no such file")}, {"message": "exit code 1: cp: no such file"}]
)
def test_output_that_is_quoted_already_is_not_shown_twice(quoted: dict[str, object]) -> None:
    failed = step(1, "loud", StepStatus.FAILED, stderr="start\ncopying\ncp: no such file\n", **quoted)
    shown = plain(step_lines(failed, 1, 10))
    assert shown.count("no such file") == 1
    assert "|" not in shown


def test_a_step_that_was_not_reached_has_no_time() -> None:
    (shown,) = step_lines(step(2, "late", StepStatus.NOT_REACHED, reason="an earlier one failed"), 2, 10)
    assert str(shown).split() == [
        "Step",
        "2/2:",
        "late",
        ".........",
        "NOT",
        "REACHED",
        "an",
        "earlier",
        "one",
        "failed",
    ]


def test_a_skipped_step_says_why() -> None:
    skipped = step(1, "odd", StepStatus.SKIPPED, fidelity=Fidelity.SKIPPED, reason="unknown verb `restrat`")
    assert "SKIPPED" in plain(step_lines(skipped, 1, 10))
    assert "unknown verb `restrat`" in plain(step_lines(skipped, 1, 10))


def test_what_a_rollback_left_is_listed() -> None:
    lines = plain(package_lines(FAILING))
    assert "Rollback  leaves 1 change behind\n      shop/Deployment/shop spec.replicas 2 → 4" in lines


def test_a_missing_way_back_is_said() -> None:
    package = replace(PASSING, rollback=RollbackResult(RollbackStatus.NOT_DECLARED))
    assert "Rollback  not declared" in plain(package_lines(package))


def test_what_is_left_behind_is_named() -> None:
    assert "left: container wpk-sandbox-3f2c1aa-shell: the daemon did not answer" in text(EVERYTHING)
    assert text(EVERYTHING).count("left: container") == 1


def test_a_blocked_package_shows_its_finding_and_no_steps() -> None:
    lines = plain(package_lines(BLOCKED))
    assert "critical shell-destroy-data" in lines
    assert "Step" not in lines
    assert "Rollback" not in lines


def test_inconclusive_says_why_and_blames_nobody() -> None:
    assert plain(package_lines(INCONCLUSIVE)).splitlines()[-1] == (
        "INCONCLUSIVE in 0.4 s · no Docker daemon answers at /var/run/docker.sock"
    )


def test_the_last_line_is_the_answer_for_all() -> None:
    last = text(EVERYTHING).splitlines()[-1]
    assert last.startswith("FAIL in 91.4 s · 2 of 4 packages failed, 1 inconclusive, 1 file not readable")


def test_one_package_has_one_answer() -> None:
    assert text(GREEN).count("PASS") == 1


def test_nothing_to_do_is_said() -> None:
    assert "Note: no package was changed" in text(EMPTY)
    assert "no package to try" in text(EMPTY)


def test_many_effects_are_counted_not_listed() -> None:
    many = replace(PASSING, effects=PASSING.effects * 40)
    assert "and 28 more, see the report" in plain(package_lines(many))


def test_a_probe_that_did_not_hold_is_named() -> None:
    assert "not held:" in text(HOSTILE_RUN)
    assert "not held:" not in text(GREEN)


def test_a_package_in_a_named_case_says_which() -> None:
    assert "Case      peak traffic" in text(EVERYTHING)
    assert "Case" not in text(GREEN)


def test_the_verdict_comes_from_the_result() -> None:
    assert (
        text(run(replace(PASSING, verdict=Verdict.INCONCLUSIVE, reason="r"))).splitlines()[-1].startswith("INCON")
    )
