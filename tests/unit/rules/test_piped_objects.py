"""Objects that a script hands to kubectl are held to the rules about objects, at their place in the script."""

import json

import pytest
from checking import load, of_shell, package, shell

from wpk_sandbox.rules.check import check
from wpk_sandbox.rules.policy import Policy

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: tool
spec:
  hostPID: true
  containers:
    - name: tool
      image: registry.example.com/tool:1.0
      securityContext:
        privileged: true
"""
HARMLESS = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: flags\ndata:\n  mode: 'privileged: true'\n"
DUE = {"host-namespace", "privileged-container"}

HANDED = [
    "kubectl apply -f - <<'EOF'\n{}EOF",
    "kubectl apply -f - <<EOF\n{}EOF",
    "kubectl -n prod create -f- <<EOF\n{}EOF",
    "oc replace --filename=- <<EOF\n{}EOF",
    "cat <<EOF | kubectl apply --server-side -f -\n{}EOF",
    "cat <<EOF | sudo -u ops kubectl apply -f /dev/stdin\n{}EOF",
    "ssh admin@bastion.example.com kubectl apply -f - <<EOF\n{}EOF",
    "cat > /tmp/pod.yaml <<EOF\n{}EOF\nkubectl apply -f /tmp/pod.yaml",
    "cat <<EOF | tee pod.yaml\n{}EOF\nkubectl create -f ./pod.yaml",
    "kubectl apply -f - <<EOF\n" + HARMLESS + "---\n{}EOF",
    "deploy() {{\n  kubectl apply -f - <<EOF\n{}EOF\n}}\ndeploy",
]


@pytest.mark.parametrize("script", HANDED)
def test_an_object_that_is_handed_to_kubectl_is_held_to_the_rules(script: str) -> None:
    assert set(of_shell(script.format(POD))) >= DUE


@pytest.mark.parametrize("script", HANDED)
def test_a_harmless_one_raises_none_of_them(script: str) -> None:
    assert not DUE & set(of_shell(script.format(HARMLESS)))


@pytest.mark.parametrize(
    "script",
    [
        "cat <<EOF\n{}EOF",
        "cat > pod.yaml <<EOF\n{}EOF",
        "kubectl diff -f - <<EOF\n{}EOF",
        "kubectl delete -f - <<EOF\n{}EOF",
        "grep hostPID <<EOF\n{}EOF",
    ],
)
def test_a_text_that_is_not_applied_is_text(script: str) -> None:
    assert not DUE & set(of_shell(script.format(POD)))


def test_an_object_in_json_is_read_too() -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x"},
        "spec": {"hostPID": True, "containers": []},
    }
    assert "host-namespace" in of_shell(f"echo '{json.dumps(pod)}' | kubectl apply -f -")


def test_a_variable_stands_as_a_parameter_does() -> None:
    scaled = "apiVersion: v1\nkind: Service\nmetadata:\n  name: $NAME\nspec:\n  type: $TYPE\n  ports:\n  - port: ${PORT}\n"
    assert "manifest-invalid" not in of_shell(f"kubectl apply -f - <<EOF\n{scaled}EOF")
    assert "manifest-invalid" in of_shell(f"kubectl apply -f - <<EOF\n{scaled.replace('${PORT}', 'many')}EOF")


def test_a_text_that_is_no_yaml_is_left_to_kubectl() -> None:
    assert not DUE & set(of_shell("kubectl apply -f - <<EOF\nkind: [\nhostPID: true\nEOF"))


def test_findings_point_at_the_line_in_the_file() -> None:
    lines = "".join(f"          {line}\n" for line in POD.splitlines())
    text = f"""\
apiVersion: v1
kind: WorkflowPackage
metadata: {{name: sample, version: 1.0.0, description: A package., author: team@example.com}}
spec:
  runtime: {{type: shell}}
  safety: {{mode: manual}}
  triggers: []
  handlers:
    - name: run
      type: shell
      timeout: 60s
      config:
        command: |
          kubectl apply -f - <<'EOF'
{lines}          EOF
  rollback: {{enabled: false}}
  validation: {{schema_version: "1.0", resource_limits: {{}}}}
  monitoring: {{metrics_enabled: false, logging_level: info, alerts: []}}
"""
    found = {finding.rule: finding for finding in check(load(text), Policy())}
    for rule, excerpt in {"host-namespace": "hostPID: true", "privileged-container": "privileged: true"}.items():
        place = found[rule].location
        assert found[rule].excerpt.strip() == excerpt
        assert text.splitlines()[place.line - 1][place.column - 1 :].startswith(("hostPID", "privileged", "true"))


def test_a_secret_in_it_is_shown_nowhere() -> None:
    value = "tR7-kq2Zp9_vXw4LmN8s"
    secret = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: db}}\nstringData:\n  password: {value}\n"
    told = check(package(shell(f"kubectl apply -f - <<'EOF'\n{secret}EOF")), Policy())
    assert "hard-coded-secret" in {finding.rule for finding in told}
    assert not [finding for finding in told if value in f"{finding.message}{finding.excerpt}{finding.fix}"]
