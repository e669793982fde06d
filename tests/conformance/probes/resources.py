"""More of everything than there is: numbers 14 to 17, 22 and 23. Each is bounded by itself as well.

`given["most"]` is how many bytes are asked for, `given["processes"]` how many processes.
"""

import contextlib
import os
import resource
import signal
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from probes.trying import AbsentError, BlockedError, Given, attempt

PIECE = b"\1" * (4 * 1024**2)
FILES, DESCRIPTORS, DEPTH = 30_000, 5000, 2000
GIANT = 1024**4


@attempt("processes-many")
def processes_many(given: Given) -> str:
    children = []
    try:
        for _ in range(given["processes"]):
            child = os.fork()
            if child == 0:
                time.sleep(15)
                os._exit(0)
            children.append(child)
        return f"{len(children)} processes"
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)


@attempt("memory-many")
def memory_many(given: Given) -> str:
    held = [bytearray(PIECE) for _ in range(given["most"] // len(PIECE))]
    return f"{len(held) * len(PIECE)} bytes of memory"


@attempt("memory-shared")
def memory_shared(given: Given) -> str:
    return _filled("/dev/shm", given["most"])


@attempt("memory-nameless")
def memory_nameless(given: Given) -> str:
    with os.fdopen(os.memfd_create("wpk"), "wb", buffering=0) as file:
        return _written(file.write, given["most"])


@attempt("temporary-many")
def temporary_many(given: Given) -> str:
    return _filled(tempfile.gettempdir(), given["most"])


@attempt("workspace-many")
def workspace_many(given: Given) -> str:
    return _filled(os.getcwd(), given["most"])


@attempt("files-many")
def files_many(_: Given) -> str:
    folder = tempfile.mkdtemp()
    made = 0
    try:
        for made in range(FILES):
            os.close(os.open(f"{folder}/{made}", os.O_CREAT | os.O_WRONLY))
        return f"{made + 1} files"
    finally:
        for number in range(made + 1):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{folder}/{number}")
        os.rmdir(folder)


@attempt("root-written")
def root_written(_: Given) -> str:
    reasons = []
    for folder in ("/", "/etc", "/usr/bin", "/usr/local/bin", "/var", "/root", "/home", "/opt", "/dev", "/run"):
        path = f"{folder}/wpk-written".replace("//", "/")
        try:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        except OSError as error:
            reasons.append(error)
        else:
            os.unlink(path)
            return f"wrote {path}"
    raise reasons[0]


@attempt("descriptors-many")
def descriptors_many(_: Given) -> str:
    held = [os.open("/dev/null", os.O_RDONLY) for _ in range(DESCRIPTORS)]
    return f"{len(held)} descriptors"


@attempt("sockets-many")
def sockets_many(_: Given) -> str:
    held = [socket.socketpair() for _ in range(DESCRIPTORS)]
    return f"{2 * len(held)} sockets"


@attempt("core")
def core(_: Given) -> str:
    child = os.fork()
    if child == 0:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        os.chdir(tempfile.gettempdir())
        os.abort()
    status = os.waitpid(child, 0)[1]
    if os.WCOREDUMP(status):
        for path in Path.cwd().glob("core*"):
            path.unlink()
        return "dumped its memory"
    raise BlockedError("ended without a dump")


@attempt("file-giant")
def file_giant(_: Given) -> str:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with tempfile.TemporaryFile() as file:
        os.ftruncate(file.fileno(), GIANT)
        return f"a file of {GIANT} bytes"


@attempt("limits-raised")
def limits_raised(_: Given) -> str:
    for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE, resource.RLIMIT_NOFILE):
        soft, hard = resource.getrlimit(limit)
        if hard == resource.RLIM_INFINITY:
            return f"limit {limit} is none"
        try:
            resource.setrlimit(limit, (soft, hard + 1))
        except ValueError as error:
            raise BlockedError(str(error)) from error
    return "each limit was raised by one"


@attempt("folders-deep")
def folders_deep(_: Given) -> str:
    """A tree that is deeper than any path may be long, and stays."""
    os.chdir(tempfile.mkdtemp())
    for _level in range(DEPTH):
        os.mkdir("deeper")
        os.chdir("deeper")
    return f"{DEPTH} folders deep"


def _filled(folder: str, most: int) -> str:
    if not os.path.isdir(folder):
        raise AbsentError(f"no {folder}")
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with (
        tempfile.TemporaryFile(dir=folder, buffering=0) as first,
        tempfile.TemporaryFile(dir=folder, buffering=0) as second,
    ):
        # Two files, so that the bound on one file is not what stops it.
        _written(first.write, most // 2)
        return _written(second.write, most // 2)


def _written(write: Callable[[bytes], int | None], most: int) -> str:
    total = 0
    while total < most:
        total += write(PIECE) or 0
    return f"{total} bytes and more"
