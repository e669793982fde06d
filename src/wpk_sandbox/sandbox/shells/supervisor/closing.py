"""Closes the sandbox from within: the folders to write to, the keyring, and every right given up."""

import ctypes
import signal
from typing import Any

from .kernel import (
    CAPABILITY_VERSION_3,
    KEYCTL,
    KEYCTL_JOIN_SESSION_KEYRING,
    LIBC,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_CLEAR_ALL,
    PR_CAPBSET_DROP,
    PR_SET_DUMPABLE,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    checked,
)


def close_sandbox(settings: dict[str, Any]) -> None:
    """Mount the folders to write to, forbid further namespaces, and give up every capability."""
    mount_memory("/tmp", MS_NOEXEC, f"size={settings['tmp']},mode=1777")  # noqa: S108 - the sandbox's own
    mount_memory("/dev/shm", MS_NOEXEC, f"size={settings['shared_memory']},mode=1777")  # noqa: S108
    mount_memory(settings["workspace"], 0, f"size={settings['workspace_size']},mode=0755")
    with open("/proc/sys/user/max_user_namespaces", "w", encoding="ascii") as file:
        file.write("0")
    if KEYCTL:
        # A keyring of its own; the one that it came with is the caller's.
        LIBC.syscall(KEYCTL, KEYCTL_JOIN_SESSION_KEYRING, None)
    drop_privileges()


def mount_memory(path: str, flags: int, options: str) -> None:
    checked(
        LIBC.mount(b"tmpfs", path.encode(), b"tmpfs", flags | MS_NOSUID | MS_NODEV, options.encode()),
        f"mount {path}",
    )


def drop_privileges() -> None:
    with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as file:
        last = int(file.read())
    checked(LIBC.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "clear the ambient capabilities")
    for capability in range(last + 1):
        checked(LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "empty the bounding set")
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    checked(LIBC.capset(header, (ctypes.c_uint32 * 6)()), "give up the capabilities")
    checked(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "forbid new privileges")
    # Commands run as the same user: they must not read or trace this process.
    checked(LIBC.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "close this process")
    # Its parent, bubblewrap, dies with wpk-sandbox or is killed by it.
    checked(LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "end with bubblewrap")
