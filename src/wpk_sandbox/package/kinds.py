"""The Kubernetes kinds that a runbook can name, and how to find them on the API."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ResourceKind:
    """A kind with its place on the API; `short` are the names that kubectl also takes."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True
    short: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The API group; empty for core."""
        return self.api_version.rpartition("/")[0]

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str = "") -> str:
        """The URL path of the collection, of one object, or of its subresource."""
        parts = ["/apis" if self.group else "/api", self.api_version]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts += [part for part in (self.plural, name, subresource) if part]
        return "/".join(parts)


RESOURCE_KINDS: tuple[ResourceKind, ...] = (
    ResourceKind("v1", "Pod", "pods", short=("po",)),
    ResourceKind("v1", "Service", "services", short=("svc",)),
    ResourceKind("v1", "ConfigMap", "configmaps", short=("cm",)),
    ResourceKind("v1", "Secret", "secrets"),
    ResourceKind("v1", "ServiceAccount", "serviceaccounts", short=("sa",)),
    ResourceKind("v1", "PersistentVolumeClaim", "persistentvolumeclaims", short=("pvc",)),
    ResourceKind("v1", "PersistentVolume", "persistentvolumes", False, ("pv",)),
    ResourceKind("v1", "Namespace", "namespaces", False, ("ns",)),
    ResourceKind("v1", "Node", "nodes", False, ("no",)),
    ResourceKind("v1", "Event", "events", short=("ev",)),
    ResourceKind("v1", "Endpoints", "endpoints", short=("ep",)),
    ResourceKind("v1", "ReplicationController", "replicationcontrollers", short=("rc",)),
    ResourceKind("v1", "LimitRange", "limitranges", short=("limits",)),
    ResourceKind("v1", "ResourceQuota", "resourcequotas", short=("quota",)),
    ResourceKind("apps/v1", "Deployment", "deployments", short=("deploy",)),
    ResourceKind("apps/v1", "StatefulSet", "statefulsets", short=("sts",)),
    ResourceKind("apps/v1", "DaemonSet", "daemonsets", short=("ds",)),
    ResourceKind("apps/v1", "ReplicaSet", "replicasets", short=("rs",)),
    ResourceKind("apps/v1", "ControllerRevision", "controllerrevisions"),
    ResourceKind("batch/v1", "Job", "jobs"),
    ResourceKind("batch/v1", "CronJob", "cronjobs", short=("cj",)),
    ResourceKind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", short=("hpa",)),
    ResourceKind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", short=("pdb",)),
    ResourceKind("networking.k8s.io/v1", "Ingress", "ingresses", short=("ing",)),
    ResourceKind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", short=("netpol",)),
    ResourceKind("networking.k8s.io/v1", "IngressClass", "ingressclasses", False),
    ResourceKind("rbac.authorization.k8s.io/v1", "Role", "roles"),
    ResourceKind("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings"),
    ResourceKind("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", False),
    ResourceKind("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", False),
    ResourceKind("storage.k8s.io/v1", "StorageClass", "storageclasses", False, ("sc",)),
    ResourceKind("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", False, ("pc",)),
    ResourceKind("coordination.k8s.io/v1", "Lease", "leases"),
    ResourceKind(
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        False,
    ),
    ResourceKind(
        "admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", False
    ),
    ResourceKind(
        "apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", False, ("crd", "crds")
    ),
)

# A singular name, a plural, a short name or a kind, all in lower case, to its kind.
_BY_NAME = {
    name: resource
    for resource in RESOURCE_KINDS
    for name in (resource.kind.lower(), resource.plural, *resource.short)
}


def resource_kind(name: str) -> ResourceKind | None:
    """The kind that `deployment`, `Deployments`, `deploy` or `deployments.apps` means, or None."""
    return _BY_NAME.get(name.strip().lower().partition(".")[0])


def known_names() -> tuple[str, ...]:
    """Every name that `resource_kind` takes, for suggesting the nearest one."""
    return tuple(_BY_NAME)
