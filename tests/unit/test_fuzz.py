"""What the fuzzer asks of every input: it is held by ordinary ones, and what breaks it is noticed."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, find, given, settings

from wpk_sandbox.errors import UsageError
from wpk_sandbox.finding import Finding, Location, Severity

FUZZ = Path(__file__).parents[1] / "fuzz"
sys.path.insert(0, str(FUZZ))  # where fuzz.py finds its parts when it runs as a program

import inputs  # noqa: E402 -- found by the line above
import targets  # noqa: E402 -- the same


def at(*place: int) -> Finding:
    return Finding("a-rule", Severity.LOW, "a message", Location(targets.PATH, *place))


@pytest.mark.parametrize("name", targets.TARGETS)
def test_each_target_holds_for_some_inputs(name: str) -> None:
    target = targets.TARGETS[name]

    @settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(target.given)
    def holds(value: Any) -> None:
        target.trial.__wrapped__(value)  # type: ignore[attr-defined]  # without bounds: this host may be busy

    holds()


@pytest.mark.parametrize("place", [(1, 1), (2, 3), (2, 4), (1, 1, 2, 4), (3, 1)])
def test_a_place_in_the_file_is_one(place: tuple[int, ...]) -> None:
    targets.inside([at(*place)], b"a\nb: \n")


@pytest.mark.parametrize("place", [(0, 1), (2, 5), (4, 1), (1, 0), (1, 1, 2, 5), (2, 2, 2, 1)])
def test_a_place_outside_the_file_is_noticed(place: tuple[int, ...]) -> None:
    with pytest.raises(AssertionError):
        targets.inside([at(*place)], b"a\nb: \n")


def test_errors_of_ours_are_answers_and_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(error: BaseException) -> None:
        raise error

    monkeypatch.setattr(targets, "MOST_KIB", 10**12)
    targets.bounded(fails)(UsageError("no"))
    with pytest.raises(KeyError):
        targets.bounded(fails)(KeyError("no"))


def test_bounds_on_time_and_memory_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.9, 0.0, 2.1, 0.0, 0.0])
    monkeypatch.setattr(targets, "MOST_KIB", 10**12)
    monkeypatch.setattr(time, "process_time", lambda: next(clock))
    trial = targets.bounded(lambda _: None)
    trial(None)
    with pytest.raises(AssertionError, match=r"took 2\.1 s"):
        trial(None)
    monkeypatch.setattr(targets, "MOST_KIB", 1)
    with pytest.raises(AssertionError, match="MB"):
        trial(None)


def test_inputs_reach_what_they_are_for() -> None:
    assert find(inputs.packages, lambda text: bool(targets.load_bytes(text.encode(), "x").packages))
    assert find(inputs.findings, lambda found: any("\x1b" in each.message for each in found))


def test_the_program_tells_how_much_it_tried() -> None:
    argv = [sys.executable, str(FUZZ / "fuzz.py"), "loader", "--seconds", "0.1", "--seed", "1"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("loader: 50 inputs in ")
