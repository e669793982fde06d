"""Which kinds the simulated cluster serves: the built-in ones and those of applied CustomResourceDefinitions."""

from collections.abc import Iterator

from wpk_sandbox.package.kinds import RESOURCE_KINDS, ResourceKind, resource_kind
from wpk_sandbox.sandbox.clusters.simulated.objects import Object, dig
from wpk_sandbox.sandbox.clusters.simulated.store import Store


def builtin(name: str) -> ResourceKind:
    """A kind that every cluster has. Raises LookupError for a name that is none."""
    found = resource_kind(name)
    if found is None:
        raise LookupError(name)
    return found


POD = builtin("Pod")
SERVICE = builtin("Service")
CONFIG_MAP = builtin("ConfigMap")
SECRET = builtin("Secret")
SERVICE_ACCOUNT = builtin("ServiceAccount")
CLAIM = builtin("PersistentVolumeClaim")
VOLUME = builtin("PersistentVolume")
NAMESPACE = builtin("Namespace")
NODE = builtin("Node")
EVENT = builtin("Event")
ENDPOINTS = builtin("Endpoints")
REPLICATION_CONTROLLER = builtin("ReplicationController")
LIMIT_RANGE = builtin("LimitRange")
QUOTA = builtin("ResourceQuota")
DEPLOYMENT = builtin("Deployment")
STATEFUL_SET = builtin("StatefulSet")
DAEMON_SET = builtin("DaemonSet")
REPLICA_SET = builtin("ReplicaSet")
REVISION = builtin("ControllerRevision")
JOB = builtin("Job")
CRON_JOB = builtin("CronJob")
DISRUPTION_BUDGET = builtin("PodDisruptionBudget")
STORAGE_CLASS = builtin("StorageClass")
PRIORITY_CLASS = builtin("PriorityClass")
ROLE = builtin("Role")
ROLE_BINDING = builtin("RoleBinding")
CLUSTER_ROLE = builtin("ClusterRole")
CLUSTER_ROLE_BINDING = builtin("ClusterRoleBinding")
DEFINITION = builtin("CustomResourceDefinition")

SCALABLE = (DEPLOYMENT, STATEFUL_SET, REPLICA_SET, REPLICATION_CONTROLLER)

_WITH_STATUS = frozenset(
    {
        *SCALABLE,
        *(POD, SERVICE, CLAIM, VOLUME, NAMESPACE, NODE, QUOTA, DAEMON_SET, JOB, CRON_JOB, DISRUPTION_BUDGET),
        *(DEFINITION, builtin("HorizontalPodAutoscaler"), builtin("Ingress")),
    }
)
# Their objects count the changes of their spec.
_WITH_GENERATION = frozenset(
    {
        *SCALABLE,
        *(POD, DAEMON_SET, JOB, CRON_JOB, DISRUPTION_BUDGET, DEFINITION),
        *(builtin("Ingress"), builtin("NetworkPolicy"), builtin("IngressClass")),
    }
)


def kinds(store: Store) -> Iterator[ResourceKind]:
    """Every kind that is served, each version of it for itself."""
    yield from RESOURCE_KINDS
    for definition in store.select(DEFINITION):
        yield from _defined(definition)


def find_kind(store: Store, api_version: str, plural: str) -> ResourceKind | None:
    """The kind at a place of the API."""
    return next((k for k in kinds(store) if k.plural == plural and k.api_version == api_version), None)


def _defined(definition: Object) -> Iterator[ResourceKind]:
    spec = definition["spec"]
    for version in spec.get("versions") or ():
        if version.get("served", True):
            yield ResourceKind(
                f"{spec['group']}/{version['name']}",
                spec["names"]["kind"],
                spec["names"]["plural"],
                spec.get("scope") != "Cluster",
                tuple(spec["names"].get("shortNames") or ()),
            )


def is_builtin(kind: ResourceKind) -> bool:
    """False for the kind of a CustomResourceDefinition."""
    return kind in RESOURCE_KINDS


def has_status(store: Store, kind: ResourceKind) -> bool:
    """True when the status is written through a subresource of its own."""
    if is_builtin(kind):
        return kind in _WITH_STATUS
    definition = store.find(DEFINITION, "", f"{kind.plural}.{kind.group}")
    version = kind.api_version.rpartition("/")[2]
    versions = dig(definition, "spec", "versions", default=[])
    return any(v["name"] == version and "status" in (v.get("subresources") or {}) for v in versions)


def has_generation(kind: ResourceKind) -> bool:
    """True when `metadata.generation` counts the changes of the spec."""
    return kind in _WITH_GENERATION or not is_builtin(kind)


def subresources(store: Store, kind: ResourceKind) -> tuple[str, ...]:
    """The subresources that are served for a kind."""
    found = ["status"] if has_status(store, kind) else []
    if kind in SCALABLE:
        found.append("scale")
    if kind == POD:
        found += ["eviction", "log"]
    return tuple(found)
