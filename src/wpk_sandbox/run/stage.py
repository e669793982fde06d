"""Sets the stage: namespaces, images, the case's objects and the stand-ins, before the first step."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.package.package import ContainerAction, KubernetesAction, ManifestAction
from wpk_sandbox.plan.plan import Plan
from wpk_sandbox.run.admission import admissible
from wpk_sandbox.run.deadline import Deadline, OutOfTimeError, Pace
from wpk_sandbox.run.objects import ApiError, Object, Objects
from wpk_sandbox.run.readiness import condition
from wpk_sandbox.run.settling import settle
from wpk_sandbox.sandbox.clusters.policies import why_not
from wpk_sandbox.sandbox.sandbox import Cluster

# What the stage writes belongs to another manager than what the package applies, so that a package's
# manifest which names only some fields leaves the others alone.
STAGE_MANAGER = "wpk-sandbox-stage"
# Both clusters are ours alone, so asking often burdens nobody; a real one also has work of its own to do.
_SIMULATED, _REAL = Pace(0.02, 0.2), Pace(0.05, 0.1)
# The name that kubeadm gives it, whichever program it is.
_NAME_SERVICE = ("coredns", "kube-system")
_FIRST = {"Namespace": 0, "CustomResourceDefinition": 1}
CASE, STAND_IN = "the case's", "the stand-in"

Made = dict[tuple[str, str, str], Object]


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
    objects = Objects(cluster.api, deadline, pace=_pace(cluster), acting_api=cluster.acting_api)
    try:
        for namespace in plan.namespaces:
            cluster.prepare(namespace)
        notes = cluster.load_images(plan.images) if plan.images else ()
        patient = objects.within(deadline.within(None, settle_timeout))
        made = _make_case(objects, patient, plan)
        made |= _make_stand_ins(objects, patient, plan, made)
        late = settle(patient, [*made.values(), *_name_service(objects, plan)])
    except OutOfTimeError as error:
        raise SandboxError(f"the sandbox was not set up in time: {error}", "raise the setup timeout") from error
    except ApiError as error:
        raise SandboxError(f"the sandbox could not be set up: {error.message}") from error
    broken = (f"{name} did not work before the run: {why}" for name, why in late)
    return Scenery(objects, (*notes, *broken))


def _pace(cluster: Cluster) -> Pace:
    return _SIMULATED if cluster.simulated else _REAL


def _name_service(objects: Objects, plan: Plan) -> Iterable[Object]:
    """What answers for the names of services, which a new cluster has a few seconds after it takes pods.

    Only pods of the package's own ask for names; nothing else waits for it.
    """
    actions = [step.step.action for step in (*plan.steps, *plan.rollback)]
    if plan.objects or any(_runs_pods(action) for action in actions):
        place = objects.kind("apps/v1", "Deployment"), *_NAME_SERVICE
        if found := objects.find(*place):
            yield {"apiVersion": "apps/v1", "kind": "Deployment", **found}


def _runs_pods(action: object) -> bool:
    if isinstance(action, KubernetesAction):
        return action.verb in ("apply", "create", "run")
    return isinstance(action, ContainerAction | ManifestAction)


def _make_case(objects: Objects, patient: Objects, plan: Plan) -> Made:
    """Make the case's objects in their order, but first those that others can only exist in."""
    made: Made = {}
    for manifest in sorted(plan.objects, key=lambda one: _FIRST.get(str(one.get("kind")), len(_FIRST))):
        key = _key(manifest)
        if key[0] == "Namespace" and key[2] in plan.namespaces:
            continue
        if key in made:
            # The second form of the same object becomes its second revision only after the first is there.
            settle(patient, [made[key]])
        made[key] = _make(objects, manifest, plan.namespaces[0], CASE)
        if key[0] == "CustomResourceDefinition":
            _await_definition(objects, made[key])
    return made


def _make_stand_ins(objects: Objects, patient: Objects, plan: Plan, case: Made) -> Made:
    """Make the stand-ins, but for pods that something of the case has made by then under the same name."""
    made: Made = {}
    if any(manifest["kind"] == "Pod" for manifest in plan.stand_ins):
        settle(patient, case.values())
    for manifest in plan.stand_ins:
        key = _key(manifest)
        if key in made:
            settle(patient, [made[key]])
        elif objects.find(*_place(objects, manifest)):
            continue
        made[key] = _make(objects, manifest, plan.namespaces[0], STAND_IN)
    return made


def _key(manifest: Mapping[str, Any]) -> tuple[str, str, str]:
    metadata = manifest.get("metadata") or {}
    return str(manifest.get("kind")), str(metadata.get("namespace")), str(metadata.get("name"))


def _place(objects: Objects, manifest: Mapping[str, Any]) -> tuple[ResourceKind, str, str | None]:
    kind, namespace, name = objects.place(manifest)
    return kind, name, namespace


def _make(objects: Objects, manifest: Mapping[str, Any], namespace: str, whose: str) -> Object:
    name = f"{manifest.get('kind')}/{(manifest.get('metadata') or {}).get('name')}"
    if whose == CASE and (why := why_not(manifest)):
        raise RefusedCaseError(f"{whose} {name} was refused: {why}")
    try:
        return {**manifest, **objects.apply(admissible(manifest), namespace, manager=STAGE_MANAGER)}
    except ApiError as error:
        if whose == CASE and (error.status in (400, 404, 422) or "ValidatingAdmissionPolicy" in error.message):
            raise RefusedCaseError(f"{whose} {name} was refused: {error.message}") from error
        raise SandboxError(f"{whose} {name} could not be made: {error.message}") from error


def _await_definition(objects: Objects, definition: Object) -> None:
    kind, namespace, name = objects.place(definition)
    established = lambda: condition(objects.get(kind, name, namespace), "Established") or None  # noqa: E731 - named for the next line
    objects.deadline.until(established, objects.pace)
