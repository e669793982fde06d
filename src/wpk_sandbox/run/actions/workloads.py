"""Actions on what runs pods: restart, scale, rollback."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from wpk_sandbox.plan.stand_ins import LABEL
from wpk_sandbox.run.actions.action import (
    Call,
    Done,
    StepError,
    called,
    duration,
    joined,
    number,
    only_target,
    targets,
)
from wpk_sandbox.run.awaiting import await_progress, await_rollout, stop_for_lost_pods, vain
from wpk_sandbox.run.deadline import OutOfTimeError
from wpk_sandbox.run.jobs import run_again
from wpk_sandbox.run.objects import Object
from wpk_sandbox.run.pods import is_ready
from wpk_sandbox.run.readiness import Progress
from wpk_sandbox.run.revisions import earlier_template
from wpk_sandbox.run.state import written

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
_RESTARTABLE = ("Deployment", "StatefulSet", "DaemonSet")


def restart(call: Call) -> Done:
    """Replace the pods: a rollout of a workload, the deletion of a pod, a new run of a Job."""
    results = [_restart_one(call, item) for item in targets(call)]
    return Done(f"restarted {joined(results)}")


def scale(call: Call) -> Done:
    """Set `replicas`, or multiply by `scale_factor` up to `max_replicas`, and wait for the pods."""
    return Done(joined([f"{called(item, call.target)} {_scale_one(call, item)}" for item in targets(call)]))


def rollback(call: Call) -> Done:
    """Return to an earlier `revision`, as `kubectl rollout undo` does, and wait for the pods."""
    workload = only_target(call)
    objects = call.objects
    kind, namespace, name = objects.place(workload)
    what, template = _template_of(call, workload)
    patch = [{"op": "replace", "path": "/spec/template", "value": template}]
    now = objects.acting.patch(kind, name, namespace, patch, how="json")
    far = await_rollout(objects, {**workload, **now})
    return Done(f"{called(workload, call.target)} back to {what}: {far}")


def _restart_one(call: Call, item: Object) -> str:
    if item["kind"] == "Pod":
        return _restart_pod(call, item)
    if item["kind"] == "Job":
        run_again(call.objects, item)
        return f"{called(item, call.target)}, which ran once more"
    if item["kind"] not in _RESTARTABLE:
        raise StepError(
            f"a {item['kind']} has no pods to restart", advice=f"restart one of {', '.join(_RESTARTABLE)}, Pod, Job"
        )
    objects = call.objects
    kind, namespace, name = objects.place(item)
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    patch = {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: stamp}}}}}
    now = objects.acting.patch(kind, name, namespace, patch)
    far = await_rollout(objects, {**item, **now})
    return f"{called(item, call.target)}, {far}"


def _restart_pod(call: Call, pod: Object) -> str:
    """Delete a pod and wait for the one that its controller makes instead."""
    objects = call.objects
    kind, namespace, name = objects.place(pod)
    owner = next((one for one in pod["metadata"].get("ownerReferences") or () if one.get("controller")), None)
    if owner is None and LABEL not in (pod["metadata"].get("labels") or {}):
        raise StepError(
            f"nothing owns {called(pod)}, so a restart would only delete it",
            advice="restart the workload that runs such pods, or use delete and create",
        )
    before = _uids(call, pod, owner)
    objects.acting.delete(kind, name, namespace, grace=duration(call, "grace_period"))
    objects.await_gone(kind, name, namespace, pod["metadata"]["uid"])
    if owner is None:
        _bring_back(call, pod)
        return f"{called(pod)}, whose controller the sandbox stood in for"
    if not objects.dry_run:
        _await_replacement(call, pod, owner, before)
    return f"{called(pod)} of {owner['kind']}/{owner['name']}, replaced and ready"


def _uids(call: Call, pod: Object, owner: Mapping[str, Any] | None) -> frozenset[str]:
    """The owner's pods that are there now."""
    return frozenset(one["metadata"]["uid"] for one in _siblings(call, pod, owner)) if owner else frozenset()


