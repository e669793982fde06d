"""Runs steps: deadlines, tries and pauses between them, and what each came to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.plan.plan import Fidelity, Plan, PlannedStep
from wpk_sandbox.run.actions.action import Call, Done, Memory, StepError, refused
from wpk_sandbox.run.actions.table import doing, name_of
from wpk_sandbox.run.deadline import Deadline, OutOfTimeError
from wpk_sandbox.run.objects import ApiError, Objects
from wpk_sandbox.run.observe import Observer
from wpk_sandbox.run.result import Limit, StepResult, StepStatus
from wpk_sandbox.run.state import ObjectKey, State
from wpk_sandbox.run.watched import watched
from wpk_sandbox.run.watcher import Seen, Watcher
from wpk_sandbox.sandbox.outside.outside import Outside
from wpk_sandbox.sandbox.sandbox import Limits, Shell


@dataclass(frozen=True)
class Scene:
    """Where steps run: the two halves of the sandbox, the plan, who listens, and who watches."""

    plan: Plan
    observer: Observer
    objects: Objects | None = None
    shell: Shell | None = None
    before: State = State()
    output_limit: int = 1024**2
    limits: Limits = Limits()
    watcher: Watcher = field(default_factory=lambda: Watcher(None))
    outside: Outside | None = None


@dataclass(frozen=True)
class Report:
    """What a phase came to: a result for each of its steps, in order, and what later stages need to know.

    `broken` is set when the sandbox gave way, which says nothing about the package. `seen` is what was seen in
    all of its steps together.
    """

    results: tuple[StepResult, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    stays: tuple[ObjectKey, ...] = ()
    notes: tuple[str, ...] = ()
    broken: SandboxError | None = None
    seen: Seen = Seen()

    @property
    def failed(self) -> StepResult | None:
        """The step that failed, if one did."""
        return next((result for result in self.results if result.status is StepStatus.FAILED), None)


def run_steps(
    scene: Scene, steps: Sequence[PlannedStep], deadline: Deadline, outputs: Mapping[str, str] | None = None
) -> Report:
    """Run a phase in order; after the first failure every later step is not reached."""
    report = Report(outputs=dict(outputs or {}))
    for _, handler in groupby(steps, key=lambda step: step.handler):
        members = tuple(handler)
        own = deadline.within(Limit.HANDLER, members[0].handler_timeout)
        for step in members:
            report = _next(scene, report, step, own, len(steps))
    return report


def _next(scene: Scene, report: Report, step: PlannedStep, deadline: Deadline, total: int) -> Report:
    if report.broken or report.failed:
        return replace(report, results=(*report.results, _result(scene, step, StepStatus.NOT_REACHED)))
    scene.observer.step_started(step, total)
    scene.watcher.set_aside()
    began, at = deadline.clock.now(), scene.watcher.now
    done, broken = None, None
    if step.fidelity is Fidelity.SKIPPED or doing(step.step.action) is None:
        result = _result(scene, step, StepStatus.SKIPPED)
    else:
        result, done, broken = _try(scene, step, deadline, report.outputs)
    result = replace(result, seconds=deadline.clock.now() - began, began=round(at, 3))
    seen = scene.watcher.look()
    if isinstance(broken, SandboxError) and isinstance(scene.watcher.trouble, SandboxError):
        # The half that gave way knows better why than the call that found it gone.
        broken = scene.watcher.trouble
        result = replace(result, message=str(broken), advice=broken.remedy)
    result = watched(result, seen, scene.limits, min(step.timeout, step.handler_timeout))
    scene.observer.step_finished(result, total)
    return replace(_with(report, step, result, done, broken), seen=report.seen + seen)


def _with(
    report: Report, step: PlannedStep, result: StepResult, done: Done | None, broken: SandboxError | None
) -> Report:
    done = done or Done("")
    produced = {name: done.output for name in (step.handler, step.label) if done.output}
    return Report(
        (*report.results, result),
        {**report.outputs, **produced},
        (*report.stays, *done.stays),
        (*report.notes, *(f"{step.label}: {note}" for note in done.notes)),
        broken,
    )


def _try(
    scene: Scene, step: PlannedStep, deadline: Deadline, outputs: Mapping[str, str]
) -> tuple[StepResult, Done | None, SandboxError | None]:
    """Try a step as often as its author allows; the pause doubles each time and counts into the handler's time."""
    retry = step.step.retry
    failures: tuple[str, ...] = ()
    for attempt in range(1, max(1, retry.max_attempts) + 1):
        own = deadline.within(Limit.STEP, step.timeout)
        outcome = _once(_call(scene, step, own, outputs))
        if isinstance(outcome, Done):
            return _succeeded(scene, step, outcome, attempt, failures), outcome, None
        if isinstance(outcome, SandboxError):
            return _broken(scene, step, outcome, attempt), None, outcome
        last = attempt == max(1, retry.max_attempts)
        if last or not _pause(deadline, retry.backoff * 2 ** (attempt - 1)):
            return _failed(scene, step, outcome, attempt, failures), None, None
        failures = (*failures, f"attempt {attempt}: {outcome.message}")
    raise AssertionError("unreachable")


