"""What the processes of the sandbox use, from proc(5)."""

import os
import resource

PAGE = resource.getpagesize()


def newest() -> int:
    """The number of the process or thread that was made last, from proc(5); they are given out in order."""
    with open("/proc/loadavg", encoding="ascii") as file:
        return int(file.read().split()[-1])


def measure() -> tuple[int, int]:
    """The threads of all other processes, and the bytes of memory that are theirs alone, from proc(5)."""
    threads, memory = 0, 0
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or entry == "1":
            continue
        try:
            with open(f"/proc/{entry}/stat", "rb") as file:
                # The name, in parentheses, may hold anything; the fields are counted from behind it.
                fields = file.read().rpartition(b")")[2].split()
            with open(f"/proc/{entry}/statm", "rb") as file:
                resident, shared = (int(field) for field in file.read().split()[1:3])
        except (OSError, ValueError):
            continue
        threads += int(fields[17])
        memory += (resident - shared) * PAGE
    return threads, memory


def stored(path: str) -> int:
    """The bytes of a file system in memory that are in use."""
    status = os.statvfs(path)
    return (status.f_blocks - status.f_bfree) * status.f_frsize
