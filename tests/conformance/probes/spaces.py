"""Namespaces, mounts and roots: numbers 5 and 6."""

import ctypes
import errno
import os
import signal
import struct

from probes.trying import Given, attempt, call, past

NEW_MOUNT, NEW_USER, NEW_PROCESS, NEW_NETWORK = 0x20000, 0x10000000, 0x20000000, 0x40000000
MS_REMOUNT, MS_BIND, MNT_DETACH = 32, 4096, 2
AT_FDCWD, OPEN_TREE_CLONE = -100, 1


@attempt("unshare-user")
def unshare_user(_: Given) -> str:
    return f"returned {call('unshare', NEW_USER)}"


@attempt("unshare-mount")
def unshare_mount(_: Given) -> str:
    return f"returned {call('unshare', NEW_MOUNT)}"


@attempt("unshare-network")
def unshare_network(_: Given) -> str:
    return f"returned {call('unshare', NEW_NETWORK)}"


@attempt("unshare-processes")
def unshare_processes(_: Given) -> str:
    return f"returned {call('unshare', NEW_PROCESS)}"


@attempt("clone-user")
def clone_user(_: Given) -> str:
    return _born(call("clone", NEW_USER | signal.SIGCHLD, 0, 0, 0, 0))


@attempt("clone3-user")
def clone3_user(_: Given) -> str:
    arguments = struct.pack("<8Q", NEW_USER, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    return _born(call("clone3", ctypes.create_string_buffer(arguments), len(arguments)))


@attempt("setns-first")
def setns_first(_: Given) -> str:
    space = os.open("/proc/1/ns/mnt", os.O_RDONLY)
    return f"returned {call('setns', space, NEW_MOUNT)}"


@attempt("setns-own")
def setns_own(_: Given) -> str:
    """Into the namespace that it is in already: what is asked for is the right to."""
    return f"returned {call('setns', os.open('/proc/self/ns/net', os.O_RDONLY), NEW_NETWORK)}"


@attempt("mount-tmpfs")
def mount_tmpfs(_: Given) -> str:
    return _mounted(b"none", b"tmpfs", 0)


@attempt("mount-bind")
def mount_bind(_: Given) -> str:
    return _mounted(b"/usr", 0, MS_BIND)


@attempt("mount-proc")
def mount_proc(_: Given) -> str:
    """A second one would show what is masked in the first."""
    return _mounted(b"proc", b"proc", 0)


@attempt("mount-cgroup")
def mount_cgroup(_: Given) -> str:
    return _mounted(b"none", b"cgroup2", 0)


@attempt("remount-root")
def remount_root(_: Given) -> str:
    return f"returned {call('mount', 0, b'/', 0, MS_REMOUNT | MS_BIND, 0)}"


@attempt("unmount")
def unmount(_: Given) -> str:
    """Of what is no mount point, so that nothing is gone where it is allowed."""
    return past(lambda: call("umount2", b"/usr/bin", 0), errno.EINVAL)


@attempt("fsopen")
def fsopen(_: Given) -> str:
    return f"returned {call('fsopen', b'tmpfs', 0)}"


@attempt("open-tree")
def open_tree(_: Given) -> str:
    return f"returned {call('open_tree', AT_FDCWD, b'/usr', OPEN_TREE_CLONE)}"


@attempt("move-mount")
def move_mount(_: Given) -> str:
    return past(lambda: call("move_mount", -1, b"", -1, b"", 0x44), errno.EBADF, errno.ENOENT, errno.EINVAL)


@attempt("mount-setattr")
def mount_setattr(_: Given) -> str:
    attributes = ctypes.create_string_buffer(struct.pack("<4Q", 0, 1, 0, 0))
    return past(lambda: call("mount_setattr", AT_FDCWD, b"/usr/bin", 0, attributes, 32), errno.EINVAL)


@attempt("pivot-root")
def pivot_root(_: Given) -> str:
    return past(lambda: call("pivot_root", b"/nowhere", b"/nowhere"), errno.ENOENT)


@attempt("chroot")
def chroot(_: Given) -> str:
    return f"returned {call('chroot', b'/tmp')}"


def _mounted(source: bytes, kind: bytes | int, flags: int) -> str:
    """Mount something over /tmp; where that works, it is undone."""
    call("mount", source, b"/tmp", kind, flags, 0)
    call("umount2", b"/tmp", MNT_DETACH)
    return "mounted over /tmp"


def _born(child: int) -> str:
    """What a call that forks gives; the child ends at once."""
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return f"process {child} in namespaces of its own"
