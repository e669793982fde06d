"""What a process could learn of the host and of who started it: number 12, and the files of number 34."""

import os
from pathlib import Path

from probes.trying import AbsentError, BlockedError, Given, attempt

# What holds these words is ours; they are not written in one piece, so that no listing of this text matches.
MARK = "-".join(("wpk", "canary"))
_OF_THE_DISK = {"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "9p", "virtiofs", "nfs", "nfs4"}


@attempt("kernel-memory")
def kernel_memory(_: Given) -> str:
    return _bytes_of("/proc/kcore")


@attempt("kernel-keys")
def kernel_keys(_: Given) -> str:
    return _bytes_of("/proc/keys")


@attempt("kernel-timers")
def kernel_timers(_: Given) -> str:
    return _bytes_of("/proc/timer_list", "/proc/sched_debug", "/proc/latency_stats")


@attempt("kernel-addresses")
def kernel_addresses(_: Given) -> str:
    first = Path("/proc/kallsyms").read_text().partition("\n")[0]
    if not first:
        raise BlockedError("shows no symbol")
    if int(first.split()[0], 16) == 0:
        raise BlockedError("shows no address")
    return first


@attempt("firmware")
def firmware(_: Given) -> str:
    found = os.listdir("/sys/firmware")
    if not found:
        raise BlockedError("/sys/firmware is empty")
    return ", ".join(found)


@attempt("host-name")
def host_name(given: Given) -> str:
    seen = {os.uname().nodename, _text("/proc/sys/kernel/hostname"), _text("/etc/hostname")}
    if given["host_name"] in seen:
        return f"the host is called {given['host_name']}"
    raise BlockedError(", ".join(sorted(seen - {""})))


@attempt("host-mounts")
def host_mounts(_: Given) -> str:
    """A folder or file of the host's disk that can be written to, wherever it is mounted."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _dash, right = line.partition(" - ")
        place, options, kind = left.split()[4], left.split()[5], right.split()[0]
        if kind in _OF_THE_DISK and "rw" in options.split(",") and os.access(place, os.W_OK):
            return f"{place} is the host's, {kind}, and can be written to"
    raise BlockedError("nothing of the host's disk can be written to")


@attempt("host-file")
def host_file(given: Given) -> str:
    """By its path, and through every way to another root."""
    for root in ("", "/proc/1/root", "/proc/1/cwd/..", "/host", "/mnt", "/rootfs"):
        if MARK in _text(root + given["host_file"]):
            return f"read {root}{given['host_file']}"
    raise BlockedError(f"{given['host_file']} is not there")


@attempt("host-passwords")
def host_passwords(_: Given) -> str:
    for path in ("/etc/shadow", "/proc/1/root/etc/shadow", "/root/.ssh", "/root/.docker/config.json"):
        if os.access(path, os.R_OK):
            return f"{path} can be read"
    raise BlockedError("neither passwords nor keys of root")


@attempt("variables-of-others")
def variables_of_others(_: Given) -> str:
    seen = 0
    for path in Path("/proc").glob("[0-9]*/environ"):
        text = _text(str(path))
        seen += bool(text)
        if MARK in text:
            return f"{path} holds a secret of who started it"
    raise BlockedError(f"{seen} environments, and no secret in them")


@attempt("processes-of-host")
def processes_of_host(given: Given) -> str:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        if given["host_process"] in _text(str(path)).split("\0"):
            return f"{path.parent} is a process of the host"
    raise BlockedError(f"{len(list(Path('/proc').glob('[0-9]*')))} processes, and none of the host's")


@attempt("words-of-others")
def words_of_others(_: Given) -> str:
    """The command lines that are shown name no secret either."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        if MARK in _text(str(path)):
            return f"{path} holds a secret"
    raise BlockedError("no command line holds a secret")


def _bytes_of(*paths: str) -> str:
    absent = []
    for path in paths:
        try:
            with open(path, "rb") as file:
                if data := file.read(16):
                    return f"{len(data)} bytes of {path}"
        except FileNotFoundError:
            absent.append(path)
            continue
        raise BlockedError(f"{path} is empty")
    raise AbsentError(f"this kernel has no {' and no '.join(absent)}")


def _text(path: str) -> str:
    try:
        return Path(path).read_bytes().decode("utf-8", "replace").strip()
    except OSError:
        return ""
