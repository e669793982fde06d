"""Preparing namespaces and measuring them, on the simulated API, which is an API like any other."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from kubernetes.client import ApiClient, Configuration

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.clusters.kind.calls import call, translated, wait_until
from wpk_sandbox.sandbox.clusters.kind.closing import admission_evidence, quota_evidence
from wpk_sandbox.sandbox.clusters.kind.namespaces import collection, make_accounts, prepare_namespace
from wpk_sandbox.sandbox.clusters.simulated import SIMULATED
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import Limits, SandboxSpec, Security


@pytest.fixture(scope="module")
def api() -> Iterator[ApiClient]:
    ledger = Ledger("unit", datetime.now(UTC) + timedelta(hours=1))
    with SIMULATED.open(SandboxSpec(), ledger) as cluster:
        yield cluster.api


def prepare(api: ApiClient, namespace: str, *, security: Security | None = None) -> None:
    prepare_namespace(api, namespace, Limits(), security or Security(), None)


def names(api: ApiClient, path: str) -> set[str]:
    return {item["metadata"]["name"] for item in call(api, "GET", path)["items"]}


def test_prepared_namespace_has_quota_policy_and_lets_the_package_work(api: ApiClient) -> None:
    prepare(api, "home")
    assert "sandbox-quota" in names(api, "/api/v1/namespaces/home/resourcequotas")
    assert "sandbox-deny-all" in names(api, "/apis/networking.k8s.io/v1/namespaces/home/networkpolicies")
    bindings = names(api, "/apis/rbac.authorization.k8s.io/v1/namespaces/home/rolebindings")
    assert bindings == {"wpk-sandbox-package", "wpk-sandbox-steps"}


def test_accounts_live_in_a_namespace_of_ours(api: ApiClient) -> None:
    make_accounts(api, ("pods/get",))
    assert {"package", "steps"} <= names(api, "/api/v1/namespaces/wpk-sandbox/serviceaccounts")
    assert names(api, "/api/v1/namespaces/home/serviceaccounts") == {"default"}


def test_preparing_twice_changes_nothing(api: ApiClient) -> None:
    prepare(api, "twice")
    before = call(api, "GET", "/api/v1/namespaces/twice/resourcequotas")["items"]
    prepare(api, "twice")
    assert call(api, "GET", "/api/v1/namespaces/twice/resourcequotas")["items"] == before


def test_namespace_that_exists_gets_the_labels(api: ApiClient) -> None:
    before = call(api, "GET", "/api/v1/namespaces/default")["metadata"].get("labels", {})
    assert "pod-security.kubernetes.io/enforce" not in before
    prepare(api, "default")
    after = call(api, "GET", "/api/v1/namespaces/default")["metadata"]["labels"]
    assert after == {**before, "pod-security.kubernetes.io/enforce": "restricted"}


def test_system_namespace_keeps_its_network_and_lets_no_package_in(api: ApiClient) -> None:
    prepare(api, "kube-system")
    assert names(api, "/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/rolebindings") == set()
    assert names(api, "/apis/networking.k8s.io/v1/namespaces/kube-system/networkpolicies") == set()
    assert "sandbox-quota" in names(api, "/api/v1/namespaces/kube-system/resourcequotas")


def test_namespace_that_is_no_name_is_refused_with_the_servers_words(api: ApiClient) -> None:
    with pytest.raises(SandboxError, match=r"could not make the Namespace Not_A_Name: 422"):
        prepare(api, "Not_A_Name")


def test_objects_are_made_where_their_kind_lives() -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}
    metadata = {"name": "p", "namespace": "n"}
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata}
    assert collection(namespace) == "/api/v1/namespaces"
    assert collection(policy) == "/apis/networking.k8s.io/v1/namespaces/n/networkpolicies"


def test_privileged_pod_is_refused_in_a_prepared_namespace_and_not_elsewhere(api: ApiClient) -> None:
    prepare(api, "closed")
    call(api, "POST", "/api/v1/namespaces", {"metadata": {"name": "open"}})
    closed, opened = (admission_evidence(api, namespace) for namespace in ("closed", "open"))
    assert closed.held
    assert "violates PodSecurity" in closed.seen
    assert (opened.held, opened.seen) == (False, "the API server took it")
    assert names(api, "/api/v1/namespaces/open/pods") == set(), "a dry run leaves nothing"


def test_namespace_that_may_be_privileged_is_not_tried(api: ApiClient) -> None:
    prepare(api, "loose", security=Security(allow_privileged=True))
    evidence = admission_evidence(api, "loose")
    assert evidence.held
    assert "allowed by the settings" in evidence.seen


def test_quota_is_evidence_where_it_is_and_not_elsewhere(api: ApiClient) -> None:
    prepare(api, "limited")
    limited, missing = quota_evidence(api, "limited"), quota_evidence(api, "kube-public")
    assert limited.held
    assert "pods 10" in limited.seen
    assert not missing.held
    assert missing.seen.startswith("404")


def test_waiting_ends_when_it_is_so() -> None:
    answers = iter([False, False, True])
    wait_until("it is so", lambda: next(answers), timeout=5)
    assert list(answers) == []


def test_waiting_in_vain_says_for_what_and_why(api: ApiClient) -> None:
    with pytest.raises(
        SandboxError, match=r"waited 0 s until it is there: could not ask the cluster: 404"
    ) as caught:
        wait_until("it is there", lambda: bool(call(api, "GET", "/api/v1/namespaces/nowhere")), timeout=0)
    assert "boot_timeout" in caught.value.remedy


def test_server_that_is_gone_is_a_broken_sandbox() -> None:
    configuration = Configuration(host="http://127.0.0.1:1")
    configuration.proxy = None
    with pytest.raises(SandboxError, match="the cluster does not answer"), translated("ask"):
        call(ApiClient(configuration), "GET", "/version")
