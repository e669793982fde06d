"""Actions that make objects or take them away: create, copy, restore, apply, delete, run, a manifest."""

from collections.abc import Mapping
from typing import Any

from wpk_sandbox.package.package import ManifestAction
from wpk_sandbox.package.units import human_seconds
from wpk_sandbox.run.actions.action import (
    Call,
    Done,
    StepError,
    Streams,
    called,
    duration,
    joined,
    only_target,
    targets,
)
from wpk_sandbox.run.actions.waiting import still_there
from wpk_sandbox.run.admission import admissible
from wpk_sandbox.run.deadline import OutOfTimeError
from wpk_sandbox.run.jobs import await_job, job_from, run_again
from wpk_sandbox.run.objects import ApiError, Object, Objects
from wpk_sandbox.run.pods import pods_of
from wpk_sandbox.run.state import key_of, written

_DATA = ("data", "binaryData", "immutable", "type")


def create(call: Call) -> Done:
    """Create an object that must not exist yet, from a whole `template` or from `Kind/name` of one that exists."""
    template = call.options["template"]
    manifest = _from_existing(call, template) if isinstance(template, str) else admissible(template)
    made = call.acting.create(manifest, call.target.namespace)
    return Done(f"created {_name(made, manifest)}")


def copy(call: Call) -> Done:
    """Copy the target beside itself, to the name `destination`."""
    source = only_target(call, acting=True)
    destination = str(call.options["destination"])
    plain = written(source)
    labels = plain["metadata"].get("labels") or {}
    metadata = {"name": destination, "namespace": plain["metadata"].get("namespace"), "labels": labels}
    made = call.acting.create({**plain, "metadata": {key: value for key, value in metadata.items() if value}})
    stays = (key_of({**plain, **made}),)
    return Done(f"copied {called(source, call.target)} to {destination}", output=destination, stays=stays)


def restore(call: Call) -> Done:
    """Bring the target back to the copy `source`, or to the state before the run where there is none."""
    target, source = call.target, call.options.get("source")
    if not target.name:
        raise StepError("restore takes one object by name", advice="add `name:` to the config")
    wanted = _copy_of(call, str(source)) if source else _as_before(call)
    objects = call.objects
    kind = objects.kind(target.api_version, target.kind)
    now = objects.find(kind, target.name, target.namespace)
    whence = f"from {source}" if source else "to the state before the run"
    if wanted is None:
        if now is not None:
            _delete(call, objects.acting, {"apiVersion": kind.api_version, "kind": kind.kind, **now})
        return Done(f"{target} did not exist before the run, and is gone again")
    if now is None:
        objects.acting.create(wanted)
    elif source:
        objects.acting.replace(_with_content_of(now, wanted))
    else:
        objects.acting.replace(_with_version(now, wanted))
    return Done(f"restored {target} {whence}")


def apply(call: Call) -> Done:
    """Create the objects of `manifest`, or bring them to this form."""
    return Done(joined([_apply(call, manifest) for manifest in call.options["manifest"]]))


def manifest(call: Call) -> Done:
    """Dialect B's `kubernetes`: apply one object."""
    action = call.step.step.action
    if not isinstance(action, ManifestAction):
        raise TypeError(f"{action} is no manifest")
    return Done(_apply(call, action.manifest))


def delete(call: Call) -> Done:
    """Delete what the target means, and wait until it is gone; what is already gone is fine."""
    try:
        found = targets(call)
    except StepError:
        return Done(f"{call.target} is already gone")
    began = call.deadline.clock.now()
    for item in found:
        _delete(call, call.acting, item)
    names = [called(item, call.target) for item in found]
    return Done(f"deleted {joined(names)}, gone after {human_seconds(call.deadline.clock.now() - began)}")


def run(call: Call) -> Done:
    """Run a Job to its end, take its log, and fail as it fails; other objects of `manifest` are applied first."""
    jobs = _jobs(call)
    texts, stays = [], []
    for job in jobs:
        await_job(call.objects, job)
        texts.append(_job_log(call, job))
        stays.append(key_of(job))
    names = [f"Job/{job['metadata']['name']}" for job in jobs]
    text = "".join(texts)
    return Done(
        f"ran {joined(names)} to the end" if names else "applied; there was no Job to wait for",
        output=text.strip(),
        streams=Streams(text, truncated=len(text.encode()) >= call.output_limit),
        stays=tuple(stays),
    )


def _jobs(call: Call) -> list[Object]:
    """Start what `run` asks for; returns the Jobs to wait for."""
    objects = call.objects
    if call.options.get("template"):
        return [objects.acting.create(_from_existing(call, str(call.options["template"])))]
    manifests = call.options.get("manifest") or ()
    if not manifests:
        return [_once_more(call, only_target(call))]
    jobs = []
    for item in sorted(manifests, key=lambda one: one.get("kind") == "Job"):
        if item.get("kind") == "Job":
            jobs.append({**item, **_start(call, admissible(item))})
        else:
            _apply(call, item)
    return jobs


