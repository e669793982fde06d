"""Control groups of one shell's own: the kernel holds all of its commands together to memory, processes and CPU.

They are made below our own group (cgroups v1), or beside it (v2, where a group with processes can have none below
it), so whatever bounds us bounds the shell too. Where this user may not, there are none, and the reason is said.
Files are those of the kernel's Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst.
"""

import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import Limits, Usage

MEMORY, PROCESSES, CPU = "memory", "processes", "CPU"

_REMOVAL = 2.0
_PERIOD = 100_000

# The files of each controller to write, in order; those that may be missing (swap is not always counted).
_V1 = {
    MEMORY: ("memory", ("memory.limit_in_bytes", "memory.swappiness", "memory.memsw.limit_in_bytes")),
    PROCESSES: ("pids", ("pids.max",)),
    CPU: ("cpu", ("cpu.cfs_period_us", "cpu.cfs_quota_us")),
}
_V2 = {
    MEMORY: ("memory", ("memory.max", "memory.swap.max", "memory.oom.group")),
    PROCESSES: ("pids", ("pids.max",)),
    CPU: ("cpu", ("cpu.max",)),
}
_MAY_BE_MISSING = {"memory.memsw.limit_in_bytes", "memory.swappiness", "memory.swap.max", "memory.oom.group"}


@dataclass(frozen=True)
class Hierarchy:
    """A mounted tree of groups: the controllers that it has for ours, and where those groups may be made."""

    base: Path
    controllers: frozenset[str]
    version: int


@dataclass(frozen=True)
class Counters:
    """How often the limits were hit: processes that the kernel ended for memory, and forks that it refused."""

    out_of_memory: int = 0
    refused_forks: int = 0


