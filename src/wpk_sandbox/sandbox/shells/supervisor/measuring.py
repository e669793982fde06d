"""What the processes of the sandbox use, from proc(5)."""

import os
import resource
from collections.abc import Callable, Iterable, Iterator

PAGE = resource.getpagesize()
TICKS = os.sysconf("SC_CLK_TCK")

Others = Callable[[], list[int]]


def everyone() -> list[int]:
    """All processes of a process namespace but its first, which is this one."""
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and entry != "1"]


def descendants() -> list[int]:
    """All processes that came of this one: as their reaper, it becomes the parent of those that lose theirs."""
    children: dict[int, list[int]] = {}
    for process, fields in _stats(int(entry) for entry in os.listdir("/proc") if entry.isdigit()):
        children.setdefault(int(fields[1]), []).append(process)
    found: list[int] = []
    known = children.pop(os.getpid(), [])
    while known:
        process = known.pop()
        found.append(process)
        known += children.pop(process, [])
    return found


def made_since(process: int) -> int:
    """How many processes and threads were made since that one; their numbers are given out in order, all round."""
    with open("/proc/loadavg", encoding="ascii") as file:
        newest = int(file.read().split()[-1])
    with open("/proc/sys/kernel/pid_max", encoding="ascii") as file:
        return (newest - process) % int(file.read())


def measure(processes: Iterable[int]) -> tuple[int, int, float]:
    """The threads of processes, the bytes of memory that are theirs alone, and the CPU seconds that they took."""
    threads, memory, ticks = 0, 0, 0
    for process, fields in _stats(processes):
        try:
            with open(f"/proc/{process}/statm", "rb") as file:
                resident, shared = (int(field) for field in file.read().split()[1:3])
        except (OSError, ValueError):
            continue
        threads += int(fields[17])
        memory += (resident - shared) * PAGE
        # Its own time, and that of its children which it has waited for.
        ticks += sum(int(field) for field in fields[11:15])
    return threads, memory, ticks / TICKS


def stored(path: str) -> int:
    """The bytes of a file system in memory that are in use."""
    status = os.statvfs(path)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


def _stats(processes: Iterable[int]) -> Iterator[tuple[int, list[bytes]]]:
    """The fields of each process that is still there, from its state (the third of proc(5)) on."""
    for process in processes:
        try:
            with open(f"/proc/{process}/stat", "rb") as file:
                # The name, in parentheses, may hold anything; the fields are counted from behind it.
                yield process, file.read().rpartition(b")")[2].split()
        except OSError:
            continue
