"""create, copy, restore, apply, delete, run: objects come, go and come back."""

from typing import Any

import pytest
from running import HOME, container, deployment, k8s, manifest, objects_of, perform, planned, simulated, tried

from wpk_sandbox.package.package import ManifestAction
from wpk_sandbox.run.result import RollbackStatus, StepStatus, Verdict

SETTINGS = manifest("ConfigMap", "app", data={"level": "info"})
SECRET = manifest("Secret", "db", data={"password": "b2xk"}, type="Opaque")
POD = {"restartPolicy": "Never", "containers": [container()]}
JOB = manifest("Job", "once", spec={"template": {"spec": POD}})
CRON_JOB = manifest(
    "CronJob", "nightly", spec={"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": {"spec": POD}}}}
)


def effects(*actions: Any, **situation: Any) -> list[str]:
    outcome = tried(*actions, **situation)
    assert outcome.verdict is Verdict.PASS, outcome.reason
    return [str(effect) for effect in outcome.effects]


def test_create_from_a_whole_object() -> None:
    assert effects(k8s("create", template=SETTINGS)) == ["ConfigMap/app added"]


def test_create_refuses_what_exists_with_advice() -> None:
    step = tried(k8s("create", template=SETTINGS), objects=(SETTINGS,)).steps[0]
    assert (step.status, step.details) == (StepStatus.FAILED, ("status 409 AlreadyExists",))
    assert "use apply" in step.advice


def test_create_a_job_from_a_cron_job() -> None:
    action = k8s("create", "job", "by-hand", template="nightly")
    assert effects(action, objects=(CRON_JOB,)) == ["Job/by-hand added"]


def test_create_like_one_that_exists() -> None:
    action = k8s("create", "configmap", "second", template="app")
    outcome = tried(action, k8s("get", "configmap", "second", field="level"), objects=(SETTINGS,))
    assert outcome.steps[1].stdout == "info\n"


def test_a_copy_has_the_data_and_stays_after_the_rollback() -> None:
    outcome = tried(
        k8s("copy", "secret", "db", destination="db-backup"),
        k8s("patch", "secret", "db", data={"password": "new"}),
        undo=(k8s("restore", "secret", "db", source="db-backup"),),
        objects=(SECRET,),
    )
    assert outcome.verdict is Verdict.PASS, outcome.reason
    assert outcome.rollback.status is RollbackStatus.RESTORED
    assert "meant to stay after the rollback: Secret/db-backup" in outcome.notes


def test_a_copy_that_the_rollback_removes_is_not_said_to_stay() -> None:
    outcome = tried(
        k8s("copy", "secret", "db", destination="db-backup"),
        undo=(k8s("delete", "secret", "db-backup"),),
        objects=(SECRET,),
    )
    assert outcome.verdict is Verdict.PASS, outcome.reason
    assert not any("meant to stay" in note for note in outcome.notes)


def test_restore_brings_back_what_was_deleted() -> None:
    outcome = tried(
        k8s("delete", "configmap", "app"), undo=(k8s("restore", "configmap", "app"),), objects=(SETTINGS,)
    )
    assert [str(effect) for effect in outcome.effects] == ["ConfigMap/app removed"]
    assert outcome.rollback.residue == ()


def test_restore_brings_a_changed_workload_back() -> None:
    outcome = tried(
        k8s("scale", "deployment", "web", replicas=4),
        k8s("annotate", "deployment", "web", annotation="example.com/why", value="load"),
        undo=(k8s("restore", "deployment", "web"),),
        objects=(deployment(replicas=2),),
    )
    assert len(outcome.effects) == 2
    assert outcome.rollback.residue == ()
    assert outcome.verdict is Verdict.PASS, outcome.reason


def test_restore_removes_what_was_not_there() -> None:
    outcome = tried(k8s("create", template=SETTINGS), undo=(k8s("restore", "configmap", "app"),))
    assert outcome.rollback.residue == ()
    assert outcome.rollback.steps[0].message == "ConfigMap/app did not exist before the run, and is gone again"


