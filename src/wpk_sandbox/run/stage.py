"""Sets the stage: namespaces, images, the case's objects and the stand-ins, before the first step."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.plan.plan import Plan
from wpk_sandbox.run.admission import admissible
from wpk_sandbox.run.deadline import Deadline, OutOfTimeError, Pace
from wpk_sandbox.run.objects import ApiError, Object, Objects
from wpk_sandbox.run.pods import Trouble, pods_of, trouble
from wpk_sandbox.run.readiness import WORKLOADS, Progress, condition, held_by_quota, rollout
from wpk_sandbox.sandbox.sandbox import Cluster

# What the stage writes belongs to another manager than what the package applies, so that a package's
# manifest which names only some fields leaves the others alone.
STAGE_MANAGER = "wpk-sandbox-stage"
_FAST = Pace(0.02, 0.2)
_STUCK = ("Unschedulable", "InvalidImageName", "CreateContainerConfigError")
_FIRST = ("Namespace", "CustomResourceDefinition")


class RefusedCaseError(Exception):
    """The API server refused an object of the case as invalid; the message names both."""


@dataclass(frozen=True)
class Scenery:
    """What was set up: the way to the cluster, and notes on what is not as it should be."""

    objects: Objects | None = None
    notes: tuple[str, ...] = ()


def set_stage(plan: Plan, cluster: Cluster | None, deadline: Deadline, settle_timeout: float) -> Scenery:
    """Make everything that the plan wants to have ready.

    An object that never works is no error, because a case may be about just that; it is noted. Raises
    `RefusedCaseError` for an invalid object of the case, and `SandboxError` for whatever is the sandbox's fault.
    """
    if cluster is None:
        return Scenery()
    objects = Objects(cluster.api, deadline, pace=_FAST if cluster.simulated else Pace())
    try:
        for namespace in plan.namespaces:
            cluster.prepare(namespace)
        notes = cluster.load_images(plan.images) if plan.images else ()
        made = _make_all(objects, plan)
        late = _await_all(objects.within(deadline.within(None, settle_timeout)), made)
    except OutOfTimeError as error:
        raise SandboxError(f"the sandbox was not set up in time: {error}", "raise the setup timeout") from error
    return Scenery(objects, (*notes, *late))


def _make_all(objects: Objects, plan: Plan) -> list[Object]:
    made: dict[tuple[str, str, str], Object] = {}
    case = sorted(plan.objects, key=lambda one: _FIRST.index(one["kind"]) if one.get("kind") in _FIRST else 9)
    given = [(manifest, True) for manifest in case] + [(manifest, False) for manifest in plan.stand_ins]
    for manifest, of_case in given:
        metadata = manifest.get("metadata") or {}
        key = (str(manifest.get("kind")), str(metadata.get("namespace")), str(metadata.get("name")))
        if key in made:
            # The second form of the same object becomes its second revision only after the first is there.
            _await_all(objects, [made[key]])
        if key[0] != "Namespace" or key[2] not in plan.namespaces:
            made[key] = _make(objects, manifest, plan.namespaces[0], of_case=of_case)
        if key[0] == "CustomResourceDefinition":
            _await_definition(objects, made[key])
    return list(made.values())


def _make(objects: Objects, manifest: Mapping[str, Any], namespace: str, *, of_case: bool) -> Object:
    name = f"{manifest.get('kind')}/{(manifest.get('metadata') or {}).get('name')}"
    try:
        return {**manifest, **objects.apply(admissible(manifest), namespace, manager=STAGE_MANAGER)}
    except ApiError as error:
        if of_case and error.status in (400, 404, 422):
            raise RefusedCaseError(f"the case's {name} was refused: {error.message}") from error
        whose = "the case's" if of_case else "the stand-in"
        raise SandboxError(f"{whose} {name} could not be made: {error.message}") from error


def _await_definition(objects: Objects, definition: Object) -> None:
    kind, namespace, name = objects.place(definition)
    established = lambda: condition(objects.get(kind, name, namespace), "Established") or None  # noqa: E731
    objects.deadline.until(established, objects.pace)


def _await_all(objects: Objects, made: Iterable[Object]) -> tuple[str, ...]:
    """Wait until all work, or it is plain that they will not; returns a note for each that does not."""
    waiting = [item for item in made if item["kind"] in (*WORKLOADS, "Pod", "Job")]
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
        f"{item['kind']}/{item['metadata']['name']} does not work before the run: {why or progress.text}"
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