def _siblings(call: Call, pod: Object, owner: Mapping[str, Any]) -> list[Object]:
    objects = call.objects
    listed = objects.list(objects.kind("v1", "Pod"), pod["metadata"].get("namespace"))
    return [
        one
        for one in listed
        if any(other.get("uid") == owner.get("uid") for other in one["metadata"].get("ownerReferences") or ())
    ]


def _await_replacement(call: Call, pod: Object, owner: Mapping[str, Any], before: frozenset[str]) -> None:
    """Wait until the owner has a pod that was not there before, and it is ready."""
    objects, waited_for = call.objects, f"the replacement of {called(pod)}"
    seen: list[tuple[Object, Progress]] = []

    def look() -> bool | None:
        fresh = [one for one in _siblings(call, pod, owner) if one["metadata"]["uid"] not in before]
        seen[:] = [(one, Progress(is_ready(one), "not ready")) for one in fresh]
        if any(progress.done for _, progress in seen):
            return True
        stop_for_lost_pods(objects, waited_for, seen)
        return None

    try:
        objects.deadline.until(look, objects.pace)
    except OutOfTimeError as error:
        raise vain(objects, waited_for, seen, str(error), error) from error


def _bring_back(call: Call, pod: Object) -> None:
    """A stand-in has no controller as its model in production has, so we make the replacement."""
    if call.objects.dry_run:
        return
    made = call.objects.create(written(pod))
    await_progress(call.objects, {**pod, **made}, _pod_runs, "the replacement")


def _pod_runs(pod: Mapping[str, Any]) -> Progress:
    over = (pod.get("status") or {}).get("phase") == "Succeeded"
    return Progress(is_ready(pod) or over, "ready" if is_ready(pod) else "not ready")


def _scale_one(call: Call, item: Object) -> str:
    objects = call.objects
    kind, namespace, name = objects.place(item)
    spec = item.get("spec") or {}
    if "replicas" not in spec:
        raise StepError(f"a {item['kind']} has no replicas", advice="scale a Deployment, StatefulSet or ReplicaSet")
    was = int(spec["replicas"])
    wanted = _replicas(call, item, was)
    objects.acting.scale(kind, name, namespace, wanted)
    far = await_rollout(objects, item)
    return f"replicas {was} → {wanted}, {far}" if was != wanted else f"replicas already {was}, {far}"


def _replicas(call: Call, item: Object, now: int) -> int:
    options = call.options
    if options.get("replicas") is None and options.get("scale_factor") is not None:
        wanted = math.ceil(now * number("scale_factor", options["scale_factor"]))
        return (
            min(wanted, int(number("max_replicas", options["max_replicas"])))
            if options.get("max_replicas") is not None
            else wanted
        )
    given = options.get("replicas")
    if str(given) in ("original", "previous"):
        return _original_replicas(call, item)
    produced = call.memory.produced(given)
    return int(number("replicas", given if produced is None else produced))


def _original_replicas(call: Call, item: Object) -> int:
    metadata = item["metadata"]
    before = call.memory.before.find(item["kind"], metadata.get("namespace"), metadata["name"])
    if before is None:
        raise StepError(
            f"{called(item)} did not exist before the run, so it has no original replicas",
            advice="write the number",
        )
    return int(before["spec"].get("replicas", 1))


def _template_of(call: Call, workload: Object) -> tuple[str, Object]:
    """The pod template to return to, and what to call it.

    `previous` is the state before the run where this run changed the template, else the revision before this one.
    """
    metadata, wanted = workload["metadata"], call.options.get("revision")
    if wanted in (None, "", "previous", "original"):
        before = call.memory.before.find(workload["kind"], metadata.get("namespace"), metadata["name"])
        if before and before["spec"]["template"] != written(workload)["spec"]["template"]:
            return "the template before the run", dict(before["spec"]["template"])
        return earlier_template(call.objects, workload, None)
    return earlier_template(call.objects, workload, int(number("revision", wanted)) or None)
