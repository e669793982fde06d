"""`wait`: until a condition holds."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from wpk_sandbox.package.units import human_seconds
from wpk_sandbox.run.actions.action import Call, Done, StepError, called, joined, targets
from wpk_sandbox.run.awaiting import stop_for_lost_pods, vain
from wpk_sandbox.run.claims import never_bound
from wpk_sandbox.run.deadline import OutOfTimeError
from wpk_sandbox.run.lingering import owners, why_it_stays
from wpk_sandbox.run.objects import Object, Objects
from wpk_sandbox.run.pods import is_ready
from wpk_sandbox.run.readiness import WORKLOADS, Progress, condition, find_condition, finished, rollout

Judge = Callable[[Mapping[str, Any]], Progress]

_GONE = ("deleted", "delete", "gone")
_EXISTS = ("exists", "created", "create")
_ROLLED_OUT = ("ready", "available", "healthy", "rollout", "rolled-out")
_FINISHED = ("complete", "completed", "succeeded")
_PHASES = ("running", "succeeded", "pending", "bound", "active", "released", "failed")


def wait(call: Call) -> Done:
    """Wait for `condition` (ready when missing) on all that the target means.

    The planner made the step's own limit of the option `timeout`.
    """
    wanted = condition_text(call.options.get("condition"))
    objects, began = call.objects, call.deadline.clock.now()
    if objects.dry_run:
        return Done(f"nothing was kept, so {wanted} is not waited for")
    text = _await_gone(call, objects) if wanted in _GONE else _await(call, objects, wanted)
    return Done(f"{text} after {human_seconds(call.deadline.clock.now() - began)}")


def condition_text(given: Any) -> str:
    """`Ready`, `condition=Ready` and nothing all ask for `ready`; `ready=False` stays as it is."""
    text = str(given or "ready").strip().lower()
    return re.sub(r"^(condition|status)=", "", text)


def judge_for(wanted: str) -> Judge:
    """How a condition is judged, which depends on the kind that it is asked of."""

    def judge(item: Mapping[str, Any]) -> Progress:
        kind, name = item["kind"], wanted.removesuffix("=true")
        if name in _EXISTS:
            return Progress(True, "exists")
        if kind in WORKLOADS and name in _ROLLED_OUT:
            return rollout(item)
        if kind == "Job" and name in _FINISHED:
            return finished(item)
        if kind == "Pod" and name in ("ready", "available", "healthy"):
            ended = (item.get("status") or {}).get("phase") in ("Succeeded", "Failed")
            never = "the pod has ended" if ended else ""
            return Progress(is_ready(item), "ready" if is_ready(item) else "not ready", never)
        return _by_condition_or_phase(item, name)

    return judge


def _by_condition_or_phase(item: Mapping[str, Any], name: str) -> Progress:
    if name.endswith("=false"):
        found = find_condition(item, name.removesuffix("=false"))
        holds = found is not None and found.get("status") == "False"
        return Progress(holds, f"{name} holds" if holds else f"{name} does not hold")
    phase = str((item.get("status") or {}).get("phase") or "")
    if find_condition(item, name) is None and name in (*_PHASES, *_FINISHED):
        holds = phase.lower() == ("succeeded" if name in _FINISHED else name)
        return Progress(holds, f"phase {phase or 'unknown'}")
    if find_condition(item, name) is None and not (item.get("status") or {}).get("conditions"):
        return Progress(phase.lower() == name, f"has no condition {name}" + (f", phase {phase}" if phase else ""))
    return Progress(condition(item, name), f"{name} {'holds' if condition(item, name) else 'does not hold'}")


def _await(call: Call, objects: Objects, wanted: str) -> str:
    judge = judge_for(wanted)
    seen: list[tuple[Object, Progress]] = []

    def look() -> str | None:
        found = _present(call)
        seen[:] = [(item, _hopeless(objects, item, judge(item), wanted)) for item in found]
        if found and all(progress.done for _, progress in seen):
            return _summary(call, seen)
        hopeless = next((progress.never for _, progress in seen if progress.never), "")
        if hopeless:
            raise vain(objects, wanted, seen, hopeless)
        waiting = [(item, progress) for item, progress in seen if not progress.done]
        stop_for_lost_pods(objects, wanted, waiting)
        return None

    try:
        return f"waited for {wanted}: {objects.deadline.until(look, objects.pace)}"
    except OutOfTimeError as error:
        if not seen:
            raise StepError(
                f"waited for {wanted}: {call.target} does not exist",
                advice="create it in an earlier step, or provide it in the case file",
                limit=error.limit,
            ) from error
        together = [_pods_together(seen)] if seen[0][0]["kind"] == "Pod" else seen
        failure = vain(objects, wanted, seen, str(error), error)
        failure.message = f"waited for {wanted}: {'; '.join(progress.text for _, progress in together)}"
        raise failure from error


def _hopeless(objects: Objects, item: Object, progress: Progress, wanted: str) -> Progress:
    """The progress, with the reason why there will be none: a claim that nothing binds is not worth the wait."""
    if progress.done or item["kind"] != "PersistentVolumeClaim" or wanted != "bound":
        return progress
    why = never_bound(objects, item)
    return Progress(False, f"{progress.text}: {why}", why) if why else progress


def _present(call: Call) -> tuple[Object, ...]:
    """What the target means now, which may be nothing yet."""
    try:
        found = targets(call, acting=True)
    except StepError:
        return ()
    return tuple(item for item in found if not item["metadata"].get("deletionTimestamp"))


def _summary(call: Call, seen: list[tuple[Object, Progress]]) -> str:
    if seen[0][0]["kind"] == "Pod" and len(seen) > 1:
        return _pods_together(seen)[1].text
    return joined([f"{called(item, call.target)} {progress.text}" for item, progress in seen])


def _pods_together(seen: list[tuple[Object, Progress]]) -> tuple[Object, Progress]:
    done = sum(progress.done for _, progress in seen)
    word = "pod" if len(seen) == 1 else "pods"
    return seen[0][0], Progress(done == len(seen), f"{done} of {len(seen)} {word} ready")


def _await_gone(call: Call, objects: Objects) -> str:
    def look() -> bool | None:
        try:
            targets(call, acting=True)
        except StepError:
            return True
        return None

    try:
        objects.deadline.until(look, objects.pace)
    except OutOfTimeError as error:
        item = targets(_late(call))[0]
        raise still_there(item, error) from error
    return f"{call.target} is gone"


def still_there(item: Mapping[str, Any], error: OutOfTimeError) -> StepError:
    """Why a deletion is not through: the finalizers that hold it, and whose they are, or that nobody asked."""
    held = owners(item)
    return StepError(
        f"{called(item)} is still there after {human_seconds(error.seconds)}: {why_it_stays(item)}",
        details=held,
        advice="something must remove the finalizers" if held else "give it more time or a grace_period",
        limit=error.limit,
    )


def _late(call: Call) -> Call:
    return replace(call, deadline=call.objects.late().deadline)
