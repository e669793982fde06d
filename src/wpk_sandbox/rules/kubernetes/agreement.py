"""What the parts of a workload must agree on; the API server refuses the object where they do not.

https://kubernetes.io/docs/concepts/workloads/controllers/
"""

from collections.abc import Iterator, Mapping
from typing import Any

from wpk_sandbox.rules.kubernetes.pods import CONTAINER_LISTS, pod_path
from wpk_sandbox.rules.kubernetes.problem import Problem
from wpk_sandbox.rules.subject import as_list, as_mapping, escaped

_RUN_TO_THEIR_END = ("Job", "CronJob")
_STAY = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")


def problems(kind: str, data: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    """Where a workload's template does not fit its controller."""
    if kind in _RUN_TO_THEIR_END or kind in _STAY:
        yield from _restart_policy(kind, data, pointer)
    if kind in _STAY:
        yield from _selector(as_mapping(data.get("spec")), f"{pointer}/spec")
    if pod_path(kind):
        yield from _mounts(kind, data, pointer)


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


def _mounts(kind: str, data: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    """Each mount names a volume of the pod, or a claim that a StatefulSet makes for it."""
    path = pod_path(kind)
    pod: Any = data
    for key in path:
        pod = as_mapping(pod).get(key)
    volumes = as_mapping(pod).get("volumes")
    claims = as_list(as_mapping(data.get("spec")).get("volumeClaimTemplates"))
    named = [*as_list(volumes), *(as_mapping(each).get("metadata") for each in claims)]
    known = [as_mapping(each).get("name") for each in named]
    if isinstance(volumes, str) or any("${" in str(name) for name in known):
        return  # a parameter brings some of them
    for field in CONTAINER_LISTS:
        for number, container in enumerate(as_list(as_mapping(pod).get(field))):
            for index, mount in enumerate(as_list(as_mapping(container).get("volumeMounts"))):
                name = as_mapping(mount).get("name")
                if isinstance(name, str) and name not in known and "${" not in name:
                    place = "/".join((pointer, *path, field, str(number), "volumeMounts", str(index), "name"))
                    fix = "Add the volume below `volumes` of the pod, or correct the name."
                    yield Problem(place, f"the pod has no volume `{name}`", fix)


def _selector(spec: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    wanted = as_mapping(as_mapping(spec.get("selector")).get("matchLabels"))
    template = as_mapping(spec.get("template"))
    labels = as_mapping(as_mapping(template.get("metadata")).get("labels"))
    for key, value in wanted.items():
        if template and labels.get(key) != value and "${" not in f"{key}{value}{labels.get(key)}":
            place = f"{pointer}/selector/matchLabels/{escaped(key)}"
            message = f"the selector asks for the label `{key}: {value}`, which the template does not have"
            yield Problem(place, message, "Write the same label below `template.metadata.labels`.", at_key=True)
