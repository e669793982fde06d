"""The objects that are there when a step runs, as far as can be known beforehand."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from wpk_sandbox.plan.manifests import kind_of, labels_of, metadata, name_of, pod_labels_of, pod_selector_of
from wpk_sandbox.plan.plan import Origin

# The controllers whose pods a step may mean when it says `pod`, and how each is found.
POD_OWNERS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")


@dataclass(frozen=True)
class Known:
    """One object. `origin` is who provides it: the case, a step of the package, or we as a stand-in."""

    kind: str
    namespace: str | None
    name: str
    origin: Origin
    labels: Mapping[str, str] = field(default_factory=dict)
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    pod_selector: str = ""

    @property
    def key(self) -> tuple[str, str | None, str]:
        """What it is identified by."""
        return (self.kind, self.namespace, self.name)


def known_from(manifest: Mapping[str, Any], origin: Origin) -> Known | None:
    """What a manifest makes known; None without kind and name, as with `generateName`."""
    kind, name = str(manifest.get("kind") or ""), name_of(manifest)
    if not kind or not name:
        return None
    known = kind_of(manifest)
    namespace = metadata(manifest).get("namespace")
    return Known(
        known.kind if known else kind,
        str(namespace) if namespace else None,
        name,
        origin,
        labels_of(manifest),
        pod_labels_of(manifest),
        pod_selector_of(manifest),
    )


@dataclass(frozen=True)
class Inventory:
    """Everything that is known, oldest first."""

    objects: tuple[Known, ...] = ()

    def plus(self, *new: Known) -> "Inventory":
        """This and the new objects; one that is known already stays as it was first."""
        have = {known.key for known in self.objects}
        return replace(self, objects=(*self.objects, *(known for known in new if known.key not in have)))

    def named(self, kind: str, namespace: str | None, name: str) -> Known | None:
        """The object of that identity."""
        return next((known for known in self.objects if known.key == (kind, namespace, name)), None)

    def anywhere(self, kind: str, name: str) -> tuple[Known, ...]:
        """The objects of that kind and name in all namespaces."""
        return tuple(known for known in self.objects if (known.kind, known.name) == (kind, name))

    def of_case(self, kind: str) -> tuple[Known, ...]:
        """What the case provides of a kind."""
        return tuple(known for known in self.objects if known.kind == kind and known.origin is Origin.CASE)

    def selected(self, kind: str, namespace: str | None, labels: Mapping[str, str]) -> tuple[Known, ...]:
        """The objects that a selector finds; of pods, also the workloads that make such pods."""
        return tuple(
            known
            for known in self.objects
            if known.namespace == namespace and _carries(known, kind) and _within(labels, _labels(known, kind))
        )


def _carries(known: Known, kind: str) -> bool:
    return known.kind == kind or (kind == "Pod" and known.kind in POD_OWNERS)


def _labels(known: Known, kind: str) -> Mapping[str, str]:
    return known.pod_labels if kind == "Pod" else known.labels


def _within(part: Mapping[str, str], whole: Mapping[str, str]) -> bool:
    return all(whole.get(key) == value for key, value in part.items())
