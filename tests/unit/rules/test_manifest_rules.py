"""Objects, containers and patches that the package's Kubernetes release refuses, or will."""

import json
from typing import Any

import pytest
from checking import POLICY, applied, container, findings, in_pod, k8s, manifest, one, package, pod, steps

from wpk_sandbox.finding import Finding, Severity
from wpk_sandbox.rules.check import check
from wpk_sandbox.rules.kubernetes.release import Release, release
from wpk_sandbox.rules.kubernetes.schemas import NEWEST, OLDEST
from wpk_sandbox.rules.manifests import RULES

IDS = {rule.id for rule in RULES}
LABELS = {"labels": {"app": "made"}}


def told(*handlers: dict[str, Any], version: str = "1.34") -> list[Finding]:
    runtime = {"type": "k8s", "version": version}
    return [found for found in findings(*handlers, runtime=runtime) if found.rule in IDS]


def rules(*handlers: dict[str, Any], version: str = "1.34") -> list[str]:
    return [found.rule for found in told(*handlers, version=version)]


def deployment(**fields: Any) -> dict[str, Any]:
    spec = {"selector": {"matchLabels": {"app": "made"}}, "template": {"metadata": LABELS, "spec": pod()}, **fields}
    return manifest("Deployment", spec, "apps/v1")


def job(**fields: Any) -> dict[str, Any]:
    return manifest("Job", {"template": {"spec": pod(restartPolicy="Never", **fields)}}, "batch/v1")