def _once(call: Call) -> Done | StepError | SandboxError:
    action = doing(call.step.step.action)
    if action is None:
        raise RuntimeError(f"{call.step.label} has no action")
    try:
        call.deadline.check()
        return action(call)
    except StepError as failure:
        return failure
    except ApiError as error:
        return SandboxError(f"the cluster broke: {error.message}") if error.breakdown else refused(error)
    except OutOfTimeError as error:
        return StepError(f"not done: {error}", advice="give it a longer timeout", limit=error.limit)
    except SandboxError as error:
        return error


def _pause(deadline: Deadline, seconds: float) -> bool:
    """Wait before the next try; False when there is no time for it."""
    try:
        deadline.sleep(seconds)
    except OutOfTimeError:
        return False
    return True


def _call(scene: Scene, step: PlannedStep, deadline: Deadline, outputs: Mapping[str, str]) -> Call:
    return Call(
        step=step,
        deadline=deadline,
        memory=Memory(scene.before, outputs),
        cluster=scene.objects,
        shell=scene.shell,
        environment=scene.plan.environment,
        output_limit=scene.output_limit,
        outside=scene.outside,
    )


def _succeeded(scene: Scene, step: PlannedStep, done: Done, attempts: int, failures: tuple[str, ...]) -> StepResult:
    return replace(
        _result(scene, step, StepStatus.OK),
        message=done.message,
        details=(*done.details, *failures),
        attempts=attempts,
        stdout=done.streams.stdout,
        stderr=done.streams.stderr,
        truncated=done.streams.truncated,
    )


def _failed(
    scene: Scene, step: PlannedStep, failure: StepError, attempts: int, failures: tuple[str, ...]
) -> StepResult:
    return replace(
        _result(scene, step, StepStatus.FAILED),
        message=failure.message,
        details=(*failure.details, *failures),
        advice=failure.advice,
        limit=failure.limit,
        attempts=attempts,
        stdout=failure.streams.stdout,
        stderr=failure.streams.stderr,
        truncated=failure.streams.truncated,
    )


def _broken(scene: Scene, step: PlannedStep, error: SandboxError, attempts: int) -> StepResult:
    return replace(
        _result(scene, step, StepStatus.FAILED), message=str(error), advice=error.remedy, attempts=attempts
    )


def _result(scene: Scene, step: PlannedStep, status: StepStatus) -> StepResult:
    return StepResult(
        number=step.number,
        phase=step.phase,
        handler=step.handler,
        name=step.step.name,
        action=name_of(step.step.action),
        status=status,
        fidelity=step.fidelity,
        reason=step.reason,
        location=scene.plan.package.document.locate(step.step.pointer),
        target=str(step.target) if step.target else "",
        message=step.reason if status is StepStatus.SKIPPED else "",
    )
