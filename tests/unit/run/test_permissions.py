"""A step does what its package's permissions let it do, and says which one is missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from running import FakeShell, k8s, perform, planned, said, simulated

from wpk_sandbox.package.package import Action, ContainerAction, ManifestAction, ShellAction
from wpk_sandbox.run.outcome import Outcome
from wpk_sandbox.run.result import Verdict
from wpk_sandbox.sandbox.clusters.simulated import SIMULATED
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import Cluster, SandboxSpec


@contextmanager
def with_permissions(*permissions: str) -> Iterator[Cluster]:
    ledger = Ledger("test", datetime.now(UTC) + timedelta(hours=1))
    with SIMULATED.open(SandboxSpec(permissions=permissions), ledger) as cluster:
        yield cluster


def tried(action: Action, *permissions: str) -> Outcome:
    with with_permissions(*permissions) as cluster:
        return perform(planned(action), cluster=cluster)


NOTES = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "notes"}, "data": {"a": "1"}}
HOOK = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingWebhookConfiguration",
    "metadata": {"name": "hook"},
    "webhooks": [],
}

# Each action, what is enough for it (any one of these), and what its refusal names.
CASES = [
    (k8s("restart", "deployment", "web"), ["deployments/patch", "deployments.apps/update", "deployments/restart"]),
    (k8s("scale", "deployment", "web", replicas=1), ["deployments/scale", "deployments/patch", "*"]),
    (k8s("patch", "configmap", "app", data={"a": "b"}), ["configmaps/patch", "configmaps/*"]),
    (k8s("annotate", "deployment", "web", annotation="a=b"), ["deployments/patch"]),
    (k8s("rollback", "deployment", "web"), ["deployments/update"]),
    (k8s("delete", "configmap", "app"), ["configmaps/delete", "configmaps/deletecollection"]),
    (k8s("get", "configmap", "app"), ["configmaps/get", "configmaps/list"]),
    (k8s("wait", "deployment", "web"), ["deployments/watch"]),
    (k8s("logs", "deployment", "web"), ["pods/log"]),
    (k8s("events", "deployment", "web"), ["events/list"]),
    (ManifestAction(NOTES), ["configmaps/create"]),
    (k8s("patch", "node", "any", data={"spec": {"unschedulable": True}}), ["nodes/patch"]),
]
WANTING = [
    "deployments.apps/patch",
    "deployments.apps/scale/patch",
    "configmaps/patch",
    "deployments.apps/patch",
    "deployments.apps/patch",
    "configmaps/delete",
    "configmaps/get",
    "deployments.apps/get",
    "pods/log/get",
    "events/list",
    "configmaps/create",
    "nodes/patch",
]


@pytest.mark.parametrize(
    ("action", "permission"), [(action, permission) for action, enough in CASES for permission in enough]
)
def test_a_permission_that_is_enough_lets_the_step_work(action: Action, permission: str) -> None:
    outcome = tried(action, permission)
    assert outcome.verdict is Verdict.PASS, outcome.reason


@pytest.mark.parametrize(
    ("action", "wanting"), [(case[0], name) for case, name in zip(CASES, WANTING, strict=True)]
)
def test_a_permission_that_is_missing_fails_the_step_by_its_name(action: Action, wanting: str) -> None:
    outcome = tried(action, "secrets/list")
    (step,) = outcome.steps
    assert outcome.verdict is Verdict.FAIL
    assert step.message == f"forbidden: {wanting} is missing in required_permissions"
    assert step.advice.startswith(f"add `{wanting}` to `required_permissions`")
    assert 'User "system:serviceaccount:wpk-sandbox:steps" cannot' in step.details[0]


def test_what_the_sandbox_does_for_itself_needs_no_permission() -> None:
    assert tried(ContainerAction("busybox:1.36", ("true",))).verdict is Verdict.PASS


def test_a_package_that_lists_nothing_is_held_to_nothing() -> None:
    with simulated() as cluster:
        assert perform(planned(k8s("restart", "deployment", "web")), cluster=cluster).verdict is Verdict.PASS


def test_applying_what_is_there_takes_a_change_and_what_is_not_takes_a_creation() -> None:
    action = ManifestAction({**NOTES, "data": {"a": "2"}})
    with with_permissions("configmaps/create") as cluster:
        made = perform(planned(ManifestAction(NOTES), action), cluster=cluster)
    assert [step.status for step in made.steps] == ["ok", "failed"]
    assert made.steps[1].message == "forbidden: configmaps/patch is missing in required_permissions"


def test_no_permission_is_one_to_decide_over_all_requests() -> None:
    outcome = tried(ManifestAction(HOOK), "*", "validatingwebhookconfigurations/*")
    assert "no package may touch validatingwebhookconfigurations" in outcome.steps[0].message


def test_a_command_that_is_refused_fails_with_the_permission_that_is_missing() -> None:
    user = "system:serviceaccount:wpk-sandbox:package"
    words = f'User "{user}" cannot delete resource "pods" in API group "" in the namespace "shop"'
    refused = said("", exit_code=1, stderr=f"Error from server (Forbidden): {words}\n")
    outcome = perform(planned(ShellAction("kubectl delete pod a")), shell=FakeShell(lambda command: refused))
    (step,) = outcome.steps
    assert step.message == "exit code 1: forbidden: pods/delete is missing in required_permissions"
    assert step.advice.startswith("add `pods/delete`")
