"""Decides whether to roll back, does it, and compares the state with the one before the run."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.run.attempt import Report, Scene, run_steps
from wpk_sandbox.run.deadline import Deadline
from wpk_sandbox.run.effects import residue
from wpk_sandbox.run.outcome import NEVER, ON_FAILURE
from wpk_sandbox.run.result import RollbackResult, RollbackStatus, StepStatus
from wpk_sandbox.run.state import State


def roll_back(
    scene: Scene, ran: Report, when: str, deadline: Deadline, look: Callable[[], State]
) -> tuple[RollbackResult, Report]:
    """Roll back as `when` (`prove`, `on-failure`, `never`) says; `look` takes the state afterwards."""
    trigger = _trigger(scene, ran)
    why_not = _why_not(scene, ran, when, deadline)
    if why_not:
        declared = bool(scene.plan.rollback)
        status = RollbackStatus.NOT_RUN if declared else RollbackStatus.NOT_DECLARED
        return RollbackResult(status, why_not), Report()
    undone = run_steps(scene, scene.plan.rollback, deadline, ran.outputs)
    if undone.broken:
        return RollbackResult(RollbackStatus.NOT_RUN, "the sandbox broke during it", undone.results), undone
    return _compared(scene, ran, undone, trigger, look)


def reason_of(result: RollbackResult) -> str:
    """Why a rollback fails the package, in one line; empty when it does not."""
    if result.status is RollbackStatus.FAILED:
        failed = next(step for step in result.steps if step.status is StepStatus.FAILED)
        return f"the rollback failed at {failed.label}: {failed.message}"
    if result.status is RollbackStatus.RESIDUE:
        left = len(result.residue)
        return f"the rollback left {left} {'change' if left == 1 else 'changes'}: {result.residue[0]}"
    return ""


def _compared(
    scene: Scene, ran: Report, undone: Report, trigger: str, look: Callable[[], State]
) -> tuple[RollbackResult, Report]:
    intended = tuple(dict.fromkeys((*ran.stays, *undone.stays)))
    try:
        after = look()
    except SandboxError as error:
        return RollbackResult(RollbackStatus.NOT_RUN, "its effect could not be seen", undone.results), replace(
            undone, broken=error
        )
    left = residue(scene.before, after, intended=intended)
    kept = ", ".join(str(key) for key in intended if key in after.objects)
    undone = replace(undone, notes=(*undone.notes, f"meant to stay after the rollback: {kept}")) if kept else undone
    status = RollbackStatus.RESIDUE if left else RollbackStatus.RESTORED
    status = RollbackStatus.FAILED if undone.failed else status
    return RollbackResult(status, trigger, undone.results, left), undone


def _trigger(scene: Scene, ran: Report) -> str:
    return f"{ran.failed.label} failed" if ran.failed else "proved after the success"


def _why_not(scene: Scene, ran: Report, when: str, deadline: Deadline) -> str:
    reasons: Mapping[str, bool] = {
        "the package declares none": not scene.plan.rollback,
        "the sandbox broke": ran.broken is not None,
        "the settings say never": when == NEVER,
        "every step succeeded": when == ON_FAILURE and not ran.failed,
        "no time was left for it": deadline.remaining() <= 0,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")
