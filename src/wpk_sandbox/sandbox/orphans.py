"""Removes what a run made when its process is gone: the program that `guard` starts beside each run.

`python -m wpk_sandbox.sandbox.orphans TOKEN SECONDS` reads a line for each thing that the run makes, as
`KIND<tab>NAME`, until the line `done`; then it has nothing to do. When its input ends without, it kills what the
run started, and removes what carries the run's token, until nothing more turns up or SECONDS are over.
`--container ID TOKEN SECONDS LIFE` waits for the end of a container instead, for LIFE seconds: see `reaper`.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

# What is being made in the moment of our parent's death may turn up later: seconds without anything new.
QUIET = 4.0
PAUSE = 0.5

# The line that says that all is removed.
DONE = "done"

# Kinds that lie with the Docker daemon: where a run made none, the daemon is left alone, and its client unloaded.
ON_DAEMON = ("container", "network", "volume", "kind cluster", "image")
CGROUPS = Path("/sys/fs/cgroup")
CGROUP_PREFIX = "wpk-sandbox"


def main() -> None:
    """Wait for the end of the run, and remove what it left."""
    if sys.argv[1] == "--container":
        _, _, container, token, seconds, life = sys.argv
        if await_end(container, float(life)):
            remove(token, {("container", "")}, float(seconds), spare=reaper_of(token))
        return
    _wait_beside()


def _wait_beside() -> None:
    token, seconds = sys.argv[1], float(sys.argv[2])
    if os.fork():
        os._exit(0)
    os.setsid()
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    told = listen(sys.stdin.buffer)
    if told is not None:
        remove(token, told, seconds)


def listen(lines: Iterable[bytes]) -> set[tuple[str, str]] | None:
    """The things that were told of, by kind and name; None when all is done."""
    told: set[tuple[str, str]] = set()
    for line in lines:
        words = line.decode("utf-8", "replace").rstrip("\n")
        if words == DONE:
            return None
        kind, _, name = words.partition("\t")
        told.add((kind, name))
    return told


def reaper_of(token: str) -> str:
    """How the name of the container ends that does this work for a token."""
    return f"reaper-{token}"


def await_end(container: str, seconds: float) -> bool:
    """Wait until a container does not run any more; False when the time is over before."""
    from wpk_sandbox.errors import UnavailableError  # noqa: PLC0415 - Docker's client, which is not always needed
    from wpk_sandbox.sandbox import daemon  # noqa: PLC0415

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(UnavailableError):  # it may only be away for a while
            if not daemon.is_running(container):
                return True
        time.sleep(PAUSE)
    return False


def remove(token: str, told: set[tuple[str, str]], seconds: float, *, spare: str = "") -> None:
    """Remove until nothing more of the run turns up; what has a name that ends with `spare` stays."""
    until = time.monotonic() + seconds
    quiet = time.monotonic()
    waits = any(kind in ON_DAEMON for kind, _ in told)
    while time.monotonic() < until:
        ended = end_processes(token) + end_cgroups(name for kind, name in told if kind == "cgroup")
        if ended + _reaped(token, told, spare):
            quiet = time.monotonic()
        elif not waits or time.monotonic() - quiet >= QUIET:
            return
        time.sleep(PAUSE)


def end_processes(token: str) -> int:
    """Kill the programs that the run started, which carry its token in their environment; how many there were."""
    mark = f"WPK_SANDBOX_OWNER={token}".encode()
    found = [pid for pid in _processes() if pid != os.getpid() and mark in _environment(pid)]
    for pid in found:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    return len(found)


def end_cgroups(paths: Iterable[str]) -> int:
    """Kill what is in the run's control groups, and remove them; how many there were."""
    ended = 0
    for path in (Path(os.path.normpath(each)) for each in paths):
        if CGROUPS not in path.parents or not path.name.startswith(CGROUP_PREFIX) or not path.is_dir():
            continue
        ended += 1
        for group in [path, *(each for each in path.rglob("*") if each.is_dir())][::-1]:
            for pid in _members(group):
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            with suppress(OSError):
                group.rmdir()
    return ended


def _reaped(token: str, told: set[tuple[str, str]], spare: str) -> int:
    """Remove what carries the token; how much there was. A daemon that does not answer may be on its way back."""
    from wpk_sandbox.errors import UnavailableError  # noqa: PLC0415 - only now is there something to do
    from wpk_sandbox.sandbox import reap  # noqa: PLC0415
    from wpk_sandbox.sandbox.folder import PREFIX, remove_folder  # noqa: PLC0415

    clusters = tuple(name for kind, name in told if kind == "kind cluster")
    on_daemon = any(kind in ON_DAEMON for kind, _ in told)
    unmarked = (Path(name) for kind, name in told if kind == "folder")
    try:
        every = reap.made_by(token, clusters, on_daemon=on_daemon)
    except (UnavailableError, OSError):
        return 1
    # The container that does the same goes last: if we are killed too, it goes on.
    found = [thing for thing in every if not (spare and thing.name.endswith(spare))]
    found.sort(key=lambda thing: thing.name.endswith(reaper_of(token)))
    for path in unmarked:  # killed between making it and marking it
        if path.name.startswith(PREFIX) and not path.is_symlink():
            with suppress(OSError):
                remove_folder(path)
    for thing in found:
        with suppress(UnavailableError, OSError):
            thing.remove()
    return len(found)


def _processes() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdecimal())


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _members(group: Path) -> list[int]:
    try:
        return [int(word) for word in (group / "cgroup.procs").read_text().split()]
    except (OSError, ValueError):
        return []


if __name__ == "__main__":
    main()
