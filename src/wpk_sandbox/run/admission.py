"""Lets an author's pods into a sandbox namespace: fills in what it demands where the author said nothing.

https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

from collections.abc import Mapping
from typing import Any

from wpk_sandbox.plan.workloads import USER

_CONTAINERS = ("initContainers", "containers")


def admissible(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with every pod spec in it made fit; whatever the author wrote stays as it is.

    Images are loaded into a sandbox and never pulled, so `imagePullPolicy: Always` becomes `IfNotPresent`.
    """
    fitted: dict[str, Any] = _walk(dict(manifest), manifest.get("kind") == "Pod")
    return fitted


def pod_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    """One pod spec, made fit."""
    if not isinstance(spec.get("securityContext", {}), Mapping):
        return dict(spec)
    pod_security = _mapping(spec.get("securityContext"))
    pod_security.setdefault("seccompProfile", {"type": "RuntimeDefault"})
    says_user = any("runAsUser" in _mapping(one.get("securityContext")) for one in _containers(spec))
    # Most images start as root unless they are told otherwise, which `runAsNonRoot` then refuses.
    if pod_security.setdefault("runAsNonRoot", True) and not says_user:
        pod_security.setdefault("runAsUser", USER)
    fitted = {**spec, "securityContext": pod_security}
    for group in _CONTAINERS:
        if isinstance(spec.get(group), list):
            fitted[group] = [_container(one) for one in spec[group]]
    return fitted


def _containers(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for group in _CONTAINERS for one in _list(spec.get(group)) if isinstance(one, Mapping)]


def _container(container: Any) -> Any:
    if not isinstance(container, Mapping):
        return container
    security = _mapping(container.get("securityContext"))
    security.setdefault("allowPrivilegeEscalation", False)
    capabilities = _mapping(security.get("capabilities"))
    capabilities.setdefault("drop", ["ALL"])
    fitted = {**container, "securityContext": {**security, "capabilities": capabilities}}
    if container.get("imagePullPolicy") != "Never":
        fitted["imagePullPolicy"] = "IfNotPresent"
    if security.get("privileged"):
        # The two contradict each other, and the refusal should name what the author wrote.
        del fitted["securityContext"]["allowPrivilegeEscalation"]
    return fitted


def _walk(data: Any, is_pod: bool = False) -> Any:
    """Every pod spec stands under `template.spec`, but for a Pod's own."""
    if not isinstance(data, Mapping):
        return data
    fitted = {key: _walk(value, is_pod=key == "template") for key, value in data.items()}
    spec = fitted.get("spec")
    if is_pod and isinstance(spec, Mapping) and isinstance(spec.get("containers"), list):
        fitted["spec"] = pod_spec(spec)
    return fitted


def _mapping(value: Any) -> dict[str, Any]:
    """A copy of a mapping; empty for anything else, which the API server will refuse in its own words."""
    return dict(value) if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
