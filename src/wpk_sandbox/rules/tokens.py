"""Access to the Kubernetes API that a pod is given and does not use."""

import re
from collections.abc import Iterator
from typing import Any

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.kubernetes.pods import Pod, objects, pods
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.subject import Subject

TOKEN_MOUNTED = Rule(
    "token-mounted",
    Severity.LOW,
    "A pod is given an API token that it does not need",
    "Every pod gets a token of its service account unless it declines. Whoever breaks into the pod can talk to the"
    " API server with it, and whatever somebody grants to the default account later is granted to this pod too.",
    "Write `automountServiceAccountToken: false`; or give the pod a service account of its own if it does"
    " call the API.",
    cwe=522,
    points=POINTS[Severity.LOW],
)

RULES = (TOKEN_MOUNTED,)

# What is written where somebody talks to the API: clients, its address, the folder of the token.
_CALLS_API = Pattern(
    r"\b(?:kubectl|helm|oc|kustomize|argocd|flux|velero|istioctl|k9s|kubeconfig|serviceaccount)\b|kubernetes|kube-",
    re.IGNORECASE,
)


def check(subject: Subject) -> Iterator[Finding]:
    """Pods of the default account that keep their token without any sign of using it.

    A pod with an account of its own was given it on purpose, so only the default account counts. The account itself
    may decline for all its pods, where the package writes it.
    """
    if any(
        each.kind == "ServiceAccount"
        and each.data.get("automountServiceAccountToken") is False
        and _name(each.data) == "default"
        for each in objects(subject)
    ):
        return
    for pod in pods(subject):
        if _keeps_token(pod) and not any(_CALLS_API.search(text) for text in _texts(pod.spec)):
            message = "the pod is given a token of the default service account, and nothing in it calls the API"
            yield subject.finding(TOKEN_MOUNTED, pod.pointer, message, key=True)


def _keeps_token(pod: Pod) -> bool:
    account = pod.spec.get("serviceAccountName") or pod.spec.get("serviceAccount") or "default"
    return account == "default" and pod.spec.get("automountServiceAccountToken") is not False


def _name(data: Any) -> Any:
    metadata = data.get("metadata")
    return metadata.get("name") if isinstance(metadata, dict) else None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