class Groups:
    """The groups of one shell. `held` are the limits that the kernel enforces by them, `why_not` why not all."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.held: frozenset[str] = frozenset()
        self.why_not = "this user may make no control groups"
        self._folders: dict[str, Path] = {}
        self._made: list[Path] = []
        self._opened = ExitStack()

    def make(self, ledger: Ledger, hierarchies: tuple[Hierarchy, ...]) -> None:
        """Make what can be made; what cannot is not `held`."""
        for hierarchy in hierarchies:
            folder = hierarchy.base / f"wpk-sandbox-{ledger.run_id}-{secrets.token_hex(4)}"
            entry = ledger.enter("cgroup", str(folder), partial(_remove, folder), lasts=False)
            self._opened.callback(ledger.undo, entry)
            try:
                folder.mkdir()
            except OSError:
                continue
            self._made.append(folder)
            for limit, (controller, files) in (_V1 if hierarchy.version == 1 else _V2).items():
                if controller in hierarchy.controllers and self._write(folder, files):
                    self._folders[limit] = folder
            if "cpuacct" in hierarchy.controllers:
                self._folders["cpuacct"] = folder
        self.held = frozenset(self._folders) & {MEMORY, PROCESSES, CPU}

    def entrances(self) -> list[int]:
        """Descriptors by which a process enters the groups: it writes `0` to each. They stay ours."""
        files = [
            self._opened.enter_context((folder / "cgroup.procs").open("wb", buffering=0)) for folder in self._made
        ]
        return [file.fileno() for file in files]

    def close(self) -> None:
        """Remove the groups. Their processes must be gone."""
        self.held = frozenset()
        self._opened.close()

    def counters(self) -> Counters:
        """How often the limits were hit so far."""
        out_of_memory = 0
        if memory := self._folders.get(MEMORY):
            rows = {**_rows(memory / "memory.oom_control"), **_rows(memory / "memory.events")}
            out_of_memory = rows.get("oom_kill", 0)
        processes = self._folders.get(PROCESSES)
        return Counters(out_of_memory, _rows(processes / "pids.events").get("max", 0) if processes else 0)

    def usage(self) -> Usage:
        """What the kernel counted; None for what it does not count here."""
        cpu = self._folders.get(CPU)
        rows = _rows(cpu / "cpu.stat") if cpu else {}
        seconds = rows["usage_usec"] / 1e6 if "usage_usec" in rows else None
        if accounts := self._folders.get("cpuacct"):
            nanoseconds = _number(accounts / "cpuacct.usage")
            seconds = nanoseconds / 1e9 if nanoseconds is not None else None
        throttled = rows["throttled_usec"] / 1e6 if "throttled_usec" in rows else None
        if "throttled_time" in rows:
            throttled = rows["throttled_time"] / 1e9
        return Usage(
            cpu_seconds=seconds,
            throttled_seconds=throttled,
            out_of_memory=self.counters().out_of_memory if MEMORY in self.held else None,
        )

    def enforced(self, limit: str) -> int | None:
        """The limit of memory or of processes as the kernel tells it; None where there is none."""
        folder = self._folders.get(limit)
        names = {MEMORY: ("memory.limit_in_bytes", "memory.max"), PROCESSES: ("pids.max",)}[limit]
        return next((value for name in names if folder and (value := _number(folder / name)) is not None), None)

    def _write(self, folder: Path, files: tuple[str, ...]) -> bool:
        """Set a limit; False when the kernel does not take it."""
        values = _values(self.limits)
        for name in files:
            try:
                # Not `write_text`, which would make the file where there is no such group.
                with (folder / name).open("r+", encoding="ascii") as file:
                    file.write(values[name])
            except OSError:
                if name not in _MAY_BE_MISSING:
                    return False
        return True


def hierarchies() -> tuple[Hierarchy, ...]:
    """Where this process may make groups with the controllers that we want; empty where nowhere."""
    own = _own_groups(Path("/proc/self/cgroup").read_text(encoding="utf-8"))
    mounted = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    return tuple(found for found in _mounted(mounted, own) if os.access(found.base, os.W_OK))


def _own_groups(text: str) -> dict[str, str]:
    """Our group by controller, the empty one for v2 (cgroups(7))."""
    rows = (line.split(":", 2) for line in text.splitlines())
    return {controller: path for _, controllers, path in rows for controller in controllers.split(",")}


def _mounted(mountinfo: str, own: Mapping[str, str]) -> Iterator[Hierarchy]:
    """The trees that are mounted with our group in them (proc(5))."""
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        root, point = left.split(" ")[3:5]
        kind, _, options = right.split(" ", 2)
        if kind == "cgroup":
            named = set(options.split(",")) & {"memory", "pids", "cpu", "cpuacct"}
            if named and (folder := _folder(own.get(min(named)), root, point)):
                yield Hierarchy(folder, frozenset(named), 1)
        elif kind == "cgroup2" and (folder := _folder(own.get(""), root, point)):
            # A group with processes cannot hand controllers down, so ours are made beside the one that we are in.
            base = folder if folder == Path(point) else folder.parent
            with suppress(OSError):
                handed = set((base / "cgroup.subtree_control").read_text(encoding="ascii").split())
                if os.access(base / "cgroup.procs", os.W_OK) and handed & {"memory", "pids", "cpu"}:
                    yield Hierarchy(base, frozenset(handed), 2)


def _folder(group: str | None, root: str, point: str) -> Path | None:
    """Where a group is to be found in a tree of which `root` is mounted at `point`."""
    if group is None or not Path(group).is_relative_to(root):
        return None
    return Path(point) / Path(group).relative_to(root)


def _values(limits: Limits) -> dict[str, str]:
    memory, quota = str(limits.step_memory), str(int(limits.step_cpu * _PERIOD))
    return {
        "memory.limit_in_bytes": memory,
        "memory.memsw.limit_in_bytes": memory,
        "memory.swappiness": "0",
        "memory.max": memory,
        "memory.swap.max": "0",
        "memory.oom.group": "1",
        "pids.max": str(limits.processes),
        "cpu.cfs_period_us": str(_PERIOD),
        "cpu.cfs_quota_us": quota,
        "cpu.max": f"{quota} {_PERIOD}",
    }


def _remove(folder: Path) -> None:
    """Remove a group; processes that were killed may take a moment to leave it."""
    until = time.monotonic() + _REMOVAL
    while True:
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def _rows(path: Path) -> dict[str, int]:
    """The numbers of a file of `name number` lines; empty where there is no such file."""
    try:
        rows = [line.split() for line in path.read_text(encoding="ascii").splitlines()]
    except OSError:
        return {}
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


def _number(path: Path) -> int | None:
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
