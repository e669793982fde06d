"""Gives workloads, pods and Jobs the time to work, and says which do not."""

from collections.abc import Iterable, Mapping
from typing import Any

from wpk_sandbox.run.deadline import OutOfTimeError
from wpk_sandbox.run.objects import Object, Objects
from wpk_sandbox.run.pods import Trouble, pods_of, trouble
from wpk_sandbox.run.readiness import WORKLOADS, Progress, condition, held_by_quota, rollout

SETTLING = (*WORKLOADS, "Pod", "Job")
_STUCK = ("Unschedulable", "InvalidImageName", "CreateContainerConfigError")


def settle(objects: Objects, made: Iterable[Object]) -> tuple[tuple[str, str], ...]:
    """Wait until all work, or it is plain that they will not; returns for each that does not its name and why.

    Raises OutOfTimeError for the limits of others; a deadline of its own only ends the wait.
    """
    waiting = [item for item in made if item["kind"] in SETTLING]
    seen: dict[int, tuple[Progress, Trouble | None]] = {}

    def look() -> bool | None:
        for number, item in enumerate(waiting):
            if number not in seen or not seen[number][0].done:
                seen[number] = _look_at(objects, item)
        return True if all(progress.done or progress.never for progress, _ in seen.values()) else None

    try:
        objects.deadline.until(look, objects.pace)
    except OutOfTimeError as error:
        if error.limit is not None:
            raise
    return tuple(
        (f"{item['kind']}/{item['metadata']['name']}", str(why or progress.text))
        for item, (progress, why) in zip(waiting, seen.values(), strict=False)
        if not progress.done
    )


def _look_at(objects: Objects, item: Object) -> tuple[Progress, Trouble | None]:
    kind, namespace, name = objects.place(item)
    now = {**item, **objects.get(kind, name, namespace)}
    progress = rollout(now) if now["kind"] in WORKLOADS else _pod_or_job(now)
    if progress.done:
        return progress, None
    why = next((one for pod in pods_of(objects, now) if (one := trouble(pod))), None)
    stuck = held_by_quota(now) or (str(why) if why and (why.image or why.reason in _STUCK) else "")
    return Progress(False, stuck or progress.text, progress.never or stuck), why


def _pod_or_job(item: Mapping[str, Any]) -> Progress:
    """A pod is as it should be when it runs or has ended, a Job once it has begun to have an end."""
    status = item.get("status") or {}
    if item["kind"] == "Job":
        suspended = bool((item.get("spec") or {}).get("suspend"))
        begun = status.get("succeeded") or status.get("failed") or status.get("ready")
        return Progress(bool(suspended or begun), "has not started")
    ended = status.get("phase") in ("Succeeded", "Failed")
    return Progress(ended or condition(item, "Ready"), f"phase {status.get('phase') or 'unknown'}")
