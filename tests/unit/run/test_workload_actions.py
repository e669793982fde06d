"""restart, scale and rollback do to real objects what kubectl does."""

from typing import Any

import pytest
from running import HOME, FakeTime, container, deployment, k8s, manifest, perform, planned, tried, workload

from wpk_sandbox.run.result import StepStatus, Verdict

RESTARTED = "spec.template.metadata.annotations[kubectl.kubernetes.io/restartedAt]"


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_a_restart_marks_the_template_and_awaits_the_rollout(kind: str) -> None:
    one = workload(kind, "web", None if kind == "DaemonSet" else 2)
    outcome = tried(k8s("restart", kind, "web"), objects=(one,))
    assert outcome.verdict is Verdict.PASS
    assert f"{kind}/web, " in outcome.steps[0].message
    assert "ready" in outcome.steps[0].message
    assert [effect.path for effect in outcome.effects] == [RESTARTED]


def test_a_stand_in_is_called_one() -> None:
    step = tried(k8s("restart", "deployment")).steps[0]
    assert "Deployment/fix-web (stand-in), 2 of 2 pods ready" in step.message


def test_a_selector_restarts_each_pod() -> None:
    step = tried(k8s("restart", "pod", selector="app=web"), objects=(deployment(replicas=2),)).steps[0]
    assert step.status is StepStatus.OK
    assert step.message.count("replaced and ready") == 2


def test_a_pod_of_a_set_is_replaced_under_its_name() -> None:
    outcome = tried(
        k8s("restart", "pod", "db-0", grace_period="0s"),
        k8s("get", "pod", "db-0", field="status.phase"),
        objects=(workload("StatefulSet", "db", 1),),
    )
    assert "Pod/db-0 of StatefulSet/db, replaced and ready" in outcome.steps[0].message
    assert outcome.steps[1].stdout == "Running\n"