CRON = {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": {"spec": pod(restartPolicy="Never")}}}}


@pytest.mark.parametrize(
    ("version", "meant"),
    [
        ("1.28+", Release(28, newer=True)),
        (">=1.28", Release(28, newer=True)),
        (">= v1.28.3", Release(28, newer=True)),
        ("^1.30", Release(30, newer=True)),
        ("1.28", Release(28, newer=False)),
        ("v1.31.2", Release(31, newer=False)),
        ("1.28 - 1.31", Release(28, newer=True)),
        (">=1.26 <1.30", Release(26, newer=True)),
        ("~1.29", Release(29, newer=False)),
        ("<=1.30", Release(30, newer=False)),
        ("", Release(NEWEST - 2, newer=True, told=False)),
        ("latest", Release(NEWEST - 2, newer=True, told=False)),
        ("21.30", Release(NEWEST - 2, newer=True, told=False)),
    ],
)
def test_the_oldest_release_that_a_constraint_names_counts(version: str, meant: Release) -> None:
    assert release(version) == meant


def test_the_nearest_schema_stands_for_a_release_that_is_not_known() -> None:
    assert [release(version).schema for version in ("1.19", "1.30", "1.99", "")] == [OLDEST, 30, NEWEST, NEWEST]


def test_a_wrong_field_is_high_and_marked_at_its_name() -> None:
    found = one("manifest-invalid", applied(deployment(replica=3)))
    assert found.severity is Severity.HIGH
    assert found.message.endswith("`replicas` is the nearest that there is")
    assert found.excerpt[found.location.column - 1 : found.location.end_column - 1] == '"replica"'


def test_a_wrong_value_is_marked_itself() -> None:
    found = one("manifest-invalid", applied(deployment(replicas="three")))
    assert found.excerpt[found.location.column - 1 : found.location.end_column - 1] == '"three"'


@pytest.mark.parametrize("wrong", [False, True])
def test_every_way_to_write_an_object_is_held_against_the_schema(wrong: bool) -> None:
    bad = {"replica": 1} if wrong else {}
    expected = ["manifest-invalid"] if wrong else []
    whole = deployment(**bad)
    nameless = {**whole, "metadata": {}}
    assert rules(applied(whole)) == expected
    assert rules(k8s("apply", manifest=whole)) == expected
    assert rules(k8s("apply", manifest=[deployment(), whole])) == expected
    assert rules(k8s("apply", manifest=manifest("List", items=[whole]))) == expected
    assert rules(k8s("create", name="made", template=nameless)) == expected
    assert rules(k8s("create", resource_type="deployment", name="made", spec=whole["spec"])) == expected
    assert (
        rules(k8s("patch", resource_type="deployment", name="web", data={"spec": {"paused": True, **bad}}))
        == expected
    )


def test_what_is_missing_is_told_in_one_finding() -> None:
    (found,) = told(applied(manifest("Deployment", {"replicas": 1}, "apps/v1")))
    assert found.message == "`spec` lacks `selector` and `template`"
    assert found.fix == "Add `selector: {…}` and `template: {…}`."


@pytest.mark.parametrize(
    ("path", "value", "hit"),
    [
        ("/spec/replicas", 3, False),
        ("/spec/replicas", "three", True),
        ("/spec/replica", 3, True),
        ("/spec/template/spec/containers/0/image", "web:1.2", False),
        ("/spec/template/spec/containers/0/imag", "web:1.2", True),
        ("/metadata/annotations/example.com~1why", "because", False),
        ("/metadata/annotations/example.com~1why", 5, True),
    ],
)
def test_each_operation_of_a_json_patch_is_held_against_the_schema(path: str, value: Any, hit: bool) -> None:
    operations = json.dumps([{"op": "add", "path": path, "value": value}, {"op": "remove", "path": "/spec/paused"}])
    handler = k8s("patch", resource_type="deployment", name="web", data=operations)
    assert rules(handler) == (["manifest-invalid"] if hit else [])


def test_the_objects_of_a_run_and_of_the_rollback_are_held_against_the_schema() -> None:
    assert rules(k8s("run", manifest=job())) == []
    assert rules(k8s("run", manifest=job(host_network=True))) == ["manifest-invalid"]
    undo = {**applied(deployment(replica=3)), "timeout": "60s"}
    found = check(package(steps({"shell": {"command": "true"}}), undo=[undo]), POLICY)
    assert [each.rule for each in found if each.rule in IDS] == ["manifest-invalid"]


def test_the_container_of_a_step_is_held_against_the_schema_and_needs_no_name() -> None:
    assert rules(container(ports=[{"containerPort": 80}], securityContext={"runAsUser": 1000})) == []
    assert rules(container(ports=[{"containerport": 80}])) == ["manifest-invalid", "manifest-invalid"]
    assert rules(container(securityContext={"runAsuser": 1000})) == ["manifest-invalid"]


def test_keys_of_a_config_map_are_free() -> None:
    assert rules(k8s("patch", resource_type="configmap", name="web", data={"replica": "3"})) == []
    assert rules(k8s("create", resource_type="configmap", name="web", data={"replica": "3"})) == []
    assert rules(k8s("create", resource_type="secret", name="web", data={"password": "plain text"})) == []


def test_objects_of_other_groups_are_their_owners_matter() -> None:
    custom = manifest("Prometheus", {"replica": 3}, "monitoring.coreos.com/v1")
    snapshot = manifest("VolumeSnapshot", {"x": 1}, "snapshot.storage.k8s.io/v1")
    assert rules(applied(custom), applied(snapshot)) == []


@pytest.mark.parametrize(
    ("api_version", "kind", "message", "fix"),
    [
        ("v1", "Deployment", "v1 has no Deployment (Kubernetes 1.34)", "Write `apiVersion: apps/v1`."),
        ("apps/v2", "Deployment", "apps/v2 has no Deployment (Kubernetes 1.34)", "Write `apiVersion: apps/v1`."),
        ("app/v1", "Deployment", "app/v1 has no Deployment (Kubernetes 1.34)", "Write `apiVersion: apps/v1`."),
        ("apps/v1", "Deploymnet", "apps/v1 has no Deploymnet (Kubernetes 1.34)", "Write `kind: Deployment`."),
        ("v1", "Ingress", "v1 has no Ingress (Kubernetes 1.34)", "Write `apiVersion: networking.k8s.io/v1`."),
        (
            "storagemigration.k8s.io/v1",
            "StorageVersionMigration",
            "StorageVersionMigration of storagemigration.k8s.io/v1 came with Kubernetes 1.37 (Kubernetes 1.34)",
            'Write `runtime: {version: "1.37+"}`, or use storagemigration.k8s.io/v1alpha1.',
        ),
    ],
)
def test_a_kind_that_is_not_served_is_found(api_version: str, kind: str, message: str, fix: str) -> None:
    (found,) = told(applied(manifest(kind, {}, api_version)))
    assert (found.rule, found.message, found.fix) == ("manifest-invalid", message, fix)


def test_an_object_needs_its_version_its_kind_and_its_name() -> None:
    assert [found.message for found in told(k8s("apply", manifest={"metadata": {"name": "a"}}))] == [
        "the object lacks `apiVersion` and `kind`"
    ]
    nameless = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop"}}
    assert [found.message for found in told(k8s("apply", manifest=nameless))] == [
        "the ConfigMap lacks `metadata.name`"
    ]
    made = {**nameless, "metadata": {"generateName": "a-"}}
    assert told(k8s("run", manifest=[made])) == []


@pytest.mark.parametrize(
    ("kind", "name", "sound"),
    [
        ("ConfigMap", "my-app.v2", True),
        ("ConfigMap", "2024-report", True),
        ("ConfigMap", "report-${DATE}", True),
        ("ConfigMap", "${NAME}", True),
        ("ConfigMap", "My_App", False),
        ("ConfigMap", "-app", False),
        ("ConfigMap", "a" * 254, False),
        ("Service", "my-app", True),
        ("Service", "my.app", False),
        ("Service", "a" * 64, False),
        ("Namespace", "team.shop", False),
    ],
)
def test_a_name_that_no_object_may_have_is_found(kind: str, name: str, sound: bool) -> None:
    whole = {**manifest(kind), "metadata": {"name": name}}
    found = told(applied(whole))
    assert [each.message.partition(":")[0] for each in found] == (
        [] if sound else [f"the name `{name[:60]}` is refused"]
    )


def test_a_role_may_have_any_name() -> None:
    whole = {
        **manifest("Role", None, "rbac.authorization.k8s.io/v1", rules=[]),
        "metadata": {"name": "team:My_Role"},
    }
    assert rules(applied(whole)) == []


@pytest.mark.parametrize(
    ("value", "sound"),
    [("v1.2_a", True), ("", True), ("${TEAM}", True), ("two words", False), ("a/b", False), ("x" * 64, False)],
)
def test_a_label_that_no_object_may_have_is_found(value: str, sound: bool) -> None:
    whole = {
        **manifest("ConfigMap"),
        "metadata": {"name": "a", "labels": {"team": value}, "annotations": {"b": value}},
    }
    found = told(applied(whole))
    assert len(found) == (0 if sound else 1)
    assert all(each.fix.startswith("Write it as an annotation") for each in found)


def test_the_selector_must_be_that_of_the_template() -> None:
    (found,) = told(applied(deployment(selector={"matchLabels": {"app": "other"}})))
    assert found.message == "the selector asks for the label `app: other`, which the template does not have"
    assert told(applied(deployment(selector={"matchLabels": {"app": "${APP}"}}))) == []


def test_the_pods_of_a_job_end_and_those_of_a_deployment_stay() -> None:
    forever = manifest("Job", {"template": {"spec": pod()}}, "batch/v1")
    (found,) = told(applied(forever))
    assert found.message.startswith("the pods of a Job need `restartPolicy: Never` or `OnFailure`")
    assert told(applied(job()), applied(manifest("CronJob", CRON, "batch/v1"))) == []
    ending = {"metadata": LABELS, "spec": pod(restartPolicy="Never")}
    assert rules(applied(deployment(template=ending))) == ["manifest-invalid"]


def test_not_every_problem_of_a_hopeless_object_is_told() -> None:
    hopeless = manifest("Pod", pod(containers=[in_pod(**{f"x{n}": n for n in range(50)})]))
    assert len(told(applied(hopeless))) == 20


@pytest.mark.parametrize(
    ("version", "rule", "message"),
    [
        (
            "1.24",
            "api-deprecated",
            "CronJob of batch/v1beta1 is deprecated since Kubernetes 1.21, and removed in 1.25",
        ),
        (
            "1.24+",
            "api-deprecated",
            "CronJob of batch/v1beta1 is deprecated since Kubernetes 1.21, and removed in 1.25",
        ),
        (
            "1.20+",
            "api-deprecated",
            "CronJob of batch/v1beta1 is deprecated since Kubernetes 1.21, and removed in 1.25",
        ),
        ("1.20", None, ""),
        ("1.25", "api-removed", "CronJob of batch/v1beta1 was removed in Kubernetes 1.25"),
        ("1.34+", "api-removed", "CronJob of batch/v1beta1 was removed in Kubernetes 1.25"),
        ("", "api-removed", "CronJob of batch/v1beta1 was removed in Kubernetes 1.25"),
    ],
)
def test_an_api_version_that_is_given_up_is_told_for_the_packages_release(
    version: str, rule: str | None, message: str
) -> None:
    found = told(applied(manifest("CronJob", CRON, "batch/v1beta1")), version=version)
    assert [(each.rule, each.message) for each in found] == ([(rule, message)] if rule else [])
    assert all(each.fix == "Write `apiVersion: batch/v1`." for each in found)


@pytest.mark.parametrize("version", ["1.24", "1.34+", ""])
def test_an_api_version_that_is_served_is_not(version: str) -> None:
    assert told(applied(manifest("CronJob", CRON, "batch/v1")), version=version) == []


def test_what_is_only_deprecated_waits_for_the_release_that_says_so() -> None:
    endpoints = applied(manifest("Endpoints"))
    assert rules(endpoints, version="1.32+") == []
    (found,) = told(endpoints, version="1.33+")
    assert (found.rule, found.severity) == ("api-deprecated", Severity.MEDIUM)
    assert found.fix == "Write an EndpointSlice of `discovery.k8s.io/v1`."


def test_where_nothing_replaces_it_the_fix_says_what_does_the_work_today() -> None:
    (found,) = told(applied(manifest("PodSecurityPolicy", {}, "policy/v1beta1")))
    assert found.rule == "api-removed"
    assert "pod-security.kubernetes.io/enforce" in found.fix


def test_a_version_that_a_parameter_decides_is_not_judged() -> None:
    assert rules(applied({**deployment(replica=1), "apiVersion": "${API_VERSION}"})) == []
