"""Whether a body has the types that its kind needs, as the API server finds out while it decodes.

Only fields that the simulation reads are looked at; this is no schema validation.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.package.units import quantity
from wpk_sandbox.sandbox.clusters.simulated.catalog import is_builtin
from wpk_sandbox.sandbox.clusters.simulated.objects import Object, dig
from wpk_sandbox.sandbox.clusters.simulated.refused import bad_request, cannot_handle

Complain = Callable[[str], Exception]

_GO_NAMES = {str: "string", bool: "bool", int: "number", float: "number", list: "array", dict: "object"}
_INTEGERS = (
    "replicas",
    "minReplicas",
    "maxReplicas",
    "completions",
    "parallelism",
    "backoffLimit",
    "revisionHistoryLimit",
    "progressDeadlineSeconds",
    "activeDeadlineSeconds",
    "ttlSecondsAfterFinished",
)
_MAPPINGS = ("selector", "template", "strategy", "updateStrategy", "jobTemplate", "resources", "hard")
_LISTS = ("ports", "volumeClaimTemplates", "versions", "taints", "limits")
_POD_LISTS = ("containers", "initContainers", "volumes", "tolerations", "imagePullSecrets")
_CONTAINER_LISTS = ("env", "envFrom", "ports", "volumeMounts", "command", "args")


def check_types(kind: ResourceKind, obj: Any) -> Object:
    """The body as an object of this kind. Raises `Refused` (400) for a field of the wrong type."""
    if not isinstance(obj, dict):
        raise cannot_handle(kind, "the body is no object")
    _check_identity(kind, obj)

    def wrong(why: str) -> Exception:
        return cannot_handle(kind, why)

    _metadata(obj, wrong, kind.kind)
    if not is_builtin(kind):
        return obj
    for name in ("spec", "status"):
        _expect(obj, name, dict, kind.kind, wrong)
    spec = obj.get("spec") or {}
    _each(spec, _INTEGERS, int, f"{kind.kind}Spec.spec", wrong)
    _each(spec, _MAPPINGS, dict, f"{kind.kind}Spec.spec", wrong)
    _each(spec, _LISTS, list, f"{kind.kind}Spec.spec", wrong)
    for field, pod in _pod_specs(kind, obj, wrong):
        _pod_spec(pod, field, wrong)
    if kind.kind in ("ConfigMap", "Secret"):
        _data(kind, obj, wrong)
    return obj


def _check_identity(kind: ResourceKind, obj: Object) -> None:
    obj.setdefault("apiVersion", kind.api_version)
    obj.setdefault("kind", kind.kind)
    if (obj["apiVersion"], obj["kind"]) != (kind.api_version, kind.kind):
        version = str(obj["apiVersion"]).rpartition("/")[2]
        raise bad_request(
            f'{obj["kind"]} in version "{version}" cannot be handled as a {kind.kind}: the path is that of '
            f"{kind.api_version} {kind.kind}"
        )


def _expect(parent: Mapping[str, Any], name: str, type_: type, where: str, wrong: Complain) -> None:
    value = parent.get(name)
    number_from_bool = type_ is int and isinstance(value, bool)
    if value is None or (isinstance(value, type_) and not number_from_bool):
        return
    wanted = {"dict": "object", "list": "array", "int": "int32", "str": "string"}[type_.__name__]
    found = _GO_NAMES.get(type(value), "value")
    raise wrong(f"json: cannot unmarshal {found} into Go struct field {where}.{name} of type {wanted}")


def _each(parent: Any, names: Iterable[str], type_: type, where: str, wrong: Complain) -> None:
    for name in names:
        _expect(parent, name, type_, where, wrong)


def _metadata(obj: Object, wrong: Complain, where: str) -> None:
    _expect(obj, "metadata", dict, where, wrong)
    metadata = obj.setdefault("metadata", {}) or {}
    obj["metadata"] = metadata
    _each(metadata, ("name", "generateName", "namespace"), str, "ObjectMeta.metadata", wrong)
    _each(metadata, ("labels", "annotations"), dict, "ObjectMeta.metadata", wrong)
    _each(metadata, ("finalizers", "ownerReferences"), list, "ObjectMeta.metadata", wrong)
    for name in ("labels", "annotations"):
        _strings(metadata.get(name), f"ObjectMeta.metadata.{name}", wrong)


def _strings(values: Any, where: str, wrong: Complain) -> None:
    for name, value in (values or {}).items():
        if value is None:
            values[name] = ""
        elif not isinstance(value, str):
            found = _GO_NAMES.get(type(value), "value")
            raise wrong(f"json: cannot unmarshal {found} into Go struct field {where} of type string")


def _pod_specs(kind: ResourceKind, obj: Object, wrong: Complain) -> list[tuple[str, Object]]:
    """The specs of pods in an object, each with the field at which it stands."""
    if kind.kind == "Pod":
        return [("spec", obj.get("spec") or {})]
    field, parent = "spec", obj.get("spec") or {}
    if kind.kind == "CronJob":
        job = parent.get("jobTemplate") or {}
        _expect(job, "spec", dict, "JobTemplateSpec.spec.jobTemplate", wrong)
        field, parent = "spec.jobTemplate.spec", job.get("spec") or {}
        _expect(parent, "template", dict, f"JobSpec.{field}", wrong)
    template = parent.get("template")
    if not template:
        return []
    _metadata(template, wrong, f"PodTemplateSpec.{field}.template")
    _expect(template, "spec", dict, f"PodTemplateSpec.{field}.template", wrong)
    return [(f"{field}.template.spec", template.get("spec") or {})]


def _pod_spec(spec: Object, field: str, wrong: Complain) -> None:
    _each(spec, _POD_LISTS, list, f"PodSpec.{field}", wrong)
    _each(spec, ("securityContext", "nodeSelector"), dict, f"PodSpec.{field}", wrong)
    for name in (*_POD_LISTS[:2], "volumes"):
        for item in spec.get(name) or ():
            if not isinstance(item, dict):
                found = _GO_NAMES.get(type(item), "value")
                raise wrong(f"json: cannot unmarshal {found} into Go struct field PodSpec.{field}.{name}")
            if name != "volumes":
                _container(item, f"{field}.{name}", wrong)


def _container(container: Object, field: str, wrong: Complain) -> None:
    where = f"Container.{field}"
    _each(container, ("name", "image"), str, where, wrong)
    _each(container, _CONTAINER_LISTS, list, where, wrong)
    _each(container, ("resources", "securityContext"), dict, where, wrong)
    for item in container.get("env") or ():
        if isinstance(item, dict):
            _expect(item, "value", str, f"EnvVar.{field}.env", wrong)
    for group in ("requests", "limits"):
        _expect(container.get("resources") or {}, group, dict, f"{where}.resources", wrong)
        for value in dig(container, "resources", group, default={}).values():
            _quantity(value, wrong)


def _quantity(value: Any, wrong: Complain) -> None:
    try:
        quantity(value)
    except (ValueError, TypeError):
        raise wrong(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        ) from None


def _data(kind: ResourceKind, obj: Object, wrong: Complain) -> None:
    for name in ("data", "stringData", "binaryData"):
        _expect(obj, name, dict, kind.kind, wrong)
        _strings(obj.get(name), f"{kind.kind}.{name}", wrong)
    encoded = obj.get("data" if kind.kind == "Secret" else "binaryData") or {}
    for value in encoded.values():
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise wrong(f"illegal base64 data at input byte {_first_wrong_byte(value)}") from None


def _first_wrong_byte(text: str) -> int:
    match = re.match(r"[A-Za-z0-9+/]*={0,2}", text)
    return match.end() if match else 0
