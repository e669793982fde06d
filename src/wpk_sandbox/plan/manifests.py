"""What can be read from a manifest: its containers, images, labels, and the objects that it needs beside it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wpk_sandbox.package.kinds import ResourceKind, resource_kind

Manifest = Mapping[str, Any]

CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")


@dataclass(frozen=True)
class Dependency:
    """An object that a pod cannot start without, and the keys that it reads of it."""

    kind: str
    name: str
    keys: tuple[str, ...] = ()


def kind_of(manifest: Manifest) -> ResourceKind | None:
    """The kind of a manifest, if it is one that we know under this group."""
    kind = resource_kind(str(manifest.get("kind") or ""))
    group = str(manifest.get("apiVersion") or "").rpartition("/")[0]
    return kind if kind and kind.group == group else None


def metadata(manifest: Manifest) -> Mapping[str, Any]:
    """The metadata; empty where it is missing or malformed."""
    return _mapping(manifest.get("metadata"))


def name_of(manifest: Manifest) -> str:
    """The name; empty where there is none."""
    return str(metadata(manifest).get("name") or "")


def with_namespace(manifest: Manifest, namespace: str) -> dict[str, Any]:
    """The manifest with a namespace, if its kind lives in one and none is given."""
    kind = kind_of(manifest)
    own = metadata(manifest)
    if own.get("namespace") or (kind and not kind.namespaced):
        return dict(manifest)
    if kind is None:
        return dict(manifest)
    return {**manifest, "metadata": {**own, "namespace": namespace}}


def labels_of(manifest: Manifest) -> dict[str, str]:
    """The object's own labels."""
    return {str(key): str(value) for key, value in _mapping(metadata(manifest).get("labels")).items()}


def pod_labels_of(manifest: Manifest) -> dict[str, str]:
    """The labels of the pods that a workload makes, or of a pod itself; a Job's pods carry its name."""
    if manifest.get("kind") == "Pod":
        return labels_of(manifest)
    spec = _mapping(manifest.get("spec"))
    labels = labels_of(_mapping(spec.get("template")))
    return {**labels, "job-name": name_of(manifest)} if manifest.get("kind") == "Job" else labels


def pod_selector_of(manifest: Manifest) -> str:
    """The label selector that finds the pods of a workload; empty where it has none."""
    selector = _mapping(_mapping(manifest.get("spec")).get("selector"))
    labels = _mapping(selector.get("matchLabels")) or pod_labels_of(manifest)
    return ",".join(f"{key}={value}" for key, value in labels.items())


def containers_of(data: Any) -> Iterator[Mapping[str, Any]]:
    """Every container anywhere in a manifest or a patch."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            if key in CONTAINER_LISTS and isinstance(value, list):
                yield from (item for item in value if isinstance(item, Mapping))
            else:
                yield from containers_of(value)
    elif isinstance(data, list | tuple):
        for item in data:
            yield from containers_of(item)


def images_of(data: Any) -> Iterator[str]:
    """The images of every container anywhere in a manifest or a patch."""
    return (str(container["image"]) for container in containers_of(data) if container.get("image"))


def dependencies_of(manifest: Manifest) -> Iterator[Dependency]:
    """The ConfigMaps, Secrets, claims and service accounts that the pods of a manifest cannot start without."""
    for container in containers_of(manifest):
        yield from container_dependencies(container)
    for spec in _pod_specs(manifest):
        for volume in _list(spec.get("volumes")):
            yield from _volume_dependencies(volume)
        account = spec.get("serviceAccountName")
        if account and account != "default":
            yield Dependency("ServiceAccount", str(account))


def container_dependencies(container: Mapping[str, Any]) -> Iterator[Dependency]:
    """What the environment of a container is taken from."""
    for source in _list(container.get("envFrom")):
        yield from _named(source, {"configMapRef": "ConfigMap", "secretRef": "Secret"})
    for variable in _list(container.get("env")):
        value_from = _mapping(variable.get("valueFrom"))
        yield from _named(value_from, {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"})


def _volume_dependencies(volume: Mapping[str, Any]) -> Iterator[Dependency]:
    claim = _mapping(volume.get("persistentVolumeClaim")).get("claimName")
    if claim:
        yield Dependency("PersistentVolumeClaim", str(claim))
    secret = _mapping(volume.get("secret"))
    if secret.get("secretName") and not secret.get("optional"):
        yield Dependency("Secret", str(secret["secretName"]), _item_keys(secret))
    for source in (volume, *_list(_mapping(volume.get("projected")).get("sources"))):
        yield from _named(
            source, {"configMap": "ConfigMap"} | ({"secret": "Secret"} if source is not volume else {})
        )


def _named(source: Mapping[str, Any], kinds: Mapping[str, str]) -> Iterator[Dependency]:
    for field, kind in kinds.items():
        reference = _mapping(source.get(field))
        if reference.get("name") and not reference.get("optional"):
            keys = (str(reference["key"]),) if reference.get("key") else _item_keys(reference)
            yield Dependency(kind, str(reference["name"]), keys)


def _item_keys(source: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(item["key"]) for item in _list(source.get("items")) if item.get("key"))


def _pod_specs(data: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(data, Mapping):
        if isinstance(data.get("containers"), list):
            yield data
        for value in data.values():
            yield from _pod_specs(value)


def parse_selector(selector: str) -> dict[str, str] | None:
    """Labels that an object must carry for a label selector to find it; None where the text is no selector.

    https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
    """
    labels: dict[str, str] = {}
    for part in re.findall(r"[^,(]+(?:\([^)]*\))?", selector):
        text = part.strip()
        if equal := re.fullmatch(r"([\w./-]+)\s*==?\s*([\w.-]*)", text):
            labels[equal[1]] = equal[2]
        elif within := re.fullmatch(r"([\w./-]+)\s+in\s*\(\s*([\w.-]*)[^)]*\)", text):
            labels[within[1]] = within[2]
        elif re.fullmatch(r"[\w./-]+", text):
            labels[text] = "true"
        elif not re.fullmatch(r"![\w./-]+|[\w./-]+\s*!=\s*[\w.-]*|[\w./-]+\s+notin\s*\([^)]*\)", text):
            return None
    return labels


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []
