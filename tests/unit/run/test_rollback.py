"""A rollback is proved by running it and by comparing the state with the one before."""

import pytest
from running import FakeShell, deployment, k8s, manifest, perform, planned, said

from wpk_sandbox.package.package import ShellAction
from wpk_sandbox.run.outcome import Outcome
from wpk_sandbox.run.result import RollbackStatus, StepStatus, Verdict

UP = k8s("scale", "deployment", "web", replicas=3)
BACK = k8s("scale", "deployment", "web", replicas="original")
WRONG = k8s("scale", "deployment", "web", replicas=1)
FAILS = k8s("get", "configmap", "gone")
WEB = (deployment(replicas=2),)


def outcome(*actions: object, undo: tuple[object, ...] = (BACK,), rollback: str = "prove") -> Outcome:
    gone = k8s("delete", "configmap", "gone")
    run = [step for action in actions for step in ((gone, action) if action is FAILS else (action,))]
    made = planned(*run, undo=undo, objects=(*WEB, manifest("ConfigMap", "gone")))  # type: ignore[arg-type]
    return perform(made, rollback=rollback)


def test_a_rollback_is_proved_after_a_success() -> None:
    found = outcome(UP)
    assert (found.rollback.status, found.rollback.trigger) == (RollbackStatus.RESTORED, "proved after the success")
    assert found.reason == "1 step worked, and the rollback restored everything"
    assert [str(effect) for effect in found.effects] == ["Deployment/web spec.replicas 2 → 3"]


def test_what_a_rollback_leaves_fails_the_package() -> None:
    found = outcome(UP, undo=(WRONG,))
    assert found.rollback.status is RollbackStatus.RESIDUE
    assert [str(effect) for effect in found.rollback.residue] == ["Deployment/web spec.replicas 2 → 1"]
    assert found.verdict is Verdict.FAIL
    assert found.reason == "the rollback left 1 change: Deployment/web spec.replicas 2 → 1"


def test_a_failed_step_of_a_rollback_ends_it_and_the_rest_is_residue() -> None:
    found = outcome(UP, undo=(k8s("rollback", "deployment", "web", revision=9), BACK))
    assert found.rollback.status is RollbackStatus.FAILED
    assert [step.status for step in found.rollback.steps] == [StepStatus.FAILED, StepStatus.NOT_REACHED]
    assert [str(effect) for effect in found.rollback.residue] == ["Deployment/web spec.replicas 2 → 3"]
    assert found.verdict is Verdict.FAIL
    assert found.reason.startswith("the rollback failed at undo-1: Deployment/web has no revision 9")


def test_a_failure_is_rolled_back_too() -> None:
    found = outcome(UP, FAILS, undo=(BACK, k8s("restore", "configmap", "gone")))
    assert found.rollback.trigger == "step-3 failed"
    assert found.rollback.status is RollbackStatus.RESTORED
    assert found.verdict is Verdict.FAIL
    assert found.reason.startswith("step-3 failed: ConfigMap/gone does not exist")


def test_both_failures_are_told() -> None:
    found = outcome(UP, FAILS, undo=(WRONG,))
    assert "step-3 failed" in found.reason
    assert "the rollback left 2 changes" in found.reason


@pytest.mark.parametrize(
    ("when", "fails", "status", "trigger"),
    [
        ("on-failure", False, RollbackStatus.NOT_RUN, "every step succeeded"),
        ("on-failure", True, RollbackStatus.RESIDUE, "step-3 failed"),
        ("never", False, RollbackStatus.NOT_RUN, "the settings say never"),
        ("never", True, RollbackStatus.NOT_RUN, "the settings say never"),
    ],
)
def test_when_a_rollback_runs(when: str, fails: bool, status: RollbackStatus, trigger: str) -> None:
    found = outcome(UP, *((FAILS,) if fails else ()), rollback=when)
    assert (found.rollback.status, found.rollback.trigger) == (status, trigger)
    assert found.verdict is (Verdict.FAIL if fails else Verdict.PASS)


def test_no_declared_rollback_is_told_and_fails_nothing() -> None:
    found = outcome(UP, undo=())
    assert (found.rollback.status, found.rollback.trigger) == (
        RollbackStatus.NOT_DECLARED,
        "the package declares none",
    )
    assert found.verdict is Verdict.PASS


def test_a_rollback_of_shell_steps_runs_and_does_not_claim_what_it_cannot_see() -> None:
    shell = FakeShell()
    found = perform(planned(ShellAction("do"), undo=(ShellAction("undo"),)), shell=shell)
    assert shell.commands == ["do", "undo"]
    assert found.reason == "1 step worked, and the rollback ran"
    assert any("files of the shell are not compared" in note for note in found.notes)


def test_a_failing_shell_rollback_fails_the_package() -> None:
    shell = FakeShell(lambda command: said("", exit_code=1, stderr="no") if command == "undo" else said(""))
    found = perform(planned(ShellAction("do"), undo=(ShellAction("undo"),)), shell=shell)
    assert (found.verdict, found.reason) == (Verdict.FAIL, "the rollback failed at undo-1: exit code 1: no")


def test_restarts_are_nothing_to_roll_back() -> None:
    found = outcome(k8s("restart", "deployment", "web"), undo=(k8s("wait", "deployment", "web"),))
    assert len(found.effects) == 1
    assert found.rollback.status is RollbackStatus.RESTORED
