"""Who outlives us: told of what we make, it removes that when we are gone, and goes when nothing is left."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wpk_sandbox import command
from wpk_sandbox.sandbox.guard import Guard, guarded
from wpk_sandbox.sandbox.orphans import end_cgroups, end_processes, listen

EXPIRES = datetime.now(UTC) + timedelta(minutes=10)

# A run as short as can be: a folder and a program of its own, and then nothing until it is killed.
RUN = """
import sys, time
from datetime import UTC, datetime, timedelta
from wpk_sandbox import command
from wpk_sandbox.sandbox.folder import temporary_folder
from wpk_sandbox.sandbox.guard import guarded

with guarded(timeout=60, needed=sys.argv[1] == "needed") as guard:
    ledger = guard.ledger("unit", datetime.now(UTC) + timedelta(minutes=10))
    with temporary_folder(ledger) as folder, command.start(["sleep", sys.argv[2]]):
        print(guard.owner, folder, flush=True)
        if sys.argv[3] == "wait":
            time.sleep(60)
"""


def eventually(condition: Callable[[], object], seconds: float = 20) -> bool:
    """Whether a condition comes to hold within some seconds."""
    until = time.monotonic() + seconds
    while not (held := bool(condition())) and time.monotonic() < until:
        time.sleep(0.05)
    return held


def guards_of(owner: str) -> list[int]:
    """The processes that guard what an owner made."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"wpk_sandbox.sandbox.orphans" in words and owner.encode() in words:
            found.append(int(path.parent.name))
    return found


def sleeping(seconds: str) -> bool:
    return any(
        path.read_bytes() == f"sleep\0{seconds}\0".encode()
        or path.read_bytes().endswith(f"/sleep\0{seconds}\0".encode())
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if os.access(path, os.R_OK)
    )


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """`run(needed, seconds, what)`: the short run in a process of its own, with its own folder for folders."""
    processes: list[subprocess.Popen[str]] = []

    def start(*words: str) -> "subprocess.Popen[str]":
        environment = {**os.environ, "TMPDIR": str(tmp_path)}
        argv = [sys.executable, "-c", RUN, *words]
        processes.append(subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def seconds() -> str:
    """A number of seconds that no other process sleeps."""
    return f"7{secrets.randbelow(10**8):08}"


def begun(process: "subprocess.Popen[str]") -> tuple[str, Path]:
    assert process.stdout is not None
    owner, folder = process.stdout.readline().split()
    return owner, Path(folder)


def test_killed_run_leaves_nothing(run: Callable[..., "subprocess.Popen[str]"], seconds: str) -> None:
    process = run("needed", seconds, "wait")
    owner, folder = begun(process)
    assert eventually(lambda: guards_of(owner))
    assert sleeping(seconds)
    process.send_signal(signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL
    assert eventually(lambda: not folder.exists() and not sleeping(seconds))
    assert eventually(lambda: not guards_of(owner)), "it goes when all is done"


def test_without_a_guard_a_killed_run_leaves_what_it_made(
    run: Callable[..., "subprocess.Popen[str]"], seconds: str
) -> None:
    process = run("unneeded", seconds, "wait")
    owner, folder = begun(process)
    process.kill()
    process.wait(10)
    assert guards_of(owner) == []
    assert (folder.exists(), sleeping(seconds)) == (True, True)
    assert end_processes(owner) == 1
    assert eventually(lambda: not sleeping(seconds))


def test_guard_is_nobodys_child_and_goes_when_the_run_is_done(
    run: Callable[..., "subprocess.Popen[str]"], seconds: str
) -> None:
    process = run("needed", seconds, "end")
    owner, folder = begun(process)
    assert process.wait(20) == 0
    assert not folder.exists()
    assert eventually(lambda: not guards_of(owner))


def test_guard_is_not_found_by_who_kills_a_run_with_its_children(
    run: Callable[..., "subprocess.Popen[str]"], seconds: str
) -> None:
    process = run("needed", seconds, "wait")
    owner, _ = begun(process)

    def alone() -> bool:
        """Whether there is one guard, which is not the run's child: the first one has forked and gone."""
        try:
            parents = [Path(f"/proc/{guard}/stat").read_text().split()[3] for guard in guards_of(owner)]
        except OSError:
            return False
        return len(parents) == 1 and str(process.pid) not in parents

    assert eventually(alone)
    (guard,) = guards_of(owner)
    assert os.getsid(guard) not in (os.getsid(0), os.getsid(process.pid))


def test_what_is_left_keeps_the_guard_at_work(tmp_path: Path) -> None:
    def stuck() -> None:
        raise OSError("busy")

    with guarded(timeout=2) as guard:
        # The one that forks it goes at once.
        assert eventually(lambda: len(guards_of(guard.owner)) == 1)
        guard.ledger("unit", EXPIRES).enter("thing", "stuck", stuck)
        guard._ledgers[0].close()
        (process,) = guards_of(guard.owner)
    assert eventually(lambda: not guards_of(guard.owner)), "it ends by itself"
    assert process


def test_programs_carry_the_token_while_the_guard_is_there() -> None:
    with guarded(timeout=1, needed=False) as guard:
        inside = command.run(["env"], timeout=10).stdout
    outside = command.run(["env"], timeout=10).stdout
    assert f"{command.OWNER}={guard.owner}" in inside.splitlines()
    assert command.OWNER not in outside


def test_nobody_is_told_without_a_guard() -> None:
    guard = Guard()
    ledger = guard.ledger("unit", EXPIRES)
    ledger.enter("folder", "one", lambda: None)
    guard.hurry()
    assert str(ledger.close()) == "made 1, removed 1, left 0"
    guard.close()


def test_lines_are_things_until_all_is_done() -> None:
    lines = [b"folder\t/tmp/wpk-sandbox-1\n", b"kind cluster\tone\n"]
    assert listen(lines) == {("folder", "/tmp/wpk-sandbox-1"), ("kind cluster", "one")}
    assert listen([*lines, b"done\n"]) is None
    assert listen([]) == set()


def test_only_control_groups_of_ours_are_ended(tmp_path: Path) -> None:
    (tmp_path / "wpk-sandbox-one").mkdir()
    assert end_cgroups([str(tmp_path / "wpk-sandbox-one"), "/sys/fs/cgroup", "/sys/fs/cgroup/../../tmp"]) == 0
    assert (tmp_path / "wpk-sandbox-one").exists()
