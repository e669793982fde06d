"""Keeps the secrets of a package out of what a run tells, while it goes on and afterwards."""

import re
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from wpk_sandbox.finding import Finding, Location
from wpk_sandbox.package.package import Package
from wpk_sandbox.plan.plan import Plan, PlannedStep
from wpk_sandbox.rules.hiding import HIDDEN, Hiding
from wpk_sandbox.run.observe import Observer
from wpk_sandbox.run.result import PackageResult, RollbackResult, SandboxResult, StepResult
from wpk_sandbox.sandbox.sandbox import Attempt, SecurityEvent

_Told = TypeVar("_Told", bound=PackageResult | StepResult | RollbackResult | SandboxResult)
# What other programs look things up by.
_KEPT: dict[type, frozenset[str]] = {PackageResult: frozenset({"path", "digest"})}
# What a step said, and what is told of its last line: it may end within a secret where it was cut.
_SAID = frozenset({"stdout", "stderr", "message", "details", "reason"})
# What a name keeps of a secret that is sent out in it: DNS knows no case, and 63 letters between two dots.
_IN_NAMES = re.compile(r"[^a-z0-9]")
_LEAST_IN_NAMES = 6


def discreet(told: _Told, hidden: Hiding) -> _Told:
    """What is told, with every text in it starred; findings come so from the rules."""
    result: _Told = _starred(told, hidden) if hidden else told
    return result


def discreet_plan(plan: Plan, hidden: Hiding) -> Plan:
    """A plan to be shown and not to be run: its steps, parameters, objects and notes without secrets."""
    if not hidden:
        return plan
    return replace(
        plan,
        package=discreet_name(plan.package, hidden),
        steps=tuple(_step(each, hidden) for each in plan.steps),
        rollback=tuple(_step(each, hidden) for each in plan.rollback),
        objects=_starred(plan.objects, hidden),
        stand_ins=_starred(plan.stand_ins, hidden),
        parameters=_starred(plan.parameters, hidden),
        images=_starred(plan.images, hidden),
        notes=_starred(plan.notes, hidden),
    )


def discreet_name(package: Package, hidden: Hiding) -> Package:
    """A package that is to be named in a report."""
    return replace(package, name=hidden.told(package.name), version=hidden.told(package.version))


class Discreet:
    """An observer that hears no secret."""

    def __init__(self, observer: Observer, hidden: Hiding) -> None:
        self._observer, self._hidden = observer, hidden

    def package_started(self, name: str, version: str, path: str, risk: int, decision: str) -> None:
        self._observer.package_started(self._hidden.told(name), self._hidden.told(version), path, risk, decision)

    def sandbox_opening(self, sandbox: str, reason: str) -> None:
        self._observer.sandbox_opening(sandbox, reason)

    def sandbox_ready(self, sandbox: SandboxResult) -> None:
        self._observer.sandbox_ready(sandbox)

    def run_started(self, plan: Plan) -> None:
        self._observer.run_started(discreet_plan(plan, self._hidden))

    def step_started(self, step: PlannedStep, total: int) -> None:
        self._observer.step_started(_step(step, self._hidden), total)

    def step_finished(self, result: StepResult, total: int) -> None:
        self._observer.step_finished(discreet(result, self._hidden), total)

    def rollback_finished(self, result: RollbackResult) -> None:
        self._observer.rollback_finished(discreet(result, self._hidden))

    def package_finished(self, result: PackageResult) -> None:
        self._observer.package_finished(discreet(result, self._hidden))

    def note(self, text: str) -> None:
        self._observer.note(self._hidden.told(text))


def _step(step: PlannedStep, hidden: Hiding) -> PlannedStep:
    return replace(
        step,
        handler=hidden.told(step.handler),
        step=replace(step.step, name=hidden.told(step.step.name), action=_starred(step.step.action, hidden)),
        reason=hidden.told(step.reason),
        target=_starred(step.target, hidden),
    )


def _starred(value: Any, hidden: Hiding, *, cut: bool = False) -> Any:
    """A value with every text in it starred, except the words of enumerations and the places of files."""
    if type(value) is str:
        return hidden.told(value, cut=cut)
    if isinstance(value, tuple | list):
        return type(value)(_starred(each, hidden, cut=cut) for each in value)
    if isinstance(value, dict):
        return {_starred(key, hidden): _starred(each, hidden) for key, each in value.items()}
    if not is_dataclass(value) or isinstance(value, type | Finding | Location):
        return value
    cut = _was_cut(value)
    kept = _KEPT.get(type(value), frozenset())
    told = {each.name: getattr(value, each.name) for each in fields(value) if each.init and each.name not in kept}
    starred = replace(
        value, **{name: _starred(each, hidden, cut=cut and name in _SAID) for name, each in told.items()}
    )
    return _without_carriers(starred, hidden) if isinstance(starred, Attempt | SecurityEvent) else starred


def _without_carriers(seen: Attempt | SecurityEvent, hidden: Hiding) -> Attempt | SecurityEvent:
    """What was seen, without the names and the evidence in which a secret was sent out in pieces."""
    plain = {_IN_NAMES.sub("", text.lower()) for text in hidden.texts}
    carried = [text for text in plain if len(text) >= _LEAST_IN_NAMES]

    def shown(text: str) -> str:
        said = _IN_NAMES.sub("", text.lower())
        return HIDDEN if any(secret in said for secret in carried) else text

    if isinstance(seen, Attempt):
        return replace(seen, name=shown(seen.name))
    return replace(seen, message=shown(seen.message), evidence=shown(seen.evidence))


def _was_cut(value: Any) -> bool:
    """True for a step whose output was cut, and for what has such a step."""
    if isinstance(value, PackageResult):
        return any(step.truncated for step in (*value.steps, *value.rollback.steps))
    return isinstance(value, StepResult) and value.truncated
