"""Short words for packages and what the rules say of them, so that each test shows only what it is about."""

import json
from typing import Any

from wpk_sandbox.finding import Finding
from wpk_sandbox.package.load import load_bytes
from wpk_sandbox.package.package import Package
from wpk_sandbox.rules.check import check
from wpk_sandbox.rules.policy import Policy

POLICY = Policy()
HEAD = """\
apiVersion: v1
kind: WorkflowPackage
metadata:
  name: sample
  version: 1.0.0
  description: A package of the tests.
  author: platform-team@example.com
spec:
  runtime: {type: k8s}
  safety: {mode: manual}
  triggers: []
"""


def load(text: str, path: str = "sample.wpk.yaml") -> Package:
    """The one package of a text, which must load without a finding of its own."""
    loaded = load_bytes(text.encode(), path)
    assert [str(finding) for finding in loaded.findings] == []
    (package,) = loaded.packages
    return package


def package(*handlers: dict[str, Any], undo: list[dict[str, Any]] | None = None, **spec: Any) -> Package:
    """A package of handlers, written as JSON, which is YAML."""
    spec = {
        "runtime": {"type": "k8s"},
        "safety": {"mode": "manual"},
        "triggers": [],
        "handlers": [{"timeout": "60s", **handler} for handler in handlers],
        "rollback": {"enabled": bool(undo), "handlers": undo or []},
        "validation": {"schema_version": "1.0", "resource_limits": {}},
        "monitoring": {"metrics_enabled": False, "logging_level": "info", "alerts": []},
        **spec,
    }
    metadata = {"name": "sample", "version": "1.0.0", "description": "A package.", "author": "team@example.com"}
    whole = {"apiVersion": "v1", "kind": "WorkflowPackage", "metadata": metadata, "spec": spec}
    return load(json.dumps(whole, indent=1, ensure_ascii=False))


def shell(command: str, name: str = "run") -> dict[str, Any]:
    return {"name": name, "type": "shell", "config": {"command": command}}


def k8s(action: str, **config: Any) -> dict[str, Any]:
    return {"name": "act", "type": "k8s", "config": {"action": action, **config}}


def api(url: str, **config: Any) -> dict[str, Any]:
    return {"name": "call", "type": "api", "config": {"url": url, "method": "POST", **config}}


def steps(*actions: dict[str, Any]) -> dict[str, Any]:
    return {"name": "many", "steps": [{"name": f"step-{n}", **action} for n, action in enumerate(actions)]}


LIMITS = {"limits": {"cpu": "500m", "memory": "256Mi"}}


def container(**fields: Any) -> dict[str, Any]:
    return steps({"container": {"image": "busybox:1.36", "resources": LIMITS, **fields}})


def manifest(kind: str, spec: dict[str, Any] | None = None, api_version: str = "v1", **more: Any) -> dict[str, Any]:
    whole = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "made"}, **more}
    return whole if spec is None else {**whole, "spec": spec}


CLOSED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
CLOSED_POD = {
    "automountServiceAccountToken": False,
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
}


def in_pod(name: str = "main", **fields: Any) -> dict[str, Any]:
    """A container for a pod, closed as Pod Security `restricted` asks."""
    closed = {"image": "busybox:1.36", "resources": LIMITS, "securityContext": CLOSED}
    return {"name": name, **closed, **fields}


def pod(**fields: Any) -> dict[str, Any]:
    """A pod that breaks no rule, with what a test is about."""
    return {"containers": [in_pod()], **CLOSED_POD, **fields}


def applied(data: dict[str, Any]) -> dict[str, Any]:
    return steps({"kubernetes": data})


def findings(*handlers: dict[str, Any], policy: Policy = POLICY, **spec: Any) -> tuple[Finding, ...]:
    return check(package(*handlers, **spec), policy)


def rules(*handlers: dict[str, Any], policy: Policy = POLICY, **spec: Any) -> set[str]:
    """The ids of the rules that a package of these handlers breaks."""
    return {finding.rule for finding in findings(*handlers, policy=policy, **spec)}


def of_shell(command: str, policy: Policy = POLICY) -> set[str]:
    """The ids of the rules that a shell command breaks."""
    return rules(shell(command), policy=policy)


def one(rule: str, *handlers: dict[str, Any], policy: Policy = POLICY, **spec: Any) -> Finding:
    """The only finding of a rule."""
    (found,) = [finding for finding in findings(*handlers, policy=policy, **spec) if finding.rule == rule]
    return found
