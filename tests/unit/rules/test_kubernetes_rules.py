"""What pods, containers and cluster objects may not ask for, wherever in a package they stand."""

import json
from typing import Any

import pytest
from checking import LIMITS, POLICY, applied, container, k8s, manifest, one, package, pod, shell
from checking import findings as all_findings

from wpk_sandbox.finding import Finding, Severity
from wpk_sandbox.rules import host, images, privilege, resources, rights, scripts
from wpk_sandbox.rules.check import check
from wpk_sandbox.rules.policy import Policy

FAMILIES = (host, images, privilege, resources, rights, scripts)
EXAMINED = {rule.id for family in FAMILIES for rule in family.RULES}


def findings(*handlers: dict[str, Any], policy: Policy = POLICY, **spec: Any) -> list[Finding]:
    """What the families of this file say; packages are as short as their rules allow, and break others."""
    return [found for found in all_findings(*handlers, policy=policy, **spec) if found.rule in EXAMINED]


def rules(*handlers: dict[str, Any], policy: Policy = POLICY) -> set[str]:
    return {found.rule for found in findings(*handlers, policy=policy)}


BAD_POD = pod(hostNetwork=True)
GOOD_POD = pod(hostNetwork=False)


def in_kind(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    if kind == "Pod":
        return manifest("Pod", spec)
    template = {"metadata": {"labels": {"app": "made"}}, "spec": spec}
    if kind == "CronJob":
        return manifest(
            kind, {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": template}}}, "batch/v1"
        )
    return manifest(kind, {"template": template}, "batch/v1" if kind == "Job" else "apps/v1")


KINDS = ["Pod", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_pods_of_every_workload_are_examined(kind: str) -> None:
    assert rules(applied(in_kind(kind, BAD_POD))) == {"host-namespace"}
    assert rules(applied(in_kind(kind, GOOD_POD))) == set()


@pytest.mark.parametrize(
    ("action", "option"), [("apply", "manifest"), ("run", "manifest"), ("create", "template"), ("run", "job")]
)
def test_the_objects_of_actions_are_examined(action: str, option: str) -> None:
    assert rules(k8s(action, **{option: in_kind("Job", BAD_POD)})) == {"host-namespace"}
    assert rules(k8s(action, **{option: in_kind("Job", GOOD_POD)})) == set()


def test_each_object_of_a_list_is_examined() -> None:
    objects = [in_kind("Job", GOOD_POD), in_kind("Job", BAD_POD)]
    assert rules(k8s("apply", manifest=objects)) == {"host-namespace"}
    assert rules(k8s("apply", manifest=manifest("List", items=objects))) == {"host-namespace"}


def test_a_patch_is_examined_in_each_of_its_forms() -> None:
    merge = {"spec": {"template": {"spec": {"hostNetwork": True}}}}
    operations = [{"op": "add", "path": "/spec/template/spec/hostNetwork", "value": True}]
    for data in (merge, json.dumps(merge), json.dumps(operations)):
        assert rules(k8s("patch", resource_type="deployment", name="web", data=data)) == {"host-namespace"}
    off = {"spec": {"template": {"spec": {"hostNetwork": False}}}}
    assert rules(k8s("patch", resource_type="deployment", name="web", data=off)) == set()
    assert rules(k8s("patch", resource_type="deployment", name="web", data="original")) == set()


def test_a_json_patch_of_one_container_is_understood() -> None:
    operation = {
        "op": "replace",
        "path": "/spec/template/spec/containers/0/securityContext",
        "value": {"privileged": True},
    }
    assert rules(k8s("patch", resource_type="deployment", name="web", data=json.dumps([operation]))) == {
        "privileged-container"
    }


def test_steps_of_the_rollback_are_examined() -> None:
    undo = {**applied(in_kind("Pod", BAD_POD)), "timeout": "60s"}
    found = check(package(shell("true"), undo=[undo]), Policy())
    assert [finding.rule for finding in found if finding.rule in EXAMINED] == ["host-namespace"]


def test_what_a_config_map_holds_is_only_text() -> None:
    data = {"privileged": "true", "hostNetwork": "true"}
    assert rules(applied(manifest("ConfigMap", data=data))) == set()


@pytest.mark.parametrize("name", ["hostNetwork", "hostPID", "hostIPC"])
def test_a_shared_namespace_is_critical(name: str) -> None:
    found = one("host-namespace", applied(manifest("Pod", pod(**{name: True}))))
    assert found.severity is Severity.CRITICAL
    assert found.excerpt.strip().startswith(f'"{name}"')


def security(**context: Any) -> set[str]:
    return rules(container(securityContext=context))


def test_a_privileged_container_is_critical() -> None:
    found = one("privileged-container", container(securityContext={"privileged": True}))
    assert (found.severity, found.cwe) == (Severity.CRITICAL, 250)
    assert security(privileged=False) == set()
    assert security(runAsNonRoot=True) == set()


@pytest.mark.parametrize(
    "name", ["SYS_ADMIN", "CAP_SYS_ADMIN", "sys_admin", "ALL", "SYS_PTRACE", "NET_ADMIN", "NET_RAW"]
)
def test_a_dangerous_capability_is_found_however_it_is_written(name: str) -> None:
    assert security(capabilities={"add": [name]}) == {"dangerous-capability"}
    assert security(capabilities={"drop": [name]}) == set()


@pytest.mark.parametrize("name", ["NET_BIND_SERVICE", "CHOWN", "SETUID", "KILL"])
def test_an_ordinary_capability_is_not(name: str) -> None:
    assert security(capabilities={"add": [name]}) == set()


def test_privilege_escalation_is_medium() -> None:
    assert security(allowPrivilegeEscalation=True) == {"privilege-escalation"}
    assert security(allowPrivilegeEscalation=False) == set()


def volume(**source: Any) -> set[str]:
    return rules(applied(manifest("Pod", pod(volumes=[{"name": "files", **source}]))))


def test_a_folder_of_the_node_is_critical() -> None:
    assert volume(hostPath={"path": "/var/log"}) == {"host-path"}
    assert volume(hostPath={}) == {"host-path"}
    assert volume(emptyDir={}) == set()
    assert volume(configMap={"name": "hostPath"}) == set()


@pytest.mark.parametrize(
    "path",
    ["/var/run/docker.sock", "/run/containerd/containerd.sock", "/run/containerd/", "/var/run/crio/crio.sock"],
)
def test_the_socket_of_the_runtime_has_a_rule_of_its_own(path: str) -> None:
    assert volume(hostPath={"path": path}) == {"runtime-socket"}


def test_a_container_step_that_mounts_the_socket_is_found() -> None:
    mount = {"name": "docker", "mountPath": "/var/run/docker.sock"}
    assert rules(container(volumeMounts=[mount])) == {"runtime-socket"}
    assert rules(container(volumeMounts=[{"name": "data", "mountPath": "/data"}])) == set()


def test_a_persistent_volume_on_the_node_is_found() -> None:
    spec = {"capacity": {"storage": "1Gi"}, "hostPath": {"path": "/data"}}
    assert rules(applied(manifest("PersistentVolume", spec))) == {"host-path"}


@pytest.mark.parametrize("kind", ["ClusterRole", "ClusterRoleBinding"])
def test_rights_over_the_whole_cluster_are_high(kind: str) -> None:
    found = one("cluster-rights", applied(manifest(kind, None, "rbac.authorization.k8s.io/v1")))
    assert (found.severity, found.cwe) == (Severity.HIGH, 269)


def test_a_role_binding_that_refers_to_a_cluster_role_is_ordinary() -> None:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    binding = manifest("RoleBinding", None, "rbac.authorization.k8s.io/v1", roleRef=reference)
    assert rules(applied(binding)) == set()


@pytest.mark.parametrize("kind", ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"])
def test_a_webhook_configuration_is_high(kind: str) -> None:
    assert rules(applied(manifest(kind, None, "admissionregistration.k8s.io/v1"))) == {"admission-webhook"}


def test_actions_that_change_rights_are_found_and_those_that_look_are_not() -> None:
    assert rules(k8s("annotate", resource_type="clusterrole", name="x", annotation="a", value="b")) == {
        "cluster-rights"
    }
    assert rules(k8s("get", resource_type="clusterrole", name="x")) == set()
    assert rules(k8s("delete", resource_type="role", name="x")) == set()


@pytest.mark.parametrize(
    ("command", "rule"),
    [
        ("kubectl create clusterrolebinding a --clusterrole=cluster-admin --user=b", "cluster-rights"),
        ("kubectl -n shop delete clusterrole/a", "cluster-rights"),
        ("sudo kubectl patch mutatingwebhookconfigurations a -p '{}'", "admission-webhook"),
        ("kubectl get clusterroles", None),
        ("kubectl create rolebinding a --clusterrole=view --user=b", None),
        ("echo kubectl delete clusterrole a", None),
    ],
)
def test_kubectl_calls_that_change_rights_are_found(command: str, rule: str | None) -> None:
    assert rules(shell(command)) == ({rule} if rule else set())


def limits(**resources: Any) -> set[str]:
    return rules(container(resources=resources))


def test_limits_must_be_there_for_cpu_and_memory() -> None:
    assert limits() == {"resources-unlimited"}
    assert limits(requests={"cpu": "1", "memory": "1Gi"}) == {"resources-unlimited"}
    assert limits(limits={"cpu": "1", "memory": "1Gi"}) == set()
    found = one("resources-unlimited", container(resources={"limits": {"memory": "1Gi"}}))
    assert found.message == "the container has no limit of cpu"


def test_a_patch_need_not_repeat_the_limits() -> None:
    part = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "web:1.2"}]}}}}
    assert rules(k8s("patch", resource_type="deployment", name="web", data=part)) == set()
    assert rules(applied({**manifest("Deployment", None, "apps/v1"), **part})) == {"resources-unlimited"}


