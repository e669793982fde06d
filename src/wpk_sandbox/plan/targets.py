"""Which object a Kubernetes action means: its own words, else the event's, else the case's only one, else ours."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wpk_sandbox.package.event import EventFacts
from wpk_sandbox.package.kinds import RESOURCE_KINDS, ResourceKind, known_names, resource_kind
from wpk_sandbox.package.package import Reference
from wpk_sandbox.plan.inventory import POD_OWNERS, Inventory, Known
from wpk_sandbox.plan.manifests import parse_selector
from wpk_sandbox.plan.plan import Origin, Target

KINDS: Mapping[str, ResourceKind] = {kind.kind: kind for kind in RESOURCE_KINDS}

# In every cluster from its start: no stand-in is made for these.
ALWAYS_THERE = frozenset({"Node", "Namespace"})


class NoTargetError(Exception):
    """Nothing can be acted on, for the reason in the message. Caught in this folder: the step is skipped."""


@dataclass(frozen=True)
class Scene:
    """What is known when a step is planned. `home` is the namespace of whatever names none."""

    package: str
    home: str
    event: EventFacts
    inventory: Inventory = field(default_factory=Inventory)
    manifests: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    image: str = ""
    rollback: bool = False


@dataclass(frozen=True)
class Aim:
    """The target, and the object whose existence it takes (the owner, where the target is pods of a workload)."""

    target: Target
    needs: Known | None = None


def aim(reference: Reference, kinds: Sequence[str], scene: Scene) -> Aim:
    """The object that a reference means; `kinds` are what the verb can act on, the default first.

    Raises NoTargetError for a kind that Kubernetes does not have and for a selector that is none.
    """
    reference = _split_name(reference)
    given = _given_kind(reference)
    candidates = (given.kind,) if given else tuple(kinds)
    if given and given.kind == "Node":
        return Aim(target_of("Node", scene, origin=Origin.STAND_IN))
    if reference.name:
        return _by_name(reference, candidates, scene)
    if reference.selector:
        return _by_selector(
            reference.selector, candidates[0], scene.home if not reference.namespace else reference.namespace
        )
    return (
        _by_event(reference, candidates, scene)
        or _by_case(candidates, scene)
        or _stand_in(reference, candidates[0], scene)
    )


def target_of(
    kind: str,
    scene: Scene,
    name: str | None = None,
    namespace: str | None = None,
    *,
    origin: Origin = Origin.PACKAGE,
) -> Target:
    """A target by kind and name; without a namespace it is in the scene's home."""
    known = KINDS[kind]
    return Target(
        known.api_version, kind, (namespace or scene.home) if known.namespaced else None, name, None, origin
    )


def wanted(kind: str, namespace: str | None, name: str, labels: Mapping[str, str] | None = None) -> Known:
    """An object that must exist; with the labels that it and its pods must carry."""
    own = dict(labels) if labels else {"app": name}
    pods = {**own, "job-name": name} if kind == "Job" else own
    chosen = {"job-name": name} if kind == "Job" else own
    selector = ",".join(f"{key}={value}" for key, value in chosen.items())
    return Known(kind, namespace, name, Origin.STAND_IN, own, pods, selector)