def test_a_replacement_that_never_comes_up_is_explained() -> None:
    stuck = {"spec": {"template": {"spec": {"nodeSelector": {"no": "no"}}}}}
    made = planned(
        k8s("patch", "deployment", "web", data={"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}}),
        k8s("patch", "deployment", "web", data=stuck),
        k8s("restart", "pod", selector="app=web"),
        objects=(deployment(replicas=1),),
    )
    step = perform(made, clock=FakeTime().clock).steps[2]
    assert step.status is StepStatus.FAILED
    assert step.message.startswith("waited for the replacement of Pod/web-")
    assert any("Unschedulable" in detail for detail in step.details)


def test_a_pod_of_nobody_is_not_deleted_by_a_restart() -> None:
    lone = manifest("Pod", "lone", spec={"containers": [container()]})
    outcome = tried(k8s("restart", "pod", "lone"), objects=(lone,))
    assert outcome.steps[0].message == "nothing owns Pod/lone, so a restart would only delete it"
    assert outcome.effects == ()


def test_a_stand_in_pod_comes_back() -> None:
    outcome = tried(k8s("restart", "pod", "lone"), k8s("get", "pod", "lone", field="status.phase"))
    assert outcome.verdict is Verdict.PASS, outcome.reason
    assert outcome.steps[1].stdout == "Running\n"
    assert outcome.effects == ()


def test_a_job_is_run_once_more() -> None:
    job = manifest(
        "Job", "once", spec={"template": {"spec": {"restartPolicy": "Never", "containers": [container()]}}}
    )
    outcome = tried(k8s("restart", "job", "once"), objects=(job,))
    assert outcome.steps[0].message == "restarted Job/once, which ran once more"
    assert outcome.verdict is Verdict.PASS
    assert outcome.effects == ()


def test_what_has_no_pods_cannot_be_restarted() -> None:
    step = tried(k8s("restart", "configmap", "app"), objects=(manifest("ConfigMap", "app"),)).steps[0]
    assert step.message == "a ConfigMap has no pods to restart"


@pytest.mark.parametrize(
    ("options", "becomes"),
    [
        ({"replicas": 3}, 3),
        ({"replicas": "4"}, 4),
        ({"replicas": 0}, 0),
        ({"scale_factor": 2}, 4),
        ({"scale_factor": 1.2}, 3),
        ({"scale_factor": 0.5}, 1),
        ({"scale_factor": 10, "max_replicas": 5}, 5),
        ({"scale_factor": 1.5, "max_replicas": 9}, 3),
    ],
)
def test_scale(options: dict[str, Any], becomes: int) -> None:
    outcome = tried(k8s("scale", "deployment", "web", **options), objects=(deployment(replicas=2),))
    assert f"replicas 2 → {becomes}, {becomes} of {becomes} pod" in outcome.steps[0].message
    assert [str(effect) for effect in outcome.effects] == [f"Deployment/web spec.replicas 2 → {becomes}"]


def test_scaling_to_the_same_number_says_so() -> None:
    outcome = tried(k8s("scale", "deployment", "web", replicas=2), objects=(deployment(replicas=2),))
    assert "replicas already 2" in outcome.steps[0].message
    assert outcome.effects == ()


@pytest.mark.parametrize("options", [{"replicas": "many"}, {"replicas": -1}, {"scale_factor": "x"}, {}])
def test_a_number_that_is_none_is_refused(options: dict[str, Any]) -> None:
    step = tried(k8s("scale", "deployment", "web", **options), objects=(deployment(),)).steps[0]
    assert step.status is StepStatus.FAILED
    assert "no number from 0 up" in step.message


def test_original_replicas_are_those_before_the_run() -> None:
    outcome = tried(
        k8s("scale", "deployment", "web", replicas=4),
        undo=(k8s("scale", "deployment", "web", replicas="original"),),
        objects=(deployment(replicas=2),),
    )
    assert "replicas 4 → 2" in outcome.rollback.steps[0].message
    assert outcome.rollback.residue == ()


def test_an_earlier_handler_can_say_the_number() -> None:
    outcome = tried(
        k8s("get", "deployment", "db", field="spec.replicas"),
        k8s("scale", "deployment", "web", replicas="step-1"),
        objects=(deployment("db", 3), deployment("web", 1)),
    )
    assert "replicas 1 → 3" in outcome.steps[1].message


def test_the_sandbox_s_quota_is_not_held_against_the_package() -> None:
    made = planned(k8s("scale", "deployment", "web", replicas=30), objects=(deployment(replicas=1),))
    outcome = perform(made, clock=FakeTime().clock)
    assert outcome.verdict is Verdict.PASS, outcome.reason
    assert "of 30 pods ready, the sandbox's quota holds the rest back" in outcome.steps[0].message


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_rollback_returns_to_the_revision_before(kind: str) -> None:
    count = None if kind == "DaemonSet" else 1
    old = workload(kind, "web", count, containers=[container(image="busybox:1.35")])
    new = workload(kind, "web", count, containers=[container(image="busybox:1.36")])
    outcome = tried(k8s("rollback", kind, "web"), objects=(old, new))
    assert outcome.verdict is Verdict.PASS, outcome.reason
    assert "back to revision 1" in outcome.steps[0].message
    assert [str(effect) for effect in outcome.effects] == [
        f'{kind}/web spec.template.spec.containers[main].image "busybox:1.36" → "busybox:1.35"'
    ]


def test_previous_after_a_change_of_this_run_is_the_state_before_the_run() -> None:
    image = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "busybox:9"}]}}}}
    outcome = tried(
        k8s("patch", "deployment", "web", data=image),
        k8s("restart", "deployment", "web"),
        undo=(k8s("rollback", "deployment", "web", revision="previous"),),
        objects=(deployment(),),
    )
    assert "back to the template before the run" in outcome.rollback.steps[0].message
    assert outcome.verdict is Verdict.PASS


def test_a_revision_by_number() -> None:
    forms = tuple(deployment(containers=[container(image=f"busybox:{number}")]) for number in (1, 2, 3))
    assert (
        "back to revision 1"
        in tried(k8s("rollback", "deployment", "web", revision=1), objects=forms).steps[0].message
    )
    step = tried(k8s("rollback", "deployment", "web", revision=9), objects=forms).steps[0]
    assert step.message == "Deployment/web has no revision 9; it has 1, 2, 3"


def test_no_history_is_told_with_advice() -> None:
    step = tried(k8s("rollback", "deployment", "web"), objects=(deployment(),)).steps[0]
    assert step.message == "Deployment/web has no earlier revision"
    assert "case file" in step.advice


def test_a_stand_in_has_a_history_to_go_back_to() -> None:
    outcome = tried(k8s("rollback", "deployment", "web"))
    assert outcome.verdict is Verdict.PASS, outcome.reason
    assert HOME in {effect.namespace for effect in outcome.effects}