@pytest.mark.parametrize(
    ("amounts", "told"),
    [
        ({"cpu": "2", "memory": "8Gi"}, None),
        ({"cpu": 2, "memory": 8589934592}, None),
        ({"cpu": "2001m", "memory": "1Gi"}, "2.001 CPU is more than the 2 CPU that the policy allows"),
        ({"cpu": 4, "memory": "1Gi"}, "4 CPU is more than the 2 CPU that the policy allows"),
        ({"cpu": "1", "memory": "16Gi"}, "16 GiB is more than the 8 GiB that the policy allows"),
        ({"cpu": "${CPU}", "memory": "${MEMORY}"}, None),
        ({"cpu": "many", "memory": "much"}, None),
    ],
)
def test_more_than_the_policy_allows_is_medium(amounts: dict[str, Any], told: str | None) -> None:
    found = [
        each for each in findings(container(resources={"limits": amounts})) if each.rule == "resources-too-large"
    ]
    assert [each.message for each in found] == ([told] if told else [])


def test_the_bounds_are_the_policys() -> None:
    big = container(resources={"limits": {"cpu": "3", "memory": "9Gi"}})
    assert rules(big, policy=Policy(max_cpu=4, max_memory=10 * 1024**3)) == set()
    assert rules(container(), policy=Policy(max_cpu=0.1)) == {"resources-too-large"}


