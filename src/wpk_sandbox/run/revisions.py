"""The history of a workload, read as `kubectl rollout undo` reads it."""

from collections.abc import Mapping
from typing import Any

from wpk_sandbox.run.actions.action import StepError, called
from wpk_sandbox.run.objects import Object, Objects

_REVISION = "deployment.kubernetes.io/revision"
_HASH = "pod-template-hash"


def earlier_template(objects: Objects, workload: Mapping[str, Any], revision: int | None) -> tuple[str, Object]:
    """The pod template of a revision, or of the one before the present; with words for it.

    Raises StepError when the history does not hold it.
    """
    history = _history(objects, workload)
    numbers = sorted(history)
    if revision is None:
        if len(numbers) < 2:
            raise StepError(
                f"{called(workload)} has no earlier revision",
                advice="provide in the case file one that was rolled out twice, or change it in an earlier step",
            )
        revision = numbers[-2]
    if revision not in history:
        known = ", ".join(map(str, numbers)) or "none"
        raise StepError(
            f"{called(workload)} has no revision {revision}; it has {known}",
            advice="write `revision: previous`: numbers differ from cluster to cluster",
        )
    return f"revision {revision}", history[revision]


def _history(objects: Objects, workload: Mapping[str, Any]) -> dict[int, Object]:
    """Every revision that is kept, with its pod template."""
    if workload["kind"] == "Deployment":
        owned = _owned(objects, "apps/v1", "ReplicaSet", workload)
        return {
            int((one["metadata"].get("annotations") or {}).get(_REVISION, 0)): _without_hash(
                one["spec"]["template"]
            )
            for one in owned
        }
    owned = _owned(objects, "apps/v1", "ControllerRevision", workload)
    return {int(one["revision"]): _from_patch(workload, one["data"]) for one in owned}


def _owned(objects: Objects, api_version: str, kind: str, workload: Mapping[str, Any]) -> list[Object]:
    uid = workload["metadata"].get("uid")
    listed = objects.list(objects.kind(api_version, kind), workload["metadata"].get("namespace"))
    return [one for one in listed if uid in (o.get("uid") for o in one["metadata"].get("ownerReferences") or ())]


def _number(replica_set: Mapping[str, Any]) -> int:
    return int((replica_set["metadata"].get("annotations") or {}).get(_REVISION, 0))


def _without_hash(template: Mapping[str, Any]) -> Object:
    labels = {key: value for key, value in (template["metadata"].get("labels") or {}).items() if key != _HASH}
    return {**template, "metadata": {**template["metadata"], "labels": labels}}


def _from_patch(workload: Mapping[str, Any], data: Mapping[str, Any]) -> Object:
    """A ControllerRevision holds the whole template, marked to take the place of the present one."""
    template = dict((data.get("spec") or {}).get("template") or workload["spec"]["template"])
    template.pop("$patch", None)
    return template
