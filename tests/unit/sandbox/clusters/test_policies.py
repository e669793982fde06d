"""What no package may do: the table, and the simulated cluster that is held to it."""

import pytest

from wpk_sandbox.sandbox.clusters.kind.admission import policy_manifest
from wpk_sandbox.sandbox.clusters.policies import ON_PODS, policies, why_not
from wpk_sandbox.sandbox.sandbox import Security

LOOSE = Security(allow_host_network=True)


@pytest.fixture
def guarded(api):
    api.store.policies = policies(Security())
    return api


def test_pods_are_left_to_pod_security_where_nothing_is_loosened():
    assert [policy.name for policy in policies(Security()) if policy.name.startswith(ON_PODS)] == []


@pytest.mark.parametrize(
    ("security", "loosened"),
    [
        (Security(allow_host_network=True), "host-network"),
        (Security(allow_host_pid=True), "host-pid"),
        (Security(allow_privileged=True), "privileged"),
    ],
)
def test_a_setting_loosens_only_what_it_names(security, loosened):
    closed = {policy.name.removeprefix(ON_PODS) for policy in policies(security) if policy.name.startswith(ON_PODS)}
    assert closed == {"host-paths", "host-ipc", "host-pid", "host-network", "privileged"} - {loosened}


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"hostPID": True}, "host pid"),
        ({"hostIPC": True}, "host ipc"),
        ({"volumes": [{"name": "root", "hostPath": {"path": "/"}}]}, "host paths"),
        ({"container": {"securityContext": {"privileged": True}}}, "privileged"),
    ],
)
def test_pods_of_callers_and_of_controllers_are_held_to_what_is_not_loosened(api, make, changes, word):
    api.store.policies = policies(LOOSE)
    assert word in api.refusal("POST", "Pod", body=make.pod(**changes))["message"]
    spec = {**changes}
    container = spec.pop("container", {})
    template = {"spec": {**spec, "containers": [make.container(**container)]}}
    api.create("Deployment", make.workload(template=template))
    failure = api.condition("ReplicaSet", api.names("ReplicaSet")[0], "ReplicaFailure")
    assert word in failure["message"]


def test_what_is_loosened_is_let_in(api, make):
    api.store.policies = policies(LOOSE)
    api.create("Pod", make.pod(hostNetwork=True))


def test_an_object_is_held_to_the_policies_however_it_is_written(guarded):
    spec = {"type": "NodePort", "ports": [{"port": 80}]}
    service = {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}
    opened = {"apiVersion": "v1", "kind": "Service", **service, "spec": spec}
    applied = guarded.refusal(
        "PATCH", "Service", "web", opened, how="application/apply-patch+yaml", fieldManager="m"
    )
    assert "denied request" in applied["message"]
    made = guarded.create("Service", service)
    put = {**made, "spec": {**made["spec"], "type": "NodePort"}}
    assert "denied request" in guarded.refusal("PUT", "Service", "web", put)["message"]
    assert "denied request" in guarded.refusal("PATCH", "Service", "web", {"spec": spec})["message"]
    assert guarded.get("Service", "web")["spec"]["type"] == "ClusterIP"


@pytest.mark.parametrize(
    ("manifest", "word"),
    [
        ({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration"}, "decides"),
        ({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService"}, "decides"),
        (
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "kube-system"}},
            "namespaces of Kubernetes",
        ),
        (
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}},
            "namespaces of Kubernetes",
        ),
        ({"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "wpk-sandbox"}}, "nor into its own"),
        (
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "local-path-storage"}},
            "namespaces of Kubernetes",
        ),
        (
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": "wpk-sandbox-mine"},
            },
            "a sandbox",
        ),
    ],
)
def test_a_case_brings_along_nothing_that_opens_the_cluster(manifest, word):
    assert word in (why_not(manifest) or "")


@pytest.mark.parametrize(
    "manifest",
    [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "wpk-sandbox-notes", "namespace": "shop"}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "reader"}},
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}},
        {"kind": "Odd", "metadata": None},
    ],
)
def test_a_case_brings_along_what_it_likes_otherwise(manifest):
    assert why_not(manifest) is None


def test_a_policy_is_written_for_every_group_and_subresource_that_it_names():
    manifests = {policy.name: policy_manifest(policy) for policy in policies(Security())}
    (everything,) = manifests["system"]["spec"]["matchConstraints"]["resourceRules"]
    assert (everything["apiGroups"], everything["resources"]) == (["*"], ["*/*"])
    (token,) = manifests["tokens"]["spec"]["matchConstraints"]["resourceRules"]
    assert (token["apiGroups"], token["resources"]) == ([""], ["serviceaccounts/token"])


def test_the_sandbox_itself_is_exempt_only_where_it_has_to_be():
    def conditions(name):
        (policy,) = [policy for policy in policies(Security()) if policy.name == name]
        return [each["name"] for each in policy_manifest(policy)["spec"]["matchConditions"]]

    assert conditions("fixtures") == ["not-the-system", "not-the-sandbox"]
    assert conditions("services") == ["not-the-system"]
