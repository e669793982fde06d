"""Settles the verbs that make objects: `apply`, `run`, `create`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wpk_sandbox.package.attached import FILE_OPTIONS, MANIFEST_OPTIONS, is_path
from wpk_sandbox.package.package import KubernetesAction, Reference
from wpk_sandbox.package.verbs import VERBS
from wpk_sandbox.plan.manifests import Manifest, kind_of, metadata, name_of, with_namespace
from wpk_sandbox.plan.plan import Target
from wpk_sandbox.plan.settled import Settled, first, metadata_for, needs_of, without
from wpk_sandbox.plan.targets import NoTargetError, Scene, aim, kind_named, target_of, wanted
from wpk_sandbox.plan.workloads import POD_SECURITY, container

# Other words that authors use for the same option, the settled name first.
_TEMPLATE = ("template", "from", "source")
_LITERAL_MEMBERS = ("data", "stringData", "spec", "type", "rules", "roleRef", "subjects")


def settle_apply(action: KubernetesAction, scene: Scene) -> Settled:
    objects = _objects(first(action.options, MANIFEST_OPTIONS), scene)
    if not objects:
        raise NoTargetError("it names no manifest to apply; write `manifest:` with an object, a list or a path")
    options = {**without(action.options, MANIFEST_OPTIONS), "manifest": objects}
    return Settled(replace(action, options=options), target_from(objects[0]), makes=tuple(objects))


def settle_run(action: KubernetesAction, scene: Scene) -> Settled:
    objects = _objects(first(action.options, FILE_OPTIONS), scene)
    source = first(action.options, _TEMPLATE)
    if isinstance(source, Mapping):
        objects, source = _objects(source, scene), None
    if not objects and action.options.get("image"):
        objects = [_job(action, scene)]
    if objects:
        job = next((item for item in objects if item.get("kind") in ("Job", "Pod")), objects[0])
        options = {**without(action.options, (*MANIFEST_OPTIONS, *_TEMPLATE)), "manifest": objects}
        return Settled(replace(action, options=options), target_from(job), makes=tuple(objects))
    rest = {**without(action.options, (*MANIFEST_OPTIONS, *_TEMPLATE, "job")), "manifest": []}
    if source:
        made = _from_template(str(source), ("CronJob", "Job"), action.reference, scene, kind="Job")
        return replace(made, action=replace(action, options={**rest, "template": made.action.options["template"]}))
    named = action.options.get("job")
    reference = (
        replace(action.reference, resource_type="job", name=named) if isinstance(named, str) else action.reference
    )
    found = aim(reference, VERBS["run"].kinds, scene)
    return Settled(replace(action, options=rest), found.target, needs_of(found))


def settle_create(action: KubernetesAction, scene: Scene) -> Settled:
    template = first(action.options, _TEMPLATE)
    objects = [] if isinstance(template, str) and not is_path(template) else _objects(template, scene)
    if not template:
        objects = [_literal(action, scene)]
    if objects:
        made = _named(objects[0], action.reference, scene)
        rest = without(action.options, (*_TEMPLATE, *(() if template else _LITERAL_MEMBERS)))
        return Settled(replace(action, options={**rest, "template": made}), target_from(made), makes=(made,))
    kinds = ("CronJob", "Job") if (action.reference.resource_type or "job").lower() in ("job", "jobs") else ()
    return _from_template(str(template), kinds, action.reference, scene, action=action)


def target_from(manifest: Manifest) -> Target:
    """The target of a step that makes an object: the object."""
    kind = kind_of(manifest)
    return Target(
        str(manifest.get("apiVersion") or "v1"),
        kind.kind if kind else str(manifest.get("kind")),
        metadata(manifest).get("namespace"),
        name_of(manifest) or None,
    )


def _from_template(
    source: str,
    kinds: tuple[str, ...],
    reference: Reference,
    scene: Scene,
    *,
    kind: str = "",
    action: KubernetesAction | None = None,
) -> Settled:
    """A new object made from one that exists; a Job may come from a CronJob."""
    kind = kind or kind_named(reference.resource_type or "job").kind
    type_name, slash, name = source.rpartition("/")
    if slash:
        kinds = (kind_named(type_name).kind,)
    there = [known for option in (kinds or (kind,)) for known in scene.inventory.anywhere(option, name)]
    of_kind = there[0].kind if there else (kind if kind in kinds or not kinds else kinds[0])
    target = target_of(kind, scene, reference.name or f"{name}-copy", reference.namespace)
    needs = wanted(of_kind, target.namespace, name)
    options = {**without(action.options if action else {}, _TEMPLATE), "template": f"{of_kind}/{name}"}
    made = {"apiVersion": target.api_version, "kind": kind, "metadata": metadata_for(target)}
    settled = replace(action, options=options) if action else KubernetesAction("run", reference, options)
    return Settled(settled, target, (needs,), (made,))


def _objects(value: Any, scene: Scene) -> list[dict[str, Any]]:
    """Whole objects from what an author may write: an object, a List, a list of these, a path of the repository.

    What a file holds is taken as it is: parameters are filled in packages only.
    """
    if isinstance(value, Mapping):
        items = value.get("items") if str(value.get("kind", "")).endswith("List") else None
        return _objects(items, scene) if isinstance(items, list) else [with_namespace(value, scene.home)]
    if isinstance(value, list | tuple):
        return [item for entry in value for item in _objects(entry, scene)]
    if not value:
        return []
    if str(value) not in scene.manifests:
        raise NoTargetError(f"the manifest `{value}` is not in the repository")
    return [item for manifest in scene.manifests[str(value)] for item in _objects(manifest, scene)]


def _named(manifest: dict[str, Any], reference: Reference, scene: Scene) -> dict[str, Any]:
    """A template takes the name and namespace that the step asks for, and has a name in any case."""
    own = dict(metadata(manifest))
    own["name"] = reference.name or own.get("name") or scene.package
    if reference.namespace:
        own["namespace"] = reference.namespace
    return {**manifest, "metadata": own}


def _literal(action: KubernetesAction, scene: Scene) -> dict[str, Any]:
    """An object whose members stand among the options, without a template."""
    members = {key: action.options[key] for key in _LITERAL_MEMBERS if key in action.options}
    kind = kind_named(action.reference.resource_type or ("configmap" if "data" in members else "job"))
    if not members and kind.kind not in ("ConfigMap", "Secret", "ServiceAccount", "Namespace"):
        raise NoTargetError(f"it says nothing about the {kind.kind} to create; write `template:` with an object")
    if kind.kind == "Secret" and "data" in members:
        members["stringData"] = members.pop("data")
    return with_namespace({"apiVersion": kind.api_version, "kind": kind.kind, **members}, scene.home)


def _job(action: KubernetesAction, scene: Scene) -> dict[str, Any]:
    """The Job of `run` with an image: once, without retries, closed as Pod Security `restricted` asks."""
    target = target_of("Job", scene, action.reference.name or scene.package, action.reference.namespace)
    words = {key: _words(action.options.get(key)) for key in ("command", "args")}
    one = {**container(str(action.options["image"])), **{key: value for key, value in words.items() if value}}
    pod = {"restartPolicy": "Never", "securityContext": POD_SECURITY, "containers": [one]}
    spec = {"backoffLimit": 0, "template": {"spec": pod}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata_for(target), "spec": spec}


def _words(value: Any) -> list[str]:
    if isinstance(value, list | tuple):
        return [str(word) for word in value]
    return ["sh", "-c", str(value)] if value else []
