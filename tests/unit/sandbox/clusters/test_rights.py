"""What a list of permissions comes to, as rules of a role and as the accounts that hold them."""

import pytest

from wpk_sandbox.sandbox.clusters.refusals import missing
from wpk_sandbox.sandbox.clusters.rights import (
    ALL_VERBS,
    Rule,
    account_objects,
    binding_objects,
    role_rules,
    user_name,
)

READS = ("get", "list", "watch")


def exact(*permissions: str) -> tuple[Rule, ...]:
    return role_rules(permissions, widely=False)


def roles(permissions: tuple[str, ...] | None) -> dict[str, set[tuple[str, str]]]:
    """What each cluster role holds, as (group, resource)."""
    return {
        each["metadata"]["name"]: {
            (rule["apiGroups"][0], resource) for rule in each["rules"] for resource in rule["resources"]
        }
        for each in account_objects(permissions)
        if each["kind"] == "ClusterRole"
    }


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("pods/get", Rule("", "pods", ("get",))),
        ("deployments/patch", Rule("apps", "deployments", ("patch",))),
        ("deployments.apps/patch", Rule("apps", "deployments", ("patch",))),
        ("deploy:Update", Rule("apps", "deployments", ("update",))),
        ("pods/log", Rule("", "pods/log", ALL_VERBS)),
        ("pods/logs", Rule("", "pods/log", ALL_VERBS)),
        ("deployments/scale/update", Rule("apps", "deployments/scale", ("update",))),
        ("deployments/scale", Rule("apps", "deployments/scale", ALL_VERBS)),
        ("widgets.example.com/get", Rule("example.com", "widgets", ("get",))),
        ("widgets/get", Rule("*", "widgets", ("get",))),
        ("jobs/restart", Rule("batch", "jobs", (*READS, "create", "delete"))),
        ("deployments/restart", Rule("apps", "deployments", (*READS, "patch", "update"))),
    ],
)
def test_a_permission_is_one_rule(text: str, rule: Rule) -> None:
    assert exact(text) == (rule,)


def test_every_verb_on_pods_is_every_verb_on_their_subresources_too() -> None:
    found = {rule.resource: rule.verbs for rule in exact("pods/*")}
    assert found["pods"] == found["pods/log"] == ALL_VERBS


def test_no_right_lets_an_account_give_itself_another() -> None:
    verbs = {verb for rule in role_rules(("*", "clusterroles/*"), widely=True) for verb in rule.verbs}
    assert verbs == set(ALL_VERBS)


@pytest.mark.parametrize("text", ["nodes/proxy", "prometheus", "pods/get/now/then", "pods/explode", ""])
def test_what_is_no_permission_or_may_never_be_one_gives_nothing(text: str) -> None:
    assert exact(text) == ()
    assert exact(text, "pods/get") == exact("pods/get")


def test_steps_may_use_what_does_the_same() -> None:
    (reads,) = role_rules(("pods/list",), widely=True)
    assert set(reads.verbs) == set(READS)
    changed = {rule.resource: set(rule.verbs) for rule in role_rules(("deployments/update",), widely=True)}
    assert changed["deployments"] == {"patch", "update"}
    assert {"patch", "update"} <= changed["deployments/scale"]
    assert role_rules(("configmaps/create",), widely=True) == exact("configmaps/create")


def test_rights_over_the_cluster_are_apart_from_those_in_namespaces() -> None:
    held = roles(("nodes/patch", "pods/list", "widgets.example.com/get"))
    assert held["wpk-sandbox-package"] == {("", "pods"), ("example.com", "widgets")}
    assert held["wpk-sandbox-package-cluster"] == {("", "nodes"), ("example.com", "widgets")}


def test_a_right_to_everything_is_none_to_what_decides_over_all_requests() -> None:
    listed = roles(("*", "validatingwebhookconfigurations/create"))["wpk-sandbox-steps-cluster"]
    assert ("", "nodes") in listed
    assert not {group for group, _ in listed} & {"admissionregistration.k8s.io", "apiregistration.k8s.io", "*"}


def test_a_package_that_lists_nothing_edits_in_its_shell_and_does_all_in_its_steps() -> None:
    shell, steps = binding_objects("shop", None)
    assert (shell["roleRef"]["name"], steps["roleRef"]["name"]) == ("edit", "wpk-sandbox-steps")
    assert ("*", "*") in roles(None)["wpk-sandbox-steps"]
    assert roles(None)["wpk-sandbox-package"] == set()


def test_a_package_that_lists_none_may_do_nothing() -> None:
    assert set(map(frozenset, roles(()).values())) == {frozenset()}
    assert binding_objects("shop", ())[0]["roleRef"]["name"] == "wpk-sandbox-package"


def test_accounts_are_bound_in_a_namespace_under_their_full_names() -> None:
    for binding in binding_objects("shop", ("pods/get",)):
        (subject,) = binding["subjects"]
        assert binding["metadata"]["namespace"] == "shop"
        assert user_name(subject["name"]) == f"system:serviceaccount:{subject['namespace']}:{subject['name']}"


REFUSAL = (
    'deployments.apps "web" is forbidden: User "system:serviceaccount:wpk-sandbox:steps" cannot patch resource'
    ' "deployments" in API group "apps" in the namespace "shop"'
)


def test_a_refusal_names_the_permission_that_is_missing() -> None:
    found = missing(f"Error from server (Forbidden): {REFUSAL}\n")
    assert found is not None
    assert found.message == "forbidden: deployments.apps/patch is missing in required_permissions"
    assert "add `deployments.apps/patch`" in found.advice


def test_a_refusal_over_the_cluster_and_of_a_subresource_is_read_too() -> None:
    user = "system:serviceaccount:wpk-sandbox:package"
    nodes = f'nodes is forbidden: User "{user}" cannot list resource "nodes" in API group "" at the cluster scope'
    log = f'User "{user}" cannot get resource "pods/log" in API group "" in the namespace "shop"'
    assert [one.permission for one in (missing(nodes), missing(log)) if one] == ["nodes/list", "pods/log/get"]


def test_a_refusal_that_no_permission_would_change_says_so() -> None:
    system = missing(REFUSAL.replace('"shop"', '"kube-system"'))
    hooks = missing(REFUSAL.replace('"apps"', '"admissionregistration.k8s.io"'))
    assert system is not None
    assert hooks is not None
    assert system.message.endswith("in kube-system, into which the sandbox lets no package")
    assert hooks.message.startswith("forbidden: no package may touch ")


@pytest.mark.parametrize(
    "text", ["exceeded quota: sandbox-quota", "violates PodSecurity", REFUSAL.replace("wpk-sandbox:", "other:")]
)
def test_another_refusal_is_none_of_permissions(text: str) -> None:
    assert missing(text) is None
