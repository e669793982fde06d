"""What the trigger's event says about the objects that a package is for.

Events come in the shapes of their senders: flat keys (`namespace`, `deployment`), labels of an alert, a whole
Alertmanager notification, or a reference such as `involvedObject: {kind, name, namespace}`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from wpk_sandbox.package.kinds import RESOURCE_KINDS, resource_kind

_KIND_KEYS = {kind.kind.lower(): kind.kind for kind in RESOURCE_KINDS if kind.kind not in ("Event", "Namespace")}
_KIND_KEYS |= {"pvc": "PersistentVolumeClaim", "hpa": "HorizontalPodAutoscaler"}


@dataclass(frozen=True)
class EventFacts:
    """The namespace, one name for each kind that the event tells of, and its plain values by lower-case key."""

    namespace: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)


def read_event(event: Mapping[str, Any]) -> EventFacts:
    """The facts of an event; where two places differ, the outer one is right."""
    names: dict[str, str] = {}
    values: dict[str, str] = {}
    namespaces: list[str] = []
    for depth, part in enumerate(_parts(event)):
        for key, value in _flat(part):
            values.setdefault(key, value)
            kind = _kind_of(key, outermost=depth == 0)
            if key == "namespace":
                namespaces.append(value)
            elif kind:
                names.setdefault(kind, value)
        names |= {kind: name for kind, name in _referred(part) if kind not in names}
    return EventFacts(namespaces[0] if namespaces else None, names, values)


def _parts(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The event, then what is nested in it, nearest first."""
    yield event
    for key in (
        "object",
        "resource",
        "involvedObject",
        "regarding",
        "target",
        "labels",
        "commonLabels",
        "groupLabels",
    ):
        if isinstance(event.get(key), Mapping):
            yield event[key]
    metadata = event.get("metadata")
    if isinstance(metadata, Mapping):
        yield {"namespace": metadata.get("namespace"), "kind": event.get("kind"), "name": metadata.get("name")}
    alerts = event.get("alerts")
    if isinstance(alerts, list) and alerts and isinstance(alerts[0], Mapping):
        yield from _parts(alerts[0])


def _flat(part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Plain members, and the name and namespace of members such as `deployment: {name: web}`."""
    for key, value in part.items():
        if isinstance(value, Mapping) and _kind_of(str(key).lower(), outermost=True):
            inner = {str(key).lower(): value.get("name"), "namespace": value.get("namespace")}
            yield from ((name, str(text)) for name, text in inner.items() if text)
        elif isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
            yield str(key).lower(), str(value)


def _kind_of(key: str, *, outermost: bool) -> str | None:
    """In the labels of an alert `job` is Prometheus' scrape job; a Kubernetes Job is `job_name` there."""
    if key == "job" and not outermost:
        return None
    return _KIND_KEYS.get(key) or _KIND_KEYS.get(key.removesuffix("_name"))


def _referred(part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """`kind` with `name`, and the pair of labels that kube-prometheus rules carry."""
    for kind_key, name_key in (("kind", "name"), ("workload_type", "workload")):
        kind = resource_kind(str(part.get(kind_key) or ""))
        if kind and part.get(name_key):
            yield kind.kind, str(part[name_key])
