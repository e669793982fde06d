"""wait knows the conditions of each kind, and explains what it waited for in vain."""

from typing import Any

import pytest
from running import FakeTime, deployment, k8s, manifest, perform, planned, tried, workload

from wpk_sandbox.package.package import KubernetesAction
from wpk_sandbox.run.actions.waiting import condition_text, judge_for
from wpk_sandbox.run.result import Limit, StepResult, StepStatus

IMPOSSIBLE = {"nodeSelector": {"disk": "none-has-this"}}


def waited(action: KubernetesAction, **situation: Any) -> StepResult:
    return perform(planned(action, **situation), clock=FakeTime().clock).steps[0]


@pytest.mark.parametrize("condition", ["ready", "Available", "condition=Available", None])
def test_a_deployment_is_ready_when_its_rollout_is_through(condition: str | None) -> None:
    step = waited(k8s("wait", "deployment", "web", **({"condition": condition} if condition else {})))
    assert step.status is StepStatus.OK
    assert "2 of 2 pods ready" in step.message


def test_a_job_completes() -> None:
    assert "1 of 1 completed" in waited(k8s("wait", "job", "once", condition="complete")).message


def test_pods_of_a_selector_are_counted_together() -> None:
    step = waited(k8s("wait", "pod", selector="app=web", condition="ready"), objects=(deployment(replicas=3),))
    assert step.message.startswith("waited for ready: 3 of 3 pods ready")


def test_a_phase_is_a_condition_too() -> None:
    step = waited(k8s("wait", "pod", selector="app=web", condition="running"), objects=(deployment(replicas=1),))
    assert "phase Running" in step.message


def test_a_wait_in_vain_says_how_far_it_came_why_and_what_to_do() -> None:
    action = k8s("wait", "deployment", "web", condition="available", timeout="30s")
    step = waited(action, objects=(deployment(**IMPOSSIBLE),))
    assert step.status is StepStatus.FAILED
    assert step.message == "waited for available: 0 of 2 pods ready"
    assert any("Unschedulable" in detail for detail in step.details)
    assert "requests" in step.advice
    assert step.limit is Limit.STEP


def test_pods_that_are_not_ready_are_counted() -> None:
    fine, stuck = deployment("web", replicas=1), deployment("db", replicas=1, **IMPOSSIBLE)
    for one in (fine, stuck):
        one["spec"]["template"]["metadata"]["labels"]["tier"] = "all"
    step = waited(k8s("wait", "pod", selector="tier=all", condition="ready", timeout="5s"), objects=(fine, stuck))
    assert step.message == "waited for ready: 1 of 2 pods ready"


def test_what_is_deleted_is_waited_for() -> None:
    outcome = tried(
        k8s("delete", "configmap", "app"),
        k8s("wait", "configmap", "app", condition="deleted"),
        objects=(manifest("ConfigMap", "app"),),
    )
    assert outcome.steps[1].message.startswith("ConfigMap/app is gone after")


def test_what_nobody_deletes_stays_and_is_told() -> None:
    action = k8s("wait", "configmap", "app", condition="deleted", timeout="5s")
    step = waited(action, objects=(manifest("ConfigMap", "app"),))
    assert step.message == "ConfigMap/app is still there after 5.0 s: nobody has deleted it"


def test_a_finalizer_that_holds_a_deletion_is_named() -> None:
    held = manifest("ConfigMap", "app")
    held["metadata"]["finalizers"] = ["example.com/archive"]
    made = planned(k8s("delete", "configmap", "app"), objects=(held,), handler_timeout=5)
    step = perform(made, clock=FakeTime().clock).steps[0]
    assert step.message == "ConfigMap/app is still there after 5.0 s: held by the finalizers example.com/archive"
    assert step.details[0].startswith("example.com/archive: whoever set it must remove it")
    assert "finalizers" in step.advice
    assert step.limit is Limit.STEP


def test_a_job_that_failed_is_not_waited_for_any_longer() -> None:
    time = FakeTime()
    failed = {
        "conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "no"}]
    }
    progress = judge_for("complete")({**workload("Job", "once", None), "status": failed})
    assert (progress.done, progress.never) == (False, "the Job failed: no")
    assert time.slept == []


@pytest.mark.parametrize(
    ("wanted", "status", "done"),
    [
        ("bound", {"phase": "Bound"}, True),
        ("bound", {"phase": "Pending"}, False),
        ("established", {"conditions": [{"type": "Established", "status": "True"}]}, True),
        ("established", {"conditions": [{"type": "Established", "status": "False"}]}, False),
        ("synced=false", {"conditions": [{"type": "Synced", "status": "False"}]}, True),
        ("synced=false", {"conditions": [{"type": "Synced", "status": "True"}]}, False),
        ("exists", {}, True),
        ("synced", {}, False),
    ],
)
def test_phases_and_conditions_of_any_kind(wanted: str, status: dict[str, Any], done: bool) -> None:
    assert judge_for(wanted)({**manifest("PersistentVolumeClaim", "data"), "status": status}).done is done


@pytest.mark.parametrize(
    ("given", "text"),
    [(None, "ready"), ("Ready", "ready"), ("condition=Available", "available"), ("Synced=False", "synced=false")],
)
def test_conditions_are_read_as_kubectl_reads_them(given: str | None, text: str) -> None:
    assert condition_text(given) == text
