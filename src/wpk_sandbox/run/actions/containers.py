"""Dialect B's `container`: a pod that runs once."""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from wpk_sandbox.package.package import ContainerAction
from wpk_sandbox.run.actions.action import Call, Done, StepError, Streams
from wpk_sandbox.run.admission import pod_spec
from wpk_sandbox.run.awaiting import stop_for_lost_pods
from wpk_sandbox.run.deadline import OutOfTimeError
from wpk_sandbox.run.objects import ApiError, Object, Objects
from wpk_sandbox.run.pods import exit_code, explained
from wpk_sandbox.run.readiness import Progress

_OVER = ("Succeeded", "Failed")


def container(call: Call) -> Done:
    """Run the container as a pod to its end, take its log and exit code, and remove the pod."""
    action = call.step.step.action
    if not isinstance(action, ContainerAction):
        raise TypeError(f"{action} is no container")
    objects = call.objects
    manifest, notes = _pod(call, action)
    made = {**manifest, **objects.create(manifest, call.target.namespace)}
    if objects.dry_run:
        return Done(f"the pod of {action.image} would be taken", notes=notes)
    try:
        pod = _await_end(objects, made)
        streams = _streams(call, pod)
    finally:
        _remove(objects, made)
    code = exit_code(pod)
    if (pod.get("status") or {}).get("phase") == "Succeeded":
        return Done(f"exit code {code or 0}", output=streams.stdout.strip(), streams=streams, notes=notes)
    raise _failed(objects, pod, code, streams)


def _await_end(objects: Objects, made: Object) -> Object:
    kind, namespace, name = objects.place(made)
    last: list[Object] = [made]

    def look() -> Object | None:
        pod = {**made, **objects.get(kind, name, namespace)}
        last[:] = [pod]
        if (pod.get("status") or {}).get("phase") in _OVER:
            return pod
        stop_for_lost_pods(objects, "the container", [(pod, Progress(False, "not started"))])
        return None

    try:
        return objects.deadline.until(look, objects.pace)
    except OutOfTimeError as error:
        late = objects.late()
        troubles = explained(late, last)
        with suppress(ApiError):
            text = late.logs(name, namespace)
            raise StepError(
                f"the container was still running: {error}",
                details=tuple(map(str, troubles)),
                advice="give the step more time, or find out what it waits for",
                limit=error.limit,
                streams=Streams(text),
            ) from error
        raise StepError(
            f"the container did not start: {troubles[0] if troubles else error}",
            advice=troubles[0].advice if troubles else "give the step more time",
            limit=error.limit,
        ) from error


def _streams(call: Call, pod: Object) -> Streams:
    metadata = pod["metadata"]
    text = call.objects.logs(metadata["name"], metadata.get("namespace"), limit=call.output_limit)
    return Streams(text, truncated=len(text.encode()) >= call.output_limit)


def _failed(objects: Objects, pod: Object, code: int | None, streams: Streams) -> StepError:
    status = pod.get("status") or {}
    reason = str(status.get("reason") or _ended_reason(status) or "Error")
    last = next((line for line in reversed(streams.stdout.splitlines()) if line.strip()), "")
    advice = "raise resources.limits.memory" if reason == "OOMKilled" else "its last lines say why"
    return StepError(
        f"exit code {code}: {last[:200] or reason}" if code is not None else f"the pod failed: {reason}",
        details=(str(status["message"]),) if status.get("message") else (),
        advice=advice,
        streams=streams,
    )


def _ended_reason(status: Mapping[str, Any]) -> str:
    for one in status.get("containerStatuses") or ():
        return str(((one.get("state") or {}).get("terminated") or {}).get("reason") or "")
    return ""


def _remove(objects: Objects, pod: Object) -> None:
    """The pod was our means, and is no effect of the package; its namespace goes with the sandbox in any case."""
    late = objects.late()
    kind, namespace, name = late.place(pod)
    with suppress(ApiError, OutOfTimeError):
        late.delete(kind, name, namespace, grace=0)
        late.await_gone(kind, name, namespace, pod["metadata"]["uid"])


def _pod(call: Call, action: ContainerAction) -> tuple[Object, tuple[str, ...]]:
    """The pod's manifest, and what we had to assume for it."""
    raw = {key: value for key, value in action.raw.items() if key not in ("env", "command", "args", "volumes")}
    one = {"name": _slug(str(raw.get("name") or "main")), **raw, "image": action.image}
    one["name"] = _slug(str(one["name"]))
    one |= {"command": list(action.command)} if action.command else {}
    one |= {"args": list(action.args)} if action.args else {}
    environment = _environment(action)
    one |= {"env": environment} if environment else {}
    volumes, notes = _volumes(action.raw)
    spec: Object = {"restartPolicy": "Never", "containers": [one], **({"volumes": volumes} if volumes else {})}
    metadata = {"name": call.target.name, "namespace": call.target.namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod_spec(spec)}, notes


def _environment(action: ContainerAction) -> list[Any]:
    """The variables as Kubernetes writes them; those that come from a Secret stay as the author wrote them."""
    referring = [one for one in _entries(action.raw, "env") if "valueFrom" in one]
    taken = {one.get("name") for one in referring}
    plain = [{"name": key, "value": value} for key, value in action.env.items() if key not in taken]
    return [*plain, *referring]


def _volumes(raw: Mapping[str, Any]) -> tuple[list[Any], tuple[str, ...]]:
    """Volumes for every mount; one that the author does not describe is empty."""
    given = _entries(raw, "volumes")
    names = {one.get("name") for one in given}
    mounts = _entries(raw, "volumeMounts")
    absent = list(dict.fromkeys(str(one["name"]) for one in mounts if one.get("name") and one["name"] not in names))
    empty: list[Any] = [{"name": name, "emptyDir": {"sizeLimit": "100Mi"}} for name in absent]
    notes = tuple(f"the volume {name} is not described, so it is empty" for name in absent)
    return [*given, *empty], notes


def _entries(raw: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    listed = raw.get(field)
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list | tuple) else []


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63] or "main"
