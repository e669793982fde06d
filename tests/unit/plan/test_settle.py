from typing import Any

import pytest
from planning import first, k8s, manifest, planned, workload

from wpk_sandbox.package.package import KubernetesAction, UnknownAction
from wpk_sandbox.plan.plan import Fidelity, PlannedStep

JOB = manifest("Job", "report", spec={"template": {"spec": {"containers": []}}})


def options(step: PlannedStep) -> Any:
    assert isinstance(step.step.action, KubernetesAction), step.reason
    return step.step.action.options


def target(step: PlannedStep) -> tuple[str, str | None]:
    assert step.target is not None
    return step.target.kind, step.target.name


@pytest.mark.parametrize(
    "written",
    [
        workload("web"),
        [workload("web")],
        {"apiVersion": "v1", "kind": "List", "items": [workload("web")]},
        "k8s/web.yaml",
        ["k8s/web.yaml"],
    ],
)
def test_apply_always_has_a_list_of_whole_objects(written: Any) -> None:
    files = {"k8s/web.yaml": (workload("web"),)}
    step = first(k8s("apply", manifest=written), manifests=files, event={"namespace": "shop"})
    assert options(step) == {"manifest": [workload("web", "shop")]}
    assert target(step) == ("Deployment", "web")


def test_a_manifest_that_is_not_in_the_repository_skips_the_step() -> None:
    step = first(k8s("apply", manifest="k8s/gone.yaml"))
    assert (step.fidelity, step.reason) == (
        Fidelity.SKIPPED,
        "the manifest `k8s/gone.yaml` is not in the repository",
    )


def test_apply_of_nothing_skips_the_step() -> None:
    assert "names no manifest" in first(k8s("apply")).reason


def test_what_a_file_holds_is_not_filled_and_what_a_package_holds_is() -> None:
    script = manifest("ConfigMap", "script", data={"run.sh": "echo ${LEVEL}"})
    step = first(
        k8s("apply", manifest=[script, "a.yaml"]), manifests={"a.yaml": (script,)}, parameters={"LEVEL": "7"}
    )
    assert [one["data"]["run.sh"] for one in options(step)["manifest"]] == ["echo 7", "echo ${LEVEL}"]


def test_a_kind_that_the_cluster_does_not_know_needs_its_definition() -> None:
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
    }
    assert "CustomResourceDefinition" in first(k8s("apply", manifest=widget)).reason
    assert target(first(k8s("apply", manifest=widget), objects=(definition,))) == ("Widget", "w")


def test_create_takes_name_and_namespace_of_the_step_into_its_template() -> None:
    step = first(k8s("create", "job", "report-2", namespace="shop", template=JOB))
    assert options(step)["template"]["metadata"] == {"name": "report-2", "namespace": "shop"}
    assert target(step) == ("Job", "report-2")


@pytest.mark.parametrize(
    ("written", "settled"),
    [("report", "Job/report"), ("cronjob/report", "CronJob/report"), ("job/report", "Job/report")],
)
def test_create_from_an_object_that_exists_names_it_with_its_kind(written: str, settled: str) -> None:
    step = first(k8s("create", "job", "report-2", template=written))
    assert options(step) == {"template": settled}
    assert target(step) == ("Job", "report-2")


def test_a_template_of_a_job_is_the_cron_job_where_there_is_one() -> None:
    case = (manifest("CronJob", "report"),)
    assert options(first(k8s("create", "job", template="report"), objects=case)) == {"template": "CronJob/report"}


def test_create_without_a_template_takes_the_members_among_its_options() -> None:
    step = first(k8s("create", "configmap", "app", data={"A": "1"}))
    assert options(step)["template"] == manifest("ConfigMap", "app", "atom-sandbox", data={"A": "1"})


def test_create_of_a_workload_without_a_template_is_skipped() -> None:
    assert "write `template:`" in first(k8s("create", "deployment", "web")).reason


def test_run_makes_a_job_of_an_image() -> None:
    step = first(k8s("run", name="migrate", image="example/db:1", command="migrate up"))
    (job,) = options(step)["manifest"]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert (container["image"], container["command"]) == ("example/db:1", ["sh", "-c", "migrate up"])
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert target(step) == ("Job", "migrate")


def test_run_without_a_manifest_runs_its_target_once_more() -> None:
    made = planned(k8s("run", "job", "report"))
    assert options(made.steps[0]) == {"manifest": []}
    assert target(made.steps[0]) == ("Job", "report")
    assert [one["kind"] for one in made.stand_ins] == ["Job"]


def test_run_from_a_template_makes_a_job() -> None:
    made = planned(k8s("run", None, "report-now", template="cronjob/report"))
    assert options(made.steps[0]) == {"manifest": [], "template": "CronJob/report"}
    assert target(made.steps[0]) == ("Job", "report-now")


@pytest.mark.parametrize("word", ["destination", "to", "target", "new_name", "backup_name"])
def test_copy_always_has_a_destination(word: str) -> None:
    step = first(k8s("copy", "secret", "db", **{word: "db-old"}))
    assert options(step) == {"destination": "db-old"}
    assert target(step) == ("Secret", "db")


def test_copy_from_a_source_makes_what_the_step_names() -> None:
    step = first(k8s("copy", "secret", "db-old", source="db"))
    assert (target(step), options(step)) == (("Secret", "db"), {"destination": "db-old"})


def test_copy_without_a_destination_makes_a_backup() -> None:
    assert options(first(k8s("copy", "secret", "db"))) == {"destination": "db-backup"}


def test_copy_of_a_selector_is_skipped() -> None:
    assert "not a selector" in first(k8s("copy", "secret", selector="app=web")).reason


@pytest.mark.parametrize(
    ("made_before", "written", "source"),
    [
        (True, {}, "db-backup"),
        (True, {"source": "db-backup"}, "db-backup"),
        (True, {"source": "original"}, "db-backup"),
        (True, {"from": "secret/db-backup"}, "db-backup"),
        (False, {}, None),
        (False, {"source": "original"}, None),
    ],
)
def test_restore_always_says_what_it_restores_from(
    made_before: bool, written: dict[str, str], source: str | None
) -> None:
    steps = [k8s("copy", "secret", "db")] if made_before else []
    made = planned(*steps, k8s("restore", "secret", "db", **written))
    assert options(made.steps[-1]) == {"source": source}
    assert target(made.steps[-1]) == ("Secret", "db")


def test_restore_from_a_copy_that_nobody_made_gets_one() -> None:
    made = planned(k8s("restore", "secret", "db", source="vaulted"))
    assert {one["metadata"]["name"] for one in made.stand_ins} == {"db", "vaulted"}


def test_metrics_need_nothing_and_are_simulated_everywhere() -> None:
    made = planned(k8s("metrics", query="up"), sandbox="kind")
    assert made.steps[0].fidelity is Fidelity.SIMULATED
    assert (made.steps[0].target, made.stand_ins, made.needs_cluster) == (None, (), False)


def test_a_verb_that_nobody_knows_is_skipped() -> None:
    step = first(k8s("explode"))
    assert isinstance(step.step.action, UnknownAction)
    assert (step.fidelity, step.reason) == (Fidelity.SKIPPED, "`explode` is no action that we know")
