"""Jobs: made from a CronJob or another Job, run to their end, run once more."""

from collections.abc import Mapping
from typing import Any

from wpk_sandbox.run.awaiting import await_progress
from wpk_sandbox.run.objects import Object, Objects
from wpk_sandbox.run.readiness import finished
from wpk_sandbox.run.state import written

# What the Job controller writes into a Job that it takes up; a copy must start without.
_CONTROLLER_LABELS = (
    "controller-uid",
    "job-name",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
)


def job_from(source: Mapping[str, Any], name: str, namespace: str | None) -> Object:
    """A new Job like `source`, which is a CronJob or a Job."""
    template = (source["spec"]["jobTemplate"] if source["kind"] == "CronJob" else source) or {}
    metadata: Object = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    for field in ("labels", "annotations"):
        kept = _without_controller((template.get("metadata") or {}).get(field) or {})
        metadata |= {field: kept} if kept else {}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": _fresh_spec(template["spec"])}


def run_again(objects: Objects, job: Object) -> Object:
    """Delete a Job with its pods, make it anew under the same name and wait for its end."""
    kind, namespace, name = objects.place(job)
    objects.delete(kind, name, namespace, propagation="Foreground")
    objects.await_gone(kind, name, namespace, job["metadata"]["uid"])
    if objects.dry_run:
        return job
    made = objects.acting.create(job_from(job, name, namespace))
    return await_job(objects, {**written(job), **made})


def await_job(objects: Objects, job: Mapping[str, Any]) -> Object:
    """Wait until a Job ran to its good end. Raises StepError when it failed, with the reason of its pods."""
    if objects.dry_run:
        return dict(job)
    return await_progress(objects, job, finished, f"Job/{job['metadata']['name']}")


def _fresh_spec(spec: Mapping[str, Any]) -> Object:
    fresh = {key: value for key, value in spec.items() if key not in ("selector", "manualSelector")}
    template = dict(fresh["template"])
    metadata = dict(template.get("metadata") or {})
    metadata["labels"] = _without_controller(metadata.get("labels") or {})
    metadata.pop("creationTimestamp", None)
    return {**fresh, "template": {**template, "metadata": metadata}}


def _without_controller(entries: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in entries.items() if key not in _CONTROLLER_LABELS}
