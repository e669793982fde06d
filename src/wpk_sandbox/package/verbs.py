"""The verbs of `type: k8s`: what each acts on when the author names nothing, and the options it takes.

This table is where planner and runner agree. After planning, a step's `action.options` are *settled*: parameters
are filled, and the options marked "settled" below are always there in exactly this form.

| verb | settled option | form |
|---|---|---|
| apply | `manifest` | list of whole objects, with a namespace where the kind has one |
| create | `template` | a whole object; or the text `Kind/name` of an existing one to make `target` from |
| run | `manifest` | list of whole objects (often one Job); or an empty list: run the target itself once more |
| run | `template` | only where given: the text `Kind/name` of a CronJob or Job to make the Job `target` from |
| copy | `destination` | the name of the copy, same kind, same namespace; the target is what is copied |
| restore | `source` | the name of the copy to restore the target from, or None: the state before the run |

Symbolic values (`original`, `previous`, the name of what an earlier handler produced) are left as written.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Verb:
    """One action of `type: k8s`.

    `kinds` are what it can act on when `resource_type` is missing, in the order in which they are looked for in
    the event; the first is the default. `reads` is true when it changes nothing. `creates` is true when it
    makes objects, so that later steps need no stand-in for them. `options` maps each option to its meaning.
    `simulated` is why no sandbox of ours can do it for real, or empty.
    """

    name: str
    purpose: str
    kinds: tuple[str, ...]
    options: Mapping[str, str] = field(default_factory=dict)
    reads: bool = False
    creates: bool = False
    simulated: str = ""


_PODS = ("Pod", "Deployment", "StatefulSet", "DaemonSet", "Job")
_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")

VERBS: Mapping[str, Verb] = {
    verb.name: verb
    for verb in (
        Verb(
            "logs",
            "read the log of the target's pods",
            _PODS,
            {
                "lines": "how many lines from the end; all when missing",
                "previous": "true reads the container that ran before a restart",
            },
            reads=True,
        ),
        Verb(
            "events",
            "list the Kubernetes events about the target",
            _PODS,
            reads=True,
        ),
        Verb(
            "get",
            "read the target, or one field of it",
            _PODS,
            {"field": "a path such as `spec.replicas`, `.status.phase` or `{.data.password}`; all when missing"},
            reads=True,
        ),
        Verb(
            "wait",
            "wait until a condition holds",
            ("Deployment", "StatefulSet", "DaemonSet", "Job", "Pod"),
            {
                "condition": "a condition's type in any case, such as ready, available, complete, failed, deleted, "
                "bound; `running` and the like are a phase; `type=False` waits for the opposite",
                "timeout": "how long; also the step's timeout when it is shorter",
            },
            reads=True,
        ),
        Verb(
            "restart",
            "replace the target's pods: a rollout restart of a workload, a deletion of a pod, a new run of a Job",
            (*_WORKLOADS, "Pod", "Job"),
            {"grace_period": "how long a pod may take to end"},
        ),
        Verb(
            "scale",
            "set the number of replicas",
            ("Deployment", "StatefulSet", "ReplicaSet"),
            {
                "replicas": "the number, or `original`",
                "scale_factor": "instead: multiply the present number, rounded up",
                "max_replicas": "the most that scale_factor may come to",
            },
        ),
        Verb(
            "patch",
            "set keys of a ConfigMap or Secret, or merge into any other kind",
            ("ConfigMap", "Secret", *_WORKLOADS),
            {"data": "the keys or the merge patch; `original`; or the name of what an earlier handler produced"},
        ),
        Verb(
            "annotate",
            "set one annotation, or remove it",
            (*_WORKLOADS, "Pod", "Job"),
            {
                "annotation": "its key",
                "value": "its value; `original`; null removes",
            },
        ),
        Verb(
            "create",
            "create an object that must not exist yet",
            ("Job", "ConfigMap"),
            {"template": "settled: a whole object, or `Kind/name` of one that exists"},
            creates=True,
        ),
        Verb(
            "copy",
            "copy the target beside itself",
            ("Secret", "ConfigMap"),
            {"destination": "settled: the name of the copy"},
            creates=True,
        ),
        Verb(
            "restore",
            "bring the target back to a copy of it, or to the state before the run",
            ("Secret", "ConfigMap", *_WORKLOADS),
            {"source": "settled: the name of the copy, or None for the state before the run"},
        ),
        Verb(
            "metrics",
            "ask a metrics system",
            _PODS,
            {"query": "the query"},
            reads=True,
            simulated="no metrics system is in the sandbox, so an empty answer is assumed",
        ),
        Verb(
            "rollback",
            "return a workload to an earlier revision",
            _WORKLOADS,
            {"revision": "a number, or `previous`, which is the default"},
        ),
        Verb(
            "apply",
            "create the objects, or bring them to this form",
            (),
            {"manifest": "settled: list of whole objects"},
            creates=True,
        ),
        Verb(
            "delete",
            "delete the target and wait until it is gone; what is already gone is fine",
            ("Pod", "Job"),
            {"grace_period": "how long a pod may take to end"},
        ),
        Verb(
            "run",
            "run a job to its end and fail as it fails",
            ("Job", "CronJob"),
            {
                "manifest": "settled: list of whole objects, empty to run the target once more",
                "template": "settled, only where given: `Kind/name` of a CronJob or Job to run",
            },
            creates=True,
        ),
    )
}

# `wait` without a resource_type: what a condition is said of.
CONDITION_KINDS: Mapping[str, tuple[str, ...]] = {
    "available": ("Deployment",),
    "progressing": ("Deployment",),
    "complete": ("Job",),
    "failed": ("Job",),
    "succeeded": ("Job", "Pod"),
    "bound": ("PersistentVolumeClaim",),
    "ready": _PODS,
    "running": _PODS,
}


def kinds_for(verb: Verb, options: Mapping[str, Any]) -> tuple[str, ...]:
    """What a verb can act on with these options, the default first."""
    if verb.name == "wait":
        condition = str(options.get("condition") or "").lower().partition("=")[0]
        return CONDITION_KINDS.get(condition, verb.kinds)
    if verb.name == "patch":
        return _kinds_of_patch(options.get("data"), verb.kinds)
    return verb.kinds


def _kinds_of_patch(data: Any, kinds: tuple[str, ...]) -> tuple[str, ...]:
    """A merge patch of a workload has `spec` or `metadata`; credentials belong into a Secret."""
    if isinstance(data, Mapping) and {"spec", "metadata"} & set(data):
        return _WORKLOADS
    words = " ".join(map(str, data)) if isinstance(data, Mapping) else str(data or "")
    secret = any(word in words.lower() for word in ("password", "credential", "secret", "token", "key"))
    return ("Secret", "ConfigMap") if secret else ("ConfigMap", "Secret", *kinds[2:])