def test_what_the_package_asks_for_as_a_whole_is_bounded_too() -> None:
    runtime = {"type": "k8s", "requirements": {"cpu": "8", "memory": "1Gi"}}
    found = one("resources-too-large", shell("true"), runtime=runtime)
    assert found.excerpt.strip() == '"cpu": "8",'


@pytest.mark.parametrize(
    ("image", "pinned"),
    [
        ("postgres:16", True),
        ("postgres:16.4-alpine", True),
        ("registry.example.com:5000/postgres:16", True),
        ("postgres@sha256:" + "a" * 64, True),
        ("postgres:latest@sha256:" + "a" * 64, True),
        ("${IMAGE}", True),
        ("postgres:${TAG}", True),
        ("postgres", False),
        ("postgres:latest", False),
        ("registry.example.com:5000/postgres", False),
        ("${REGISTRY}/postgres", False),
        ("${REGISTRY}/postgres:latest", False),
        ("postgres:main", False),
    ],
)
def test_an_image_needs_a_tag_that_stays_or_a_digest(image: str, pinned: bool) -> None:
    assert rules(container(image=image)) == (set() if pinned else {"image-unpinned"})


@pytest.mark.parametrize(
    ("image", "allowed"),
    [
        ("busybox:1.36", True),
        ("docker.io/library/busybox:1.36", True),
        ("ghcr.io/team/tool:1.0", True),
        ("ghcr.io/teams/tool:1.0", False),
        ("ghcr.io/other/tool:1.0", False),
        ("registry.example.com/any/thing:2", True),
        ("registry.example.com.evil.example/any:2", False),
        ("postgres:16", False),
        ("${IMAGE}", True),
    ],
)
def test_only_images_that_the_policy_names_are_allowed(image: str, allowed: bool) -> None:
    policy = Policy(allowed_images=("busybox",), allowed_registries=("ghcr.io/team", "registry.example.com"))
    assert rules(container(image=image), policy=policy) == (set() if allowed else {"image-not-allowed"})


def test_every_image_is_allowed_where_the_policy_names_none() -> None:
    assert rules(container(image="ghcr.io/other/tool:1.0")) == set()


def test_every_container_of_a_pod_is_examined() -> None:
    spec = {
        "initContainers": [{"name": "first", "image": "a:latest", "resources": LIMITS}],
        "containers": [{"name": "main", "image": "b:1.0"}],
    }
    found = findings(applied(manifest("Pod", spec)))
    assert {(each.rule, each.message) for each in found} == {
        ("image-unpinned", "the image a:latest has the tag latest, which moves"),
        ("resources-unlimited", "the container main has no limit of cpu and memory"),
    }


def test_what_the_containers_of_an_object_run_is_read() -> None:
    spec = {"containers": [{"name": "a", "image": "b:1", "resources": LIMITS, "command": ["sh", "-c", "rm -rf /"]}]}
    assert rules(applied(manifest("Pod", spec))) == {"shell-destroy-system"}


@pytest.mark.parametrize(
    "data",
    [
        {"spec": None},
        {"spec": {"containers": None}},
        {"spec": {"containers": "many"}},
        {"spec": {"containers": [None, 1, "x", {}]}},
        {"spec": {"containers": [{"image": 5, "command": "x", "resources": "none"}]}},
        {"spec": {"volumes": [{"hostPath": None}], "volumeMounts": [None]}},
        {"spec": {"containers": [{"securityContext": {"capabilities": [1]}}]}},
        {"spec": {"containers": [{"securityContext": {"capabilities": {"add": {"a": 1}}}}]}},
    ],
)
def test_malformed_objects_end_in_findings_and_never_in_a_traceback(data: dict[str, Any]) -> None:
    findings(applied({**manifest("Pod"), **data}))
