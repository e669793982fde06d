"""Fields that take a few words only. The schemas call them texts; the API reference lists the words.

https://kubernetes.io/docs/reference/kubernetes-api/
"""

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
    )
}


def values(kind: str, field: str) -> tuple[str, ...]:
    """The words that a field of a type takes; none where it takes any."""
    return _VALUES.get((kind, field), ())