def kind_named(name: str) -> ResourceKind:
    """The kind of a `resource_type`. Raises NoTargetError, with the nearest known name."""
    kind = resource_kind(name)
    if kind is None:
        near = difflib.get_close_matches(name.lower(), known_names(), 1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        raise NoTargetError(f"no Kubernetes kind is called `{name}`{hint}")
    return kind


def _split_name(reference: Reference) -> Reference:
    """`name: deployment/web` says the kind as kubectl does."""
    kind, slash, name = (reference.name or "").partition("/")
    if slash and name and not reference.resource_type:
        return Reference(kind, name, reference.namespace, reference.selector)
    return reference


def _given_kind(reference: Reference) -> ResourceKind | None:
    return kind_named(reference.resource_type) if reference.resource_type else None


def _by_name(reference: Reference, kinds: Sequence[str], scene: Scene) -> Aim:
    name = str(reference.name)
    there = [known for kind in kinds for known in scene.inventory.anywhere(kind, name)]
    told = [kind for kind in kinds if scene.event.names.get(kind) == name]
    kind = there[0].kind if there else (told or list(kinds))[0]
    namespace = reference.namespace
    if not namespace and not scene.event.namespace and len(there) == 1:
        namespace = there[0].namespace
    target = target_of(kind, scene, name, namespace)
    return Aim(target, wanted(kind, target.namespace, name))


def _by_selector(selector: str, kind: str, namespace: str) -> Aim:
    labels = parse_selector(selector)
    if labels is None:
        raise NoTargetError(f"`{selector}` is not a label selector; write for example `app=web,tier!=cache`")
    known = KINDS[kind]
    target = Target(known.api_version, kind, namespace if known.namespaced else None, None, selector)
    name = _name_from(labels) or kind.lower()
    return Aim(target, wanted("Deployment" if kind == "Pod" else kind, target.namespace, name, labels))


def _by_event(reference: Reference, kinds: Sequence[str], scene: Scene) -> Aim | None:
    for kind in kinds:
        name = scene.event.names.get(kind)
        if name and kind == "Pod" and not scene.inventory.anywhere("Pod", name):
            return _pods_of("Deployment", _owner_name(name), reference, scene, Origin.EVENT)
        if name:
            target = target_of(kind, scene, name, reference.namespace, origin=Origin.EVENT)
            return Aim(target, wanted(kind, target.namespace, name))
        owner = next((owner for owner in POD_OWNERS if owner in scene.event.names), None)
        if kind == "Pod" and owner:
            return _pods_of(owner, scene.event.names[owner], reference, scene, Origin.EVENT)
    return None


def _by_case(kinds: Sequence[str], scene: Scene) -> Aim | None:
    """The case's only object of a kind is surely meant."""
    for kind in kinds:
        provided = {known.key: known for known in scene.inventory.of_case(kind)}
        if len(provided) == 1:
            (only,) = provided.values()
            return Aim(target_of(kind, scene, only.name, only.namespace, origin=Origin.CASE), only)
        if kind == "Pod" and not provided:
            owners = {known.key: known for owner in POD_OWNERS for known in scene.inventory.of_case(owner)}
            if len(owners) == 1:
                (owner,) = owners.values()
                return Aim(_pods(owner, Origin.CASE), owner)
    return None


def _stand_in(reference: Reference, kind: str, scene: Scene) -> Aim:
    if kind == "Pod":
        return _pods_of("Deployment", scene.package, reference, scene, Origin.STAND_IN)
    target = target_of(kind, scene, scene.package, reference.namespace, origin=Origin.STAND_IN)
    return Aim(target, wanted(kind, target.namespace, scene.package))


def _pods_of(kind: str, name: str, reference: Reference, scene: Scene, origin: Origin) -> Aim:
    namespace = reference.namespace or scene.home
    owner = scene.inventory.named(kind, namespace, name) or wanted(kind, namespace, name)
    return Aim(_pods(owner, origin), owner)


def _owner_name(pod: str) -> str:
    """`web` for `web-7d4b9c8f6d-x2x9k`: a pod that an alert names has an owner, who replaces it."""
    return re.sub(r"-[0-9a-f]{6,10}-[0-9a-z]{5}$|-\d+$", "", pod)


def _pods(owner: Known, origin: Origin) -> Target:
    return Target("v1", "Pod", owner.namespace, None, owner.pod_selector, origin)


def _name_from(labels: Mapping[str, str]) -> str:
    """A name for what a selector finds: the label that usually is one, else the first."""
    usual = ("app.kubernetes.io/instance", "app.kubernetes.io/name", "app", "name", "k8s-app", "component")
    values = [labels.get(key, "") for key in usual] + list(labels.values())
    return next((value.lower().replace("_", "-").replace(".", "-") for value in values if value), "")
