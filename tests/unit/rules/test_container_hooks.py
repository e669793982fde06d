"""What the node runs in a container beside its command is looked at like the command."""

import pytest

from wpk_sandbox.package.load import load_bytes
from wpk_sandbox.rules.check import check
from wpk_sandbox.rules.policy import Policy

POD = """\
apiVersion: v1
kind: WorkflowPackage
metadata: {{name: a, version: 1.0.0}}
spec:
  runtime: {{type: k8s}}
  handlers:
    - name: roll
      type: k8s
      timeout: 5s
      config:
        action: apply
        manifest:
          apiVersion: v1
          kind: Pod
          metadata: {{name: web, namespace: shop}}
          spec:
            containers:
              - {{name: web, image: registry.example.com/web:1, {hook}}}
"""
RUNS = "exec: {command: [sh, -c, 'rm -rf /']}"


def found(hook: str) -> list[str]:
    (package,) = load_bytes(POD.format(hook=hook).encode(), "a.wpk.yaml").packages
    return [str(each.location) for each in check(package, Policy()) if each.rule == "shell-destroy-system"]


@pytest.mark.parametrize("hook", ["command", "args"])
def test_the_command_itself(hook: str) -> None:
    assert len(found(f"{hook}: [sh, -c, 'rm -rf /']")) == 1


@pytest.mark.parametrize("hook", ["livenessProbe", "readinessProbe", "startupProbe"])
def test_a_probe(hook: str) -> None:
    assert found(f"{hook}: {{{RUNS}}}")[0].startswith("a.wpk.yaml:18:")
    assert found(f"{hook}: {{httpGet: {{path: /, port: 80}}}}") == []
    assert found(f"{hook}: {{exec: {{command: [sh, -c, 'ls /']}}}}") == []


@pytest.mark.parametrize("hook", ["postStart", "preStop"])
def test_a_hook(hook: str) -> None:
    assert len(found(f"lifecycle: {{{hook}: {{{RUNS}}}}}")) == 1
    assert found(f"lifecycle: {{{hook}: 'rm -rf /'}}") == []
