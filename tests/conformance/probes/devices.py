"""Sockets of daemons, switches of the kernel and devices: numbers 1 to 3."""

import errno
import os
import socket
import stat
import tempfile
from pathlib import Path

from probes.trying import AbsentError, BlockedError, Given, attempt

DAEMONS = (
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/podman/podman.sock",
    "/run/crio/crio.sock",
    "/run/dbus/system_bus_socket",
    "/run/systemd/private",
)


@attempt("daemon-socket")
def daemon_socket(_: Given) -> str:
    reasons = []
    for path in DAEMONS:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(path)
            except OSError as error:
                reasons.append(error)
            else:
                return f"connected to {path}"
    raise reasons[0]


@attempt("core-pattern")
def core_pattern(_: Given) -> str:
    return _writable("/proc/sys/kernel/core_pattern")


@attempt("module-helper")
def module_helper(_: Given) -> str:
    return _writable("/proc/sys/kernel/modprobe")


@attempt("sysrq")
def sysrq(_: Given) -> str:
    return _writable("/proc/sysrq-trigger")


@attempt("device-helper")
def device_helper(_: Given) -> str:
    return _writable("/sys/kernel/uevent_helper")


@attempt("release-agent")
def release_agent(_: Given) -> str:
    found = [Path("/sys/fs/cgroup/release_agent"), *sorted(Path("/sys/fs/cgroup").glob("*/release_agent"))]
    return _writable(*(str(path) for path in found))


@attempt("group-own")
def group_own(_: Given) -> str:
    """A control group of its own, whose limits it would set."""
    reasons = []
    for parent in ("/sys/fs/cgroup/pids", "/sys/fs/cgroup/memory", "/sys/fs/cgroup"):
        try:
            os.mkdir(f"{parent}/wpk-conformance")
        except OSError as error:
            reasons.append(error)
        else:
            os.rmdir(f"{parent}/wpk-conformance")
            return f"made a group in {parent}"
    raise reasons[-1]


@attempt("write-settings-of-kernel")
def write_settings_of_kernel(_: Given) -> str:
    """Any at all, by opening what is shown under /proc/sys and writing nothing."""
    return _writable(*(str(path) for path in sorted(Path("/proc/sys/kernel").glob("*"))[:60] if path.is_file()))


@attempt("make-block-device")
def make_block_device(_: Given) -> str:
    return _made(stat.S_IFBLK, 8, 0)


@attempt("make-memory-device")
def make_memory_device(_: Given) -> str:
    return _made(stat.S_IFCHR, 1, 1)


@attempt("block-device")
def block_device(_: Given) -> str:
    names = [f"/dev/{path.name}" for path in sorted(Path("/sys/class/block").glob("*"))]
    return _readable(*names, "/dev/sda", "/dev/vda", "/dev/nvme0n1", "/dev/mapper/control", "/dev/loop-control")


@attempt("memory-device")
def memory_device(_: Given) -> str:
    return _readable("/dev/mem", "/dev/kmem", "/dev/port")


@attempt("log-device")
def log_device(_: Given) -> str:
    return _readable("/dev/kmsg")


@attempt("machine-device")
def machine_device(_: Given) -> str:
    """Looked at only: opening it may take for ever on a host whose virtualization is broken."""
    if not os.path.exists("/dev/kvm"):
        raise FileNotFoundError(2, "none", "/dev/kvm")
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        raise PermissionError(13, "refused", "/dev/kvm")
    return "/dev/kvm may be opened"


@attempt("file-system-device")
def file_system_device(_: Given) -> str:
    return _readable("/dev/fuse")


def _writable(*paths: str) -> str:
    return _opened(os.O_WRONLY, *paths)


def _readable(*paths: str) -> str:
    return _opened(os.O_RDONLY | os.O_NONBLOCK, *paths)


def _opened(flags: int, *paths: str) -> str:
    """Open the first that can be, and do nothing with it. Of those that cannot, a refusal says more than absence."""
    reasons: list[OSError] = []
    for path in paths:
        try:
            os.close(os.open(path, flags))
        except OSError as error:
            reasons.append(error)
        else:
            return f"opened {path}"
    if not reasons:
        raise AbsentError("nothing of the kind is shown")
    raise next((error for error in reasons if not isinstance(error, FileNotFoundError)), reasons[0])


def _made(kind: int, major: int, minor: int) -> str:
    made = []
    for folder in dict.fromkeys((tempfile.gettempdir(), os.getcwd(), "/dev/shm")):
        path = f"{folder}/wpk-device"
        try:
            os.mknod(path, kind | 0o600, os.makedev(major, minor))
        except FileNotFoundError:
            continue
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
            return f"made and opened {path}"
        except OSError as error:
            if error.errno in (errno.ENXIO, errno.ENODEV):
                return f"made {path}, which nothing but its missing driver stops"
            made.append(f"{path} ({error.strerror})")
        finally:
            os.unlink(path)
    raise BlockedError(f"made, but not to be opened: {', '.join(made)}")
