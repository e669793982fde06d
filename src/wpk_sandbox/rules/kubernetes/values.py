"""What fields take beyond their types: a few words, numbers within bounds, names of a form.

https://kubernetes.io/docs/reference/kubernetes-api/
"""

from math import inf

_PULL = "Always IfNotPresent Never"
_PROTOCOLS = "TCP UDP SCTP"
_EFFECTS = "NoSchedule PreferNoSchedule NoExecute"
_OPERATORS = "In NotIn Exists DoesNotExist"
_PROFILES = "RuntimeDefault Localhost Unconfined"
_VALUES: dict[tuple[str, str], tuple[str, ...]] = {
    (kind, field): tuple(words.split())
    for kind, field, words in (
        ("core.v1.Container", "imagePullPolicy", _PULL),
        ("core.v1.Container", "terminationMessagePolicy", "File FallbackToLogsOnError"),
        ("core.v1.ContainerPort", "protocol", _PROTOCOLS),
        ("core.v1.ServicePort", "protocol", _PROTOCOLS),
        ("core.v1.ServiceSpec", "type", "ClusterIP NodePort LoadBalancer ExternalName"),
        ("core.v1.ServiceSpec", "sessionAffinity", "ClientIP None"),
        ("core.v1.ServiceSpec", "externalTrafficPolicy", "Cluster Local"),
        ("core.v1.ServiceSpec", "internalTrafficPolicy", "Cluster Local"),
        ("core.v1.PodSpec", "restartPolicy", "Always OnFailure Never"),
        ("core.v1.PodSpec", "dnsPolicy", "ClusterFirstWithHostNet ClusterFirst Default None"),
        ("core.v1.PodSpec", "preemptionPolicy", "Never PreemptLowerPriority"),
        ("core.v1.SeccompProfile", "type", _PROFILES),
        ("core.v1.AppArmorProfile", "type", _PROFILES),
        ("core.v1.SecurityContext", "procMount", "Default Unmasked"),
        ("core.v1.Taint", "effect", _EFFECTS),
        ("core.v1.NodeSelectorRequirement", "operator", f"{_OPERATORS} Gt Lt"),
        (
            "core.v1.PersistentVolumeClaimSpec",
            "accessModes",
            "ReadWriteOnce ReadOnlyMany ReadWriteMany ReadWriteOncePod",
        ),
        ("core.v1.PersistentVolumeClaimSpec", "volumeMode", "Block Filesystem"),
        ("core.v1.PersistentVolumeSpec", "persistentVolumeReclaimPolicy", "Retain Delete Recycle"),
        ("apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement", "operator", _OPERATORS),
        ("apps.v1.DeploymentStrategy", "type", "Recreate RollingUpdate"),
        ("apps.v1.DaemonSetUpdateStrategy", "type", "OnDelete RollingUpdate"),
        ("apps.v1.StatefulSetUpdateStrategy", "type", "OnDelete RollingUpdate"),
        ("apps.v1.StatefulSetSpec", "podManagementPolicy", "OrderedReady Parallel"),
        ("batch.v1.CronJobSpec", "concurrencyPolicy", "Allow Forbid Replace"),
        ("batch.v1.JobSpec", "completionMode", "NonIndexed Indexed"),
        ("networking.v1.HTTPIngressPath", "pathType", "Exact ImplementationSpecific Prefix"),
        ("networking.v1.NetworkPolicySpec", "policyTypes", "Ingress Egress"),
        ("networking.v1.NetworkPolicyPort", "protocol", _PROTOCOLS),
        ("rbac.v1.RoleRef", "kind", "ClusterRole Role"),
        ("rbac.v1.Subject", "kind", "ServiceAccount User Group"),
        ("core.v1.Toleration", "operator", "Exists Equal Gt Lt"),
        ("core.v1.Toleration", "effect", _EFFECTS),
        ("core.v1.HTTPGetAction", "scheme", "HTTP HTTPS"),
        ("core.v1.VolumeMount", "mountPropagation", "None HostToContainer Bidirectional"),
        ("storage.v1.StorageClass", "reclaimPolicy", "Retain Delete Recycle"),
        ("storage.v1.StorageClass", "volumeBindingMode", "Immediate WaitForFirstConsumer"),
        ("policy.v1.PodDisruptionBudgetSpec", "unhealthyPodEvictionPolicy", "IfHealthyBudget AlwaysAllow"),
    )
}


def values(kind: str, field: str) -> tuple[str, ...]:
    """The words that a field of a type takes; none where it takes any."""
    return _VALUES.get((kind, field), ())


_PORT = (1, 65535)
_COUNT = (0, inf)
_BOUNDS: dict[tuple[str, str], tuple[float, float]] = {
    ("core.v1.ContainerPort", "containerPort"): _PORT,
    ("core.v1.ContainerPort", "hostPort"): (0, 65535),
    ("core.v1.ServicePort", "port"): _PORT,
    ("core.v1.ServicePort", "targetPort"): _PORT,
    ("core.v1.ServicePort", "nodePort"): (0, 65535),
    ("core.v1.HTTPGetAction", "port"): _PORT,
    ("core.v1.TCPSocketAction", "port"): _PORT,
    ("core.v1.GRPCAction", "port"): _PORT,
    ("networking.v1.ServiceBackendPort", "number"): _PORT,
    **{("core.v1.Probe", f"{name}Seconds"): _COUNT for name in ("initialDelay", "period", "timeout")},
    **{("core.v1.Probe", f"{name}Threshold"): _COUNT for name in ("failure", "success")},
    **{(f"apps.v1.{kind}Spec", "replicas"): _COUNT for kind in ("Deployment", "StatefulSet", "ReplicaSet")},
    **{("batch.v1.JobSpec", name): _COUNT for name in ("completions", "parallelism", "backoffLimit")},
    ("batch.v1.JobSpec", "ttlSecondsAfterFinished"): _COUNT,
    ("core.v1.PodSpec", "terminationGracePeriodSeconds"): _COUNT,
    ("core.v1.PodSpec", "activeDeadlineSeconds"): (1, inf),
    ("autoscaling.v2.HorizontalPodAutoscalerSpec", "maxReplicas"): (1, inf),
    ("autoscaling.v2.HorizontalPodAutoscalerSpec", "minReplicas"): _COUNT,
}
_LABEL = (r"(?=.{1,63}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?", "at most 63 lower-case letters, digits and `-`")
_FORMS: dict[tuple[str, str], tuple[str, str]] = {
    ("core.v1.Container", "name"): _LABEL,
    ("core.v1.EphemeralContainer", "name"): _LABEL,
    ("core.v1.Volume", "name"): _LABEL,
    ("core.v1.ServicePort", "name"): _LABEL,
    ("core.v1.ContainerPort", "name"): (
        r"(?=.{1,15}$)(?=.*[a-z])[a-z0-9](?:-?[a-z0-9])*",
        "at most 15 lower-case letters, digits and `-`",
    ),
    ("core.v1.EnvVar", "name"): (r"[^=]+", "a name without `=`"),
    ("core.v1.VolumeMount", "mountPath"): (r"[^:]+", "a path without `:`"),
}


def bounds(kind: str, field: str) -> tuple[float, float]:
    """The least and the greatest number that a field of a type takes."""
    return _BOUNDS.get((kind, field), (-inf, inf))


def form(kind: str, field: str) -> tuple[str, str]:
    """The regular expression of what a field of a type takes, and its words; empty where it takes any text."""
    return _FORMS.get((kind, field), ("", ""))
