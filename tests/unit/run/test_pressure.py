"""Limits that came near, and what went beyond them."""

from dataclasses import replace

import pytest

from wpk_sandbox.finding import Location, Severity
from wpk_sandbox.plan.plan import Fidelity, Phase
from wpk_sandbox.run.pressure import abuse, storage_of, warnings
from wpk_sandbox.run.result import Limit, StepResult, StepStatus
from wpk_sandbox.sandbox.sandbox import Limits, SecurityEvent, Threat, Usage

MEBI = 1024**2
LIMITS = Limits(step_memory=100 * MEBI, processes=50, tmp=20 * MEBI, output=1000)
NOTHING = Usage()
STEP = StepResult(
    1,
    Phase.RUN,
    "one",
    "one",
    "shell",
    StepStatus.OK,
    Fidelity.EXECUTED,
    "",
    Location("a.wpk.yaml"),
    seconds=1.0,
)


def warned(usage: Usage = NOTHING, **more: object) -> list[str]:
    return list(warnings(replace(STEP, **more), usage, LIMITS, timeout=10.0))


def abused(usage: Usage = NOTHING, **more: object) -> list[SecurityEvent]:
    return list(abuse(replace(STEP, **more), usage, LIMITS))


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        (Usage(memory_peak=85 * MEBI), "85 MiB of 100 MiB of memory at most (85 %)"),
        (Usage(processes_peak=40), "40 of 50 processes at most (80 %)"),
        (Usage(stored_peak=63 * MEBI), "63 MiB of 70 MiB of storage at most (90 %)"),
        (Usage(throttled_seconds=0.6), "held back for 0.6 s by its limit of 1 core"),
    ],
)
def test_a_limit_that_came_near_is_told_with_its_numbers(usage: Usage, words: str) -> None:
    assert warned(usage) == [words]


def test_files_that_may_all_lie_in_tmp_are_held_against_it() -> None:
    assert warned(Usage(stored_peak=17 * MEBI)) == ["17 MiB of files at most, and /tmp takes 20 MiB (85 %)"]
    assert warned(Usage(stored_peak=20 * MEBI)) != []


def test_more_files_than_tmp_takes_lie_in_the_working_folder_too() -> None:
    assert warned(Usage(stored_peak=21 * MEBI)) == []


def test_time_and_output_are_told_too() -> None:
    assert warned(seconds=8.5) == ["8.5 s of 10 s (85 %)"]
    assert warned(stdout="x" * 10, stderr="x" * 900) == ["900 B of 1000 B of output at most (90 %)"]


def test_below_eighty_percent_nothing_is_said() -> None:
    usage = Usage(1.0, 79 * MEBI, 39, throttled_seconds=0.4, stored_peak=55 * MEBI)
    assert warned(usage, seconds=7.9, stdout="x" * 799) == []


def test_nothing_measured_is_nothing_near() -> None:
    assert warned() == []


def test_a_step_that_was_held_back_for_a_small_part_of_its_time_is_not_warned_of() -> None:
    assert warned(Usage(throttled_seconds=1.0), seconds=7.0) == []
    assert warned(Usage(throttled_seconds=1.0), seconds=4.0) != []


@pytest.mark.parametrize(
    ("limit", "usage", "more"),
    [
        (Limit.MEMORY, Usage(memory_peak=100 * MEBI), {}),
        (Limit.OUTPUT, Usage(), {"stdout": "x" * 1000}),
        (Limit.PROCESSES, Usage(processes_peak=50), {}),
        (Limit.STEP, Usage(), {"seconds": 10.0}),
    ],
)
def test_the_limit_that_ended_a_step_is_not_warned_of(limit: Limit, usage: Usage, more: dict[str, object]) -> None:
    assert warned(usage, **more) != []
    assert warned(usage, limit=limit, **more) == []


@pytest.mark.parametrize(
    ("limit", "words", "severity"),
    [
        (Limit.PROCESSES, "asked for more than 50 processes", Severity.MEDIUM),
        (Limit.MEMORY, "used more than 100 MiB of memory", Severity.LOW),
        (Limit.OUTPUT, "wrote more than 1000 B to one stream", Severity.LOW),
    ],
)
def test_going_beyond_a_limit_is_an_event(limit: Limit, words: str, severity: Severity) -> None:
    (event,) = abused(limit=limit, message="hit it")
    assert (event.threat, event.message, event.severity, event.evidence) == (
        Threat.ABUSE,
        words,
        severity,
        "hit it",
    )


def test_a_loop_without_end_is_told_from_a_wait() -> None:
    (event,) = abused(Usage(cpu_seconds=9.5), limit=Limit.STEP, seconds=10.0)
    assert event.message == "was busy without end until its time ran out"
    assert event.evidence == "9.5 s of CPU in 10 s"
    assert abused(Usage(cpu_seconds=3.0), limit=Limit.STEP, seconds=10.0) == []
    assert abused(Usage(cpu_seconds=9.5), seconds=10.0) == []


def test_a_full_disk_is_an_event_only_when_the_step_felt_it() -> None:
    full = Usage(stored_peak=20 * MEBI)
    (event,) = abused(full, stderr="dd: writing: No space left on device\n")
    assert (event.message, event.evidence) == ("filled its disk", "20 MiB in files")
    assert abused(full) == []
    assert abused(Usage(stored_peak=MEBI), stderr="No space left on device") == []


def test_storage_is_what_the_two_folders_hold() -> None:
    assert storage_of(LIMITS) == 70 * MEBI
    assert storage_of(replace(LIMITS, storage=10 * MEBI)) == 30 * MEBI
