"""Attempts to leave a sandbox, as far as the programs that made them complained.

Where the kernel tells nobody of a call that it denied (in a container), this is all that there is to see; where it
does, its word is better, but it tells of no file that could not be written or found. Programs can stay silent, and
output can be made up: so nothing here is of high severity.
"""

import re
from collections import Counter
from collections.abc import Iterator

from wpk_sandbox.finding import Severity
from wpk_sandbox.sandbox.sandbox import SecurityEvent, Threat

_DENIED = r"(?:operation not permitted|permission denied|must be superuser|only root can|function not implemented)"
_MOST = 200


def _shape(pattern: str) -> re.Pattern[str]:
    """The beginning of a line; every part is bounded, because a package chooses what we search."""
    return re.compile(pattern, re.IGNORECASE)


_SHAPES = (
    (
        Severity.MEDIUM,
        "tried to enter or make a namespace or another root",
        _shape(rf"(?:.{{0,40}}[/ ])?(?:unshare|nsenter|chroot|pivot_root|setns|capsh): .{{0,120}}{_DENIED}"),
    ),
    (
        Severity.MEDIUM,
        "tried to mount a file system",
        _shape(rf"(?:.{{0,40}}[/ ])?(?:mount|umount|losetup|swapon|fusermount3?): .{{0,120}}{_DENIED}"),
    ),
    (
        Severity.MEDIUM,
        "tried to make a device or to load a module",
        _shape(rf"(?:.{{0,40}}[/ ])?(?:mknod|insmod|modprobe|rmmod|kexec): .{{0,120}}{_DENIED}"),
    ),
    (
        Severity.MEDIUM,
        "tried to look into another process",
        _shape(rf"(?:.{{0,40}}[/ ])?(?:strace|gdb|ptrace|ltrace): .{{0,120}}{_DENIED}"),
    ),
    (
        Severity.MEDIUM,
        "tried to change what the kernel runs",
        _shape(
            r".{0,80}/(?:core_pattern|sysrq-trigger|release_agent|uevent_helper|modprobe|binfmt_misc/register)\b"
            r".{0,20}: .{0,20}(?:read-only file system|permission denied)"
        ),
    ),
    (
        Severity.LOW,
        "tried the socket of a container runtime",
        _shape(r".{0,120}/(?:docker|containerd|crio|cri-dockerd|podman)\.sock\b"),
    ),
    (
        Severity.LOW,
        "tried to gain rights",
        _shape(r"(?:sudo|su): .{0,80}(?:no new privileges|must be setuid|effective)"),
    ),
    (Severity.LOW, "wrote to a place that cannot be written to", _shape(r".{1,160}: read-only file system")),
)


# What is a system call that was denied. The others fail at files that are read-only, hidden or without their right.
_CALLS = {message for _, message, _ in _SHAPES[:4]}


def escapes(output: str, *, kernel_told: bool = False) -> Iterator[SecurityEvent]:
    """Each shape once, with its first line and how often it came; `output` is what a step said on both streams.

    `kernel_told` leaves out what the kernel tells of by itself.
    """
    complaints = Counter(line[:_MOST] for line in output.splitlines() if ": " in line)
    for severity, message, shape in _SHAPES:
        if kernel_told and message in _CALLS:
            continue
        lines = {line: number for line, number in complaints.items() if shape.match(line)}
        if lines:
            yield SecurityEvent(Threat.ESCAPE, severity, message, next(iter(lines)), count=sum(lines.values()))
