"""Where control groups are found, and that nothing is said to be held that is not."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import Limits
from wpk_sandbox.sandbox.shells import groups
from wpk_sandbox.sandbox.shells.groups import MEMORY, Groups, Hierarchy

V1 = """\
35 31 0:32 / {0}/memory rw,relatime - cgroup cgroup rw,memory
39 31 0:36 / {0}/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct
40 31 0:37 / {0}/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / {0}/freezer rw,relatime - cgroup cgroup rw,freezer
"""
CONTAINER = "35 31 0:32 /docker/abc {0}/memory ro,relatime - cgroup cgroup rw,memory\n"
V2 = "30 23 0:26 / {0} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"


def ledger() -> Ledger:
    return Ledger("unit", datetime.now(UTC))


def found(text: str, own: str, at: Path) -> dict[str, Hierarchy]:
    hierarchies = groups._mounted(text.format(at), groups._own_groups(own))
    return {",".join(sorted(hierarchy.controllers)): hierarchy for hierarchy in hierarchies}


def test_each_hierarchy_of_version_1_is_entered_at_our_own_group(tmp_path: Path) -> None:
    seen = found(V1, "8:memory:/jobs/one\n7:cpu,cpuacct:/\n1:name=systemd:/\n", tmp_path)
    assert seen == {
        "memory": Hierarchy(tmp_path / "memory/jobs/one", frozenset({"memory"}), 1),
        "cpu,cpuacct": Hierarchy(tmp_path / "cpu", frozenset({"cpu", "cpuacct"}), 1),
    }


def test_group_of_a_container_is_found_below_what_is_mounted(tmp_path: Path) -> None:
    (hierarchy,) = found(CONTAINER, "8:memory:/docker/abc/job\n", tmp_path).values()
    assert hierarchy.base == tmp_path / "memory/job"


def test_group_that_is_not_mounted_is_not_found(tmp_path: Path) -> None:
    assert found(CONTAINER, "8:memory:/docker/other\n", tmp_path) == {}


def test_groups_of_version_2_are_made_beside_our_own(tmp_path: Path) -> None:
    own = tmp_path / "user/app/ours"
    own.mkdir(parents=True)
    for folder in (own, own.parent):
        (folder / "cgroup.procs").touch()
    (own.parent / "cgroup.subtree_control").write_text("memory pids\n")
    (hierarchy,) = found(V2, "0::/user/app/ours\n", tmp_path).values()
    assert hierarchy == Hierarchy(own.parent, frozenset({"memory", "pids"}), 2)


@pytest.mark.parametrize("handed", ["", "io\n"])
def test_version_2_without_our_controllers_is_of_no_use(tmp_path: Path, handed: str) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "cgroup.procs").touch()
    (tmp_path / "cgroup.subtree_control").write_text(handed)
    assert found(V2, "0::/ours\n", tmp_path) == {}


def test_nothing_is_held_where_the_kernel_takes_no_limit(tmp_path: Path) -> None:
    made, listed = Groups(Limits()), ledger()
    made.make(listed, (Hierarchy(tmp_path, frozenset({"memory", "pids", "cpu"}), 2),))
    assert made.held == frozenset()
    assert made.enforced(MEMORY) is None
    assert [path.name.rpartition("-")[0] for path in tmp_path.iterdir()] == ["wpk-sandbox-unit"]
    made.close()
    assert list(tmp_path.iterdir()) == []
    assert listed.close().removed == 1


def test_group_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    made, listed = Groups(Limits()), ledger()
    made.make(listed, (Hierarchy(tmp_path / "missing", frozenset({"memory"}), 1),))
    assert made.held == frozenset()
    made.close()
    assert listed.close().left == ()


def test_limits_are_written_and_read_back(tmp_path: Path) -> None:
    limits = Limits(step_memory=64 * 1024**2, processes=7, step_cpu=0.5)
    for name in ("memory.max", "memory.swap.max", "memory.oom.group", "pids.max", "cpu.max"):
        (tmp_path / name).touch()
    made = Groups(limits)
    assert all(made._write(tmp_path, files) for _, files in groups._V2.values())
    assert (tmp_path / "cpu.max").read_text() == "50000 100000"
    assert (tmp_path / "memory.max").read_text() == str(64 * 1024**2)
    assert (tmp_path / "memory.swap.max").read_text() == "0"
    assert (tmp_path / "pids.max").read_text() == "7"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make groups everywhere")
def test_root_is_held_by_the_kernel() -> None:
    found = groups.hierarchies()
    if not found:
        pytest.skip("no control groups are mounted here to write to")
    listed = ledger()
    made = Groups(Limits(step_memory=64 * 1024**2))
    try:
        made.make(listed, found)
        assert MEMORY in made.held
        assert made.enforced(MEMORY) == 64 * 1024**2
        assert made.counters() == groups.Counters(0, 0)
    finally:
        made.close()
    assert listed.close().left == ()
