"""From a package and a case to a plan: targets, stand-ins, parameters, fidelity. Pure: no I/O, no clock."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

from wpk_sandbox.package.event import read_event
from wpk_sandbox.package.mock import Mock
from wpk_sandbox.package.package import Case, Handler, KubernetesAction, Package, ShellAction, Step
from wpk_sandbox.package.parameters import Lookup
from wpk_sandbox.package.units import seconds
from wpk_sandbox.plan.fidelity import fidelity, on_what
from wpk_sandbox.plan.inventory import known_from
from wpk_sandbox.plan.kubectl import calls_a_cluster
from wpk_sandbox.plan.manifests import with_namespace
from wpk_sandbox.plan.notes import notes_on
from wpk_sandbox.plan.parameters import resolve_parameters
from wpk_sandbox.plan.plan import Origin, Phase, Plan, PlannedStep
from wpk_sandbox.plan.provisions import images, namespaces, stand_ins
from wpk_sandbox.plan.root import needs_root
from wpk_sandbox.plan.steps import Draft, Requirement, draft_step, missing, needs_cluster, requirements_of
from wpk_sandbox.plan.targets import Scene


@dataclass(frozen=True)
class PlanOptions:
    """What the command line and the settings say about a plan. Timeouts are seconds.

    `sandbox` is the name of its type. `parameters` and `event` are the command line's, and win over the
    case's. `manifests` are the objects in the files that the package names, by path, as far as they exist. `mocks`
    are the settings'; the case's come before them.
    """

    sandbox: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    event: Mapping[str, Any] = field(default_factory=dict)
    handler_timeout: float = 300.0
    package_timeout: float = 1800.0
    stand_in_image: str = "busybox:1.36"
    default_namespace: str = "atom-sandbox"
    manifests: Mapping[str, tuple[dict[str, Any], ...]] = field(default_factory=dict)
    mocks: tuple[Mock, ...] = ()


def needs(package: Package) -> frozenset[str]:
    """What a sandbox must have: `shell`, `cluster`, and for a shell command that calls one `kubectl`, or `root`."""
    steps = [step for handler in _all_handlers(package) for step in handler.steps]
    commands = [step.action.command for step in steps if isinstance(step.action, ShellAction)]
    found = {"shell"} if commands else set()
    if any(calls_a_cluster(command) for command in commands):
        found |= {"kubectl", "cluster"}
    if any(needs_root(command) for command in commands):
        found.add("root")
    if any(needs_cluster(step.action) for step in steps):
        found.add("cluster")
    return frozenset(found)


def plan(package: Package, case: Case, options: PlanOptions) -> Plan:
    """Decide everything that will happen to a package in a case, before anything is made."""
    options = replace(options, mocks=(*case.mocks, *options.mocks))
    event = read_event({**case.event, **options.event})
    home = event.namespace or options.default_namespace
    image = options.stand_in_image
    parameters = resolve_parameters(package, case, options.parameters, event.values, namespace=home, image=image)
    objects = tuple(with_namespace(manifest, home) for manifest in case.objects)
    scene = _opening(Scene(package.name, home, event, manifests=options.manifests, image=image), objects)
    lookup = {use.name: use.value for use in parameters}.get
    run, scene = _draft_phase(package.handlers, scene, lookup, "")
    undo, scene = _draft_phase(package.rollback.handlers, replace(scene, rollback=True), lookup, "-undo")
    drafts = [draft for _, draft in (*run, *undo)]
    beside = [one for manifest in objects for one in requirements_of(manifest, home)]
    made = stand_ins(scene.inventory, [*beside, *(one for draft in drafts for one in draft.requires)], image)
    wants = needs(package)
    return Plan(
        package=package,
        case=case,
        sandbox=options.sandbox,
        steps=_number(run, Phase.RUN, options),
        rollback=_number(undo, Phase.ROLLBACK, options),
        objects=objects,
        stand_ins=made,
        parameters=parameters,
        images=images(drafts, (*objects, *made)),
        namespaces=namespaces(options.default_namespace, home, drafts, (*objects, *made)),
        needs_shell="shell" in wants,
        needs_cluster="cluster" in wants or bool(objects),
        timeout=options.package_timeout,
        notes=notes_on(package, options.sandbox, drafts, made, parameters),
        mocks=options.mocks,
    )


def _opening(scene: Scene, objects: tuple[Mapping[str, Any], ...]) -> Scene:
    """The scene before the first step: what the case provides, and what its pods cannot start without."""
    provided = (known_from(manifest, Origin.CASE) for manifest in objects)
    inventory = scene.inventory.plus(*(known for known in provided if known))
    beside = (one.known for manifest in objects for one in requirements_of(manifest, scene.home))
    return replace(scene, inventory=inventory.plus(*beside))


def _draft_phase(
    handlers: tuple[Handler, ...], scene: Scene, lookup: Lookup, suffix: str
) -> tuple[list[tuple[Handler, Draft]], Scene]:
    """The drafts of a phase, and the scene after it: each step finds what the ones before it made."""
    drafts: list[tuple[Handler, Draft]] = []
    for handler in handlers:
        for step in handler.steps:
            pod = _pod_name(scene.package, len(drafts) + 1, step.name, suffix)
            draft = draft_step(step, scene, lookup, pod)
            ours = (f"{one.known.kind}/{one.known.name}" for one in draft.requires if _is_ours(scene, one))
            mine = tuple(dict.fromkeys(ours))
            required = (one.known for one in draft.requires if missing(scene.inventory, one))
            scene = replace(scene, inventory=scene.inventory.plus(*required, *draft.makes))
            drafts.append((handler, replace(draft, stand_ins=mine)))
    return drafts, scene


def _is_ours(scene: Scene, requirement: Requirement) -> bool:
    there = scene.inventory.named(*requirement.known.key)
    return missing(scene.inventory, requirement) or (there is not None and there.origin is Origin.STAND_IN)


def _pod_name(package: str, number: int, step: str, suffix: str) -> str:
    """A name of at most 63 characters that is a DNS label, as a Pod's should be."""
    slug = re.sub(r"[^a-z0-9]+", "-", f"{number}-{step}".lower()).strip("-")
    return f"{package[:30].strip('-')}-{slug[:27].strip('-')}{suffix}"


