"""Waits for what the cluster does by itself, and explains what it waited for in vain."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.package.units import human_seconds
from wpk_sandbox.run.actions.action import StepError
from wpk_sandbox.run.deadline import OutOfTimeError
from wpk_sandbox.run.objects import ApiError, Object, Objects
from wpk_sandbox.run.pods import Trouble, explained, pods_of, trouble
from wpk_sandbox.run.readiness import Progress, held_by_quota, rollout

Judge = Callable[[Mapping[str, Any]], Progress]


def await_progress(objects: Objects, item: Mapping[str, Any], judge: Judge, waited_for: str) -> Object:
    """Wait until `judge` says that an object is done, and return it as it is then.

    Raises StepError when it never will be or the time ran out, with the pods' reasons; SandboxError when a pod
    waits for an image that the sandbox does not have.
    """
    kind, namespace, name = objects.place(item)
    last: list[tuple[Object, Progress]] = []

    def look() -> Object | None:
        now = {**item, **objects.get(kind, name, namespace)}
        progress = judge(now)
        last[:] = [(now, progress)]
        if progress.done:
            return now
        if progress.never:
            raise vain(objects, waited_for, [(now, progress)], progress.never)
        stop_for_lost_pods(objects, waited_for, [(now, progress)])
        return None

    try:
        return objects.deadline.until(look, objects.pace)
    except OutOfTimeError as error:
        raise vain(objects, waited_for, last, str(error), error) from error


def await_rollout(objects: Objects, workload: Mapping[str, Any]) -> str:
    """Wait until a workload's pods are all of its newest form and ready; returns `3 of 3 pods ready`.

    A quota that refuses further pods ends the wait: the sandbox is small, and that is not the package's fault.
    """
    if objects.dry_run:
        return "nothing was kept, so there is nothing to wait for"

    def judge(now: Mapping[str, Any]) -> Progress:
        progress = rollout(now)
        held = held_by_quota(now)
        return Progress(True, f"{progress.text}, the sandbox's quota holds the rest back") if held else progress

    now = await_progress(objects, workload, judge, "the rollout")
    return judge(now).text


def stop_for_lost_pods(objects: Objects, waited_for: str, seen: list[tuple[Object, Progress]]) -> None:
    """Stop a wait that can only end at its deadline: an image is missing, or a container cannot be made."""
    troubles = [one for item, _ in seen for pod in pods_of(objects, item) if (one := trouble(pod))]
    for one in troubles:
        if one.image:
            raise SandboxError(
                f"the image {one.image} is not in the sandbox, so {one.pod} cannot start",
                f"pull it on this host first (`docker pull {one.image}`), or name one that it has",
            )
    if any(one.never for one in troubles):
        raise vain(objects, waited_for, seen, "a container cannot be made")


def vain(
    objects: Objects,
    waited_for: str,
    seen: list[tuple[Object, Progress]],
    why: str,
    error: OutOfTimeError | None = None,
) -> StepError:
    """The failure of a wait: how far it came, each pod's reason and last line, and what to do."""
    far = "; ".join(progress.text for _, progress in seen)
    # The limit may be used up, but a failure without its reason helps nobody: a moment more is worth it.
    late = objects.late()
    troubles: list[Trouble] = []
    with suppress(ApiError, OutOfTimeError):
        troubles += [one for item, _ in seen for one in explained(late, pods_of(late, item))]
    waited = f" after {human_seconds(error.seconds)}" if error else ""
    advice = next((one.advice for one in troubles if one.advice), "give it more time, or see what it needs")
    return StepError(
        f"waited for {waited_for}{waited}: {far or why}",
        details=(*(str(one) for one in troubles), *((why,) if far else ())),
        advice=advice,
        limit=error.limit if error else None,
    )
