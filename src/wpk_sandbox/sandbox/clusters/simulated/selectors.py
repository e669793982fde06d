"""Label and field selectors: those of a query and those of a workload's `spec.selector`.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.sandbox.clusters.simulated.objects import Object, dig, labels_of
from wpk_sandbox.sandbox.clusters.simulated.refused import bad_request

_TERM = re.compile(
    r"\s*(?P<key>!?[^\s=!,()]+)\s*(?:(?P<op>==|=|!=|\bnotin\b|\bin\b)\s*(?P<value>\([^)]*\)|[^,]*))?\s*(?:,|$)"
)
_VALUE = re.compile(r"[A-Za-z0-9_.-]*")
_FIELD = re.compile(r"\s*([^=!,\s]+)\s*(==|=|!=)\s*([^,]*?)\s*(?:,|$)")

# Beside the object's name and namespace, what each kind can be selected by.
_FIELDS: Mapping[str, frozenset[str]] = {
    "Pod": frozenset(
        {
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
        }
    ),
    "Event": frozenset(
        {
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        }
    ),
    "Secret": frozenset({"type"}),
    "Namespace": frozenset({"status.phase"}),
    "Node": frozenset({"spec.unschedulable"}),
    "Job": frozenset({"status.successful"}),
    "ReplicaSet": frozenset({"status.replicas"}),
    "ReplicationController": frozenset({"status.replicas"}),
}

Predicate = Callable[[Object], bool]


@dataclass(frozen=True)
class Requirement:
    """One term of a label selector: `key operator values`; operators are those of `matchExpressions`."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """True when the labels meet the term."""
        match self.operator:
            case "In":
                return labels.get(self.key) in self.values
            case "NotIn":
                return labels.get(self.key) not in self.values
            case "Exists":
                return self.key in labels
            case _:
                return self.key not in labels


def parse_labels(text: str) -> tuple[Requirement, ...]:
    """The terms of a query's `labelSelector`. Raises `Refused` where it cannot be read."""
    found, position = [], 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None or match.end() == position:
            raise bad_request(f"unable to parse requirement: found {text[position:]!r} in label selector {text!r}")
        found.append(_requirement(match["key"], match["op"], match["value"] or ""))
        position = match.end()
    return tuple(found)


def _requirement(key: str, operator: str | None, value: str) -> Requirement:
    if operator is None:
        return Requirement(key[1:], "DoesNotExist") if key.startswith("!") else Requirement(key, "Exists")
    if operator in ("=", "==", "!=") and not _VALUE.fullmatch(value.strip()):
        raise bad_request(f"unable to parse requirement: found {value.strip()!r}, expected: identifier")
    values = frozenset(part.strip() for part in value.strip().strip("()").split(","))
    if operator in ("in", "notin") and not (value.startswith("(") and value.endswith(")")):
        raise bad_request(f"unable to parse requirement: found {value!r}, expected: '('")
    return Requirement(key, "In" if operator in ("=", "==", "in") else "NotIn", values)


def requirements(selector: Mapping[str, Any]) -> tuple[Requirement, ...]:
    """The terms of a LabelSelector object."""
    same = [
        Requirement(key, "In", frozenset({value})) for key, value in (selector.get("matchLabels") or {}).items()
    ]
    more = [
        Requirement(term["key"], term["operator"], frozenset(term.get("values") or ()))
        for term in selector.get("matchExpressions") or ()
    ]
    return (*same, *more)


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """True when a LabelSelector object selects these labels; an empty one selects all, none selects nothing."""
    return selector is not None and all(term.holds(labels) for term in requirements(selector))


def selector_text(selector: Mapping[str, Any]) -> str:
    """A LabelSelector object in the form of a query."""
    return ",".join(map(_text, requirements(selector)))


def _text(term: Requirement) -> str:
    values = ",".join(sorted(term.values))
    match term.operator:
        case "In":
            return f"{term.key}={values}" if len(term.values) == 1 else f"{term.key} in ({values})"
        case "NotIn":
            return f"{term.key} notin ({values})"
        case "Exists":
            return term.key
        case _:
            return f"!{term.key}"


def query_filter(kind: ResourceKind, label_selector: str, field_selector: str) -> Predicate:
    """What the query of a list, a watch or a deletion of many selects. Raises `Refused`."""
    terms = parse_labels(label_selector)
    fields = tuple(_parse_fields(kind, field_selector))

    def chosen(obj: Object) -> bool:
        labels = labels_of(obj)
        return all(term.holds(labels) for term in terms) and all(holds(obj) for holds in fields)

    return chosen


def _parse_fields(kind: ResourceKind, text: str) -> Iterable[Predicate]:
    position = 0
    while position < len(text):
        match = _FIELD.match(text, position)
        if match is None:
            raise bad_request(f"invalid selector: {text!r}; can't understand {text[position:]!r}")
        path, operator, value = match.groups()
        allowed = _FIELDS.get(kind.kind, frozenset()) | {"metadata.name", "metadata.namespace"}
        if path not in allowed:
            raise bad_request(f"field label not supported: {path}")
        yield _field_holds(path, value, equal=operator != "!=")
        position = match.end()


def _field_holds(path: str, value: str, *, equal: bool) -> Predicate:
    names = path.split(".")

    def holds(obj: Object) -> bool:
        found = dig(obj, *names, default="")
        text = str(found).lower() if isinstance(found, bool) else str(found)
        return (text == value) is equal

    return holds
