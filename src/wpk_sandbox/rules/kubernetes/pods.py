"""Where the pods of Kubernetes objects are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wpk_sandbox.package.kinds import resource_kind
from wpk_sandbox.package.package import KubernetesAction, Step
from wpk_sandbox.rules.subject import Subject, as_list, as_mapping, manifests_of

_IN_TEMPLATE = ("spec", "template", "spec")
_POD_OF: Mapping[str, tuple[str, ...]] = {
    "Pod": ("spec",),
    "PodTemplate": ("template", "spec"),
    "CronJob": ("spec", "jobTemplate", *_IN_TEMPLATE),
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"), _IN_TEMPLATE
    ),
}
CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")


@dataclass(frozen=True)
class KubernetesObject:
    """An object that a step writes in full."""

    kind: str
    data: Mapping[str, Any]
    pointer: str


@dataclass(frozen=True)
class Pod:
    """The specification of a pod; `annotations` are those that the pod will have."""

    spec: Mapping[str, Any]
    pointer: str
    annotations: Mapping[str, Any]

    def containers(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Each container with its pointer and its name for a reader."""
        for key in CONTAINER_LISTS:
            for index, item in enumerate(as_list(self.spec.get(key))):
                if isinstance(item, Mapping):
                    yield f"{self.pointer}/{key}/{index}", str(item.get("name") or f"number {index + 1}"), item


def pod_path(kind: str) -> tuple[str, ...]:
    """The keys that lead from an object to the specification of its pods; none where it has no pods."""
    return _POD_OF.get(kind, ())


def objects(subject: Subject) -> Iterator[KubernetesObject]:
    """Every object that a step applies or makes, those in lists and those written without a template among them."""
    for step in subject.steps:
        for manifest in manifests_of(step):
            if manifest.whole:
                yield from _objects(manifest.data, manifest.pointer)
        yield from _literal(step)


def pods(subject: Subject) -> Iterator[Pod]:
    """The pods of every object: its own, or those that its controller will make."""
    for each in objects(subject):
        value: Any = each.data
        owner: Mapping[str, Any] = each.data
        path = pod_path(each.kind)
        for key in path:
            owner, value = as_mapping(value), as_mapping(value).get(key)
        if path and isinstance(value, Mapping):
            annotations = as_mapping(as_mapping(owner.get("metadata")).get("annotations"))
            yield Pod(value, "/".join((each.pointer, *path)), annotations)


def _objects(data: Any, pointer: str) -> Iterator[KubernetesObject]:
    if isinstance(data, list):
        for index, item in enumerate(data):
            yield from _objects(item, f"{pointer}/{index}")
    elif isinstance(data, Mapping):
        kind = str(data.get("kind", ""))
        if kind.endswith("List") and isinstance(data.get("items"), list):
            yield from _objects(data["items"], f"{pointer}/items")
        elif kind:
            yield KubernetesObject(kind, data, pointer)


def _literal(step: Step) -> Iterator[KubernetesObject]:
    """An object whose members stand beside the verb `create`."""
    action = step.action
    if isinstance(action, KubernetesAction) and action.verb == "create" and not action.options.get("template"):
        known = resource_kind(action.reference.resource_type or "")
        if known:
            yield KubernetesObject(known.kind, action.options, f"{step.pointer}/config")
