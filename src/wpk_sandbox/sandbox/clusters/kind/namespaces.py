"""Making a namespace a sandbox, and the accounts that act for the package."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from wpk_sandbox.package.kinds import resource_kind
from wpk_sandbox.sandbox.clusters.kind.calls import call, translated, wait_until
from wpk_sandbox.sandbox.clusters.rights import HOME, SHELL, account_objects, binding_objects
from wpk_sandbox.sandbox.namespace import QUOTA_NAME, namespace_objects
from wpk_sandbox.sandbox.sandbox import Limits, Security

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

CONTROLLERS_TIMEOUT = 60.0

# The least lifetime that the API server grants, in seconds.
SHORTEST_TOKEN = 600

_CONFLICT = 409

Permissions = tuple[str, ...] | None


def make_accounts(api: "ApiClient", permissions: Permissions) -> None:
    """Make the accounts of the package, with their rights over the whole cluster. Raises `SandboxError`."""
    for manifest in account_objects(permissions):
        apply(api, manifest)


def prepare_namespace(
    api: "ApiClient", namespace: str, limits: Limits, security: Security, permissions: Permissions
) -> None:
    """Make or close a namespace, and let the package's accounts work there.

    Returns when pods can be created: until the controllers have made the default service account and filled the
    quota's status, the API server refuses every pod. Raises `SandboxError`.
    """
    of_kubernetes = namespace.startswith("kube-")
    for manifest in namespace_objects(namespace, limits, security):
        # A cluster whose own DNS is cut off is broken, not closed.
        if not (manifest["kind"] == "NetworkPolicy" and of_kubernetes):
            apply(api, manifest)
    for manifest in () if of_kubernetes else binding_objects(namespace, permissions):
        apply(api, manifest)
    wait_until(f"the namespace {namespace} takes pods", _takes_pods(api, namespace), timeout=CONTROLLERS_TIMEOUT)


def token(api: "ApiClient", lifetime: float) -> str:
    """A token of the shells' account that is good for at least `lifetime` seconds. Raises `SandboxError`."""
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": max(SHORTEST_TOKEN, int(lifetime))},
    }
    with translated("get a token for the package's account"):
        answer = call(api, "POST", f"/api/v1/namespaces/{HOME}/serviceaccounts/{SHELL}/token", body)
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
    """The path where an object of ours is created. Raises LookupError for a kind that is not in the table."""
    kind = resource_kind(manifest["kind"])
    if kind is None:
        raise LookupError(manifest["kind"])
    return kind.path(manifest["metadata"].get("namespace"))


def _takes_pods(api: "ApiClient", namespace: str) -> Callable[[], bool]:
    path = f"/api/v1/namespaces/{namespace}"

    def ask() -> bool:
        call(api, "GET", f"{path}/serviceaccounts/default")
        quota = call(api, "GET", f"{path}/resourcequotas/{QUOTA_NAME}")
        return bool(quota["status"].get("hard"))

    return ask
