"""The short chaos: a handful of the runs of `make chaos`, at moments that are chosen."""

import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import eight, full_disk, runs
from .inventory import Canaries, canaries, docker, held
from .runs import Case, kill

LOCAL = pytest.param("local", marks=pytest.mark.needs("bwrap"))
CONTAINER = pytest.param("container", marks=pytest.mark.needs("docker"))


@pytest.fixture(scope="module")
def watched() -> Iterator[Canaries]:
    """What must stay as it is, whatever the tests of this file kill."""
    with canaries() as made:
        yield made


@pytest.mark.needs("docker")
@pytest.mark.parametrize("sandbox", [LOCAL, CONTAINER])
@pytest.mark.parametrize(
    ("number", "moment"), [(signal.SIGINT, "creation"), (signal.SIGTERM, "rollback"), (signal.SIGKILL, "run")]
)
def test_killed_run_leaves_nothing_and_touches_nothing(
    tmp_path: Path, watched: Canaries, sandbox: str, number: int, moment: str
) -> None:
    case = Case(1, sandbox, number, moment, 0.3)
    outcome = kill(case, tmp_path / "run", f"short-{uuid.uuid4().hex[:10]}")
    assert outcome.wrong == (), str(outcome)
    assert watched.harmed() == []


@pytest.mark.needs("docker")
def test_what_is_killed_without_a_guard_is_found_and_swept(tmp_path: Path) -> None:
    case = Case(1, "container", signal.SIGKILL, "run", 0.3, guarded=False)
    outcome = kill(case, tmp_path / "run", f"short-{uuid.uuid4().hex[:10]}")
    assert (outcome.wrong, outcome.remover.startswith("sweep of")) == ((), True), str(outcome)


@pytest.mark.needs("docker")
def test_inventory_sees_what_is_left_and_who_was_touched() -> None:
    with canaries() as lost:
        name, *_ = lost.names
        assert lost.harmed() == []
        docker("rm", "-f", name)
        assert lost.harmed() == [f"container {name}"]
        assert sorted(held("canary"))[-1].startswith("volume wpk-canary-")


def test_half_a_report_is_seen(tmp_path: Path) -> None:
    run = runs.Run(tmp_path / "run", "half", "local")
    out = tmp_path / "run" / "out"
    out.mkdir()
    assert run.broken_reports() == []
    for name in runs.REPORTS:
        (out / name).write_text(
            {".html": "</html>", ".xml": "</testsuites>", ".md": ""}.get(Path(name).suffix, "{}")
        )
    assert run.broken_reports() == []
    (out / "result.json").write_text('{"run_id": ')
    assert run.broken_reports() == ["half of result.json"]
    (out / "report.html").unlink()
    assert len(run.broken_reports()) == 2


@pytest.mark.needs("docker", "bwrap")
def test_eight_runs_at_once_do_not_meet(tmp_path: Path) -> None:
    assert eight.problems(tmp_path) == []


@pytest.mark.needs("bwrap")
def test_full_disk_is_told_and_harms_no_earlier_report(tmp_path: Path) -> None:
    assert full_disk.problems(tmp_path / "disk") == []
