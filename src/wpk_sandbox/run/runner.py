"""Runs a plan in an open sandbox: set the stage, run, roll back, compare. Start reading here."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.package.package import KubernetesAction, ManifestAction
from wpk_sandbox.plan.plan import Plan
from wpk_sandbox.run.attempt import Report, Scene, run_steps
from wpk_sandbox.run.deadline import Deadline, OutOfTimeError
from wpk_sandbox.run.effects import effects
from wpk_sandbox.run.measured import suggested
from wpk_sandbox.run.objects import ApiError, Objects
from wpk_sandbox.run.observe import Observer
from wpk_sandbox.run.outcome import OpenedSandbox, Outcome, RunOptions, used
from wpk_sandbox.run.result import Effect, Limit, RollbackResult, RollbackStatus, StepResult, StepStatus, Verdict
from wpk_sandbox.run.rollback import reason_of, roll_back
from wpk_sandbox.run.settling import SETTLING, settle
from wpk_sandbox.run.stage import RefusedCaseError, Scenery, set_stage
from wpk_sandbox.run.state import NAMESPACED, State, snapshot
from wpk_sandbox.run.watched import violation
from wpk_sandbox.run.watcher import Watcher, distinct_attempts, distinct_events

SNAPSHOT_TIMEOUT = 60.0


def run(plan: Plan, opened: OpenedSandbox, options: RunOptions, observer: Observer) -> Outcome:
    """Do everything that the plan says, and say what became of it.

    Never raises for what the package does. Whatever is the sandbox's fault makes the verdict inconclusive.
    """
    whole = Deadline.start(Limit.RUN, options.run_timeout, options.clock)
    setup = whole.within(Limit.RUN, options.setup_timeout)
    try:
        scenery = set_stage(plan, opened.cluster, setup, options.settle_timeout)
        before = _state(plan, scenery.objects, whole)
    except RefusedCaseError as error:
        return Outcome(Verdict.FAIL, str(error), notes=plan.notes)
    except SandboxError as error:
        return Outcome(Verdict.INCONCLUSIVE, str(error), notes=(*plan.notes, *_remedy(error)), usage=used(opened))
    return _perform(_scene(plan, opened, options, observer, scenery, before), scenery, opened, options, whole)


def _perform(
    scene: Scene, scenery: Scenery, opened: OpenedSandbox, options: RunOptions, whole: Deadline
) -> Outcome:
    plan, observer = scene.plan, scene.observer
    observer.run_started(plan)
    ran = run_steps(scene, plan.steps, whole.within(Limit.PACKAGE, plan.timeout))
    changed, ran = _changes(scene, ran, whole, options.after_timeout)
    undo = whole.within(Limit.PACKAGE, plan.timeout)
    rolled, undone = roll_back(scene, ran, options.rollback, undo, lambda: _state(plan, scene.objects, whole))
    observer.rollback_finished(rolled)
    scene.watcher.set_aside()
    watching = _aside(scene, ran, undone)
    verdict, reason = _verdict(scene, ran, undone, rolled)
    steps, undoing = (_judged(each, options.on_violation) for each in (ran.results, rolled.steps))
    attack = _violation(watching, (*steps, *undoing), options.on_violation)
    if attack:
        verdict, reason = Verdict.FAIL, attack
    notes = (*plan.notes, *scenery.notes, *ran.notes, *undone.notes, *_notes(scene, rolled, ran, undone))
    return replace(
        watching,
        verdict=verdict,
        reason=reason,
        violation=attack,
        steps=steps,
        effects=changed,
        rollback=replace(rolled, steps=undoing),
        notes=tuple(dict.fromkeys(notes)),
        usage=used(opened),
    )


def _aside(scene: Scene, ran: Report, undone: Report) -> Outcome:
    """What was seen beside the steps, and what the package should ask for by what was seen in all of them."""
    seen, aside = ran.seen + undone.seen, scene.watcher.aside
    network, unlisted = distinct_attempts(aside.network)
    seconds = sum(step.seconds for step in (*ran.results, *undone.results))
    own = replace(seen.shell, cpu_seconds=None) if scene.watcher.emulated else seen.shell
    return Outcome(
        Verdict.PASS,
        "",
        network=network,
        events=distinct_events(aside.events, unlisted),
        samples=aside.samples,
        suggested=suggested(own, seen.shell_samples, seconds, scene.plan.package.runtime.requirements),
    )


def _judged(steps: Iterable[StepResult], on_violation: str) -> tuple[StepResult, ...]:
    return tuple(replace(step, violation=violation(step.network, step.events, on_violation)) for step in steps)


def _violation(watching: Outcome, steps: Iterable[StepResult], on_violation: str) -> str:
    """Which step did what no runbook may, or that what a step left running did."""
    for step in steps:
        if step.violation:
            return f"{step.label}: {step.violation}"
    found = violation(watching.network, watching.events, on_violation)
    return f"between the steps: {found}" if found else ""


def _scene(
    plan: Plan, opened: OpenedSandbox, options: RunOptions, observer: Observer, scenery: Scenery, before: State
) -> Scene:
    return Scene(
        plan=plan,
        observer=observer,
        objects=scenery.objects,
        shell=opened.shell,
        before=before,
        output_limit=options.output_limit,
        limits=options.limits,
        watcher=Watcher(opened.shell, [half for half in (opened.cluster, opened.outside) if half], options.clock),
        outside=opened.outside,
    )


def _changes(scene: Scene, ran: Report, whole: Deadline, after: float) -> tuple[tuple[Effect, ...], Report]:
    """What the steps changed, and a note on what of it does not work. A sandbox that cannot tell is broken."""
    if ran.broken or scene.objects is None:
        return (), ran
    try:
        state = _state(scene.plan, scene.objects, whole)
        late = () if ran.failed else _not_working(scene, state, whole.within(None, after))
    except SandboxError as error:
        return (), replace(ran, broken=error)
    return effects(scene.before, state), replace(ran, notes=(*ran.notes, *late))


def _not_working(scene: Scene, state: State, deadline: Deadline) -> tuple[str, ...]:
    """Steps such as apply and patch do not wait for what they set off; a reader should still hear of it."""
    changed = [
        dict(item)
        for key, item in state.objects.items()
        if key.kind in SETTLING and item != scene.before.objects.get(key)
    ]
    if scene.objects is None or not changed:
        return ()
    try:
        late = settle(scene.objects.within(deadline), changed)
    except (ApiError, OutOfTimeError):
        return ()
    return tuple(f"{name} did not work after the run: {why}" for name, why in late)


def _verdict(scene: Scene, ran: Report, undone: Report, rolled: RollbackResult) -> tuple[Verdict, str]:
    broken = ran.broken or undone.broken
    failed = ran.failed
    if broken:
        return Verdict.INCONCLUSIVE, str(broken)
    if failed:
        also = f"; {reason_of(rolled)}" if reason_of(rolled) else ""
        return Verdict.FAIL, f"{failed.label} failed: {failed.message}{also}"
    if reason_of(rolled):
        return Verdict.FAIL, reason_of(rolled)
    if ran.results and all(result.status is StepStatus.SKIPPED for result in ran.results):
        return Verdict.INCONCLUSIVE, "every step was skipped, so nothing was tried"
    count = len(ran.results)
    words = ", and the rollback restored everything" if scene.objects else ", and the rollback ran"
    restored = words if rolled.status is RollbackStatus.RESTORED else ""
    return Verdict.PASS, f"{count} {'step' if count == 1 else 'steps'} worked{restored}"


def _notes(scene: Scene, rolled: RollbackResult, ran: Report, undone: Report) -> Iterable[str]:
    if rolled.status is RollbackStatus.RESTORED and scene.plan.needs_shell:
        yield "the rollback is judged by the objects of the cluster: files of the shell are not compared"
    yield from _remedy(ran.broken or undone.broken)
    if scene.watcher.trouble:
        yield f"what the sandbox saw is not fully known: {scene.watcher.trouble}"


def _remedy(error: SandboxError | None) -> tuple[str, ...]:
    return (error.remedy,) if error and error.remedy else ()


def _state(plan: Plan, objects: Objects | None, whole: Deadline) -> State:
    """The state now. Time for it is taken beside the limits: a package that used its own up is still compared."""
    if objects is None:
        return State()
    clock = whole.clock
    within = objects.within(Deadline.start(Limit.RUN, SNAPSHOT_TIMEOUT, clock))
    try:
        return snapshot(within, plan.namespaces, _further_kinds(plan, within))
    except (ApiError, OutOfTimeError) as error:
        raise SandboxError(f"the state of the cluster could not be read: {error}") from error


def _further_kinds(plan: Plan, objects: Objects) -> tuple[ResourceKind, ...]:
    """The kinds that the plan touches beside those which every snapshot holds."""
    wanted = {
        (str(one.get("apiVersion")), str(one.get("kind")))
        for one in (*plan.objects, *plan.stand_ins, *_manifests(plan))
    }
    wanted |= {(step.target.api_version, step.target.kind) for step in (*plan.steps, *plan.rollback) if step.target}
    return tuple(kind for pair in sorted(wanted) if (kind := _known(objects, *pair)) and kind not in NAMESPACED)


def _manifests(plan: Plan) -> Iterable[Mapping[str, Any]]:
    for step in (*plan.steps, *plan.rollback):
        action = step.step.action
        if isinstance(action, ManifestAction):
            yield action.manifest
        if isinstance(action, KubernetesAction) and isinstance(action.options.get("manifest"), list):
            yield from action.options["manifest"]


def _known(objects: Objects, api_version: str, kind: str) -> ResourceKind | None:
    try:
        return objects.kind(api_version, kind)
    except ApiError:
        return None
