"""What a plan asks to have ready: stand-ins, images, namespaces."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from wpk_sandbox.package.package import ContainerAction, KubernetesAction, ManifestAction
from wpk_sandbox.plan.inventory import Inventory
from wpk_sandbox.plan.manifests import Manifest, images_of, metadata
from wpk_sandbox.plan.plan import Origin
from wpk_sandbox.plan.stand_ins import stand_in
from wpk_sandbox.plan.steps import Draft, Requirement

# What others refer to comes first; everything else keeps the order in which it was first needed.
_FIRST = (
    "PriorityClass",
    "StorageClass",
    "ServiceAccount",
    "ConfigMap",
    "Secret",
    "PersistentVolumeClaim",
    "Service",
)
_OF_KUBERNETES = frozenset({"kube-system", "kube-public", "kube-node-lease"})


def stand_ins(inventory: Inventory, requires: Iterable[Requirement], image: str) -> tuple[dict[str, Any], ...]:
    """The manifests of everything that nobody provides, in the order in which they are applied."""
    wanted = list(requires)
    ours = [known for known in inventory.objects if known.origin is Origin.STAND_IN]
    ranked = sorted(ours, key=lambda known: _FIRST.index(known.kind) if known.kind in _FIRST else len(_FIRST))
    return tuple(
        manifest
        for known in ranked
        for manifest in stand_in(known, [one.use for one in wanted if one.known.key == known.key], image)
    )


def images(drafts: Iterable[Draft], objects: Iterable[Manifest]) -> tuple[str, ...]:
    """Every image that the cluster must have, in the order in which it is needed."""
    found = [image for manifest in objects for image in images_of(manifest)]
    for draft in drafts:
        found += _images_of_step(draft)
    return tuple(dict.fromkeys(found))


def _images_of_step(draft: Draft) -> Iterator[str]:
    match draft.step.action:
        case ContainerAction(image=image):
            yield image
        case ManifestAction(manifest=manifest):
            yield from images_of(manifest)
        case KubernetesAction(options=options):
            yield from images_of(options)


def namespaces(first: str, home: str, drafts: Iterable[Draft], objects: Iterable[Manifest]) -> tuple[str, ...]:
    """Every namespace that something names, the default one first; those of Kubernetes itself are left alone."""
    found = [first, home, *(_namespace_of(manifest) for manifest in objects)]
    for draft in drafts:
        found += [draft.target.namespace if draft.target else None, *draft.namespaces]
        found += [known.namespace for known in (*draft.makes, *(one.known for one in draft.requires))]
        if draft.target and draft.target.kind == "Namespace" and not draft.makes:
            found.append(draft.target.name)
    return tuple(dict.fromkeys(name for name in found if name and name not in _OF_KUBERNETES))


def _namespace_of(manifest: Mapping[str, Any]) -> str | None:
    own = metadata(manifest)
    return own.get("name") if manifest.get("kind") == "Namespace" else own.get("namespace")