def _start(call: Call, job: Object) -> Object:
    """Create a Job; one of that name that has ended is what an earlier run left, and makes room."""
    objects = call.objects
    try:
        return objects.acting.create(job, call.target.namespace)
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise
    kind, namespace, name = objects.place(job, call.target.namespace)
    old = {**job, **objects.get(kind, name, namespace)}
    _delete(call, objects, old)
    return objects.acting.create(job, call.target.namespace)


def _once_more(call: Call, item: Object) -> Object:
    if item["kind"] == "CronJob":
        made = job_from(item, f"{item['metadata']['name']}-now", item["metadata"].get("namespace"))
        return {**made, **call.acting.create(made)}
    return run_again(call.objects, item)


def _job_log(call: Call, job: Mapping[str, Any]) -> str:
    if call.objects.dry_run:
        return ""
    pods = pods_of(call.objects, {**job, **_now(call, job)})
    return "".join(
        call.objects.logs(pod["metadata"]["name"], pod["metadata"].get("namespace"), limit=call.output_limit)
        for pod in pods
    )


def _now(call: Call, item: Mapping[str, Any]) -> Object:
    kind, namespace, name = call.objects.place(item)
    return call.objects.get(kind, name, namespace)


def _from_existing(call: Call, source: str) -> Object:
    """A manifest for the target, made from `Kind/name`."""
    objects, target = call.objects, call.target
    kind_name, _, name = source.rpartition("/")
    api_version = "batch/v1" if kind_name in ("Job", "CronJob") else target.api_version
    found = objects.find(objects.kind(api_version, kind_name), name, target.namespace)
    if found is None:
        raise StepError(f"{source} does not exist, so nothing can be made from it", advice="provide it in the case")
    item = {"apiVersion": api_version, "kind": kind_name, **found}
    if target.kind == "Job":
        return job_from(item, str(target.name), target.namespace)
    plain = written(item)
    return {**plain, "metadata": {**plain["metadata"], "name": target.name}}


def _apply(call: Call, manifest: Mapping[str, Any]) -> str:
    objects = call.objects
    kind, namespace, name = objects.place(manifest, call.step.target.namespace if call.step.target else None)
    fitted = admissible(manifest)
    if not name:
        made = objects.acting.create(fitted, namespace)
        return f"{_name(made, manifest)} created"
    before = objects.find(kind, name, namespace)
    if before is None:
        # To create by server-side apply takes `patch` as well, which other ways to apply do without; so the right
        # to create is tried for itself.
        objects.acting.within(objects.deadline, dry_run=True).create(fitted, namespace)
    after = (objects if before is None else objects.acting).apply(fitted, namespace)
    if before is None:
        return f"{kind.kind}/{name} created"
    shape = {"apiVersion": kind.api_version, "kind": kind.kind}
    same = written({**shape, **before}) == written({**shape, **after})
    return f"{kind.kind}/{name} {'unchanged' if same else 'configured'}"


def _delete(call: Call, by: Objects, item: Object) -> None:
    objects = call.objects
    kind, namespace, name = objects.place(item)
    try:
        by.delete(kind, name, namespace, grace=duration(call, "grace_period"))
        objects.await_gone(kind, name, namespace, item["metadata"]["uid"])
    except ApiError as error:
        if error.status != 404:
            raise
    except OutOfTimeError as error:
        found = objects.late().find(kind, name, namespace)
        raise still_there({**item, **(found or {})}, error) from error


def _copy_of(call: Call, source: str) -> Object:
    target = call.target
    kind = call.objects.kind(target.api_version, target.kind)
    found = call.objects.find(kind, source, target.namespace)
    if found is None:
        raise StepError(f"the copy {target.kind}/{source} does not exist", advice="copy it in an earlier step")
    plain = written({"apiVersion": kind.api_version, "kind": kind.kind, **found})
    return {**plain, "metadata": {**plain["metadata"], "name": target.name}}


def _as_before(call: Call) -> Object | None:
    target = call.target
    before = call.memory.before.find(target.kind, target.namespace, str(target.name))
    return None if before is None else dict(before)


def _with_content_of(now: Object, wanted: Object) -> Object:
    """The object as it is, with the copy's contents: labels and annotations are its own."""
    contents = [key for key in wanted if key in _DATA or key == "spec"]
    rest = {key: value for key, value in now.items() if key not in ("data", "binaryData", "spec")}
    shape = {"apiVersion": wanted["apiVersion"], "kind": wanted["kind"]}
    return {**shape, **rest, **{key: wanted[key] for key in contents}}


def _with_version(now: Object, wanted: Object) -> Object:
    """The object as it was written, under the present version so that the API takes it."""
    keep = {key: now["metadata"][key] for key in ("resourceVersion", "uid") if key in now["metadata"]}
    return {**wanted, "metadata": {**wanted["metadata"], **keep}}


def _name(made: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    return f"{manifest['kind']}/{made['metadata']['name']}"
