"""What a supervisor is told to hold its commands by: the filter of system calls, and limits on each process."""

import base64
import os
import platform
import re
from collections.abc import Collection, Sequence
from typing import Any

from wpk_sandbox.sandbox.sandbox import Limits
from wpk_sandbox.sandbox.seccomp.bpf import filter_program
from wpk_sandbox.sandbox.shells import inside
from wpk_sandbox.sandbox.shells.groups import CPU, PROCESSES, Groups
from wpk_sandbox.sandbox.shells.landlock_calls import Guard, before

# Before 5.14 the kernel counted a user's processes over all namespaces, so its limit would count the whole desktop.
_COUNTS_BY_NAMESPACE = (5, 14)


def settings(limits: Limits, control: int, groups: Groups, guards: Sequence[Guard] = ()) -> dict[str, Any]:
    """What every supervisor needs to know. `control` is the descriptor of its end of the socket.

    Commands go into the `groups`; the supervisor stays out of them. `guards` look at each system call before the
    common filter does.
    """
    return {
        "control": control,
        "groups": groups.entrances(),
        "cpu_is_held": CPU in groups.held,
        "memory": limits.step_memory,
        "processes": limits.processes,
        # Where no control group holds the CPU.
        "cores": _some_cores(inside.cores(limits)),
        "rlimits": rlimits(limits, groups.held),
        "filters": {
            "recorded": _program(guards, notify=True),
            "plain": _program(guards, notify=False),
        },
    }


def mounts(limits: Limits) -> dict[str, str]:
    """The options of each file system in memory that commands write to: its size, and how many files it holds."""
    sizes = {
        inside.TEMPORARY: limits.tmp,
        "/dev/shm": inside.SHARED_MEMORY,  # noqa: S108 - the sandbox's own
        inside.WORKSPACE: inside.workspace_size(limits),
    }
    return {path: f"size={size},nr_inodes={inside.most_files(size)}" for path, size in sizes.items()}


def rlimits(limits: Limits, held: Collection[str]) -> dict[str, int]:
    """What the kernel enforces of each process, or of the user in this namespace, by setrlimit(2).

    `RLIMIT_DATA` leaves room to be caught by the watch on memory first, which names the reason. `RLIMIT_NPROC` has
    room for the supervisor, and for what is `held` by control groups to be caught by those first, which count.
    """
    wanted = {
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": inside.OPEN_FILES,
        "RLIMIT_FSIZE": max(limits.tmp, inside.workspace_size(limits)),
        "RLIMIT_DATA": 2 * limits.step_memory,
        # Memory that cannot be reclaimed, signals and messages that wait: all held by the kernel, outside of the
        # memory that we count.
        "RLIMIT_MEMLOCK": inside.LOCKED_MEMORY,
        "RLIMIT_SIGPENDING": 1024,
        "RLIMIT_MSGQUEUE": 64 * 1024,
        "RLIMIT_RTPRIO": 0,
        "RLIMIT_NICE": 0,
    }
    if kernel() >= _COUNTS_BY_NAMESPACE:
        wanted["RLIMIT_NPROC"] = limits.processes * (2 if PROCESSES in held else 1) + 1
    return wanted


def kernel() -> tuple[int, ...]:
    """The kernel's version: its first two numbers."""
    return tuple(int(number) for number in re.findall(r"\d+", platform.release())[:2])


def _some_cores(count: int) -> list[int]:
    """Cores that we may use ourselves, not the same ones for every process of wpk-sandbox."""
    allowed = sorted(os.sched_getaffinity(0))
    first = os.getpid() % len(allowed)
    return (allowed + allowed)[first : first + min(count, len(allowed))]


def _program(guards: Sequence[Guard], *, notify: bool) -> str:
    """The filter of system calls; where guards are needed, there is no network to close and sockets are denied."""
    common = filter_program(platform.machine(), notify=notify, network=not guards)
    return base64.b64encode((before(guards, notify=notify) if guards else b"") + common).decode()
