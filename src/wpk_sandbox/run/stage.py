"""Sets the stage: namespaces, images, the case's objects and the stand-ins, before the first step."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.plan.plan import Plan
from wpk_sandbox.run.admission import admissible
from wpk_sandbox.run.deadline import Deadline, OutOfTimeError, Pace
from wpk_sandbox.run.objects import ApiError, Object, Objects
from wpk_sandbox.run.readiness import condition
from wpk_sandbox.run.settling import settle
from wpk_sandbox.sandbox.sandbox import Cluster

# What the stage writes belongs to another manager than what the package applies, so that a package's
# manifest which names only some fields leaves the others alone.
STAGE_MANAGER = "wpk-sandbox-stage"
_FAST = Pace(0.02, 0.2)
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
        late = settle(objects.within(deadline.within(None, settle_timeout)), made)
    except OutOfTimeError as error:
        raise SandboxError(f"the sandbox was not set up in time: {error}", "raise the setup timeout") from error
    except ApiError as error:
        raise SandboxError(f"the sandbox could not be set up: {error.message}") from error
    broken = (f"{name} did not work before the run: {why}" for name, why in late)
    return Scenery(objects, (*notes, *broken))


def _make_all(objects: Objects, plan: Plan) -> list[Object]:
    made: dict[tuple[str, str, str], Object] = {}
    case = sorted(plan.objects, key=lambda one: _FIRST.index(one["kind"]) if one.get("kind") in _FIRST else 9)
    given = [(manifest, True) for manifest in case] + [(manifest, False) for manifest in plan.stand_ins]
    for manifest, of_case in given:
        metadata = manifest.get("metadata") or {}
        key = (str(manifest.get("kind")), str(metadata.get("namespace")), str(metadata.get("name")))
        if key in made:
            # The second form of the same object becomes its second revision only after the first is there.
            settle(objects, [made[key]])
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
