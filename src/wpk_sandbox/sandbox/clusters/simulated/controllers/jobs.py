"""The Job controller: pods until enough of them succeeded, or too many failed.

https://kubernetes.io/docs/concepts/workloads/controllers/job/
"""

from wpk_sandbox.sandbox.clusters.simulated.catalog import JOB, POD
from wpk_sandbox.sandbox.clusters.simulated.controllers.pods import claim, make_pod, remove_pod, report_failure
from wpk_sandbox.sandbox.clusters.simulated.events import record
from wpk_sandbox.sandbox.clusters.simulated.objects import (
    Object,
    annotations_of,
    condition_of,
    dig,
    has_condition,
    is_deleting,
    is_pod_finished,
    is_pod_ready,
    keep_times,
    make_condition,
    name_of,
    without_zeros,
)
from wpk_sandbox.sandbox.clusters.simulated.store import Store

_COMPONENT = "job-controller"
_INDEX = "batch.kubernetes.io/job-completion-index"


def run_jobs(store: Store) -> None:
    """Take every Job one step on its way."""
    for job in store.select(JOB):
        if not is_deleting(job):
            _reconcile(store, job)


def _reconcile(store: Store, job: Object) -> None:
    pods = claim(store, POD, job, job["spec"]["selector"])
    active = [pod for pod in pods if not is_pod_finished(pod) and not is_deleting(pod)]
    succeeded = [pod for pod in pods if _ended(pod, "Succeeded")]
    failed = [pod for pod in pods if _ended(pod, "Failed")]
    finished = has_condition(job, "Complete") or has_condition(job, "Failed")
    if finished:
        return
    over = len(failed) > job["spec"]["backoffLimit"]
    if job["spec"]["suspend"] or over:
        for pod in active:
            remove_pod(store, job, pod, component=_COMPONENT)
        active = []
    elif len(succeeded) < _completions(job):
        _start(store, job, active, succeeded)
    _report(
        store,
        job,
        [pod for pod in active if store.find(POD, pod["metadata"]["namespace"], name_of(pod))],
        len(succeeded),
        len(failed),
    )


def _ended(pod: Object, phase: str) -> bool:
    return str(dig(pod, "status", "phase")) == phase


def _completions(job: Object) -> int:
    """How many pods must succeed; one is enough for a work queue."""
    return int(job["spec"].get("completions") or 1) if job["spec"].get("completions") != 0 else 0


def _start(store: Store, job: Object, active: list[Object], succeeded: list[Object]) -> None:
    wanted = min(job["spec"]["parallelism"], _completions(job) - len(succeeded))
    taken = {annotations_of(pod).get(_INDEX) for pod in (*active, *succeeded)}
    free = [index for index in range(_completions(job)) if str(index) not in taken]
    for number in range(wanted - len(active)):
        template = store.edit(job["spec"]["template"])
        if job["spec"]["completionMode"] == "Indexed":
            template["metadata"].setdefault("annotations", {})[_INDEX] = str(free[number])
        refused = make_pod(store, job, template, component=_COMPONENT)
        if refused:
            report_failure(store, job, refused, component=_COMPONENT)
            return


def _report(store: Store, job: Object, active: list[Object], succeeded: int, failed: int) -> None:
    before = job.get("status") or {}
    suspended = job["spec"]["suspend"]
    conditions = _conditions(job, succeeded, failed)
    status = {
        **without_zeros({"active": len(active), "succeeded": succeeded, "failed": failed}),
        "ready": sum(map(is_pod_ready, active)),
        "terminating": 0,
        "uncountedTerminatedPods": {},
    }
    if not suspended:
        status["startTime"] = before.get("startTime", store.now())
    if conditions:
        status["conditions"] = keep_times(job, conditions, store.now())
    if any(condition["type"] == "Complete" for condition in conditions):
        status["completionTime"] = store.now()
        record(store, job, "Completed", "Job completed", component=_COMPONENT)
    elif any(condition["type"] == "Failed" for condition in conditions):
        message = "Job has reached the specified backoff limit"
        record(store, job, "BackoffLimitExceeded", message, component=_COMPONENT, warning=True)
    store.write_status(JOB, job, status)


def _conditions(job: Object, succeeded: int, failed: int) -> list[Object]:
    if succeeded >= _completions(job):
        words = ("CompletionsReached", "Reached expected number of succeeded pods")
        return [make_condition(type_, True, *words) for type_ in ("SuccessCriteriaMet", "Complete")]
    if failed > job["spec"]["backoffLimit"]:
        words = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
        return [make_condition(type_, True, *words) for type_ in ("FailureTarget", "Failed")]
    if job["spec"]["suspend"]:
        return [make_condition("Suspended", True, "JobSuspended", "Job suspended")]
    if condition_of(job, "Suspended"):
        return [make_condition("Suspended", False, "JobResumed", "Job resumed")]
    return []
