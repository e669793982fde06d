"""Judges how far an object is: pure functions of what the API says of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController")


@dataclass(frozen=True)
class Progress:
    """How far something is. `never` says why waiting longer is of no use; `text` is for a reader."""

    done: bool
    text: str
    never: str = ""


def rollout(workload: Mapping[str, Any]) -> Progress:
    """Whether all pods of a workload are of its newest form and available, as `kubectl rollout status` decides."""
    status = workload.get("status") or {}
    seen = int(status.get("observedGeneration") or 0) >= int(workload["metadata"].get("generation") or 0)
    wanted, updated, available, ready, total = _counts(workload)
    text = f"{ready} of {wanted} {'pod' if wanted == 1 else 'pods'} ready"
    if workload["kind"] == "Deployment" and _reason(workload, "Progressing") == "ProgressDeadlineExceeded":
        return Progress(False, text, "the Deployment's progress deadline passed")
    refusal = _message(workload, "ReplicaFailure")
    never = refusal if "violates PodSecurity" in refusal else ""
    if not seen or updated < wanted or total > wanted or available < wanted or ready < wanted:
        old = total - updated
        if seen and ready >= wanted and old > 0:
            text += f", {old} of the old form {'is' if old == 1 else 'are'} still going"
        return Progress(False, text, never)
    return Progress(True, text)


def held_by_quota(workload: Mapping[str, Any]) -> str:
    """What the API said when the namespace's quota refused pods of a workload; empty when it did not."""
    refusal = _message(workload, "ReplicaFailure")
    return refusal if "exceeded quota" in refusal else ""


def finished(job: Mapping[str, Any]) -> Progress:
    """Whether a Job ran to its good end."""
    status = job.get("status") or {}
    wanted = (job.get("spec") or {}).get("completions") or 1
    text = f"{status.get('succeeded') or 0} of {wanted} completed"
    if condition(job, "Complete"):
        return Progress(True, text)
    if condition(job, "Failed"):
        reason = _message(job, "Failed") or _reason(job, "Failed")
        return Progress(False, text, f"the Job failed: {reason}")
    return Progress(False, text)


def condition(item: Mapping[str, Any], name: str) -> bool:
    """True when the condition of that type, in any case, holds."""
    found = find_condition(item, name)
    return found is not None and found.get("status") == "True"


def find_condition(item: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """The condition of that type, in any case."""
    return next((one for one in _conditions(item) if str(one.get("type", "")).lower() == name.lower()), None)


def _counts(workload: Mapping[str, Any]) -> tuple[int, int, int, int, int]:
    """Pods wanted, of the newest form, available, ready, and in all."""
    status, spec = workload.get("status") or {}, workload.get("spec") or {}
    number = {key: int(value) for key, value in status.items() if isinstance(value, int)}
    if workload["kind"] == "DaemonSet":
        wanted = number.get("desiredNumberScheduled", 0)
        updated = number.get("updatedNumberScheduled", 0)
        return wanted, updated, number.get("numberAvailable", 0), number.get("numberReady", 0), wanted
    wanted = int(spec["replicas"] if spec.get("replicas") is not None else 1)
    total, ready = number.get("replicas", 0), number.get("readyReplicas", 0)
    updates = workload["kind"] in ("Deployment", "StatefulSet")
    updated = number.get("updatedReplicas", 0) if updates else total
    if workload["kind"] == "StatefulSet" and _only_on_delete(spec):
        updated = total
    return wanted, updated, number.get("availableReplicas", ready if not updates else 0), ready, total


def _only_on_delete(spec: Mapping[str, Any]) -> bool:
    strategy = spec.get("updateStrategy") or {}
    partition = (strategy.get("rollingUpdate") or {}).get("partition")
    return strategy.get("type") == "OnDelete" or bool(partition)


def _conditions(item: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return (item.get("status") or {}).get("conditions") or ()


def _reason(item: Mapping[str, Any], name: str) -> str:
    return str((find_condition(item, name) or {}).get("reason") or "")


def _message(item: Mapping[str, Any], name: str) -> str:
    return str((find_condition(item, name) or {}).get("message") or "")
