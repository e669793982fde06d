"""The rules that the API server holds an object to, with its wording; deep schema validation is not among them."""

import re
from collections.abc import Iterator, Mapping

from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.sandbox.clusters.simulated.catalog import is_builtin
from wpk_sandbox.sandbox.clusters.simulated.objects import Object, dig, labels_of
from wpk_sandbox.sandbox.clusters.simulated.pod_validation import LABEL_RULE, pod_causes
from wpk_sandbox.sandbox.clusters.simulated.refused import Cause, compact, invalid
from wpk_sandbox.sandbox.clusters.simulated.selectors import selects

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_KEY = re.compile(rf"({_SUBDOMAIN}/)?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]+")

_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    f"and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_KEY_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_DATA_KEY_RULE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
    "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "
    "validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)

SELECTED_TEMPLATES = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")
REQUIRED = "FieldValueRequired"
FORBIDDEN = "FieldValueForbidden"
UNSUPPORTED = "FieldValueNotSupported"


def validate(kind: ResourceKind, obj: Object) -> None:
    """Raise `Refused` (422) with every cause when the object breaks a rule of its kind."""
    causes = [*_metadata_causes(kind, obj)]
    if is_builtin(kind):
        causes += _kind_causes(kind, obj)
    if causes:
        raise invalid(kind, str(obj["metadata"].get("name", "")), causes)


def _metadata_causes(kind: ResourceKind, obj: Object) -> Iterator[Cause]:
    name = obj["metadata"].get("name")
    if not name:
        yield Cause("metadata.name", "Required value: name or generateName is required", REQUIRED)
    elif kind.group != "rbac.authorization.k8s.io":
        yield from _name_causes(kind, name)
    yield from _label_causes(labels_of(obj), "metadata.labels")


def _name_causes(kind: ResourceKind, name: str) -> Iterator[Cause]:
    short = kind.kind in ("Namespace", "Service", "StatefulSet")
    pattern, rule, longest = (_LABEL, LABEL_RULE, 63) if short else (_SUBDOMAIN, _SUBDOMAIN_RULE, 253)
    if kind.kind == "Namespace" and "." in name:
        yield Cause("metadata.name", f"Invalid value: {compact(name)}: must not contain dots")
        return
    if len(name) > longest:
        yield Cause("metadata.name", f"Invalid value: {compact(name)}: must be no more than {longest} characters")
    if not re.fullmatch(pattern, name):
        yield Cause("metadata.name", f"Invalid value: {compact(name)}: {rule}")


def _label_causes(labels: Mapping[str, str], field: str) -> Iterator[Cause]:
    for key, value in labels.items():
        if not _KEY.fullmatch(key):
            yield Cause(field, f"Invalid value: {compact(key)}: {_KEY_RULE}")
        if not _VALUE.fullmatch(value):
            yield Cause(field, f"Invalid value: {compact(value)}: {_VALUE_RULE}")
        elif len(value) > 63:
            yield Cause(field, f"Invalid value: {compact(value)}: must be no more than 63 bytes")