def test_restore_without_its_copy_fails() -> None:
    outcome = tried(
        k8s("copy", "secret", "db", destination="backup"),
        k8s("delete", "secret", "backup"),
        k8s("restore", "secret", "db", source="backup"),
        objects=(SECRET,),
    )
    assert outcome.steps[2].message == "the copy Secret/backup does not exist"


def test_apply_creates_configures_and_leaves_alone() -> None:
    changed = manifest("ConfigMap", "app", data={"level": "debug"})
    outcome = tried(
        k8s("apply", manifest=[SETTINGS, SECRET]), k8s("apply", manifest=SETTINGS), k8s("apply", manifest=changed)
    )
    assert [step.message for step in outcome.steps] == [
        "ConfigMap/app created, Secret/db created",
        "ConfigMap/app unchanged",
        "ConfigMap/app configured",
    ]


def test_a_manifest_of_some_fields_leaves_the_others_of_the_case_alone() -> None:
    some = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 3}}
    assert effects(ManifestAction(some), objects=(deployment(replicas=1),)) == [
        "Deployment/web spec.replicas 1 → 3"
    ]


def test_a_manifest_that_the_api_refuses_shows_why() -> None:
    bad = manifest("Deployment", "new", spec={"replicas": 1})
    step = tried(ManifestAction(bad)).steps[0]
    assert step.status is StepStatus.FAILED
    assert "spec.selector" in step.message


def test_delete_awaits_the_end_and_does_not_mind_what_is_gone() -> None:
    outcome = tried(k8s("delete", "deployment", "web"), k8s("delete", "deployment", "web"), objects=(deployment(),))
    assert outcome.steps[0].message.startswith("deleted Deployment/web, gone after")
    assert outcome.steps[1].message == "Deployment/web is already gone"


def test_delete_everything_that_a_selector_means() -> None:
    objects = tuple(manifest("ConfigMap", name) for name in ("a", "b", "c"))
    for one in objects[:2]:
        one["metadata"]["labels"] = {"old": "yes"}
    assert effects(k8s("delete", "configmap", selector="old=yes"), objects=objects) == [
        "ConfigMap/a removed",
        "ConfigMap/b removed",
    ]


@pytest.mark.parametrize("grace", ["soon", [1], -4])
def test_a_grace_period_that_is_none_is_refused(grace: Any) -> None:
    step = tried(k8s("delete", "configmap", "app", grace_period=grace), objects=(SETTINGS,)).steps[0]
    assert step.status is StepStatus.FAILED
    assert step.message.startswith("grace_period: ")


def test_run_awaits_the_job_and_takes_its_log() -> None:
    outcome = tried(k8s("run", manifest=JOB))
    assert outcome.steps[0].message == "ran Job/once to the end"
    assert outcome.steps[0].stdout
    assert [str(effect) for effect in outcome.effects] == ["Job/once added"]


def test_run_of_a_cron_job_makes_a_job_now() -> None:
    assert effects(k8s("run", "cronjob", "nightly"), objects=(CRON_JOB,)) == ["Job/nightly-now added"]


def test_run_of_a_job_that_exists_runs_it_once_more() -> None:
    made = planned(k8s("run", "job", "once"), objects=(JOB,))
    with simulated() as cluster:
        outcome = perform(made, cluster=cluster)
        objects = objects_of(cluster)
        assert objects.get(objects.kind("batch/v1", "Job"), "once", HOME)["status"]["succeeded"] == 1
    assert outcome.steps[0].message == "ran Job/once to the end"
    assert outcome.effects == ()


def test_the_record_of_a_run_is_no_residue() -> None:
    outcome = tried(k8s("run", manifest=JOB), undo=(k8s("events", "job", "once"),))
    assert outcome.rollback.status is RollbackStatus.RESTORED
    assert "meant to stay after the rollback: Job/once" in outcome.notes


def test_a_created_object_that_stays_is_residue() -> None:
    outcome = tried(
        k8s("create", template=SETTINGS), undo=(k8s("events", "deployment", "web"),), objects=(deployment(),)
    )
    assert outcome.rollback.status is RollbackStatus.RESIDUE
    assert outcome.verdict is Verdict.FAIL
    assert outcome.reason == "the rollback left 1 change: ConfigMap/app added"
