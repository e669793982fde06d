"""One step on its way to a `PlannedStep`: parameters filled, target found, and what it takes and makes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from wpk_sandbox.package.package import (
    Action,
    ContainerAction,
    KubernetesAction,
    ManifestAction,
    ShellAction,
    Step,
    UnknownAction,
)
from wpk_sandbox.package.parameters import Lookup, fill_action
from wpk_sandbox.package.verbs import VERBS
from wpk_sandbox.plan.inventory import Inventory, Known, known_from
from wpk_sandbox.plan.kubectl import read_calls
from wpk_sandbox.plan.making import target_from
from wpk_sandbox.plan.manifests import (
    Manifest,
    container_dependencies,
    dependencies_of,
    kind_of,
    metadata,
    with_namespace,
)
from wpk_sandbox.plan.plan import Origin, Target
from wpk_sandbox.plan.settle import settle
from wpk_sandbox.plan.stand_ins import Use, can_stand_in
from wpk_sandbox.plan.targets import ALWAYS_THERE, NoTargetError, Scene, target_of, wanted


@dataclass(frozen=True)
class Requirement:
    """An object that must exist, and what is done with it."""

    known: Known
    use: Use


@dataclass(frozen=True)
class Draft:
    """A step with everything decided but its number. `assumed_kind` is set when `resource_type` was missing.

    `stand_ins` are those of the required objects that nobody provides, as `Kind/name`.
    """

    step: Step
    target: Target | None = None
    requires: tuple[Requirement, ...] = ()
    makes: tuple[Known, ...] = ()
    namespaces: tuple[str, ...] = ()
    assumed_kind: str = ""
    stand_ins: tuple[str, ...] = ()


def draft_step(step: Step, scene: Scene, lookup: Lookup, pod_name: str) -> Draft:
    """Draft a step; one that can act on nothing becomes an `UnknownAction` with the reason."""
    filled = replace(step, action=fill_action(step.action, lookup))
    try:
        draft = _draft(filled, scene, pod_name)
        return replace(draft, requires=tuple(_checked(draft, scene)))
    except NoTargetError as reason:
        return Draft(replace(step, action=UnknownAction(str(reason))))


def needs_cluster(action: Action) -> bool:
    """True for an action that goes to a cluster; asking a metrics system does not."""
    if isinstance(action, KubernetesAction):
        return action.verb in VERBS and not VERBS[action.verb].simulated
    return isinstance(action, ManifestAction | ContainerAction)


def requirements_of(manifest: Manifest, home: str) -> Iterator[Requirement]:
    """What the pods of a manifest cannot start without, in the namespace of the manifest."""
    namespace = str(metadata(manifest).get("namespace") or home)
    for dependency in dependencies_of(manifest):
        known = wanted(dependency.kind, namespace, dependency.name)
        yield Requirement(known, Use("get", {"keys": dependency.keys}))


def missing(inventory: Inventory, requirement: Requirement) -> bool:
    """True for an object that nobody provides."""
    known = requirement.known
    return known.kind not in ALWAYS_THERE and inventory.named(*known.key) is None


def _draft(step: Step, scene: Scene, pod_name: str) -> Draft:
    match step.action:
        case KubernetesAction():
            return _kubernetes(step, step.action, scene)
        case ManifestAction():
            manifest = with_namespace(step.action.manifest, scene.home)
            target = target_from(manifest)
            return Draft(replace(step, action=ManifestAction(manifest)), target, **_making((manifest,), scene))
        case ContainerAction():
            target = target_of("Pod", scene, pod_name)
            found = container_dependencies(step.action.raw)
            requires = tuple(
                Requirement(wanted(one.kind, scene.home, one.name), Use("get", {"keys": one.keys})) for one in found
            )
            return Draft(step, target, requires)
        case ShellAction():
            calls = read_calls(step.action.command, scene.home)
            made = {known.key for known in calls.makes}
            needs = [known for known in calls.needs if known.key not in made and not scene.rollback]
            return Draft(
                step, None, tuple(Requirement(one, Use("shell")) for one in needs), calls.makes, calls.namespaces
            )
        case _:
            return Draft(step)


def _kubernetes(step: Step, action: KubernetesAction, scene: Scene) -> Draft:
    settled = settle(action, scene)
    requires = tuple(Requirement(known, Use(action.verb, settled.action.options)) for known in settled.needs)
    made = _making(settled.makes, scene)
    assumed = settled.target is not None and not action.reference.resource_type and not settled.makes
    return Draft(
        replace(step, action=settled.action),
        settled.target,
        (*requires, *made["requires"]),
        made["makes"],
        assumed_kind=settled.target.kind if settled.target and assumed else "",
    )


def _making(manifests: tuple[Manifest, ...], scene: Scene) -> dict[str, Any]:
    """What follows from making objects. Raises NoTargetError for a kind that the cluster cannot know."""
    for manifest in manifests:
        if kind_of(manifest) is None and not _defined(manifest, scene):
            text = f"{manifest.get('apiVersion')} {manifest.get('kind')}"
            raise NoTargetError(f"the cluster has no kind `{text}`; give its CustomResourceDefinition in the case")
    knowns = (known_from(manifest, Origin.PACKAGE) for manifest in manifests)
    makes = tuple(known for known in knowns if known)
    own = {known.key for known in makes}
    requires = tuple(
        one for manifest in manifests for one in requirements_of(manifest, scene.home) if one.known.key not in own
    )
    return {"makes": makes, "requires": requires}


def _defined(manifest: Manifest, scene: Scene) -> bool:
    """True when a definition of the manifest's kind is among what exists: `<plural>.<group>`."""
    group = str(manifest.get("apiVersion") or "").rpartition("/")[0]
    kind = str(manifest.get("kind") or "").lower()
    names = [known.name for known in scene.inventory.objects if known.kind == "CustomResourceDefinition"]
    return any(name.endswith(f".{group}") and name.startswith(kind[:-1]) for name in names)


def _checked(draft: Draft, scene: Scene) -> Iterator[Requirement]:
    """The requirements under the identity of what really is there, where a selector finds something.

    Raises NoTargetError where nobody provides an object and no stand-in can be made.
    """
    for one in draft.requires:
        known = one.known
        if draft.target and draft.target.selector and draft.target.origin is Origin.PACKAGE:
            found = scene.inventory.selected(draft.target.kind, known.namespace, known.labels)
            taken = scene.inventory.named(*known.key)
            known = found[0] if found else (replace(known, name=f"{known.name}-selected") if taken else known)
        if missing(scene.inventory, Requirement(known, one.use)) and not can_stand_in(known.kind):
            raise NoTargetError(
                f"nobody provides {known.kind}/{known.name}, and no stand-in can be made of this kind"
            )
        yield Requirement(known, one.use)
