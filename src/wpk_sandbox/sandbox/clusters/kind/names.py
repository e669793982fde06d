"""The cluster's name service, which answers for the cluster alone."""

import re
from typing import TYPE_CHECKING

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.clusters.kind.calls import call, translated

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

_CONFIGURATION = "/api/v1/namespaces/kube-system/configmaps/coredns"
_PODS = "/api/v1/namespaces/kube-system/pods"
_OF_COREDNS = (("labelSelector", "k8s-app=kube-dns"),)

# What asks others, and what looks for loops in that.
_OUTWARD = re.compile(r"^[ \t]*(forward|proxy|loop|fallthrough)\b[^\n{]*(\{[^}]*\})?\n", re.MULTILINE)
_ZONES = re.compile(r"^([ \t]*kubernetes [^\n{]*[^\s{])([ \t]*(\{|$))", re.MULTILINE)


def closed_configuration(corefile: str) -> str:
    """A Corefile that asks nobody: the cluster answers for all names, so that one which it lacks is NXDOMAIN.

    https://coredns.io/plugins/kubernetes/. Raises ValueError where it is not of the form that kubeadm writes.
    """
    closed, count = _ZONES.subn(r"\1 .\2", _OUTWARD.sub("", corefile))
    if count != 1 or ".:53" not in closed:
        raise ValueError("it has no zone for all names that the cluster answers for")
    return closed


def close_names(api: "ApiClient") -> None:
    """Have the cluster's name service answer for the cluster alone. Raises `SandboxError`.

    Its pods read the configuration when they start; those that have started already make room for others.
    """
    with translated("close the cluster's name service"):
        found = call(api, "GET", _CONFIGURATION)["data"]["Corefile"]
        try:
            closed = closed_configuration(found)
        except ValueError as error:
            raise SandboxError(f"the cluster's name service could not be closed: {error}") from error
        call(api, "PATCH", _CONFIGURATION, {"data": {"Corefile": closed}})
        call(api, "DELETE", _PODS, {"gracePeriodSeconds": 0}, query=_OF_COREDNS)
