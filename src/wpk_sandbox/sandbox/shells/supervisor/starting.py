"""Turns a copy of the supervisor into a command."""

import os
import resource
import signal
from typing import Any

from .denials import Denials


def start(wanted: dict[str, Any], settings: dict[str, Any], denials: Denials, stdout: int, stderr: int) -> int:
    """Start a command; its process id. Raises `BlockingIOError` when there may be no further process."""
    child = os.fork()
    if child == 0:
        try:
            become(wanted, settings, denials, stdout, stderr)
        except BaseException as error:  # whatever it is, this copy must not live on
            os.write(2, f"could not start the command: {error}\n".encode())
        finally:
            os._exit(126)
    return child


def enters(groups: list[int]) -> bool:
    """Whether a process can enter the control groups, tried by one that ends at once."""
    child = os.fork()
    if child == 0:
        try:
            enter(groups)
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def enter(groups: list[int]) -> None:
    """Put this process into control groups. Raises `OSError`."""
    for entrance in groups:
        os.write(entrance, b"0")


def become(wanted: dict[str, Any], settings: dict[str, Any], denials: Denials, stdout: int, stderr: int) -> None:
    """Turn this process into the command."""
    enter(settings["groups"])
    os.setsid()
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(settings["workspace"])
    if not settings["cpu_is_held"]:
        os.sched_setaffinity(0, settings["cores"])
    for name, value in settings["rlimits"].items():
        limit = getattr(resource, name)
        hardest = resource.getrlimit(limit)[1]
        granted = value if hardest == resource.RLIM_INFINITY else min(value, hardest)
        resource.setrlimit(limit, (granted, granted))
    denials.confine()
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    os.execve("/bin/sh", ["sh", "-c", wanted["command"]], wanted["environment"])  # noqa: S606 - this is a shell
