"""Making a namespace a sandbox, and the service account that the shells of a run call the API as."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from wpk_sandbox.sandbox.clusters.kind.calls import call, translated, wait_until
from wpk_sandbox.sandbox.namespace import QUOTA_NAME, namespace_objects
from wpk_sandbox.sandbox.sandbox import Limits, Security

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

SERVICE_ACCOUNT = "wpk-sandbox"

# What the shells' account may do in each prepared namespace: change workloads and their settings, but neither
# roles nor the namespace itself. https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles
SHELL_ROLE = "edit"

CONTROLLERS_TIMEOUT = 60.0

# The least lifetime that the API server grants, in seconds.
SHORTEST_TOKEN = 600

_RBAC = "rbac.authorization.k8s.io"
_CONFLICT = 409
_PLURALS = {
    "Namespace": "namespaces",
    "ResourceQuota": "resourcequotas",
    "LimitRange": "limitranges",
    "NetworkPolicy": "networkpolicies",
    "ServiceAccount": "serviceaccounts",
    "RoleBinding": "rolebindings",
}


def prepare_namespace(api: "ApiClient", namespace: str, home: str, limits: Limits, security: Security) -> None:
    """Make or close a namespace, and let the shells' account, which lives in `home`, work there.

    Returns when pods can be created: until the controllers have made the default service account and filled the
    quota's status, the API server refuses every pod. Raises `SandboxError`.
    """
    for manifest in namespace_objects(namespace, limits, security):
        # A cluster whose own DNS is cut off is broken, not closed.
        if not (manifest["kind"] == "NetworkPolicy" and namespace.startswith("kube-")):
            apply(api, manifest)
    for manifest in shell_account_objects(namespace, home):
        apply(api, manifest)
    wait_until(f"the namespace {namespace} takes pods", _takes_pods(api, namespace), timeout=CONTROLLERS_TIMEOUT)


def shell_account_objects(namespace: str, home: str) -> tuple[dict[str, Any], ...]:
    """The account, where this is its home, and its binding to a role in the namespace."""
    metadata = {"name": SERVICE_ACCOUNT, "namespace": namespace}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    binding = {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": SHELL_ROLE},
        "subjects": [{"kind": "ServiceAccount", "name": SERVICE_ACCOUNT, "namespace": home}],
    }
    return (account, binding) if namespace == home else (binding,)


def token(api: "ApiClient", home: str, lifetime: float) -> str:
    """A token of the shells' account that is good for at least `lifetime` seconds. Raises `SandboxError`."""
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": max(SHORTEST_TOKEN, int(lifetime))},
    }
    with translated(f"get a token for {SERVICE_ACCOUNT}"):
        answer = call(api, "POST", f"/api/v1/namespaces/{home}/serviceaccounts/{SERVICE_ACCOUNT}/token", body)
    return str(answer["status"]["token"])


def apply(api: "ApiClient", manifest: Mapping[str, Any]) -> None:
    """Create an object; of a namespace that exists already, set the labels. Raises `SandboxError`."""
    from kubernetes.client import ApiException  # noqa: PLC0415 - heavy

    kind, metadata = manifest["kind"], manifest["metadata"]
    path = collection(manifest)
    with translated(f"make the {kind} {metadata['name']}"):
        try:
            call(api, "POST", path, manifest)
        except ApiException as refused:
            if refused.status != _CONFLICT:
                raise
            if kind == "Namespace":
                labels = {"metadata": {"labels": metadata["labels"]}}
                call(api, "PATCH", f"{path}/{metadata['name']}", labels)


def collection(manifest: Mapping[str, Any]) -> str:
    """The path where an object of ours is created."""
    version, namespace = manifest["apiVersion"], manifest["metadata"].get("namespace")
    group = f"/apis/{version}" if "/" in version else f"/api/{version}"
    return f"{group}{f'/namespaces/{namespace}' if namespace else ''}/{_PLURALS[manifest['kind']]}"


def _takes_pods(api: "ApiClient", namespace: str) -> Callable[[], bool]:
    path = f"/api/v1/namespaces/{namespace}"

    def ask() -> bool:
        call(api, "GET", f"{path}/serviceaccounts/default")
        quota = call(api, "GET", f"{path}/resourcequotas/{QUOTA_NAME}")
        return bool(quota["status"].get("hard"))

    return ask
