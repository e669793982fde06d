"""The policies of the sandbox, given to the API server, and the evidence that it holds requests to them."""

import time
from typing import TYPE_CHECKING, Any

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.clusters.kind.calls import INTERVAL, WAIT_REMEDY, call, refusal, translated
from wpk_sandbox.sandbox.clusters.policies import ON_PODS, PLACES, Policy, policies
from wpk_sandbox.sandbox.sandbox import Evidence, Security

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

_ROOT = "/apis/admissionregistration.k8s.io/v1"
_VERSION = "admissionregistration.k8s.io/v1"
_NAME = "wpk-sandbox-{}"
_FORBIDDEN, _MISSING = 403, 404
TIMEOUT = 30.0

# Who keeps the cluster going; whom a package can become is held to the policies, and so is the administrator.
_SYSTEM = (
    "request.userInfo.username.startsWith('system:')"
    " && (!request.userInfo.username.startsWith('system:serviceaccount:')"
    " || request.userInfo.username.startsWith('system:serviceaccount:kube-system:')"
    " || request.userInfo.username.startsWith('system:serviceaccount:local-path-storage:'))"
)
_ADMINISTRATOR = "request.userInfo.username == 'kubernetes-admin'"

WITHOUT = "no admission policies, which Kubernetes has from 1.30 on"


def has_policies(api: "ApiClient") -> bool:
    """True when the API server knows admission policies. Raises `SandboxError`."""
    with translated("ask for admission policies"):
        served = call(api, "GET", "/apis/admissionregistration.k8s.io")["versions"]
        if _VERSION not in [each["groupVersion"] for each in served]:
            return False
        resources = call(api, "GET", _ROOT)["resources"]
    return any(each["name"] == "validatingadmissionpolicies" for each in resources)


def install(api: "ApiClient", security: Security) -> None:
    """Make the policies, and return when the API server holds requests to them. Raises `SandboxError`."""
    for policy in (*policies(security), PLACES):
        with translated(f"make the policy {policy.name}"):
            call(api, "POST", f"{_ROOT}/validatingadmissionpolicies", policy_manifest(policy))
            call(api, "POST", f"{_ROOT}/validatingadmissionpolicybindings", _binding(policy))


def await_policies(api: "ApiClient") -> None:
    """Return when the API server holds requests to the policies. Raises `SandboxError`."""
    seen = evidence(api, timeout=TIMEOUT)
    if not seen.held:
        raise SandboxError(f"waited {TIMEOUT:.0f} s until the policies hold: {seen.seen}", WAIT_REMEDY)


def policy_manifest(policy: Policy) -> dict[str, Any]:
    """A policy as the API server takes it."""
    conditions = [{"name": "not-the-system", "expression": f"!({_SYSTEM})"}]
    if not policy.administrator:
        conditions.append({"name": "not-the-sandbox", "expression": f"!({_ADMINISTRATOR})"})
    if policy.name.startswith(ON_PODS):
        # Controllers make pods for whoever asked them, so all are held to these but those of the system.
        conditions = [
            {"name": "not-the-system", "expression": "!request.?namespace.orValue('').startsWith('kube-')"}
        ]
    return {
        "apiVersion": _VERSION,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": _NAME.format(policy.name)},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [_rule(policy, each) for each in policy.resources]},
            "matchConditions": conditions,
            "validations": [{"expression": policy.expression, "message": policy.message, "reason": "Forbidden"}],
        },
    }


def evidence(api: "ApiClient", *, timeout: float = TIMEOUT) -> Evidence:
    """Ask for a service that is open on the node, until it is refused or `timeout` seconds are over.

    The API server takes a policy a moment before it holds requests to it.
    """
    until = time.monotonic() + timeout
    while not (seen := _asked_for_a_port(api)).held and time.monotonic() < until:
        time.sleep(INTERVAL)
    return seen


def _asked_for_a_port(api: "ApiClient") -> Evidence:
    """As a dry run, which leaves nothing behind. Raises `SandboxError` where nobody answers."""
    from kubernetes.client import ApiException  # noqa: PLC0415 - heavy

    probe = "open a port of the node by a service"
    spec = {"type": "NodePort", "ports": [{"port": 80}]}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "wpk-sandbox-probe"}, "spec": spec}
    with translated("ask for an open service"):
        try:
            call(api, "POST", "/api/v1/namespaces/default/services", service, query=(("dryRun", "All"),))
        except ApiException as error:
            said = refusal(error)
            return Evidence(probe, error.status == _FORBIDDEN and "ValidatingAdmissionPolicy" in said, said)
    return Evidence(probe, held=False, seen="the API server took it")


def _rule(policy: Policy, resource: str) -> dict[str, Any]:
    group, _, name = resource.partition("/")
    return {
        "apiGroups": [group],
        "apiVersions": ["*"],
        "resources": [name],
        "operations": list(policy.operations),
    }


def _binding(policy: Policy) -> dict[str, Any]:
    name = _NAME.format(policy.name)
    return {
        "apiVersion": _VERSION,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
