"""An object in a file that the package names is held to the same rules as one in the package itself."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from checking import POLICY, applied, k8s, manifest, package, pod

from wpk_sandbox.finding import Finding, Location, Waiver
from wpk_sandbox.package.attached import with_files
from wpk_sandbox.package.package import Package
from wpk_sandbox.rules.check import check
from wpk_sandbox.rules.judgement import judgement
from wpk_sandbox.rules.policy import FileWaiver

HOST = """\
apiVersion: v1
kind: Pod
metadata: {name: probe, namespace: shop}
spec:
  hostPID: true
  containers:
    - name: main
      image: busybox:latest
      command: [sh, -c, "rm -rf /"]
      env:
        - {name: DB_PASSWORD, value: Vq8-tR2-mN5x}
"""
DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n"
LIST = (
    '[{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"hostPID": true, "containers": []}}]'
)


def found(text: str, *further: dict[str, Any], **spec: Any) -> tuple[Finding, ...]:
    one = package(k8s("apply", manifest="deploy/it.yaml"), *further, **spec)
    whole, findings = with_files(one, lambda _: text.encode())
    assert findings == ()
    return check(whole, POLICY)


def test_findings_point_into_the_file_and_show_its_lines() -> None:
    by_rule = {each.rule: each for each in found(HOST)}
    assert {"host-namespace", "image-unpinned", "shell-destroy-system", "hard-coded-secret"} <= set(by_rule)
    host = by_rule["host-namespace"]
    assert (str(host.location), host.excerpt) == ("deploy/it.yaml:5:3", "  hostPID: true")
    assert str(by_rule["shell-destroy-system"].location) == "deploy/it.yaml:9:26"


def test_a_secret_in_the_file_is_in_no_finding() -> None:
    assert not any("Vq8-tR2-mN5x" in each.excerpt + each.message for each in found(HOST))


def test_the_file_is_held_to_the_release_of_its_package() -> None:
    old = "apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: x}\n"
    assert "api-removed" in {each.rule for each in found(old, runtime={"type": "k8s", "version": "1.30+"})}
    assert "api-removed" not in {each.rule for each in found(old, runtime={"type": "k8s", "version": "1.22"})}


@pytest.mark.parametrize("text", [LIST, f"{DEPLOYMENT}---\n{HOST}", f"kind: List\napiVersion: v1\nitems: {LIST}\n"])
def test_every_object_of_the_file_counts(text: str) -> None:
    (finding,) = [each for each in found(text) if each.rule == "host-namespace"]
    assert finding.location.path == "deploy/it.yaml"


def test_what_is_about_the_package_is_said_once() -> None:
    rules = [each.rule for each in found(HOST, safety={"mode": "auto"}) if each.location.path == "deploy/it.yaml"]
    assert not {"timeout-missing", "approval-missing", "rollback-empty", "parameter-unexplained"} & set(rules)


def test_a_file_named_twice_is_told_once() -> None:
    once, twice = found(HOST), found(HOST, k8s("apply", manifest="deploy/it.yaml"))
    assert [each for each in twice if each.location.path == "deploy/it.yaml"] == [
        each for each in once if each.location.path == "deploy/it.yaml"
    ]


def test_permissions_and_rollback_know_the_objects_of_the_file() -> None:
    listed = {"required_permissions": ["configmaps/get", "nodes/delete"]}
    undo = [{"timeout": "1m", **k8s("delete", resource_type="service", name="other")}]
    by_rule = {each.rule: each.message for each in found(DEPLOYMENT, validation=listed, undo=undo)}
    assert "`deployments/patch` (for act)" in by_rule["permission-missing"]
    assert "nodes/delete" in by_rule["permission-unused"]
    assert "makes Deployment/web" in by_rule["rollback-cannot-undo"]
    gone = [{"timeout": "1m", **k8s("delete", resource_type="deployment", name="web")}]
    assert "rollback-cannot-undo" not in {each.rule for each in found(DEPLOYMENT, undo=gone)}


@pytest.mark.parametrize("text", ["", "just text\n", "- 1\n- [2]\n", "kind: 5\n", "spec: {containers: 7}\n"])
def test_whatever_the_file_holds_the_rules_answer(text: str) -> None:
    assert all(isinstance(each, Finding) for each in found(text))


def test_the_same_object_says_the_same_in_the_package() -> None:
    inside = check(package(applied(manifest("Pod", pod(hostPID=True)))), POLICY)
    assert "host-namespace" in {each.rule for each in inside}


def test_a_comment_in_the_file_waives_nothing_and_is_told_so() -> None:
    waiver = "# wpk-sandbox: allow host-namespace -- a probe of the node (until 2027-01-31, @ops)"
    text = HOST.replace("hostPID: true", f"hostPID: true  {waiver}")
    one = package(k8s("apply", manifest="deploy/it.yaml"))
    by_rule = {each.rule: each for each in judgement(_with(one, text), (), POLICY, date(2026, 12, 1)).findings}
    assert by_rule["host-namespace"].waiver is None
    told = by_rule["waiver-invalid"]
    assert (str(told.location), told.excerpt.strip()) == ("deploy/it.yaml:5:18", waiver)
    without = judgement(_with(one, HOST), (), POLICY, date(2026, 12, 1)).findings
    assert "waiver-invalid" not in {each.rule for each in without}


def test_an_entry_of_the_policy_waives_in_the_file() -> None:
    entry = Waiver("a probe of the node", "2027-01-31", "@ops", Location("policy.yaml", 1, 1))
    policy = replace(POLICY, waivers=(FileWaiver("token-mounted", "deploy/it.yaml", entry),))
    one = package(k8s("apply", manifest="deploy/it.yaml"))
    found = judgement(_with(one, HOST), (), policy, date(2026, 12, 1)).findings
    assert {each.rule for each in found if each.waiver} == {"token-mounted"}


def _with(one: Package, text: str) -> Package:
    whole, findings = with_files(one, lambda _: text.encode())
    assert findings == ()
    return whole
