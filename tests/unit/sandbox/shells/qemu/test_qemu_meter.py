"""Counters add up over guests, and nonsense is told from numbers."""

import pytest

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.sandbox import Sample
from wpk_sandbox.sandbox.shells.qemu.meter import Counters, Meter, read_counters


def test_words_become_counters() -> None:
    assert read_counters(["1500000", "10", "20", "3", "1", "2"]) == Counters(1.5, 10, 20, 3, 1, 2)


@pytest.mark.parametrize("words", ["", "1 2 3", "1 2 3 4 5 six", "1 2 3 4 5 6 7"])
def test_other_words_are_nonsense(words: str) -> None:
    with pytest.raises(SandboxError, match="make sense"):
        read_counters(words.split())


def test_a_new_guest_adds_to_what_the_earlier_used() -> None:
    meter = Meter()
    meter.boot(0)
    meter.take(Counters(2.0, 50, 100, 4, 1, 0))
    meter.boot(10)
    meter.take(Counters(0.5, 5, 60, 1, 0, 0))
    usage = meter.usage
    assert (usage.cpu_seconds, usage.memory_peak, usage.processes_peak, usage.out_of_memory) == (2.5, 100, 4, 1)


def test_samples_are_on_the_clock_of_the_shell() -> None:
    meter = Meter()
    meter.boot(7)
    lines = ["1.50 4096 500000 10 20 3 0 0", "nonsense", "x 1 2 3 4 5 6 7", "2.50 8192 900000 11 20 2 0 0"]
    assert list(meter.samples(lines)) == [Sample(8.5, 0.5, 10, 3, 4096), Sample(9.5, 0.9, 11, 2, 8192)]
    assert meter.usage.stored_peak == 8192
