"""What was used: of halves together, between two looks, and what to ask for."""

import pytest

from wpk_sandbox.run.measured import added, one_after_another, suggested, thinned, together
from wpk_sandbox.run.result import Requirements
from wpk_sandbox.sandbox.sandbox import Sample, Usage

MEBI = 1024**2


def test_halves_are_summed_as_far_as_they_are_known() -> None:
    both = together((Usage(1.0, 100, None, read_bytes=1), Usage(0.5, 50, 3)))
    assert both == Usage(1.5, 150, 3, read_bytes=1)
    assert together(()) == Usage()


def test_tries_add_what_they_counted_and_share_their_peaks() -> None:
    tries = (Usage(1.0, 100, 5, out_of_memory=1), Usage(0.5, 300, None, out_of_memory=1))
    assert one_after_another(tries) == Usage(1.5, 300, 5, out_of_memory=2)


def test_counters_between_two_looks_are_the_difference() -> None:
    before, now = Usage(1.0, written_bytes=10, throttled_seconds=0.5), Usage(3.5, written_bytes=14)
    assert added(before, now, ()) == Usage(2.5, written_bytes=4)


def test_a_counter_that_fell_began_anew() -> None:
    assert added(Usage(5.0), Usage(0.25), ()).cpu_seconds == 0.25


def test_a_peak_that_rose_is_the_steps_own() -> None:
    assert added(Usage(memory_peak=100), Usage(memory_peak=300), [Sample(1, memory=50)]).memory_peak == 300


def test_a_peak_that_did_not_rise_is_somebody_elses() -> None:
    samples = [Sample(1, memory=50, processes=2), Sample(2, memory=80, processes=1)]
    own = added(Usage(memory_peak=300, processes_peak=9), Usage(memory_peak=300, processes_peak=9), samples)
    assert (own.memory_peak, own.processes_peak) == (80, 2)
    assert added(Usage(memory_peak=300), Usage(memory_peak=300), ()).memory_peak is None
    assert added(Usage(processes_peak=3), Usage(processes_peak=3), [Sample(1)]).processes_peak is None


def test_a_suggestion_has_head_room_and_round_numbers() -> None:
    used = Usage(cpu_seconds=2.0, memory_peak=100 * MEBI, stored_peak=3 * MEBI)
    assert suggested(used, (), 10.0, {}) == Requirements("300m", "128Mi", "4Mi")


@pytest.mark.parametrize(
    ("mebibytes", "asked"), [(1, "16Mi"), (40, "64Mi"), (300, "384Mi"), (1000, "1280Mi"), (3000, "3840Mi")]
)
def test_memory_is_asked_for_in_coarser_steps_the_more_it_is(mebibytes: int, asked: str) -> None:
    made = suggested(Usage(memory_peak=mebibytes * MEBI), (), 1.0, {})
    assert made == Requirements(memory=asked)


def test_cores_are_those_of_the_busiest_moment() -> None:
    samples = [Sample(0, 0.0), Sample(1, 0.1), Sample(2, 0.9), Sample(3, 1.0), Sample(3.01, 1.4)]
    made = suggested(Usage(cpu_seconds=1.4), samples, 30.0, {})
    assert made is not None
    assert made.cpu == "1200m"


def test_nothing_measured_suggests_nothing() -> None:
    assert suggested(Usage(), (), 1.0, {}) is None


def test_a_package_that_asks_for_enough_hears_nothing() -> None:
    used = Usage(cpu_seconds=0.1, memory_peak=100 * MEBI)
    assert suggested(used, (), 1.0, {"cpu": "200m", "memory": "128Mi"}) is None
    assert suggested(used, (), 1.0, {"cpu": "200m", "memory": "64Mi"}) is not None
    assert suggested(used, (), 1.0, {"cpu": "200m"}) is not None
    assert suggested(used, (), 1.0, {"cpu": "${CPU}", "memory": "128Mi"}) is None


def test_what_a_package_asks_enough_of_is_suggested_as_it_stands() -> None:
    used = Usage(cpu_seconds=3.0, memory_peak=20 * MEBI, stored_peak=3 * MEBI)
    asked = {"cpu": "100m", "memory": "64Mi", "storage": "${SIZE}"}
    assert suggested(used, (), 10.0, asked) == Requirements("450m", "64Mi", "${SIZE}")


def test_samples_are_thinned_to_a_gap() -> None:
    kept = thinned([Sample(0), Sample(0.1), Sample(0.4), Sample(0.5), Sample(0.9)], 0.4)
    assert [sample.at for sample in kept] == [0, 0.4, 0.9]
