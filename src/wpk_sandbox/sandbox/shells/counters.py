"""What the control group of a container counts: a script that prints it, and what its lines mean.

The script needs no program beside the shell, so that it works where no process can be started any more. Both
versions of control groups are read: the kernel's Documentation/admin-guide/cgroup-v2.rst, and cgroup-v1 beside it.
"""

from dataclasses import dataclass

from wpk_sandbox.sandbox.sandbox import Usage
from wpk_sandbox.sandbox.shells.probe import GROUPS, Answers

COUNTERS = f"""
for file in cpu.stat cpu/cpu.stat cpuacct/cpuacct.usage memory.events memory/memory.oom_control \\
    memory.peak memory/memory.max_usage_in_bytes memory.current memory/memory.usage_in_bytes \\
    pids.events pids/pids.events pids.peak pids/pids.peak pids.current pids/pids.current \\
    io.stat blkio/blkio.throttle.io_service_bytes; do
  [ -r "{GROUPS}/$file" ] && while read -r line; do say "$file" "$line"; done <"{GROUPS}/$file"
done
for file in memory.stat memory/memory.stat; do
  [ -r "{GROUPS}/$file" ] && while read -r name value; do
    [ "$name" = shmem ] && say stored "$value" && break
  done <"{GROUPS}/$file"
done
"""

# What is in use of memory, alone: a tenth of the work of all.
MEMORY = f"""
for file in memory.current memory/memory.usage_in_bytes; do
  [ -r "{GROUPS}/$file" ] && read -r line <"{GROUPS}/$file" && say "$file" "$line"
done
"""


@dataclass(frozen=True)
class Counters:
    """How often the control group's limits were hit since it was made, what was used, and what is in use now.

    `stored` are the bytes of files: whatever can be written to lies in memory, where the group counts it as shared.
    """

    out_of_memory: int = 0
    refused_forks: int = 0
    usage: Usage = Usage()
    memory: int = 0
    processes: int = 0
    stored: int = 0


def read_counters(stdout: str) -> Counters:
    """What `COUNTERS` printed, or `MEMORY`."""
    answers = Answers(stdout)
    micro = answers.counter("usage_usec", "cpu.stat")
    nano = answers.number("cpuacct/cpuacct.usage")
    killed = answers.counter("oom_kill", "memory.events", "memory/memory.oom_control")
    return Counters(
        out_of_memory=killed or 0,
        refused_forks=answers.counter("max", "pids.events", "pids/pids.events") or 0,
        usage=Usage(
            cpu_seconds=micro / 1e6 if micro is not None else nano / 1e9 if nano is not None else None,
            memory_peak=answers.number("memory.peak", "memory/memory.max_usage_in_bytes"),
            processes_peak=answers.number("pids.peak", "pids/pids.peak"),
            throttled_seconds=_throttled(answers),
            read_bytes=_transferred(answers, "rbytes", "Read"),
            written_bytes=_transferred(answers, "wbytes", "Write"),
            out_of_memory=killed,
        ),
        memory=answers.number("memory.current", "memory/memory.usage_in_bytes") or 0,
        processes=answers.number("pids.current", "pids/pids.current") or 0,
        stored=answers.number("stored") or 0,
    )


def _throttled(answers: Answers) -> float | None:
    micro = answers.counter("throttled_usec", "cpu.stat")
    nano = answers.counter("throttled_time", "cpu/cpu.stat")
    return micro / 1e6 if micro is not None else nano / 1e9 if nano is not None else None


def _transferred(answers: Answers, newer: str, older: str) -> int | None:
    """Bytes from or to all disks: `8:0 rbytes=1 wbytes=2` in the newer file, `8:0 Read 1` in the older one."""
    words = [word.partition("=") for line in answers.all("io.stat") for word in line.split()]
    rows = [line.split() for line in answers.all("blkio/blkio.throttle.io_service_bytes")]
    found = [value for name, _, value in words if name == newer]
    found += [row[2] for row in rows if len(row) == 3 and row[1] == older]
    if not answers.all("io.stat") and not rows:
        return None
    return sum(int(value) for value in found if value.isdigit())
