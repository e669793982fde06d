"""What the parts of a workload must agree on; the API server refuses the object where they do not.

https://kubernetes.io/docs/concepts/workloads/controllers/
"""

from collections.abc import Iterator, Mapping
from typing import Any

from wpk_sandbox.rules.kubernetes.pods import pod_path
from wpk_sandbox.rules.kubernetes.walk import Problem
from wpk_sandbox.rules.subject import as_mapping, escaped

_RUN_TO_THEIR_END = ("Job", "CronJob")
_STAY = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")


def problems(kind: str, data: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    """Where a workload's template does not fit its controller."""
    if kind in _RUN_TO_THEIR_END or kind in _STAY:
        yield from _restart_policy(kind, data, pointer)
    if kind in _STAY:
        yield from _selector(as_mapping(data.get("spec")), f"{pointer}/spec")


def _restart_policy(kind: str, data: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    path = pod_path(kind)
    spec: Any = data
    for key in path:
        spec = as_mapping(spec).get(key)
    if not isinstance(spec, Mapping) or not spec.get("containers"):
        return
    policy = spec.get("restartPolicy")
    place = "/".join((pointer, *path))
    if kind in _STAY and policy in ("OnFailure", "Never"):
        message = f"the pods of a {kind} have `restartPolicy: Always`, not `{policy}`"
        yield Problem(f"{place}/restartPolicy", message, "Remove it, or use a Job.")
    elif kind in _RUN_TO_THEIR_END and policy in (None, "Always"):
        message = f"the pods of a {kind} need `restartPolicy: Never` or `OnFailure`; left out it is `Always`"
        yield Problem(
            f"{place}/restartPolicy" if policy else place, message, "Add `restartPolicy: Never`.", not policy
        )


def _selector(spec: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    wanted = as_mapping(as_mapping(spec.get("selector")).get("matchLabels"))
    template = as_mapping(spec.get("template"))
    labels = as_mapping(as_mapping(template.get("metadata")).get("labels"))
    for key, value in wanted.items():
        if template and labels.get(key) != value and "${" not in f"{key}{value}{labels.get(key)}":
            place = f"{pointer}/selector/matchLabels/{escaped(key)}"
            message = f"the selector asks for the label `{key}: {value}`, which the template does not have"
            yield Problem(place, message, "Write the same label below `template.metadata.labels`.", at_key=True)
