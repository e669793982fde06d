"""A package to change in tests, and the loader's answer in the words of a test."""

from wpk_sandbox.package.load import Loaded, load_bytes
from wpk_sandbox.package.package import Package

PACKAGE = """\
apiVersion: v1
kind: WorkflowPackage
metadata:
  name: restart-web
  version: 1.2.0
  description: Restart the web deployment when it is unhealthy
  author: platform@example.com
  created: "2025-01-15T10:00:00Z"
  tags: [kubernetes, restart]
  signature: ""
spec:
  runtime:
    type: k8s
    version: "1.28+"
    requirements: {cpu: 100m, memory: 128Mi}
  safety: {mode: manual, approval_required: true, dry_run_required: true, rollback_enabled: true}
  triggers:
    - type: webhook
      config: {source: alertmanager, condition: up == 0, duration: 5m}
  handlers:
    - name: collect-logs
      type: k8s
      config:
        action: logs
        resource_type: deployment
        name: web
        lines: 100
      timeout: 60s
    - name: restart
      type: k8s
      config: {action: restart, selector: {app: web, tier: front}}
      retry: {max_attempts: 3, backoff: 10s}
    - name: notify
      type: api
      config: {url: "https://example.com/x", method: post, headers: {X-Try: 1}, expected_status: [200, 202]}
    - name: verify
      timeout: 5m
      steps:
        - name: check
          shell: {command: "curl -fs http://web/healthz"}
          timeout: 30s
        - name: compact
          container: {image: "postgres:16", command: [vacuumdb, -a], env: [{name: A, value: "1"}]}
        - name: roll
          kubernetes: {apiVersion: v1, kind: ConfigMap, metadata: {name: web}, data: {a: b}}
        - name: sign-off
          manual: true
  rollback:
    enabled: true
    handlers:
      - name: undo
        type: k8s
        config: {action: rollback, resource_type: deployment, name: web, revision: previous}
  validation:
    schema_version: v1
    required_permissions: [deployments/get, pods/list]
    resource_limits: {cpu: 500m}
  monitoring: {metrics_enabled: true, logging_level: info}
"""


def changed(old: str, new: str) -> str:
    """The package with its first `old` replaced, which must be there."""
    assert old in PACKAGE
    return PACKAGE.replace(old, new, 1)


def load(text: str) -> Loaded:
    return load_bytes(text.encode(), "web.wpk.yaml")


def package(text: str = PACKAGE) -> Package:
    """The only package of a text."""
    loaded = load(text)
    assert len(loaded.packages) == 1, loaded.findings
    return loaded.packages[0]


def found(loaded: Loaded) -> list[tuple[str, str]]:
    """Each finding as its rule and its `line:column`."""
    return [(f.rule, f"{f.location.line}:{f.location.column}") for f in loaded.findings]
