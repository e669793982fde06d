"""The short chaos: a handful of the runs of `make chaos`, at moments that are chosen."""

import signal
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import eight, full_disk, runs
from .crew import side_by_side
from .inventory import Canaries, canaries, docker, held
from .ledger import ledger, wrong_with
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
    assert outcome.problems == (), str(outcome)
    assert watched.harmed() == []


@pytest.mark.needs("docker")
def test_what_is_killed_without_a_guard_is_found_and_swept(tmp_path: Path) -> None:
    case = Case(1, "container", signal.SIGKILL, "run", 0.3, guarded=False)
    outcome = kill(case, tmp_path / "run", f"short-{uuid.uuid4().hex[:10]}")
    assert (outcome.problems, outcome.remover, outcome.found > 0) == ((), runs.SWEEP, True), str(outcome)


@pytest.mark.needs("docker")
def test_inventory_sees_what_is_left_and_who_was_touched() -> None:
    with canaries() as lost:
        name, *_ = lost.names
        assert lost.harmed() == []
        docker("rm", "-f", name)
        assert lost.harmed() == [f"container {name}"]
        assert sorted(held("canary"))[-1].startswith("volume wpk-canary-")


def test_runs_are_side_by_side_but_those_with_a_cluster() -> None:
    cases = [Case(number, "kind" if number % 2 else "local", 9, "run", 0.0) for number in range(12)]
    lock, on, most = threading.Lock(), Counter[str](), Counter[str]()

    def one(case: Case) -> runs.Outcome:
        with lock:
            on.update([case.sandbox, "all"])
            most.update({name: max(0, on[name] - most[name]) for name in on})
        time.sleep(0.02)
        with lock:
            on.subtract([case.sandbox, "all"])
        return runs.Outcome(case, 0, 0.0, "", runs.ITSELF, 0)

    outcomes = side_by_side(one, cases, 3)
    assert sorted(each.case.number for each in outcomes) == list(range(12))
    assert (most["kind"], most["all"] > 1) == (1, True)


def test_no_run_is_begun_when_one_has_failed() -> None:
    begun: list[int] = []

    def one(case: Case) -> runs.Outcome:
        begun.append(case.number)
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        side_by_side(one, [Case(number, "kind", 9, "run", 0.0) for number in range(12)], 2)
    assert len(begun) < 12


def test_ledger_counts_and_names_what_is_wrong() -> None:
    good = runs.Outcome(Case(1, "local", 15, "run", 0.1), 143, 1.5, "", runs.ITSELF, 0)
    bad = runs.Outcome(Case(2, "kind", 9, "creation", 0.1), -9, 0.0, "", runs.SWEEP, 3, ("node a",), ("half of b",))
    rows = {line.split()[0]: line.split()[1:] for line in ledger([good, bad]) if line}
    assert rows["all"] == ["2", "1", "0", "1", "1", "1", "0"]
    assert rows["SIGTERM"] == rows["local"] == ["1", "1", "0", "0", "0", "0", "0"]
    assert wrong_with([good]) == []
    assert wrong_with([good, bad]) == ["run 2: left node a", "run 2: half of b"]


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