def _number(drafts: list[tuple[Handler, Draft]], phase: Phase, options: PlanOptions) -> tuple[PlannedStep, ...]:
    return tuple(_planned(number, phase, *pair, options) for number, pair in enumerate(drafts, 1))


def _planned(number: int, phase: Phase, handler: Handler, draft: Draft, options: PlanOptions) -> PlannedStep:
    how_much, why = fidelity(draft.step.action, options.sandbox, options.mocks)
    handler_timeout = handler.timeout or options.handler_timeout
    return PlannedStep(
        number=number,
        phase=phase,
        handler=handler.name,
        step=draft.step,
        fidelity=how_much,
        reason=why + on_what(draft.target, assumed_kind=draft.assumed_kind, stand_ins=draft.stand_ins),
        target=draft.target,
        timeout=_step_timeout(draft.step, handler_timeout),
        handler_timeout=handler_timeout,
    )


def _step_timeout(step: Step, handler_timeout: float) -> float:
    """The shortest of the bounds that the author set on a step; `wait` has one of its own."""
    bounds = [step.timeout or handler_timeout]
    if isinstance(step.action, KubernetesAction) and step.action.verb == "wait":
        with suppress(ValueError, TypeError, AttributeError):
            bounds.append(seconds(step.action.options["timeout"]) if "timeout" in step.action.options else inf)
    return min(bounds)


def _all_handlers(package: Package) -> tuple[Handler, ...]:
    return (*package.handlers, *package.rollback.handlers)
