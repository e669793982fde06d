"""Closes the sandbox from within: the folders to write to, the keyring, and every right given up."""

import ctypes
import os
import signal
from typing import Any

from .kernel import (
    CAPABILITY_VERSION_3,
    KEYCTL,
    KEYCTL_JOIN_SESSION_KEYRING,
    LIBC,
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_REMOUNT,
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_CLEAR_ALL,
    PR_CAPBSET_DROP,
    PR_SET_DUMPABLE,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    checked,
)

# What proc(5) tells of the whole machine, and what can be written there: nobody in a sandbox needs it.
MASKED = (
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kallsyms",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
)
READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")


def close_sandbox(settings: dict[str, Any]) -> None:
    """Mount the folders to write to, forbid further namespaces, and give up every capability."""
    for path, options in settings["mounts"].items():
        runs_programs = path == settings["workspace"]
        mode = "0755" if runs_programs else "1777"
        mount_memory(path, 0 if runs_programs else MS_NOEXEC, f"{options},mode={mode}")
    with open("/proc/sys/user/max_user_namespaces", "w", encoding="ascii") as file:
        file.write("0")
    mask()
    if KEYCTL:
        # A keyring of its own; the one that it came with is the caller's.
        LIBC.syscall(KEYCTL, KEYCTL_JOIN_SESSION_KEYRING, None)
    drop_privileges()
    # Commands run as the same user: they must not read or trace this process.
    checked(LIBC.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "close this process")
    # Its parent, bubblewrap, dies with wpk-sandbox or is killed by it.
    checked(LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "end with bubblewrap")


def mount_memory(path: str, flags: int, options: str) -> None:
    """Mount a file system in memory."""
    mount("tmpfs", path, "tmpfs", flags | MS_NOSUID | MS_NODEV, options)


def mask() -> None:
    """Cover what /proc tells of the machine, and let nothing be written there."""
    for path in filter(os.path.lexists, MASKED):
        if os.path.isdir(path):
            mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "size=0,nr_inodes=2")
        else:
            mount("/dev/null", path, "", MS_BIND)
    for path in filter(os.path.lexists, READ_ONLY):
        mount(path, path, "", MS_BIND)
        mount("", path, "", MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)


def mount(source: str, path: str, kind: str, flags: int, options: str = "") -> None:
    """mount(2). Raises `OSError`."""
    words = (source.encode(), path.encode(), kind.encode())
    checked(LIBC.mount(*words, flags, options.encode()), f"mount {path}")


def drop_privileges() -> None:
    """Give up every capability for good."""
    with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as file:
        last = int(file.read())
    checked(LIBC.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "clear the ambient capabilities")
    for capability in range(last + 1):
        checked(LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "empty the bounding set")
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    checked(LIBC.capset(header, (ctypes.c_uint32 * 6)()), "give up the capabilities")
    checked(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "forbid new privileges")
