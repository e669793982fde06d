"""Small plans, for what shows a plan or follows one."""

from collections.abc import Sequence
from typing import Any

from wpk_sandbox.finding import Location
from wpk_sandbox.package.package import (
    Action,
    Case,
    Document,
    Handler,
    Package,
    Rollback,
    Runtime,
    Safety,
    ShellAction,
    Step,
)
from wpk_sandbox.plan.plan import Fidelity, Phase, Plan, PlannedStep, Target

PATH = "playbooks/restart-web.wpk.yaml"


def planned_step(
    number: int,
    name: str,
    phase: Phase = Phase.RUN,
    *,
    action: Action | None = None,
    fidelity: Fidelity = Fidelity.EXECUTED,
    target: Target | None = None,
    reason: str = "runs in the sandbox's shell",
) -> PlannedStep:
    """One step, whose handler has the same name."""
    pointer = f"/spec/handlers/{number - 1}"
    step = Step(name, action or ShellAction("true"), pointer)
    return PlannedStep(number, phase, name, step, fidelity, reason, target, 60.0, 300.0)


def small_plan(
    steps: Sequence[PlannedStep], rollback: Sequence[PlannedStep] = (), case: str = "default", **more: Any
) -> Plan:
    """A plan of these steps, for a package whose handlers stand on lines 10, 20, …"""
    handlers = tuple(Handler(step.handler, (step.step,), step.step.pointer) for step in steps)
    places = {step.step.pointer: Location(PATH, step.number * 10, 5) for step in steps}
    package = Package(
        name="restart-web",
        version="1.2.0",
        description="",
        author="",
        tags=(),
        runtime=Runtime(),
        safety=Safety(),
        triggers=(),
        handlers=handlers,
        rollback=Rollback(),
        required_permissions=(),
        resource_limits={},
        monitoring={},
        document=Document(PATH, "", 0, {}, places, {}),
        digest="9f86d081",
    )
    return Plan(package, Case(case), "kind", tuple(steps), tuple(rollback), **more)
