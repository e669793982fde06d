"""Services that reach further than the cluster, and roles that reach further than they say."""

from typing import Any

import pytest
from checking import POLICY, applied, findings, k8s, manifest, one, shell

from wpk_sandbox.finding import Severity
from wpk_sandbox.rules.policy import Policy

RBAC = "rbac.authorization.k8s.io/v1"


def told(rule: str, *handlers: dict[str, Any], policy: Policy = POLICY) -> list[str]:
    return [found.message for found in findings(*handlers, policy=policy) if found.rule == rule]


def service(**spec: Any) -> dict[str, Any]:
    return applied(manifest("Service", {"ports": [{"port": 80}], **spec}))


@pytest.mark.parametrize(
    ("spec", "hit"),
    [
        ({"type": "NodePort"}, True),
        ({"type": "LoadBalancer"}, True),
        ({"type": "LoadBalancer", "allocateLoadBalancerNodePorts": True}, True),
        ({"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False}, False),
        ({"type": "ClusterIP"}, False),
        ({"clusterIP": "None"}, False),
        ({}, False),
        ({"type": "${TYPE}"}, False),
    ],
)
def test_a_service_that_opens_ports_of_the_nodes_is_medium(spec: dict[str, Any], hit: bool) -> None:
    assert bool(told("node-port", service(**spec))) == hit
    assert bool(told("node-port", k8s("patch", resource_type="svc", name="web", data={"spec": spec}))) == hit
    assert bool(told("node-port", k8s("create", resource_type="service", name="web", spec=spec))) == hit
    if hit:
        assert one("node-port", service(**spec)).severity is Severity.MEDIUM


def test_a_type_elsewhere_is_no_services() -> None:
    assert (
        told("node-port", k8s("patch", resource_type="deployment", name="a", data={"spec": {"type": "NodePort"}}))
        == []
    )
    assert told("node-port", applied(manifest("ConfigMap", data={"type": "NodePort"}))) == []


@pytest.mark.parametrize(
    ("command", "hit"),
    [
        ("kubectl expose deployment web --type=NodePort --port=80", True),
        ("kubectl -n shop expose deploy/web --port 80 --type LoadBalancer", True),
        ("kubectl create service nodeport web --tcp=80", True),
        ("kubectl create svc loadbalancer web --tcp=80", True),
        ("kubectl expose deployment web --port=80", False),
        ("kubectl expose deployment web --port=80 --type=ClusterIP", False),
        ("kubectl create service clusterip web --tcp=80", False),
        ("kubectl get service nodeport", False),
        ("echo kubectl create service nodeport web", False),
    ],
)
def test_kubectl_calls_that_open_ports_are_found(command: str, hit: bool) -> None:
    assert bool(told("node-port", shell(command))) == hit


@pytest.mark.parametrize(
    ("name", "hit"),
    [
        ("db.partner.example.com", True),
        ("metadata.google.internal", True),
        ("db.orders.svc.cluster.local", False),
        ("db.orders.svc", False),
        ("${HOST}", False),
    ],
)
def test_a_name_that_leads_outside_is_medium(name: str, hit: bool) -> None:
    assert bool(told("external-name", service(type="ExternalName", externalName=name))) == hit


def test_an_outside_name_that_the_policy_allows_is_not() -> None:
    handler = service(type="ExternalName", externalName="db.partner.example.com")
    assert told("external-name", handler)
    assert told("external-name", handler, policy=Policy(allowed_hosts=("*.partner.example.com",))) == []
    assert told("external-name", service(externalName="db.partner.example.com")) == []  # of another type: no effect


def leads(verbs: list[str], resources: list[str], kind: str = "Role", **more: Any) -> list[str]:
    rule = {"apiGroups": ["*"], "verbs": verbs, "resources": resources, **more}
    return told("role-escalation", applied(manifest(kind, None, RBAC, rules=[rule])))


@pytest.mark.parametrize(
    ("verbs", "resources"),
    [
        (["escalate"], ["roles"]),
        (["bind"], ["clusterroles"]),
        (["impersonate"], ["users", "groups"]),
        (["*"], ["*"]),
        (["*"], ["secrets"]),
        (["get"], ["secrets"]),
        (["list"], ["pods", "secrets"]),
        (["watch"], ["secrets"]),
        (["get"], ["*"]),
        (["create"], ["pods/exec"]),
        (["get"], ["pods/exec"]),
        (["create"], ["pods/*"]),
        (["create"], ["*/exec"]),
        (["create"], ["pods/attach"]),
        (["patch"], ["pods/ephemeralcontainers"]),
        (["create"], ["pods"]),
        (["*"], ["pods"]),
        (["create"], ["serviceaccounts/token"]),
        (["get"], ["nodes/proxy"]),
        (["update"], ["certificatesigningrequests/approval"]),
        (["approve"], ["signers"]),
        (["create"], ["persistentvolumes"]),
        (["patch"], ["mutatingwebhookconfigurations"]),
        (["*"], ["roles"]),
    ],
)
@pytest.mark.parametrize("kind", ["Role", "ClusterRole"])
def test_a_rule_that_leads_further_is_found(kind: str, verbs: list[str], resources: list[str]) -> None:
    assert len(leads(verbs, resources, kind)) == 1


@pytest.mark.parametrize(
    ("verbs", "resources"),
    [
        (["get", "list", "watch"], ["pods", "configmaps", "deployments"]),
        (["get"], ["pods/log"]),
        (["create"], ["jobs"]),
        (["update", "patch"], ["deployments/scale"]),
        (["create", "delete"], ["secrets"]),
        (["delete"], ["pods"]),
        (["get", "list"], ["roles", "rolebindings"]),
        (["*"], ["configmaps"]),
        (["get"], ["nodes"]),
        (["create"], ["pods/eviction"]),
        (["get"], ["certificatesigningrequests"]),
        (["list"], ["serviceaccounts"]),
        (["create"], ["persistentvolumeclaims"]),
        ([], []),
    ],
)
def test_a_rule_that_says_what_it_gives_is_not(verbs: list[str], resources: list[str]) -> None:
    assert leads(verbs, resources) == []


def test_the_group_decides_whose_resources_are_meant() -> None:
    assert len(leads(["get"], ["secrets"], apiGroups=[""])) == 1
    assert leads(["get"], ["secrets"], apiGroups=["vault.example.com"]) == []
    assert len(leads(["*"], ["*"], apiGroups=["", "apps"])) == 1
    assert leads(["*"], ["*"], apiGroups=["argoproj.io"]) == []
    assert len(leads(["bind"], ["roles"], apiGroups=[RBAC.partition("/")[0]])) == 1
    assert leads(["bind"], ["roles"], apiGroups=["example.com"]) == []
    assert len(leads(["get"], ["secrets"], apiGroups=[])) == 1


def test_a_few_named_objects_are_what_a_runbook_may_ask_for() -> None:
    assert leads(["get"], ["secrets"], resourceNames=["db"]) == []
    assert leads(["bind"], ["roles"], resourceNames=["reader"]) == []
    assert len(leads(["escalate"], ["roles"], resourceNames=["reader"])) == 1


def test_a_message_says_what_the_holder_can_do_and_marks_the_reason() -> None:
    rule = {"apiGroups": [""], "verbs": ["create", "get"], "resources": ["pods/exec", "secrets"]}
    found = one("role-escalation", applied(manifest("Role", None, RBAC, rules=[rule])))
    assert (found.severity, found.cwe) == (Severity.HIGH, 269)
    assert found.message == (
        "whoever holds the role reads Secrets, and every token and password in them; runs commands in pods, with the"
        " rights of their accounts"
    )
    assert len(told("role-escalation", applied(manifest("Role", None, RBAC, rules=[rule, rule])))) == 2


def test_a_patch_of_a_role_is_read_too() -> None:
    data = {"rules": [{"apiGroups": [""], "verbs": ["get"], "resources": ["secrets"]}]}
    assert told("role-escalation", k8s("patch", resource_type="role", name="a", data=data))
    assert not told("role-escalation", k8s("patch", resource_type="configmap", name="a", data=data))


def bound(role: str, *subjects: str, kind: str = "RoleBinding") -> list[str]:
    listed = [{"kind": "Group", "name": name, "apiGroup": "rbac.authorization.k8s.io"} for name in subjects]
    reference = {"kind": "ClusterRole", "name": role, "apiGroup": "rbac.authorization.k8s.io"}
    return told("role-escalation", applied(manifest(kind, None, RBAC, roleRef=reference, subjects=listed)))


def test_a_binding_to_everything_or_to_everybody_is_found() -> None:
    assert len(bound("cluster-admin", "team")) == 1
    assert len(bound("view", "system:unauthenticated")) == 1
    assert len(bound("view", "system:authenticated", "team")) == 1
    assert bound("view", "team") == []
    assert bound("cluster-admin", "team", kind="ClusterRoleBinding") == []  # cluster-rights says so


@pytest.mark.parametrize(
    ("command", "hit"),
    [
        ("kubectl create role a --verb=get,list --resource=secrets", True),
        ("kubectl create clusterrole a --verb='*' --resource='*'", True),
        ("kubectl create role a --verb create --resource pods/exec -n shop", True),
        ("kubectl create clusterrole a --verb=escalate --resource=roles.rbac.authorization.k8s.io", True),
        ("kubectl create rolebinding a --clusterrole=cluster-admin --serviceaccount=shop:a", True),
        ("kubectl create role a --verb=get --resource=secrets --resource-name=db", False),
        ("kubectl create role a --verb=get,list --resource=pods,configmaps", False),
        ("kubectl create rolebinding a --clusterrole=view --user=b", False),
        ("kubectl get role secrets", False),
    ],
)
def test_kubectl_calls_that_make_such_roles_are_found(command: str, hit: bool) -> None:
    assert bool(told("role-escalation", shell(command))) == hit
