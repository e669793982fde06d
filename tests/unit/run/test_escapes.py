"""Complaints of programs that tried to leave, told from those of ordinary ones."""

import time

import pytest

from wpk_sandbox.finding import Severity
from wpk_sandbox.run.escapes import escapes
from wpk_sandbox.sandbox.sandbox import SecurityEvent, Threat


def found(output: str) -> list[SecurityEvent]:
    return list(escapes(output))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("unshare: unshare failed: Operation not permitted", "tried to enter or make a namespace or another root"),
        ("unshare: unshare(0x10000000): Operation not permitted", "tried to enter or make a namespace or another root"),
        ("nsenter: cannot open /proc/1/ns/mnt: Permission denied", "tried to enter or make a namespace or another root"),
        ("chroot: cannot change root directory to '/tmp': Operation not permitted", "tried to enter or make a namespace or another root"),
        ("mount: /mnt: permission denied.", "tried to mount a file system"),
        ("mount: mounting none on /tmp failed: Operation not permitted", "tried to mount a file system"),
        ("sh: 1: mount: must be superuser to use mount", "tried to mount a file system"),
        ("mknod: /tmp/sda: Operation not permitted", "tried to make a device or to load a module"),
        ("insmod: ERROR: could not insert module a.ko: Operation not permitted", "tried to make a device or to load a module"),
        ("strace: ptrace(PTRACE_TRACEME, ...): Operation not permitted", "tried to look into another process"),
        ("sh: 1: cannot create /proc/sys/kernel/core_pattern: Read-only file system", "tried to change what the kernel runs"),
        ("ls: cannot access '/var/run/docker.sock': No such file or directory", "tried the socket of a container runtime"),
        ('sudo: The "no new privileges" flag is set, which prevents sudo from running as root.', "tried to gain rights"),
        ("touch: cannot touch '/etc/x': Read-only file system", "wrote to a place that cannot be written to"),
    ],
)  # fmt: skip
def test_each_complaint_is_known(line: str, message: str) -> None:
    events = found(f"begin\n{line}\nend\n")
    assert message in [event.message for event in events]
    assert {event.threat for event in events} == {Threat.ESCAPE}
    assert all(event.evidence for event in events)


@pytest.mark.parametrize(
    "output",
    [
        "",
        "mount: /data is mounted\nrunning chroot: done\n",
        "cat: /root/.ssh/id_rsa: Permission denied\n",
        "amount: 17: operation not permitted by policy\n",
        "kubectl: error: permission denied for pods\n",
        "The docker.sock was left alone\n",
        "docs say that a read-only root is good\n",
    ],
)
def test_ordinary_words_are_not(output: str) -> None:
    assert found(output) == []


def test_the_same_complaint_is_told_once_with_its_count() -> None:
    (event,) = found("mount: /a: permission denied\n" * 3)
    assert (event.count, event.evidence) == (3, "mount: /a: permission denied")


def test_words_alone_are_never_grave() -> None:
    said = "unshare: unshare failed: Operation not permitted\nmount: /a: permission denied\n"
    assert max(event.severity.rank for event in found(said)) == Severity.MEDIUM.rank


def test_where_the_kernel_told_only_what_it_cannot_tell_is_taken_from_words() -> None:
    said = (
        "unshare: unshare failed: Operation not permitted\n"
        "mount: /a: permission denied\n"
        "mknod: /tmp/sda: Operation not permitted\n"
        "strace: ptrace(PTRACE_TRACEME, ...): Operation not permitted\n"
        "sh: 1: cannot create /proc/sys/kernel/core_pattern: Read-only file system\n"
        "ls: cannot access '/var/run/docker.sock': No such file or directory\n"
        'sudo: The "no new privileges" flag is set, which prevents sudo from running as root.\n'
        "touch: cannot touch '/etc/x': Read-only file system\n"
    )
    assert [event.message for event in escapes(said, kernel_told=True)] == [
        "tried to change what the kernel runs",
        "tried the socket of a container runtime",
        "tried to gain rights",
        "wrote to a place that cannot be written to",
    ]


@pytest.mark.parametrize(
    "line", ["mount: " + "x" * 10**6, "a/" * 500_000, ": " * 500_000, "\n" * 10**6, "mount: \n" * 10**5]
)
def test_no_output_takes_long_to_search(line: str) -> None:
    began = time.process_time()
    found(line)
    assert time.process_time() - began < 5, "some ten milliseconds are what it takes"
