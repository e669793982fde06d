"""What a container used in all of its lives."""

from wpk_sandbox.sandbox.sandbox import Usage
from wpk_sandbox.sandbox.shells.counters import Counters
from wpk_sandbox.sandbox.shells.docker_watch import Total


def test_counters_grow_over_a_restart_and_peaks_stay() -> None:
    total = Total()
    total.add(Counters(usage=Usage(1.0, 500, 3, written_bytes=7)))
    total.add(Counters(usage=Usage(2.0, 600, 4, written_bytes=9)))
    total.begin_anew()
    assert total.add(Counters(usage=Usage(0.5, 100, 2, written_bytes=1))) == Usage(2.5, 600, 4, written_bytes=10)
    total.begin_anew()
    assert total.usage == Usage(2.5, 600, 4, written_bytes=10)


def test_peaks_that_the_kernel_does_not_keep_are_the_highest_that_were_seen() -> None:
    total = Total()
    total.add(Counters(processes=4, stored=100))
    total.add(Counters(processes=9, stored=50))
    total.add(Counters(processes=2))
    assert (total.usage.processes_peak, total.usage.stored_peak) == (9, 100)


def test_what_nobody_tells_stays_unknown() -> None:
    assert Total().add(Counters()) == Usage()
