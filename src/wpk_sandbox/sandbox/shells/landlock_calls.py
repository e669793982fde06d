"""What Landlock leaves open and the filter of system calls closes, where a shell has no namespaces of its own.

There a command shares the host's processes, its users and its IPC with everybody who runs as the same user. So this
goes before the common filter: it denies what would reach others, and lets the common filter decide on the rest. It
is classic BPF as in `seccomp.bpf`, one block for each call.
"""

import errno
import platform
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from wpk_sandbox.sandbox.seccomp.bpf import ARCHITECTURES, ERRNO, USER_NOTIF
from wpk_sandbox.sandbox.seccomp.numbers import NUMBERS

# linux/bpf_common.h
_LOAD, _AND, _IF_EQUAL, _RETURN = 0x20, 0x54, 0x15, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_WORD = 0xFFFF_FFFF

_AF_UNIX = 1
_SOCKET_TYPE, _DGRAM = 0xF, 2
# asm-generic/fcntl.h: who gets a signal when a file is ready, and which.
_SIGNALS_OF_FILES = (8, 10, 15)
_PRIO_PROCESS, _IOPRIO_WHO_PROCESS = 0, 1

# The supervisor does these for commands, in their own folders: by name, whether a folder's descriptor comes first.
CHANGING_MODES = {"chmod": False, "fchmodat": True, "fchmodat2": True}

# Why a call is denied here that the common table allows, or allows more of.
REASONS = {
    **dict.fromkeys(
        ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open"),
        "reaches everybody's processes, or ours",
    ),
    **dict.fromkeys(CHANGING_MODES, "changes files that are not the shell's own"),
    "socket": "connects, and there is no network namespace to keep it inside",
    "prlimit64": "changes the limits of another process",
    "truncate": "empties files that Landlock does not guard on this kernel",
}


@dataclass(frozen=True)
class Guard:
    """Calls that are denied, whatever they ask (no `values`), or if an argument is, or is not, one of `values`.

    `quiet`: ordinary programs try it, too, so it is no sign of an attack.
    """

    calls: tuple[str, ...]
    argument: int = 0
    values: tuple[int, ...] = ()
    denies_values: bool = True
    mask: int = _WORD
    quiet: bool = True
    errno: int = errno.EPERM


def guards(protected: Sequence[int], version: int, *, owns_files: bool) -> tuple[Guard, ...]:
    """What to deny. `protected` are processes that no command may signal; `version` is Landlock's.

    `owns_files` says that this user has files outside of the shell: Landlock does not guard their metadata.
    """
    # To -1, a signal goes to everybody; to the negative of a process, to its group.
    targets = (_WORD, *(part & _WORD for process in protected for part in (process, -process)))
    found = [
        Guard(("kill", "tkill", "rt_sigqueueinfo", "pidfd_open"), 0, targets, quiet=False),
        Guard(("tgkill", "rt_tgsigqueueinfo"), 1, targets, quiet=False),
        # Sockets of daemons (Docker's among them) are files that Landlock lets everybody connect to.
        Guard(("socket",), 0, (_AF_UNIX,), errno=errno.EACCES),
        Guard(("socketpair",), 1, (_DGRAM,), mask=_SOCKET_TYPE),
        Guard(("shmget", "semget", "msgget", "mq_open", "shmat", "shmctl", "semctl", "msgctl"), errno=errno.ENOSYS),
        Guard(("prlimit64",), 0, (0,), denies_values=False, quiet=False),
        Guard(("sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr"), 0, (0,), False),
        Guard(("setpriority",), 0, (_PRIO_PROCESS,), denies_values=False),
        Guard(("setpriority", "ioprio_set"), 1, (0,), denies_values=False),
        Guard(("ioprio_set",), 0, (_IOPRIO_WHO_PROCESS,), denies_values=False),
    ]
    if version < 6:
        found.append(Guard(("fcntl",), 1, _SIGNALS_OF_FILES))
        found.append(Guard(("pidfd_send_signal",)))
    if version < 3:
        found.append(Guard(("truncate",), quiet=False))
    if owns_files:
        found += [Guard(tuple(CHANGING_MODES), quiet=False), Guard(("chown", "lchown", "fchownat"))]
        found += [Guard(("setxattr", "lsetxattr", "setxattrat", "removexattr", "lremovexattr", "removexattrat"))]
        found += [Guard(("utime", "utimes", "futimesat", "file_setattr"))]
        # With no path it is about an open file.
        found.append(Guard(("utimensat",), 1, (0,), denies_values=False))
    return tuple(found)


def changing_modes() -> list[tuple[int, bool]]:
    """`CHANGING_MODES` by the numbers of this machine."""
    numbers = NUMBERS[platform.machine()]
    return [(numbers[name], relative) for name, relative in CHANGING_MODES.items() if name in numbers]


def before(guarded: Sequence[Guard], *, notify: bool) -> bytes:
    """The instructions that go before a filter of `seccomp.bpf`, for this machine."""
    machine = platform.machine()
    numbers = NUMBERS[machine]
    blocks = [
        _block(numbers[call], guard, USER_NOTIF if notify and not guard.quiet else ERRNO | guard.errno)
        for guard in guarded
        for call in guard.calls
        if call in numbers
    ]
    begin = [
        # Another architecture has other numbers: the filter behind this denies all of them.
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 1, 0, ARCHITECTURES[machine]),
        (_RETURN, 0, 0, USER_NOTIF if notify else ERRNO | errno.EPERM),
        (_LOAD, 0, 0, _NUMBER),
    ]
    return b"".join(struct.pack("=HBBI", *one) for one in [*begin, *(one for block in blocks for one in block)])


def _block(number: int, guard: Guard, verdict: int) -> list[tuple[int, int, int, int]]:
    """One call: deny it, or load its number again and go on."""
    denied = (_RETURN, 0, 0, verdict)
    if not guard.values:
        return [(_IF_EQUAL, 0, 1, number), denied]
    count = len(guard.values)
    tests = [
        # Equal: to the verdict, or over it. The last that is not equal goes the other way.
        (_IF_EQUAL, *_way(count - 1 - at, guard.denies_values, last=at == count - 1), value)
        for at, value in enumerate(guard.values)
    ]
    inner = [
        (_LOAD, 0, 0, _ARGUMENTS + 8 * guard.argument),
        (_AND, 0, 0, guard.mask),
        *tests,
        denied,
        (_LOAD, 0, 0, _NUMBER),
    ]
    return [(_IF_EQUAL, 0, len(inner), number), *inner]


def _way(left: int, denies_values: bool, *, last: bool) -> tuple[int, int]:
    """How many instructions to pass over when a value is equal, and when it is not; `left` tests follow."""
    to_verdict, over_verdict = left, left + 1
    equal = to_verdict if denies_values else over_verdict
    other = (over_verdict if denies_values else to_verdict) if last else 0
    return equal, other
