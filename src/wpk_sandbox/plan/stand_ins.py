"""Objects that stand for those of production: made so that what the steps do with them really works.

Each carries the label `wpk-sandbox/stand-in=true`. A Deployment whose first use is `rollback` comes twice, so that
it has a revision to go back to (see `plan.Plan`).
"""

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wpk_sandbox.plan.inventory import Known
from wpk_sandbox.plan.manifests import containers_of
from wpk_sandbox.plan.targets import KINDS
from wpk_sandbox.plan.workloads import PodNeeds, pod_spec

LABEL = "wpk-sandbox/stand-in"
REPLICAS = 2

_CREDENTIALS = ("username", "password")
_TEMPLATE_CHANGERS = ("restart", "patch", "apply", "rollback")


@dataclass(frozen=True)
class Use:
    """What one step does with an object: the verb and its settled options."""

    verb: str
    options: Mapping[str, Any] = field(default_factory=dict)


Builder = Callable[[Known, Sequence[Use], str], dict[str, Any]]


def can_stand_in(kind: str) -> bool:
    """True for kinds of which a stand-in can be made."""
    return kind in _BUILDERS


def stand_in(known: Known, uses: Sequence[Use], image: str) -> tuple[dict[str, Any], ...]:
    """The manifests of a stand-in, in the order in which they are applied."""
    body = _BUILDERS[known.kind](known, uses, image)
    kind = KINDS[known.kind]
    metadata: dict[str, Any] = {"name": known.name, "labels": {**known.labels, LABEL: "true"}}
    if known.namespace:
        metadata["namespace"] = known.namespace
    annotations = dict.fromkeys(_fields_under("metadata.annotations.", uses), "stand-in")
    metadata |= {"annotations": annotations} if annotations else {}
    metadata["labels"] |= {
        key: "stand-in" for key in _fields_under("metadata.labels.", uses) if key not in metadata["labels"]
    }
    manifest = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, **body}
    return (_first_revision(manifest), manifest) if _wants_history(known, uses) else (manifest,)


def _wants_history(known: Known, uses: Sequence[Use]) -> bool:
    """True when a roll-back comes before anything that makes a second revision."""
    changing = [use.verb for use in uses if use.verb in _TEMPLATE_CHANGERS]
    return known.kind in ("Deployment", "StatefulSet", "DaemonSet") and changing[:1] == ["rollback"]


def _first_revision(manifest: dict[str, Any]) -> dict[str, Any]:
    spec = manifest["spec"]
    template = spec["template"]
    metadata = {**template["metadata"], "annotations": {"wpk-sandbox/revision": "1"}}
    return {**manifest, "spec": {**spec, "template": {**template, "metadata": metadata}}}


def _deployment(known: Known, uses: Sequence[Use], image: str) -> dict[str, Any]:
    # The pace of a roll-out says nothing of production's: two pods change at once, as Parallel has it below.
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": REPLICAS}}
    return {"spec": {"replicas": _replicas(uses), "strategy": strategy, **_workload(known, uses, image)}}


def _stateful_set(known: Known, uses: Sequence[Use], image: str) -> dict[str, Any]:
    workload = {"serviceName": known.name, "podManagementPolicy": "Parallel", **_workload(known, uses, image)}
    return {"spec": {"replicas": _replicas(uses), **workload}}


def _daemon_set(known: Known, uses: Sequence[Use], image: str) -> dict[str, Any]:
    return {"spec": _workload(known, uses, image)}


def _workload(known: Known, uses: Sequence[Use], image: str) -> dict[str, Any]:
    template = {"metadata": {"labels": _pod_labels(known)}, "spec": pod_spec(image, _pod_needs(uses))}
    return {"selector": {"matchLabels": dict(known.pod_labels)}, "template": template}


def _pod(known: Known, uses: Sequence[Use], image: str) -> dict[str, Any]:
    needs = _pod_needs(uses)
    return {"spec": pod_spec(image, needs) | ({} if needs.ends is None else {"restartPolicy": "Never"})}


def _job(known: Known, uses: Sequence[Use], image: str) -> dict[str, Any]:
    return {"spec": _job_spec(known, uses, image)}


def _cron_job(known: Known, uses: Sequence[Use], image: str) -> dict[str, Any]:
    # A yearly schedule: during a run it fires only when a step makes it.
    spec = {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": _job_spec(known, uses, image)}}
    return {"spec": spec}


def _job_spec(known: Known, uses: Sequence[Use], image: str) -> dict[str, Any]:
    needs = _pod_needs(uses)
    pod = pod_spec(image, PodNeeds(needs.containers, ends=needs.ends or 0))
    # `job-name` is the Job controller's to set.
    labels = {key: value for key, value in _pod_labels(known).items() if key != "job-name"}
    template = {"metadata": {"labels": labels}, "spec": {**pod, "restartPolicy": "Never"}}
    return {"backoffLimit": 0, "template": template}


def _config_map(known: Known, uses: Sequence[Use], image: str) -> dict[str, Any]:
    return {"data": dict.fromkeys(_keys(uses), "stand-in") or {"setting": "stand-in"}}


def _secret(known: Known, uses: Sequence[Use], image: str) -> dict[str, Any]:
    keys = tuple(_keys(uses)) or _CREDENTIALS
    return {"type": "Opaque", "data": dict.fromkeys(keys, b64encode(b"stand-in").decode())}


def _service(known: Known, uses: Sequence[Use], image: str) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    return {"spec": {"selector": dict(known.pod_labels), "ports": ports}}


def _claim(known: Known, uses: Sequence[Use], image: str) -> dict[str, Any]:
    return {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "16Mi"}}}}


