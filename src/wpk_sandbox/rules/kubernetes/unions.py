"""Types that take one of several fields. The schemas have them side by side; the API reference says it in words.

https://kubernetes.io/docs/reference/kubernetes-api/
"""

from collections.abc import Iterator, Mapping
from typing import Any

from wpk_sandbox.rules.kubernetes.problem import Problem
from wpk_sandbox.rules.subject import escaped

# The fields of a type that exclude one another, and whether one of them must be there.
_ROWS = (
    ("core.v1.Probe", "exec grpc httpGet tcpSocket", True),
    ("core.v1.LifecycleHandler", "exec httpGet sleep tcpSocket", True),
    ("core.v1.EnvVar", "value valueFrom", False),
    ("core.v1.EnvVarSource", "configMapKeyRef fieldRef fileKeyRef resourceFieldRef secretKeyRef", True),
    ("core.v1.EnvFromSource", "configMapRef secretRef", True),
    (
        "core.v1.VolumeProjection",
        "clusterTrustBundle configMap downwardAPI podCertificate secret serviceAccountToken",
        True,
    ),
    ("policy.v1.PodDisruptionBudgetSpec", "minAvailable maxUnavailable", False),
    ("networking.v1.IngressBackend", "service resource", True),
    ("networking.v1.ServiceBackendPort", "name number", True),
    ("networking.v1.NetworkPolicyPeer", "ipBlock podSelector", False),
    ("networking.v1.NetworkPolicyPeer", "ipBlock namespaceSelector", False),
)
_ONE_OF: Mapping[str, tuple[tuple[tuple[str, ...], bool], ...]] = {
    kind: tuple((tuple(fields.split()), needed) for each, fields, needed in _ROWS if each == kind)
    for kind, _, _ in _ROWS
}
# A volume has its name, and one source.
_VOLUME, _NO_SOURCE = "core.v1.Volume", frozenset({"name"})
# The type of a strategy that leaves nothing to say of rolling updates.
_WITHOUT_ROLLING = {"apps.v1.DeploymentStrategy": "Recreate", "apps.v1.StatefulSetUpdateStrategy": "OnDelete"}


def problems(kind: str, value: Mapping[str, Any], pointer: str, *, partial: bool) -> Iterator[Problem]:
    """Fields of a type that exclude one another; for a whole object also that none is there."""
    for fields, needed in _ONE_OF.get(kind, ()):
        yield from _one_of(value, fields, pointer, needed=needed and not partial)
    if kind == _VOLUME:
        yield from _one_of(value, tuple(set(map(str, value)) - _NO_SOURCE), pointer, needed=False)
    if kind in _WITHOUT_ROLLING and value.get("type") == _WITHOUT_ROLLING[kind] and value.get("rollingUpdate"):
        message = f"`rollingUpdate` may not stand beside `type: {value['type']}`"
        fix = "Remove it, or write `type: RollingUpdate`."
        yield Problem(f"{pointer}/rollingUpdate", message, fix, at_key=True)


def _one_of(value: Mapping[str, Any], fields: tuple[str, ...], pointer: str, *, needed: bool) -> Iterator[Problem]:
    given = [key for key in value if key in fields and value[key] not in (None, "")]
    if len(given) > 1:
        message = f"`{given[0]}` and `{given[1]}` exclude each other"
        yield Problem(f"{pointer}/{escaped(given[1])}", message, "Keep one of the two.", at_key=True)
    elif needed and not given:
        message = f"one of {', '.join(f'`{field}`' for field in fields)} is needed here"
        yield Problem(pointer, message, f"Add `{fields[0]}` or another of them.", at_key=True)
