"""Files of a shell under Landlock lie on the host's disk: they are bounded, and they go."""

from collections.abc import Callable
from pathlib import Path

import pytest
from shell_suite import LIMITS, Kind, nothing_left

from wpk_sandbox.sandbox.sandbox import Completed, Ended, SandboxSpec, Shell
from wpk_sandbox.sandbox.shells.landlock import LANDLOCK

pytestmark = pytest.mark.needs("landlock")
Run = Callable[..., Completed]


@pytest.fixture(scope="module")
def kind() -> Kind:
    return Kind(LANDLOCK, SandboxSpec(limits=LIMITS))


NEST = "i=0; while [ $i -lt 2500 ]; do mkdir deep && cd deep || break; i=$((i+1)); done; echo done"


def test_nested_and_closed_folders_are_removed(kind: Kind) -> None:
    with nothing_left(kind) as ledger, kind.open(ledger) as shell:
        base = Path(shell.run("echo $HOME", environment={}, timeout=20).stdout.strip()).parent
        shell.run(NEST, environment={}, timeout=60)
        shell.run("mkdir -p $TMPDIR/a/b; chmod 0 $TMPDIR/a/b $TMPDIR/a", environment={}, timeout=60)
    assert base.name.startswith("wpk-sandbox-")
    assert not base.exists()


@pytest.mark.parametrize(
    "text",
    [
        "cd $TMPDIR && seq 20000 | xargs touch; sleep 5",
        "head -c 30000000 /dev/zero >$TMPDIR/a; head -c 30000000 /dev/zero >$TMPDIR/b; sleep 5",
    ],
    ids=["many files", "many bytes"],
)
def test_files_are_bounded_as_in_a_file_system_of_their_own(sh: Run, shell: Shell, text: str) -> None:
    completed = sh(text, timeout=60)
    assert completed.ended is Ended.MEMORY
    assert "20 MiB in tmp" in completed.detail
    assert sh("echo usable; ls -A $TMPDIR").stdout == "usable\n"


def test_files_within_the_bounds_are_fine(sh: Run) -> None:
    completed = sh(
        "cd $TMPDIR && seq 2000 | xargs touch && head -c 9000000 /dev/zero >a && sleep 0.5 && find . -mindepth 1 -delete"
    )
    assert completed.exit_code == 0, completed


def test_removed_files_that_are_held_open_are_bounded_too(sh: Run) -> None:
    text = (
        'for n in 3 4 5; do eval "exec $n>x; rm x; head -c 60000000 /dev/zero >&$n"; done; sleep 5; echo unbounded'
    )
    completed = sh(text, timeout=60)
    assert completed.ended is Ended.MEMORY, completed
    assert "its files included" in completed.detail
    few = sh("exec 3>x; rm x; head -c 30000000 /dev/zero >&3; sleep 0.5; echo fine")
    assert few.stdout == "fine\n", few
