"""What the control group of a container tells, in both of its versions."""

import pytest

from wpk_sandbox.sandbox.sandbox import Usage
from wpk_sandbox.sandbox.shells.counters import Counters, read_counters

NEWER = """\
cpu.stat\tusage_usec 1500000
cpu.stat\tuser_usec 1
cpu.stat\tnr_throttled 4
cpu.stat\tthrottled_usec 250000
memory.events\tlow 0
memory.events\toom 4
memory.events\toom_kill 2
memory.peak\t4096
memory.current\t2048
pids.events\tmax 3
pids.peak\t17
pids.current\t5
io.stat\t8:0 rbytes=100 wbytes=20 rios=1 wios=1 dbytes=0 dios=0
io.stat\t8:16 rbytes=11 wbytes=3 rios=1 wios=1 dbytes=0 dios=0
stored\t1024
"""
OLDER = """\
cpu/cpu.stat\tnr_throttled 4
cpu/cpu.stat\tthrottled_time 250000000
cpuacct/cpuacct.usage\t1500000000
memory/memory.oom_control\tunder_oom 0
memory/memory.oom_control\toom_kill 2
memory/memory.max_usage_in_bytes\t4096
memory/memory.usage_in_bytes\t2048
pids/pids.events\tmax 3
pids/pids.peak\t17
pids/pids.current\t5
blkio/blkio.throttle.io_service_bytes\t8:0 Read 100
blkio/blkio.throttle.io_service_bytes\t8:0 Write 20
blkio/blkio.throttle.io_service_bytes\t8:16 Read 11
blkio/blkio.throttle.io_service_bytes\t8:16 Write 3
blkio/blkio.throttle.io_service_bytes\t8:16 Total 14
blkio/blkio.throttle.io_service_bytes\tTotal 134
stored\t1024
"""


@pytest.mark.parametrize("said", [NEWER, OLDER], ids=["newer", "older"])
def test_both_versions_tell_the_same(said: str) -> None:
    counters = read_counters(said)
    assert counters.usage == Usage(
        cpu_seconds=1.5,
        memory_peak=4096,
        processes_peak=17,
        throttled_seconds=0.25,
        read_bytes=111,
        written_bytes=23,
        out_of_memory=2,
    )
    assert (counters.refused_forks, counters.out_of_memory) == (3, 2)
    assert (counters.memory, counters.processes, counters.stored) == (2048, 5, 1024)


def test_nothing_told_is_nothing_known() -> None:
    assert read_counters("") == Counters()
    assert read_counters("").usage == Usage()


def test_disks_that_were_not_used_are_known_not_to_be() -> None:
    assert read_counters("blkio/blkio.throttle.io_service_bytes\tTotal 0\n").usage.read_bytes == 0
    assert read_counters("io.stat\t8:0 \n").usage.written_bytes == 0
