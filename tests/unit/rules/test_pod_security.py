"""Pod Security `restricted`, host ports, sysctls, and the tokens that pods are given."""

from typing import Any

import pytest
from checking import CLOSED, CLOSED_POD, applied, container, findings, in_pod, k8s, manifest, one, pod, shell, steps

from wpk_sandbox.finding import Finding, Severity

CONTEXT = CLOSED_POD["securityContext"]
assert isinstance(CONTEXT, dict)


def told(rule: str, *handlers: dict[str, Any]) -> list[str]:
    return [found.message for found in findings(*handlers) if found.rule == rule]


def restricted(**fields: Any) -> list[str]:
    """The controls that a pod breaks."""
    found = told("pod-security-restricted", applied(manifest("Pod", pod(**fields))))
    assert len(found) <= 1
    return found[0].partition(": ")[2].split("; ") if found else []


def of_container(**fields: Any) -> list[str]:
    return restricted(containers=[in_pod(**fields)])


def opened(**context: Any) -> list[str]:
    return of_container(securityContext={**CLOSED, **context})


def test_a_closed_pod_breaks_nothing() -> None:
    assert restricted() == []


def test_an_open_pod_is_one_low_finding_that_names_each_control() -> None:
    bare = {"containers": [in_pod("one", securityContext={}), in_pod("two", securityContext={})]}
    found = one("pod-security-restricted", applied(manifest("Pod", bare)))
    assert (found.severity, found.cwe) == (Severity.LOW, 250)
    assert found.message == (
        "the pod breaks 4 controls of Pod Security `restricted`: runAsNonRoot is not true;"
        " allowPrivilegeEscalation is not false; capabilities.drop lacks ALL; seccompProfile is not set"
    )


def test_a_control_that_one_container_breaks_names_it() -> None:
    both = [in_pod("first"), in_pod("second", securityContext={"capabilities": {"drop": ["ALL"]}})]
    assert restricted(containers=both) == ["allowPrivilegeEscalation is not false (container second)"]
    assert restricted(initContainers=[in_pod("early", securityContext={**CLOSED, "procMount": "Unmasked"})]) == [
        "procMount is Unmasked (container early)"
    ]


def test_pod_and_container_may_each_say_it() -> None:
    own = {**CLOSED, "runAsNonRoot": True, "seccompProfile": {"type": "Localhost", "localhostProfile": "a.json"}}
    assert restricted(securityContext={}, containers=[in_pod(securityContext=own)]) == []
    assert restricted(securityContext={}) == ["runAsNonRoot is not true", "seccompProfile is not set"]
    assert opened(runAsNonRoot=False) == ["runAsNonRoot is not true"]


