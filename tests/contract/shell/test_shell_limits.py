"""Each limit ends a command with its reason, and leaves the shell usable."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from shell_suite import WITH_MACHINES, Kind, Sleep, containers_of, eventually

from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.sandbox import Completed, Ended, Shell

KINDS = WITH_MACHINES

Run = Callable[..., Completed]


@pytest.fixture(autouse=True)
def _usable_afterwards(sh: Run) -> object:
    yield
    completed = sh("echo usable")
    assert (completed.exit_code, completed.stdout, completed.ended) == (0, "usable\n", None)


def assert_ended(completed: Completed, by: Ended) -> None:
    assert (completed.exit_code, completed.ended) == (None, by), completed
    assert any(character.isdigit() for character in completed.detail), "the detail gives the limit's number"


def test_sleep_ends_at_its_deadline_with_what_it_said_before(sh: Run, sleep: Sleep) -> None:
    completed = sh(f"echo begun; {sleep}", timeout=1)
    assert_ended(completed, Ended.DEADLINE)
    assert completed.stdout == "begun\n"
    assert 1 <= completed.seconds < 15
    assert sleep.is_gone()


def test_files_survive_a_deadline(sh: Run) -> None:
    sh("echo kept >file")
    sh("sleep 60", timeout=0.5)
    assert sh("cat file").stdout == "kept\n"


def test_sigterm_cannot_be_ignored(sh: Run) -> None:
    completed = sh("trap '' TERM INT HUP; while :; do sleep 0.1; done", timeout=1)
    assert_ended(completed, Ended.DEADLINE)


def test_background_daemon_in_its_own_session_ends_with_the_command(sh: Run, sleep: Sleep) -> None:
    completed = sh(f"setsid {sleep} >/dev/null 2>&1 & sleep 60", timeout=1)
    assert_ended(completed, Ended.DEADLINE)
    assert sleep.is_gone()


def test_background_process_that_holds_the_streams_is_not_waited_for(sh: Run, sleep: Sleep) -> None:
    completed = sh(f"{sleep} & echo done", timeout=30)
    assert (completed.exit_code, completed.stdout) == (0, "done\n")
    assert completed.seconds < 10


def test_background_process_lives_on_for_the_next_command(sh: Run, sleep: Sleep) -> None:
    sh(f"{sleep} >/dev/null 2>&1 & echo $! >pid")
    assert len(sleep.processes()) == 1
    assert sh("kill $(cat pid)").exit_code == 0
    assert sleep.is_gone()


@pytest.mark.parametrize(
    "flood",
    ["yes", "cat /dev/zero", "yes >&2", "head -c 70000 /dev/zero"],
    ids=["lines", "one line", "stderr", "little"],
)
def test_flood_of_output_is_cut_at_the_limit(sh: Run, flood: str) -> None:
    completed = sh(flood)
    assert_ended(completed, Ended.OUTPUT)
    assert completed.truncated
    assert max(len(completed.stdout), len(completed.stderr)) == 64 * 1024


def test_output_just_at_the_limit_is_whole(sh: Run) -> None:
    completed = sh("head -c 65536 /dev/zero; head -c 65536 /dev/zero >&2")
    assert (completed.exit_code, completed.truncated) == (0, False)
    assert (len(completed.stdout), len(completed.stderr)) == (65536, 65536)


def test_memory_eater_is_ended(sh: Run) -> None:
    completed = sh("tail /dev/zero")
    assert_ended(completed, Ended.MEMORY)


def test_memory_eater_whose_end_nobody_minds_is_ended_too(sh: Run) -> None:
    assert_ended(sh("tail /dev/zero & wait; echo fine; exit 0"), Ended.MEMORY)


def test_half_of_the_memory_may_be_used(sh: Run) -> None:
    completed = sh("head -c 50000000 /dev/zero | tail -c 50000000 | wc -c")
    assert (completed.exit_code, completed.stdout.strip()) == (0, "50000000")


@pytest.mark.parametrize("after", ["", "sleep 30"], ids=["on its own", "waited for"])
def test_fork_bomb_is_ended(sh: Run, after: str) -> None:
    assert_ended(sh(f"bomb() {{ bomb | bomb & }}; bomb; {after}", timeout=60 if not after else 3), Ended.PROCESSES)


def test_silent_fork_bomb_is_no_success(sh: Run, shell: Shell) -> None:
    if "not held" in shell.details:
        pytest.skip("nobody counts what the kernel refuses where there is no control group")
    assert_ended(sh("bomb() { bomb | bomb & }; bomb >/dev/null 2>&1; exec sleep 0.5"), Ended.PROCESSES)


def test_many_sleepers_are_ended(sh: Run) -> None:
    completed = sh("i=0; while [ $i -lt 100 ]; do sleep 20 & i=$((i+1)); done; wait")
    assert_ended(completed, Ended.PROCESSES)


def test_some_sleepers_may_be(sh: Run) -> None:
    completed = sh("i=0; while [ $i -lt 30 ]; do sleep 0.5 & i=$((i+1)); done; wait; echo all")
    assert (completed.exit_code, completed.stdout) == (0, "all\n")


def test_silent_fork_bomb_of_an_earlier_command_does_not_stop_the_next(sh: Run) -> None:
    sh("bomb() { bomb | bomb & }; bomb >/dev/null 2>&1")
    assert sh("echo next | cat | cat").stdout == "next\n"


def test_full_tmp_is_the_commands_failure(sh: Run) -> None:
    completed = sh("head -c 30000000 /dev/zero >/tmp/full; status=$?; rm /tmp/full; exit $status")
    assert completed.exit_code not in (0, None)


def test_core_is_one_where_one_was_asked_for(sh: Run, shell: Shell) -> None:
    before = shell.usage().cpu_seconds
    burn = "while :; do :; done & while :; do :; done & while :; do :; done & sleep 2"
    sh(burn, timeout=2)
    used = (shell.usage().cpu_seconds or 0) - (before or 0)
    assert used < 3.2, "three loops in two seconds on one core"


def test_shell_that_died_is_made_anew(kind: Kind, sleep: Sleep) -> None:
    if kind.provider.name == "qemu":
        pytest.skip("a guest's processes are not the host's; test_vm.py ends the guest")
    ledger = kind.ledger()
    with kind.open(ledger) as shell:
        shell.run("echo lost >file", environment={}, timeout=20)
        with _killed_soon(kind, ledger.run_id, sleep):
            completed = shell.run(f"{sleep}", environment={}, timeout=60)
        assert completed.ended is Ended.SHELL_DIED, completed
        assert "gone" in completed.detail
        assert sleep.is_gone()
        assert shell.run("cat file", environment={}, timeout=20).exit_code == 1


@contextmanager
def _killed_soon(kind: Kind, run_id: str, sleep: Sleep) -> Iterator[None]:
    """From outside, end the process that holds the shell as soon as the command runs."""

    def kill() -> None:
        eventually(lambda: bool(sleep.processes()))
        if kind.provider.name == "docker":
            (container,) = containers_of(run_id)
            daemon.client().api.kill(container)
        else:
            (process,) = sleep.processes()
            os.kill(_supervisor_of(process), signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    yield
    thread.join()


def _supervisor_of(process: int) -> int:
    """The ancestor that runs the supervisor."""
    while not _supervises(Path(f"/proc/{process}/cmdline").read_bytes()):
        status = Path(f"/proc/{process}/status").read_text()
        process = int(status.partition("PPid:\t")[2].partition("\n")[0])
    return process


def _supervises(command: bytes) -> bool:
    return b"\0-S\0" in command and b"bwrap" not in command
