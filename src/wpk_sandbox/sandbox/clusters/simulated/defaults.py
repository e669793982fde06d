"""The values that the API server fills in where a manifest is silent.

https://kubernetes.io/docs/reference/kubernetes-api/ names the default of each field.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.sandbox.clusters.simulated.catalog import is_builtin
from wpk_sandbox.sandbox.clusters.simulated.objects import Object, dig

DEFAULT_STORAGE_CLASS = "standard"


def fill(target: Object, values: Mapping[str, Any]) -> None:
    """Set what is missing or null."""
    for name, value in values.items():
        if target.get(name) is None:
            target[name] = value


def child(parent: Object, name: str) -> Object:
    """The mapping at a field, made where it is missing."""
    if not isinstance(parent.get(name), dict):
        parent[name] = {}
    found: Object = parent[name]
    return found


def apply_defaults(kind: ResourceKind, obj: Object) -> None:
    """Fill in an object of this kind, in place; a custom kind has no defaults here."""
    filler = _FILLERS.get(kind.kind)
    if filler and is_builtin(kind):
        filler(obj)


def pod_defaults(spec: Object) -> None:
    """Fill in a pod's spec, or that of a pod template."""
    fill(
        spec,
        {
            "restartPolicy": "Always",
            "dnsPolicy": "ClusterFirst",
            "terminationGracePeriodSeconds": 30,
            "schedulerName": "default-scheduler",
            "securityContext": {},
        },
    )
    if spec.get("serviceAccountName"):
        fill(spec, {"serviceAccount": spec["serviceAccountName"]})
    for group in ("initContainers", "containers"):
        for container in spec.get(group) or ():
            _container_defaults(container)
    for volume in spec.get("volumes") or ():
        for source in ("configMap", "secret", "projected", "downwardAPI"):
            if isinstance(volume.get(source), dict):
                fill(volume[source], {"defaultMode": 0o644})


def _container_defaults(container: Object) -> None:
    tag = str(container.get("image", "")).rpartition("/")[2]
    latest = "@" not in tag and (":" not in tag or tag.endswith(":latest"))
    fill(
        container,
        {
            "imagePullPolicy": "Always" if latest else "IfNotPresent",
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "resources": {},
        },
    )
    limits = container["resources"].get("limits")
    if limits:
        fill(child(container["resources"], "requests"), limits)
    for port in container.get("ports") or ():
        fill(port, {"protocol": "TCP"})
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if isinstance(container.get(name), dict):
            _probe_defaults(container[name])


def _probe_defaults(probe: Object) -> None:
    fill(probe, {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3})
    if isinstance(probe.get("httpGet"), dict):
        fill(probe["httpGet"], {"scheme": "HTTP", "path": "/"})


def _pod(pod: Object) -> None:
    pod_defaults(child(pod, "spec"))
    fill(pod["spec"], {"enableServiceLinks": True, "priority": 0, "preemptionPolicy": "PreemptLowerPriority"})


def _template(spec: Object) -> None:
    template = child(spec, "template")
    child(template, "metadata")
    pod_defaults(child(template, "spec"))


