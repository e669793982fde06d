"""What is on this host before and after: things of ours on the daemon, processes, control groups, disk."""

import os
import secrets
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from wpk_sandbox.sandbox.ledger import RUN_LABEL

# Others use this disk at the same time; a flood that got through would write more than this in seconds.
MOST_WRITTEN = 2 * 1024**3
# In the name of everything that this process makes.
TOKEN = secrets.token_hex(4)
MINE = f"conformance-{TOKEN}"


@dataclass(frozen=True)
class Look:
    """What there is, by name."""

    things: frozenset[str]
    groups: frozenset[str]
    free: int


def look() -> Look:
    """Containers, networks and volumes of runs of ours and of these tests, their control groups, and the disk."""
    things = set()
    for listing in (["ps", "--all"], ["network", "ls"], ["volume", "ls"]):
        shown = "{{.Name}}" if listing[0] != "ps" else "{{.Names}}"
        argv = ["docker", *listing, "--format", f'{shown} {{{{.Label "{RUN_LABEL}"}}}}']
        lines = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
        things |= {line for line in lines if MINE in line}
    groups = {str(path) for path in Path("/sys/fs/cgroup").glob(f"*/*{MINE}*")}
    disk = os.statvfs("/")
    return Look(frozenset(things), frozenset(groups), disk.f_bavail * disk.f_frsize)


def compared(before: Look, after: Look) -> list[str]:
    """What is there now and was not, once removals under way had their time."""
    until = time.monotonic() + 10
    while after.things - before.things and time.monotonic() < until:
        time.sleep(0.5)
        after = look()
    faults = [f"left behind: {name}" for name in sorted(after.things - before.things)]
    faults += [f"left behind: control group {name}" for name in sorted(after.groups - before.groups)]
    if (written := before.free - after.free) > MOST_WRITTEN:
        faults.append(f"{written / 1024**3:.1f} GiB less on the disk")
    return faults
