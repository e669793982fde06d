"""One attempt: how it is told what to aim at, run where it can do no harm to the next, and what it comes to."""

import ctypes
import errno
import json
import os
import select
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

Given = Mapping[str, Any]
Try = Callable[[Given], str]

TRIES: dict[str, Try] = {}

# Seconds for one attempt. What hangs was not let through, but it is told as such.
PATIENCE = 20


class BlockedError(Exception):
    """It was stopped, and no error number says so."""


class AbsentError(Exception):
    """There is nothing here to try it on."""


def attempt(name: str) -> Callable[[Try], Try]:
    """Enter a function under its name. It returns what it got when nothing stopped it, and raises otherwise."""

    def enter(function: Try) -> Try:
        TRIES[name] = function
        return function

    return enter


def past(call: Callable[[], object], *errors: int) -> str:
    """Make a call that the kernel refuses for its arguments once it has not refused it for want of rights."""
    try:
        return f"returned {call()}"
    except OSError as error:
        if error.errno in errors:
            return f"{errno.errorcode[error.errno]}: refused for its arguments only"
        raise


def tried(name: str, function: Try, given: Given) -> dict[str, Any]:
    """What came of an attempt: `outcome` is open, blocked or absent."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.write(writing, json.dumps(_outcome(function, given)).encode()[:4000])
        os._exit(0)
    os.close(writing)
    told = _read(reading)
    os.close(reading)
    if told is None:
        os.kill(child, signal.SIGKILL)
        told = {"outcome": "blocked", "seen": f"no answer within {PATIENCE} s"}
    status = os.waitpid(child, 0)[1]
    if not told:
        told = {"outcome": "blocked", "seen": f"ended by signal {status & 0x7F}, status {status >> 8}"}
    return {"attempt": name, **told}


def _outcome(function: Try, given: Given) -> dict[str, Any]:
    try:
        return {"outcome": "open", "seen": function(given)}
    except AbsentError as error:
        return {"outcome": "absent", "seen": str(error)}
    except BlockedError as error:
        return {"outcome": "blocked", "seen": str(error)}
    except OSError as error:
        number = error.errno or 0
        name = errno.errorcode.get(number, str(error))
        return {"outcome": "blocked", "errno": name, "seen": f"{name} {error.filename or ''}".strip()}
    except MemoryError:
        return {"outcome": "blocked", "errno": "ENOMEM", "seen": "no memory"}
    except Exception as error:  # a mistake in the attempt must not pass for a wall
        return {"outcome": "mistake", "seen": f"{type(error).__name__}: {error}"}


def _read(descriptor: int) -> dict[str, Any] | None:
    until, data = time.monotonic() + PATIENCE, b""
    while (left := until - time.monotonic()) > 0:
        if not select.select([descriptor], [], [], left)[0]:
            return None
        chunk = os.read(descriptor, 65536)
        if not chunk:
            told: dict[str, Any] = json.loads(data) if data else {}
            return told
        data += chunk
    return None


_LIBRARY = ctypes.CDLL(None, use_errno=True)
_MACHINE = os.uname().machine

# <asm/unistd_64.h> and <asm-generic/unistd.h>: those of x86-64 and of arm64, for calls that no library makes.
_OLDER = {
    "acct": (163, 89), "add_key": (248, 217), "adjtimex": (159, 171), "bpf": (321, 280), "chroot": (161, 51),
    "clone": (56, 220), "delete_module": (176, 106), "fanotify_init": (300, 262), "finit_module": (313, 273),
    "init_module": (175, 105), "ioperm": (173, None), "iopl": (172, None), "kexec_load": (246, 104),
    "keyctl": (250, 219), "mount": (165, 40), "open_by_handle_at": (304, 265), "perf_event_open": (298, 241),
    "personality": (135, 92), "pivot_root": (155, 41), "prctl": (157, 167), "process_vm_readv": (310, 270),
    "ptrace": (101, 117), "reboot": (169, 142), "request_key": (249, 218),
    "sethostname": (170, 161), "setns": (308, 268), "swapon": (167, 224), "syslog": (103, 116),
    "umount2": (166, 39), "unshare": (272, 97), "userfaultfd": (323, 282), "capset": (126, 91),
    "process_vm_writev": (311, 271), "name_to_handle_at": (303, 264), "mbind": (237, 235),
}  # fmt: skip
# Since 5.1 the numbers are those of every architecture.
_NEWER = {
    "io_uring_setup": 425, "open_tree": 428, "move_mount": 429, "fsopen": 430, "pidfd_open": 434, "clone3": 435,
    "pidfd_getfd": 438, "mount_setattr": 442, "memfd_secret": 447,
}  # fmt: skip


def number_of(name: str) -> int:
    """The number of a system call on this machine."""
    if name in _NEWER:
        return _NEWER[name]
    number = _OLDER[name][0 if _MACHINE == "x86_64" else 1]
    if number is None:
        raise AbsentError(f"{_MACHINE} has no {name}(2)")
    return number


def call(name: str | int, *arguments: Any) -> int:
    """Make a system call. Raises OSError with its name in place of a file's."""
    number = name if isinstance(name, int) else number_of(name)
    plain = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result: int = _LIBRARY.syscall(ctypes.c_long(number), *plain)
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"{name}(2)")
    return result