def _kind_causes(kind: ResourceKind, obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    match kind.kind:
        case "Pod":
            yield from pod_causes(spec, "spec")
        case "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "ReplicationController":
            yield from _workload_causes(kind, spec)
        case "Job":
            yield from _job_causes(spec, "spec")
        case "CronJob":
            yield from _cron_job_causes(spec)
        case "Service":
            yield from _service_causes(spec)
        case "PersistentVolumeClaim":
            yield from _claim_causes(spec)
        case "ConfigMap" | "Secret":
            yield from _data_causes(obj)
        case "HorizontalPodAutoscaler":
            yield from _autoscaler_causes(spec)
        case "CustomResourceDefinition":
            yield from _definition_causes(obj)
        case _:
            pass


def _workload_causes(kind: ResourceKind, spec: Object) -> Iterator[Cause]:
    replicas = spec.get("replicas")
    if replicas is not None and replicas < 0:
        yield Cause("spec.replicas", f"Invalid value: {replicas}: must be greater than or equal to 0")
    yield from _selector_causes(kind, spec)
    yield from _label_causes(labels_of(spec["template"]), "spec.template.metadata.labels")
    yield from pod_causes(spec["template"]["spec"], "spec.template.spec")
    policy = spec["template"]["spec"]["restartPolicy"]
    if policy != "Always":
        message = f'Unsupported value: {compact(policy)}: supported values: "Always"'
        yield Cause("spec.template.spec.restartPolicy", message, UNSUPPORTED)
    strategy = spec.get("strategy") or {}
    if strategy.get("type", "Recreate") not in ("Recreate", "RollingUpdate"):
        shown = compact({"Type": strategy["type"], "RollingUpdate": strategy.get("rollingUpdate")})
        message = f'Unsupported value: {shown}: supported values: "Recreate", "RollingUpdate"'
        yield Cause("spec.strategy", message, UNSUPPORTED)
    if strategy.get("type") == "Recreate" and strategy.get("rollingUpdate"):
        message = "Forbidden: may not be specified when strategy `type` is 'Recreate'"
        yield Cause("spec.strategy.rollingUpdate", message, FORBIDDEN)


def _selector_causes(kind: ResourceKind, spec: Object) -> Iterator[Cause]:
    selector = spec.get("selector")
    if kind.kind == "ReplicationController":
        selector = {"matchLabels": selector} if selector else None
    if selector is None:
        yield Cause("spec.selector", "Required value", REQUIRED)
    elif not selector:
        message = f"Invalid value: {{}}: empty selector is invalid for {kind.kind.lower()}"
        yield Cause("spec.selector", message)
        return
    if not selects(selector, labels_of(spec["template"])):
        labels = compact(labels_of(spec["template"]) or None)
        message = f"Invalid value: {labels}: `selector` does not match template `labels`"
        yield Cause("spec.template.metadata.labels", message)


def _job_causes(spec: Object, field: str) -> Iterator[Cause]:
    yield from pod_causes(spec["template"]["spec"], f"{field}.template.spec")
    if spec["template"]["spec"]["restartPolicy"] not in ("OnFailure", "Never"):
        message = 'Required value: valid values: "OnFailure", "Never"'
        yield Cause(f"{field}.template.spec.restartPolicy", message, REQUIRED)
    for name in ("completions", "parallelism", "backoffLimit"):
        if (spec.get(name) or 0) < 0:
            message = f"Invalid value: {spec[name]}: must be greater than or equal to 0"
            yield Cause(f"{field}.{name}", message)


def _cron_job_causes(spec: Object) -> Iterator[Cause]:
    schedule = spec.get("schedule")
    if not schedule:
        yield Cause("spec.schedule", "Required value", REQUIRED)
    elif not str(schedule).startswith("@") and len(str(schedule).split()) != 5:
        fields = str(schedule).split()
        found = f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
        yield Cause("spec.schedule", f"Invalid value: {compact(schedule)}: {found}")
    yield from _job_causes(spec["jobTemplate"]["spec"], "spec.jobTemplate.spec")


def _service_causes(spec: Object) -> Iterator[Cause]:
    ports = spec.get("ports") or []
    if spec["type"] == "ExternalName":
        if not spec.get("externalName"):
            yield Cause("spec.externalName", "Required value", REQUIRED)
    elif not ports and spec.get("clusterIP") != "None":
        yield Cause("spec.ports", "Required value", REQUIRED)
    for position, port in enumerate(ports):
        field = f"spec.ports[{position}]"
        if len(ports) > 1 and not port.get("name"):
            yield Cause(f"{field}.name", "Required value", REQUIRED)
        for name in ("port", "targetPort"):
            number = port.get(name)
            if (name == "port" or isinstance(number, int)) and not _is_port(number):
                message = f"Invalid value: {compact(number)}: must be between 1 and 65535, inclusive"
                yield Cause(f"{field}.{name}", message)


def _is_port(number: object) -> bool:
    return isinstance(number, int) and 1 <= number <= 65535


def _claim_causes(spec: Object) -> Iterator[Cause]:
    if not spec.get("accessModes"):
        yield Cause("spec.accessModes", "Required value: at least 1 access mode is required", REQUIRED)
    if not dig(spec, "resources", "requests", "storage"):
        yield Cause("spec.resources[storage]", "Required value", REQUIRED)


def _data_causes(obj: Object) -> Iterator[Cause]:
    for key in obj.get("data") or {}:
        if not _DATA_KEY.fullmatch(key):
            yield Cause(f"data[{key}]", f"Invalid value: {compact(key)}: {_DATA_KEY_RULE}")


def _autoscaler_causes(spec: Object) -> Iterator[Cause]:
    most, least = spec.get("maxReplicas") or 0, spec["minReplicas"]
    if most < 1:
        yield Cause("spec.maxReplicas", f"Invalid value: {most}: must be greater than 0")
    if most < least:
        message = f"Invalid value: {most}: must be greater than or equal to `minReplicas`"
        yield Cause("spec.maxReplicas", message)
    for name in ("kind", "name"):
        if not dig(spec, "scaleTargetRef", name):
            yield Cause(f"spec.scaleTargetRef.{name}", "Required value", REQUIRED)


def _definition_causes(obj: Object) -> Iterator[Cause]:
    spec, names = obj["spec"], obj["spec"]["names"]
    for field, value in (
        ("spec.group", spec.get("group")),
        ("spec.scope", spec.get("scope")),
        ("spec.versions", spec.get("versions")),
        ("spec.names.plural", names.get("plural")),
        ("spec.names.kind", names.get("kind")),
    ):
        if not value:
            yield Cause(field, "Required value", REQUIRED)
    name = obj["metadata"].get("name")
    if name != f"{names.get('plural')}.{spec.get('group')}":
        message = f'Invalid value: {compact(name)}: must be spec.names.plural+"."+spec.group'
        yield Cause("metadata.name", message)
