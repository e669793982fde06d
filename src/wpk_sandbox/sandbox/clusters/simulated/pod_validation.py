"""The rules of a pod's spec, wherever it stands."""

import re
from collections.abc import Iterator
from typing import Any

from wpk_sandbox.package.units import quantity
from wpk_sandbox.sandbox.clusters.simulated.objects import Object, dig
from wpk_sandbox.sandbox.clusters.simulated.refused import Cause, compact

LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_REQUIRED, _DUPLICATE, _NOT_FOUND = "FieldValueRequired", "FieldValueDuplicate", "FieldValueNotFound"


def pod_causes(spec: Object, field: str) -> Iterator[Cause]:
    """What is wrong with a pod's spec that stands at this field."""
    if not spec.get("containers"):
        yield Cause(f"{field}.containers", "Required value", _REQUIRED)
    if spec["restartPolicy"] not in _RESTART_POLICIES:
        supported = ", ".join(map(compact, _RESTART_POLICIES))
        message = f"Unsupported value: {compact(spec['restartPolicy'])}: supported values: {supported}"
        yield Cause(f"{field}.restartPolicy", message, "FieldValueNotSupported")
    volumes = [volume.get("name") for volume in spec.get("volumes") or ()]
    yield from _duplicates(volumes, f"{field}.volumes")
    names: list[Any] = []
    for group in ("initContainers", "containers"):
        for position, container in enumerate(spec.get(group) or ()):
            place = f"{field}.{group}[{position}]"
            yield from _container_causes(container, place, volumes)
            if container.get("name") in names:
                message = f"Duplicate value: {compact(container['name'])}"
                yield Cause(f"{place}.name", message, _DUPLICATE)
            names.append(container.get("name"))


def _duplicates(names: list[Any], field: str) -> Iterator[Cause]:
    for position, name in enumerate(names):
        if not name:
            yield Cause(f"{field}[{position}].name", "Required value", _REQUIRED)
        elif name in names[:position]:
            yield Cause(f"{field}[{position}].name", f"Duplicate value: {compact(name)}", _DUPLICATE)


def _container_causes(container: Object, field: str, volumes: list[Any]) -> Iterator[Cause]:
    name = container.get("name")
    if not name:
        yield Cause(f"{field}.name", "Required value", _REQUIRED)
    elif not _LABEL.fullmatch(name) or len(name) > 63:
        yield Cause(f"{field}.name", f"Invalid value: {compact(name)}: {LABEL_RULE}")
    if not container.get("image"):
        yield Cause(f"{field}.image", "Required value", _REQUIRED)
    for position, mount in enumerate(container.get("volumeMounts") or ()):
        if mount.get("name") not in volumes:
            message = f"Not found: {compact(mount.get('name'))}"
            yield Cause(f"{field}.volumeMounts[{position}].name", message, _NOT_FOUND)
    for position, port in enumerate(container.get("ports") or ()):
        number = port.get("containerPort")
        if not number:
            yield Cause(f"{field}.ports[{position}].containerPort", "Required value", _REQUIRED)
        elif not isinstance(number, int) or not 1 <= number <= 65535:
            message = f"Invalid value: {compact(number)}: must be between 1 and 65535, inclusive"
            yield Cause(f"{field}.ports[{position}].containerPort", message)
    yield from _resource_causes(container, f"{field}.resources")


def _resource_causes(container: Object, field: str) -> Iterator[Cause]:
    limits = dig(container, "resources", "limits", default={})
    for name, request in dig(container, "resources", "requests", default={}).items():
        limit = limits.get(name)
        if limit is not None and quantity(request) > quantity(limit):
            message = (
                f"Invalid value: {compact(str(request))}: must be less than or equal to {name} limit of {limit}"
            )
            yield Cause(f"{field}.requests", message)
