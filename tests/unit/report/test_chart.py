"""The numbers of the drawing of CPU and memory."""

import re
from dataclasses import replace

import pytest

from report.parts import step
from report.sample import PASSING
from report.watched import CALLING
from wpk_sandbox.plan.plan import Phase
from wpk_sandbox.report.chart import (
    CPU_BOTTOM,
    CPU_TOP,
    LEFT,
    MEMORY_BOTTOM,
    MEMORY_TOP,
    MOST_POINTS,
    RIGHT,
    Chart,
    chart,
)
from wpk_sandbox.run.result import PackageResult, RollbackResult, RollbackStatus
from wpk_sandbox.sandbox.sandbox import Sample, Usage

MEBI = 1024**2


def drawn(*samples: Sample, seconds: float = 10.0, usage: Usage | None = None) -> Chart:
    package = replace(PASSING, steps=(step(1, "one", samples=samples, seconds=seconds, usage=usage),))
    picture = chart(package)
    assert picture is not None
    return picture


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path)]


@pytest.mark.parametrize("samples", [(), (Sample(1.0, 1.0, 5),)], ids=["none", "one"])
def test_too_little_is_not_drawn(samples: tuple[Sample, ...]) -> None:
    assert chart(replace(PASSING, steps=(step(1, "one", samples=samples, seconds=1.0),))) is None
    assert chart(PASSING) is None


def test_time_runs_over_the_whole_width() -> None:
    picture = drawn(Sample(0.0, 0.0, MEBI), Sample(5.0, 1.0, MEBI), Sample(10.0, 2.0, MEBI))
    assert [x for x, _ in points(picture.memory)] == [LEFT, (LEFT + RIGHT) / 2, RIGHT]
    assert picture.seconds == "10.0 s"


def test_memory_reaches_the_top_where_it_is_highest() -> None:
    picture = drawn(Sample(0, 0, 0), Sample(5, 0, 100 * MEBI), Sample(10, 0, 50 * MEBI))
    assert [y for _, y in points(picture.memory)] == [MEMORY_BOTTOM, MEMORY_TOP, (MEMORY_TOP + MEMORY_BOTTOM) / 2]
    assert picture.bytes == "100.0 MiB"


def test_cpu_is_a_rate_between_two_samples() -> None:
    picture = drawn(Sample(0, 0.0), Sample(5, 5.0), Sample(10, 7.5))
    assert picture.cpu == f"M{LEFT} {CPU_TOP}H391 L391 {(CPU_TOP + CPU_BOTTOM) / 2:g}H{RIGHT}"
    assert picture.cores == "1.0 cores"


def test_a_counter_that_began_anew_draws_no_negative_rate() -> None:
    picture = drawn(Sample(0, 4.0), Sample(5, 0.5), Sample(10, 5.5))
    assert all(CPU_TOP <= y <= CPU_BOTTOM for _, y in points(picture.cpu))


def test_samples_too_close_to_make_a_rate_make_none() -> None:
    picture = drawn(Sample(0, 0.0), Sample(5, 5.0), Sample(5.001, 5.1), Sample(10, 10.0))
    assert picture.cores == "1.0 cores"


def test_many_samples_make_few_points_and_lose_no_peak() -> None:
    samples = [Sample(number / 2, number / 4, MEBI) for number in range(10_000)]
    samples[7777] = Sample(7777 / 2, 7777 / 4, 90 * MEBI)
    picture = drawn(*samples, seconds=5000)
    assert len(points(picture.memory)) <= 2 * MOST_POINTS + 1
    assert len(points(picture.cpu)) <= MOST_POINTS + 1
    assert min(y for _, y in points(picture.memory)) == MEMORY_TOP


def test_the_kernels_peak_counts_where_no_sample_saw_it() -> None:
    samples = Sample(0, 0, 10 * MEBI), Sample(10, 1, 10 * MEBI)
    picture = drawn(*samples, usage=Usage(1.0, 40 * MEBI))
    assert picture.bytes == "40.0 MiB"
    assert picture.bands[0].peak == MEMORY_TOP
    assert drawn(*samples).bands[0].peak is None


def test_steps_stand_where_they_ran_and_those_of_the_rollback_are_told_apart() -> None:
    picture = chart(CALLING)
    assert picture is not None
    assert [(band.label, band.name) for band in picture.bands] == [("1", "fetch, 2.5 s"), ("2", "escape, 0.4 s")]
    first, second = picture.bands
    assert first.start == LEFT
    assert first.start + first.width < second.start
    undone = step(1, "undo", phase=Phase.ROLLBACK, began=3.0, seconds=1.0)
    rolled = replace(CALLING, rollback=RollbackResult(RollbackStatus.RESTORED, "", (undone,)))
    picture = chart(rolled)
    assert picture is not None
    assert picture.bands[-1].label == "r1"


def test_what_the_steps_left_running_is_drawn_after_them() -> None:
    package: PackageResult = replace(CALLING, samples=(Sample(50.0, 2.0, MEBI),))
    picture = chart(package)
    assert picture is not None
    assert picture.seconds == "50.0 s"
    assert points(picture.memory)[-1][0] == RIGHT


def test_words_say_what_the_drawing_says() -> None:
    picture = chart(CALLING)
    assert picture is not None
    assert picture.description == (
        "At most 1.0 cores and 871.0 MiB of memory in 3.4 s. Steps: fetch from 0.0 s to 2.5 s; "
        "escape from 2.6 s to 3.0 s."
    )