@pytest.mark.parametrize(
    ("context", "control"),
    [
        ({"runAsUser": 0}, "runAsUser is 0, which is root"),
        ({"seccompProfile": {"type": "Unconfined"}}, "seccompProfile is Unconfined"),
        ({"appArmorProfile": {"type": "Unconfined"}}, "AppArmor unconfined"),
        ({"seLinuxOptions": {"type": "spc_t"}}, "seLinuxOptions choose a type, user or role"),
        ({"seLinuxOptions": {"user": "system_u"}}, "seLinuxOptions choose a type, user or role"),
        ({"procMount": "Unmasked"}, "procMount is Unmasked"),
        ({"windowsOptions": {"hostProcess": True}}, "hostProcess is true"),
        ({"capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}}, "the capability CHOWN is added"),
        ({"capabilities": {"drop": ["NET_RAW"]}}, "capabilities.drop lacks ALL"),
    ],
)
def test_each_control_is_known(context: dict[str, Any], control: str) -> None:
    assert opened(**context) == [control]


@pytest.mark.parametrize(
    "context",
    [
        {"runAsUser": 65532},
        {"seccompProfile": {"type": "RuntimeDefault"}},
        {"appArmorProfile": {"type": "RuntimeDefault"}},
        {"seLinuxOptions": {"type": "container_t", "level": "s0:c1"}},
        {"procMount": "Default"},
        {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}},
        {"readOnlyRootFilesystem": False},
    ],
)
def test_what_restricted_allows_is_allowed(context: dict[str, Any]) -> None:
    assert opened(**context) == []


@pytest.mark.parametrize(
    ("context", "rule"),
    [
        ({"allowPrivilegeEscalation": True}, "privilege-escalation"),
        ({"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}, "dangerous-capability"),
        ({"privileged": True}, "privileged-container"),
    ],
)
def test_what_has_a_rule_of_its_own_is_told_once(context: dict[str, Any], rule: str) -> None:
    assert opened(**context) == []
    assert told(rule, applied(manifest("Pod", pod(containers=[in_pod(securityContext={**CLOSED, **context})]))))


@pytest.mark.parametrize(
    ("source", "control"),
    [
        ({"nfs": {"server": "files", "path": "/"}}, ["a volume of type nfs"]),
        ({"iscsi": {}}, ["a volume of type iscsi"]),
        ({"emptyDir": {}}, []),
        ({"configMap": {"name": "a"}}, []),
        ({"persistentVolumeClaim": {"claimName": "a"}}, []),
        ({"hostPath": {"path": "/var"}}, []),  # the rule host-path says so
    ],
)
def test_volumes_are_of_the_types_that_restricted_allows(source: dict[str, Any], control: list[str]) -> None:
    assert restricted(volumes=[{"name": "files", **source}]) == control


def test_a_probe_that_names_a_host_and_an_annotation_of_app_armor_are_found() -> None:
    probe = {"httpGet": {"port": 80, "host": "10.0.0.1"}}
    assert of_container(livenessProbe=probe) == ["livenessProbe names a host"]
    key = "container.apparmor.security.beta.kubernetes.io/main"
    whole = {**manifest("Pod", pod()), "metadata": {"name": "made", "annotations": {key: "unconfined"}}}
    assert len(told("pod-security-restricted", applied(whole))) == 1


def test_a_windows_pod_has_fewer_controls() -> None:
    bare = {"containers": [in_pod(securityContext={})], "securityContext": {}}
    assert restricted(**bare, os={"name": "windows"}) == ["runAsNonRoot is not true"]
    assert len(restricted(**bare, os={"name": "linux"})) == 4


def test_the_pod_of_a_container_step_is_the_runners_and_only_what_the_step_opens_counts() -> None:
    assert told("pod-security-restricted", container()) == []
    assert told("pod-security-restricted", container(securityContext={"runAsUser": 1000})) == []
    assert told("pod-security-restricted", container(securityContext={"runAsUser": 0})) == [
        "the container breaks 1 control of Pod Security `restricted`: runAsUser is 0, which is root"
    ]


def test_a_patch_that_opens_a_pod_again_is_found() -> None:
    def patched(**context: Any) -> list[str]:
        template = {"template": {"spec": {"containers": [{"name": "web", "securityContext": context}]}}}
        handler = k8s("patch", resource_type="deployment", name="web", data={"spec": template})
        return told("pod-security-restricted", handler)

    assert patched(runAsUser=0) == [
        "the patch breaks 1 control of Pod Security `restricted`: runAsUser is 0, which is root"
    ]
    assert patched(runAsUser=1000) == []
    assert patched() == []


def workload(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    template = {"template": {"spec": spec}}
    if kind == "CronJob":
        return manifest(kind, {"jobTemplate": {"spec": template}}, "batch/v1")
    return manifest(kind, template, "apps/v1")


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"])
def test_the_pods_of_every_workload_are_looked_at(kind: str) -> None:
    bare = {"containers": [in_pod()], "automountServiceAccountToken": False}
    assert len(told("pod-security-restricted", applied(workload(kind, bare)))) == 1
    assert told("pod-security-restricted", applied(workload(kind, pod()))) == []


def test_an_object_without_a_template_is_looked_at_and_a_patch_is_not() -> None:
    bare = {"template": {"spec": {"containers": [in_pod(securityContext={})]}}}
    assert told("pod-security-restricted", k8s("create", resource_type="job", name="a", spec=bare))
    assert not told(
        "pod-security-restricted", k8s("patch", resource_type="deployment", name="a", data={"spec": bare})
    )


@pytest.mark.parametrize(("port", "hit"), [({"hostPort": 80}, True), ({"hostPort": 0}, False), ({}, False)])
def test_a_port_of_the_node_is_medium(port: dict[str, Any], hit: bool) -> None:
    for handler in (
        applied(manifest("Pod", pod(containers=[in_pod(ports=[{"containerPort": 80, **port}])]))),
        container(ports=[{"containerPort": 80, **port}]),
    ):
        found: list[Finding] = [each for each in findings(handler) if each.rule == "host-port"]
        assert [each.severity for each in found] == ([Severity.MEDIUM] if hit else [])


@pytest.mark.parametrize(
    ("name", "hit"),
    [
        ("net.core.somaxconn", True),
        ("kernel.msgmax", True),
        ("net/core/somaxconn", True),
        ("vm.overcommit_memory", True),
        ("net.ipv4.ip_unprivileged_port_start", False),
        ("net/ipv4/tcp_syncookies", False),
        ("kernel.shm_rmid_forced", False),
        ("${SYSCTL}", False),
    ],
)
def test_only_the_safe_sysctls_are_let_through(name: str, hit: bool) -> None:
    context = {**CONTEXT, "sysctls": [{"name": name, "value": "1"}]}
    found = told("unsafe-sysctl", applied(manifest("Pod", pod(securityContext=context))))
    assert found == ([f"the kernel parameter {name} is not one of the safe ones"] if hit else [])


def test_a_sysctl_that_became_safe_later_is_not_safe_before() -> None:
    context = {**CONTEXT, "sysctls": [{"name": "net.ipv4.tcp_rmem", "value": "4096 87380 6291456"}]}
    handler = applied(manifest("Pod", pod(securityContext=context)))
    for version, hit in (("1.30", True), ("1.32", False), ("1.30+", True), ("", False)):
        found = findings(handler, runtime={"type": "k8s", "version": version})
        assert ("unsafe-sysctl" in {each.rule for each in found}) == hit, version


def tokens(**fields: Any) -> list[str]:
    spec = {"containers": [in_pod()], "securityContext": CONTEXT, **fields}
    return told("token-mounted", applied(manifest("Pod", spec)))


def test_a_token_of_the_default_account_that_nothing_uses_is_found() -> None:
    assert len(tokens()) == 1
    assert len(tokens(serviceAccountName="default")) == 1
    assert len(tokens(automountServiceAccountToken=True)) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"automountServiceAccountToken": False},
        {"serviceAccountName": "reporter"},
        {"serviceAccount": "reporter"},
        {"containers": [in_pod(command=["sh", "-c", "kubectl get pods"])]},
        {"containers": [in_pod(image="bitnami/kubectl:1.34")]},
        {"containers": [in_pod(args=["--kubeconfig=/etc/config"])]},
        {"containers": [in_pod(args=["cat /var/run/secrets/kubernetes.io/serviceaccount/token"])]},
        {"containers": [in_pod(env=[{"name": "API", "value": "https://kubernetes.default.svc"}])]},
    ],
)
def test_a_token_that_is_declined_wanted_or_used_is_not(fields: dict[str, Any]) -> None:
    assert tokens(**fields) == []


def test_an_account_that_declines_for_all_its_pods_is_heard() -> None:
    account = {"kubernetes": {**manifest("ServiceAccount"), "automountServiceAccountToken": False}}
    default = {"kubernetes": {**account["kubernetes"], "metadata": {"name": "default"}}}
    keeps = {"kubernetes": manifest("Pod", {"containers": [in_pod()], "securityContext": CONTEXT})}
    assert told("token-mounted", steps(default, keeps)) == []
    assert len(told("token-mounted", steps(account, keeps))) == 1


def test_a_package_without_pods_is_given_no_token() -> None:
    assert told("token-mounted", shell("true")) == []