def _deployment(deployment: Object) -> None:
    spec = child(deployment, "spec")
    fill(spec, {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600})
    strategy = child(spec, "strategy")
    fill(strategy, {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        fill(child(strategy, "rollingUpdate"), {"maxSurge": "25%", "maxUnavailable": "25%"})
    _template(spec)


def _replica_set(replica_set: Object) -> None:
    spec = child(replica_set, "spec")
    fill(spec, {"replicas": 1})
    _template(spec)


def _replication_controller(controller: Object) -> None:
    _replica_set(controller)
    labels = dig(controller, "spec", "template", "metadata", "labels", default={})
    fill(controller["spec"], {"selector": dict(labels)})
    fill(controller["metadata"], {"labels": dict(labels)})


def _stateful_set(stateful_set: Object) -> None:
    spec = child(stateful_set, "spec")
    fill(
        spec,
        {
            "replicas": 1,
            "serviceName": "",
            "podManagementPolicy": "OrderedReady",
            "revisionHistoryLimit": 10,
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        },
    )
    strategy = child(spec, "updateStrategy")
    fill(strategy, {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        fill(child(strategy, "rollingUpdate"), {"partition": 0})
    _template(spec)
    for claim in spec.get("volumeClaimTemplates") or ():
        claim.setdefault("metadata", {})
        fill(claim, {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": "Pending"}})
        fill(child(claim, "spec"), {"volumeMode": "Filesystem"})


def _daemon_set(daemon_set: Object) -> None:
    spec = child(daemon_set, "spec")
    fill(spec, {"revisionHistoryLimit": 10})
    strategy = child(spec, "updateStrategy")
    fill(strategy, {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        fill(child(strategy, "rollingUpdate"), {"maxSurge": 0, "maxUnavailable": 1})
    _template(spec)


def _job(job: Object) -> None:
    _job_spec(child(job, "spec"))


def _job_spec(spec: Object) -> None:
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    fill(
        spec,
        {
            "parallelism": 1,
            "backoffLimit": 6,
            "completionMode": "NonIndexed",
            "suspend": False,
            "podReplacementPolicy": "TerminatingOrFailed",
            "manualSelector": False,
        },
    )
    _template(spec)


def _cron_job(cron_job: Object) -> None:
    spec = child(cron_job, "spec")
    fill(
        spec,
        {
            "concurrencyPolicy": "Allow",
            "suspend": False,
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 1,
        },
    )
    child(child(spec, "jobTemplate"), "metadata")
    template = child(spec["jobTemplate"], "spec")
    child(template, "template")
    pod_defaults(child(template["template"], "spec"))


def _service(service: Object) -> None:
    spec = child(service, "spec")
    fill(spec, {"type": "ClusterIP", "sessionAffinity": "None"})
    if spec["type"] != "ExternalName":
        families = {"ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}
        fill(spec, {"internalTrafficPolicy": "Cluster", **families})
    if spec["type"] in ("NodePort", "LoadBalancer"):
        fill(spec, {"externalTrafficPolicy": "Cluster"})
    if spec["type"] == "LoadBalancer":
        fill(spec, {"allocateLoadBalancerNodePorts": True})
    for port in spec.get("ports") or ():
        fill(port, {"protocol": "TCP", "targetPort": port.get("port")})


def _secret(secret: Object) -> None:
    fill(secret, {"type": "Opaque"})
    plain = secret.pop("stringData", None) or {}
    for name, value in plain.items():
        child(secret, "data")[name] = base64.b64encode(str(value).encode()).decode()


def _claim(claim: Object) -> None:
    fill(child(claim, "spec"), {"volumeMode": "Filesystem", "storageClassName": DEFAULT_STORAGE_CLASS})


def _network_policy(policy: Object) -> None:
    spec = child(policy, "spec")
    fill(spec, {"policyTypes": ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]})


def _autoscaler(autoscaler: Object) -> None:
    target = {"type": "Utilization", "averageUtilization": 80}
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    fill(child(autoscaler, "spec"), {"minReplicas": 1, "metrics": [metric]})


def _limit_range(limit_range: Object) -> None:
    for limit in child(limit_range, "spec").get("limits") or ():
        if limit.get("type") == "Container":
            if limit.get("max"):
                fill(child(limit, "default"), limit["max"])
            requests = limit.get("default") or limit.get("min")
            if requests:
                fill(child(limit, "defaultRequest"), requests)


def _storage_class(storage_class: Object) -> None:
    fill(storage_class, {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"})


def _priority_class(priority_class: Object) -> None:
    fill(priority_class, {"preemptionPolicy": "PreemptLowerPriority"})


def _namespace(namespace: Object) -> None:
    fill(child(namespace, "spec"), {"finalizers": ["kubernetes"]})
    labels = child(namespace["metadata"], "labels")
    labels["kubernetes.io/metadata.name"] = namespace["metadata"].get("name", "")


def _definition(definition: Object) -> None:
    names = child(child(definition, "spec"), "names")
    kind = str(names.get("kind", ""))
    fill(names, {"singular": kind.lower(), "listKind": f"{kind}List"})
    fill(definition["spec"], {"conversion": {"strategy": "None"}})


_FILLERS: Mapping[str, Callable[[Object], None]] = {
    "Pod": _pod,
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "ReplicationController": _replication_controller,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "CronJob": _cron_job,
    "Service": _service,
    "Secret": _secret,
    "PersistentVolumeClaim": _claim,
    "NetworkPolicy": _network_policy,
    "HorizontalPodAutoscaler": _autoscaler,
    "LimitRange": _limit_range,
    "StorageClass": _storage_class,
    "Namespace": _namespace,
    "PriorityClass": _priority_class,
    "CustomResourceDefinition": _definition,
}
