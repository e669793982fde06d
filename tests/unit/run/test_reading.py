"""logs, events, get and metrics look at their target and change nothing."""

import pytest
from running import container, deployment, k8s, manifest, tried, workload

from wpk_sandbox.package.verbs import VERBS as PLANNED
from wpk_sandbox.run.actions.table import VERBS
from wpk_sandbox.run.outcome import Outcome
from wpk_sandbox.run.result import StepStatus, Verdict


def only(outcome: Outcome) -> str:
    assert outcome.verdict is Verdict.PASS, outcome.reason
    assert outcome.effects == ()
    return outcome.steps[-1].message


def test_every_verb_that_can_be_planned_can_be_done() -> None:
    assert set(VERBS) == set(PLANNED)


def test_logs_of_all_pods_of_a_workload() -> None:
    outcome = tried(k8s("logs", "deployment", "web"))
    assert only(outcome).startswith("read ")
    assert "of 2 pods of Deployment/web" in only(outcome)
    assert outcome.steps[0].stdout.count("--- web-") == 2


def test_lines_limits_the_log_of_each_pod() -> None:
    whole, short = (
        tried(k8s("logs", "deployment", "web", **lines)).steps[0].stdout for lines in ({}, {"lines": 1})
    )
    assert len(short.splitlines()) == 4
    assert len(whole.splitlines()) > 4


def test_logs_of_each_container() -> None:
    one = deployment(replicas=1, containers=[container(), container(name="proxy")])
    stdout = tried(k8s("logs", "deployment", "web"), objects=(one,)).steps[0].stdout
    assert " main\n" in stdout
    assert " proxy\n" in stdout


def test_previous_without_a_restart_is_told_and_is_no_failure() -> None:
    outcome = tried(k8s("logs", "deployment", "web", previous=True), objects=(deployment(),))
    assert only(outcome) == "no container of 2 pods was restarted, so there is no earlier log"


def test_logs_without_pods_fail_with_advice() -> None:
    step = tried(k8s("logs", "deployment", "web"), objects=(deployment(replicas=0),)).steps[0]
    assert (step.status, step.message) == (StepStatus.FAILED, "Deployment/web has no pods")
    assert "scale it up" in step.advice


def test_lines_must_be_a_number() -> None:
    step = tried(k8s("logs", "deployment", "web", lines="many")).steps[0]
    assert step.message == "lines is 'many', which is no number from 0 up"


def test_events_of_a_workload_and_its_pods() -> None:
    outcome = tried(k8s("events", "deployment", "web"))
    assert "events about Deployment/web" in only(outcome)
    assert "Normal ScalingReplicaSet Deployment/web: " in outcome.steps[0].stdout
    assert "Pod/web-" in outcome.steps[0].stdout


def test_events_of_others_are_left_out() -> None:
    outcome = tried(k8s("events", "deployment", "web"), objects=(deployment(), deployment("other")))
    assert "web" in outcome.steps[0].stdout
    assert "other" not in outcome.steps[0].stdout


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        ("spec.replicas", "2"),
        (".spec.replicas", "2"),
        ("{.spec.replicas}", "2"),
        ("spec.template.spec.containers[0].image", "busybox:1.36"),
        ("metadata.labels.app", "web"),
        (r"{.metadata.annotations.example\.com/why}", "load"),
        ("metadata.annotations['example.com/why']", "load"),
    ],
)
def test_a_field_of_an_object(field: str, shown: str) -> None:
    one = deployment()
    one["metadata"] |= {"labels": {"app": "web"}, "annotations": {"example.com/why": "load"}}
    outcome = tried(k8s("get", "deployment", "web", field=field), objects=(one,))
    assert only(outcome) == f"{field} of Deployment/web: {shown}"
    assert outcome.steps[0].stdout == shown + "\n"


def test_a_field_that_is_not_there_now_is_told() -> None:
    outcome = tried(k8s("get", "deployment", "web", field="status.nothing"))
    assert only(outcome) == "Deployment/web has no status.nothing now"


def test_a_key_of_a_config_map_by_its_own_name() -> None:
    one = manifest("ConfigMap", "app", data={"log.level": "debug"})
    assert only(tried(k8s("get", "configmap", "app", field="log.level"), objects=(one,))).endswith(": debug")


def test_a_secret_is_read_but_never_shown() -> None:
    one = manifest("Secret", "db", data={"password": "aHVudGVyMg=="})
    outcome = tried(k8s("get", "secret", "db", field="password"), objects=(one,))
    shown = only(outcome) + outcome.steps[0].stdout + "".join(outcome.steps[0].details)
    assert "hunter2" not in shown
    assert "aHVudGVyMg" not in shown


def test_get_of_what_was_deleted_fails_with_advice() -> None:
    outcome = tried(k8s("delete", "deployment", "web"), k8s("get", "deployment", "web"))
    step = outcome.steps[1]
    assert step.message == "Deployment/web does not exist in the namespace atom-sandbox"
    assert "case file" in step.advice


def test_metrics_are_assumed_and_say_so() -> None:
    assert only(tried(k8s("metrics", query="up"))) == "assumed an empty answer to `up`"


def test_several_objects_by_selector() -> None:
    objects = tuple(workload("Deployment", name) for name in ("web", "db"))
    for one in objects:
        one["metadata"]["labels"] = {"tier": "back"}
    outcome = tried(k8s("get", "deployment", selector="tier=back", field="metadata.name"), objects=objects)
    assert sorted(outcome.steps[0].stdout.split()) == ["db", "web"]