def _autoscaler(known: Known, uses: Sequence[Use], image: str) -> dict[str, Any]:
    scaled = {"apiVersion": "apps/v1", "kind": "Deployment", "name": known.name}
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    metrics = [{"type": "Resource", "resource": cpu}]
    return {"spec": {"scaleTargetRef": scaled, "minReplicas": 1, "maxReplicas": 5, "metrics": metrics}}


def _ingress(known: Known, uses: Sequence[Use], image: str) -> dict[str, Any]:
    backend = {"service": {"name": known.name, "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {"spec": {"rules": [{"host": f"{known.name}.invalid", "http": {"paths": [path]}}]}}


def _role_binding(known: Known, uses: Sequence[Use], image: str) -> dict[str, Any]:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    return {"roleRef": reference, "subjects": []}


def _rules(known: Known, uses: Sequence[Use], image: str) -> dict[str, Any]:
    return {"rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]}


def _fixed(body: Mapping[str, Any]) -> Builder:
    return lambda known, uses, image: dict(body)


_BUILDERS: Mapping[str, Builder] = {
    "Pod": _pod,
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "ReplicaSet": _deployment,
    "Job": _job,
    "CronJob": _cron_job,
    "ConfigMap": _config_map,
    "Secret": _secret,
    "Service": _service,
    "ServiceAccount": _fixed({"automountServiceAccountToken": False}),
    "PersistentVolumeClaim": _claim,
    "HorizontalPodAutoscaler": _autoscaler,
    "PodDisruptionBudget": lambda known, uses, image: {
        "spec": {"minAvailable": 1, "selector": {"matchLabels": dict(known.pod_labels)}}
    },
    "Ingress": _ingress,
    "NetworkPolicy": _fixed({"spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}),
    "ResourceQuota": _fixed({"spec": {"hard": {"count/services": "50"}}}),
    "LimitRange": _fixed({"spec": {"limits": [{"type": "Container", "max": {"cpu": "1", "memory": "1Gi"}}]}}),
    "Role": _rules,
    "RoleBinding": _role_binding,
    "ClusterRole": _rules,
    "ClusterRoleBinding": _role_binding,
    "PriorityClass": _fixed({"value": 1000}),
    "StorageClass": _fixed({"provisioner": "kubernetes.io/no-provisioner"}),
    "IngressClass": _fixed({"spec": {"controller": "wpk-sandbox/none"}}),
    "Lease": _fixed({"spec": {"holderIdentity": "stand-in", "leaseDurationSeconds": 15}}),
}


def _pod_labels(known: Known) -> dict[str, str]:
    return {**known.pod_labels, LABEL: "true"}


def _pod_needs(uses: Sequence[Use]) -> PodNeeds:
    patched = [
        str(one["name"])
        for use in uses
        for one in containers_of(use.options.get("data"))
        if isinstance(one.get("name"), str)
    ]
    conditions = {str(use.options.get("condition") or "").lower() for use in uses}
    ends = 1 if "failed" in conditions else 0 if conditions & {"succeeded", "complete", "completed"} else None
    restarted = any(use.options.get("previous") is True for use in uses)
    return PodNeeds(tuple(dict.fromkeys(patched)), restarted, ends)


def _replicas(uses: Sequence[Use]) -> int:
    """Two, but not what the first `scale` sets: a change should show."""
    first = next((use.options.get("replicas") for use in uses if use.verb == "scale"), None)
    return 1 if str(first) == str(REPLICAS) else REPLICAS


def _keys(uses: Sequence[Use]) -> Iterable[str]:
    """The keys of `data` that steps read or set."""
    keys: dict[str, None] = {}
    for use in uses:
        data = use.options.get("data")
        for key in (*(data if isinstance(data, Mapping) else ()), *use.options.get("keys", ())):
            keys[str(key)] = None
        if isinstance(use.options.get("key"), str):
            keys[use.options["key"]] = None
        path = _path(use)
        if path and path.partition(".")[0] not in (
            "metadata",
            "kind",
            "apiVersion",
            "type",
            "data",
            "spec",
            "status",
        ):
            keys[path] = None
    keys |= dict.fromkeys(_fields_under("data.", uses))
    return keys


def _fields_under(prefix: str, uses: Sequence[Use]) -> list[str]:
    """What the fields of `get` name below a path, with the escapes of JSONPath undone."""
    return [_path(use)[len(prefix) :] for use in uses if _path(use).startswith(prefix)]


def _path(use: Use) -> str:
    text = use.options.get("field")
    return text.strip("{}").removeprefix("$").lstrip(".").replace("\\.", ".") if isinstance(text, str) else ""
