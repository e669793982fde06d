"""What a bubblewrap shell closes beyond what every shell promises, each beside the same host without it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from shell_suite import LIMITS, Kind

from wpk_sandbox.sandbox.sandbox import Completed, Ended, SandboxSpec, Shell
from wpk_sandbox.sandbox.shells.bubblewrap import BUBBLEWRAP
from wpk_sandbox.sandbox.shells.groups import hierarchies

pytestmark = pytest.mark.needs("bwrap")
Run = Callable[..., Completed]


@pytest.fixture(scope="module")
def kind() -> Kind:
    return Kind(BUBBLEWRAP, SandboxSpec(limits=LIMITS))


@pytest.mark.parametrize("path", ["/proc/kallsyms", "/proc/interrupts", "/proc/timer_list", "/proc/keys"])
def test_what_proc_tells_of_the_machine_is_covered(sh: Run, path: str) -> None:
    try:
        assert Path(path).read_bytes(), "the host's own says something"
    except OSError:
        pytest.skip(f"this kernel has no {path}, or tells nobody")
    completed = sh(f"cat {path}")
    assert completed.stdout == ""


@pytest.mark.parametrize(
    "path", ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sys/vm/overcommit_memory"]
)
def test_switches_of_the_kernel_are_read_only(sh: Run, path: str) -> None:
    assert Path(path).exists(), "the host has it"
    completed = sh(f": >>{path}")
    assert completed.exit_code != 0
    assert "Read-only" in completed.stderr or "denied" in completed.stderr


def test_there_is_no_sys(sh: Run) -> None:
    assert Path("/sys/kernel").is_dir(), "the host has one"
    assert sh("ls /sys").exit_code != 0


def test_number_of_files_is_bounded(sh: Run) -> None:
    few = sh("mkdir /tmp/few && cd /tmp/few && seq 4000 | xargs touch; status=$?; rm -r /tmp/few; exit $status")
    assert few.exit_code == 0, "as many as fit are fine"
    many = sh("mkdir /tmp/many && cd /tmp/many && seq 6000 | xargs touch; status=$?; rm -r /tmp/many; exit $status")
    assert many.exit_code not in (0, None)
    assert "No space left" in many.stderr


@pytest.mark.parametrize(
    ("limit", "most"), [("-c", 0), ("-n", 1024), ("-l", 64), ("-i", 1024), ("-q", 65536), ("-r", 0)]
)
def test_limits_of_each_process(sh: Run, limit: str, most: int) -> None:
    value = sh(f"bash -c 'ulimit {limit}'").stdout.strip()
    assert value.isdigit(), "unlimited"
    assert int(value) <= most


def test_details_say_who_holds_the_limits(shell: Shell) -> None:
    held = {controller for found in hierarchies() for controller in found.controllers} >= {"memory", "pids", "cpu"}
    words = "held by control groups" if held else "watched from inside every 50 ms"
    assert words in shell.details
    assert "denied ones recorded" in shell.details


def test_processes_that_together_use_too_much_are_ended_by_the_kernel(kind: Kind) -> None:
    with kind.open() as shell:
        if "not held" in shell.details:
            pytest.skip("no control groups here")
        # Each is well below the limit, and all of them above it.
        four = "for i in 1 2 3 4; do head -c 45000000 /dev/zero | tail -c 45000000 >/dev/null & done; wait"
        one = "head -c 45000000 /dev/zero | tail -c 45000000 >/dev/null"
        assert shell.run(one, environment={}, timeout=30).exit_code == 0
        assert shell.usage().out_of_memory == 0
        completed = shell.run(four, environment={}, timeout=30)
        assert completed.ended is Ended.MEMORY


def test_cpu_is_held_to_a_part_of_a_core(kind: Kind) -> None:
    with kind.with_limits(step_cpu=0.25).open() as shell:
        if "not held" in shell.details:
            pytest.skip("no control groups here")
        shell.run("while :; do :; done", environment={}, timeout=2)
        usage = shell.usage()
        assert 0 < (usage.cpu_seconds or 0) < 1.2
        assert (usage.throttled_seconds or 0) > 0


def test_groups_go_with_the_shell(kind: Kind) -> None:
    ledger = kind.ledger()
    with kind.open(ledger):
        found = [path for each in hierarchies() for path in each.base.glob(f"wpk-sandbox-{ledger.run_id}-*")]
        if hierarchies():
            assert found
    assert [path for path in found if path.exists()] == []
    assert ledger.close().left == ()
