"""The manifests of a sandbox namespace."""

import pytest

from wpk_sandbox.package.units import quantity
from wpk_sandbox.sandbox.namespace import MAX_PODS, cpu_quantity, memory_quantity, namespace_objects
from wpk_sandbox.sandbox.sandbox import Limits, Security

DEFAULT_LIMITS, CLOSED = Limits(), Security()


def by_kind(limits=DEFAULT_LIMITS, security=CLOSED):
    return {manifest["kind"]: manifest for manifest in namespace_objects("atom-sandbox", limits, security)}


def test_the_quota_is_the_one_of_the_specification():
    quota = by_kind()["ResourceQuota"]
    assert quota["metadata"] == {"name": "sandbox-quota", "namespace": "atom-sandbox"}
    assert quota["spec"]["hard"] == {
        "requests.cpu": "2",
        "requests.memory": "4Gi",
        "limits.cpu": "4",
        "limits.memory": "8Gi",
        "pods": "10",
    }


def test_the_namespace_comes_first_because_the_rest_lives_in_it():
    kinds = [manifest["kind"] for manifest in namespace_objects("shop", Limits(), Security())]
    assert kinds == ["Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy"]


def test_all_allowed_pods_without_resources_fit_the_quota():
    objects = by_kind()
    hard, defaults = objects["ResourceQuota"]["spec"]["hard"], objects["LimitRange"]["spec"]["limits"][0]
    for group, of in (("requests", "defaultRequest"), ("limits", "default")):
        for resource in ("cpu", "memory"):
            assert MAX_PODS * quantity(defaults[of][resource]) <= quantity(hard[f"{group}.{resource}"])


def test_defaults_never_exceed_the_bound_of_a_step():
    container = by_kind(Limits(step_cpu=0.1, step_memory=64 * 1024**2))["LimitRange"]["spec"]["limits"][0]
    assert container["max"] == {"cpu": "100m", "memory": "64Mi"} == container["default"]
    assert container["defaultRequest"] == {"cpu": "50m", "memory": "32Mi"}


def test_no_traffic_goes_in_or_out_but_questions_to_the_cluster_s_own_name_service():
    spec = by_kind()["NetworkPolicy"]["spec"]
    (way,) = spec.pop("egress")
    assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert {(port["port"], port["protocol"]) for port in way["ports"]} == {(53, "UDP"), (53, "TCP")}
    (peer,) = way["to"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "kube-system"}
    assert peer["podSelector"]["matchLabels"] == {"k8s-app": "kube-dns"}


@pytest.mark.parametrize(
    ("security", "level"),
    [
        (Security(), "restricted"),
        (Security(allow_privileged=True), "privileged"),
        (Security(allow_host_network=True), "privileged"),
        (Security(allow_host_pid=True), "privileged"),
    ],
)
def test_pod_security_is_restricted_unless_the_settings_allow_more(security, level):
    labels = by_kind(security=security)["Namespace"]["metadata"]["labels"]
    assert labels == {"pod-security.kubernetes.io/enforce": level}


@pytest.mark.parametrize(("cores", "text"), [(2, "2"), (0.5, "500m"), (1.25, "1250m")])
def test_cores_are_written_as_kubernetes_does(cores, text):
    assert cpu_quantity(cores) == text


@pytest.mark.parametrize(
    ("size", "text"), [(4 * 1024**3, "4Gi"), (128 * 1024**2, "128Mi"), (1000, "1000"), (2048, "2Ki")]
)
def test_bytes_are_written_as_kubernetes_does(size, text):
    assert memory_quantity(size) == text
