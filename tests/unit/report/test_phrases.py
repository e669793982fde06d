"""The words that all reports share."""

from dataclasses import replace

import pytest

from report.parts import run, step
from report.sample import BLOCKED, EMPTY, EVERYTHING, FAILING, GREEN, INCONCLUSIVE, PASSING, UNREADABLE
from report.watched import CALLING
from wpk_sandbox.plan.plan import Fidelity
from wpk_sandbox.report import phrases
from wpk_sandbox.run.result import Change, Effect, Limit, RollbackResult, RollbackStatus, StepStatus, Verdict
from wpk_sandbox.sandbox.ledger import Left, Tally
from wpk_sandbox.sandbox.sandbox import Usage


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (GREEN, "1 package passed"),
        (EMPTY, "no package to try"),
        (run(PASSING, BLOCKED), "1 of 2 packages failed"),
        (run(PASSING, INCONCLUSIVE), "1 of 2 packages inconclusive"),
        (run(BLOCKED, INCONCLUSIVE), "1 of 2 packages failed, 1 inconclusive"),
        (run(findings=(UNREADABLE, UNREADABLE)), "1 file not readable as a package"),
        (
            run(PASSING, tally=Tally(1, 0, 0, (Left("container", "x", "busy"),))),
            "1 thing could not be removed",
        ),
    ],
)
def test_the_headline_is_the_answer(result: object, words: str) -> None:
    assert phrases.headline(result) == words  # type: ignore[arg-type]


def test_the_worst_comes_first_and_equals_keep_their_order() -> None:
    names = [package.name for package in phrases.worst_first(EVERYTHING.packages)]
    assert names == ["scale-shop", "purge", "rotate-keys", "restart-web"]


def test_shares_tell_failures_from_fidelity() -> None:
    assert phrases.shares(FAILING) == "2 executed · 1 failed · 2 not reached"
    assert phrases.shares(PASSING) == "2 executed · 1 dry-run · 1 simulated"
    assert phrases.shares(BLOCKED) == "none"


def test_a_simulated_step_never_says_just_ok() -> None:
    assert phrases.status(step(1, "a", fidelity=Fidelity.SIMULATED)) == "OK (simulated)"
    assert phrases.status(step(1, "a")) == "OK"


def test_the_bound_that_ended_a_step_is_named_with_its_line() -> None:
    ended = step(1, "a", StepStatus.FAILED, message="timed out", limit=Limit.PACKAGE)
    assert phrases.outcome(ended) == "timed out (package limit, line 17)"


def test_a_step_that_said_nothing_shows_its_target() -> None:
    assert phrases.outcome(step(1, "a", target="Pod/web")) == "Pod/web"


@pytest.mark.parametrize("status", list(RollbackStatus))
def test_every_end_of_a_rollback_has_words(status: RollbackStatus) -> None:
    assert phrases.rollback(RollbackResult(status))
    assert phrases.rollback_cell(RollbackResult(status))


def test_only_a_state_that_did_not_come_back_is_bad() -> None:
    bad = {status for status in RollbackStatus if phrases.rollback_is_bad(RollbackResult(status))}
    assert bad == {RollbackStatus.RESIDUE, RollbackStatus.FAILED}


def test_changed_objects_are_counted_once_for_all_their_fields() -> None:
    assert phrases.changed_objects(FAILING.effects) == "2 objects"


def test_equal_names_in_two_namespaces_are_two_objects() -> None:
    effects = [Effect("ConfigMap/a", namespace, "", Change.ADDED) for namespace in ("x", "y")]
    assert phrases.changed_objects(effects) == "2 objects"


def test_a_long_value_is_cut() -> None:
    effect = Effect("ConfigMap/a", "x", "data", Change.CHANGED, "b" * 500, "c")
    assert len(phrases.effect_text(effect)) < 220
    assert phrases.effect_text(effect).endswith("…")


@pytest.mark.parametrize(
    ("effect", "fields"),
    [
        (Effect("Pod/a", "n", "", Change.ADDED), ("n/Pod/a", "whole object", "", "made")),
        (Effect("Pod/a", "n", "", Change.REMOVED), ("n/Pod/a", "whole object", "existed", "")),
        (Effect("Node/a", "", "spec.x", Change.CHANGED, "1", "2"), ("Node/a", "spec.x", "1", "2")),
    ],
)
def test_an_effect_has_four_fields(effect: Effect, fields: tuple[str, ...]) -> None:
    assert phrases.effect_fields(effect) == fields


def test_findings_are_counted_by_severity() -> None:
    assert phrases.tally_of_findings(PASSING.findings) == "1 low finding"
    both = (*PASSING.findings, *BLOCKED.findings)
    assert phrases.tally_of_findings(both) == "2 findings: 1 critical, 1 low"


@pytest.mark.parametrize(("bytes_", "words"), [(512, "512 B"), (1536, "1.5 KiB"), (3 * 1024**3, "3.0 GiB")])
def test_sizes_have_the_units_of_kubernetes(bytes_: int, words: str) -> None:
    assert phrases.size(bytes_) == words


def test_usage_tells_only_what_was_measured() -> None:
    assert phrases.usage(Usage()) == ""
    assert phrases.usage(Usage(processes_peak=1)) == "1 process at most"


@pytest.mark.parametrize(("value", "words"), [(0.04, "0.0 s"), (71.44, "71.4 s"), (1800.0, "1800 s")])
def test_times_are_seconds(value: float, words: str) -> None:
    assert phrases.seconds(value) == words


def test_an_attack_is_told_before_the_step_that_failed() -> None:
    why = "escape: high escape attempt: tried to mount a file system"
    assert phrases.stop(CALLING) == why
    both = replace(FAILING, violation=why, reason=why)
    assert phrases.stop(both) == f"{why}; {phrases.stop(FAILING)}"


def test_a_blocked_package_tells_the_decision_and_not_a_step() -> None:
    blocked = replace(BLOCKED, steps=(step(1, "a", StepStatus.FAILED, message="m"),), verdict=Verdict.FAIL)
    assert phrases.stop(blocked) == "shell-destroy-data at line 24 is critical"
