from base64 import b64decode
from typing import Any

import pytest
from planning import k8s, manifest, planned, stand_in_of, workload

from wpk_sandbox.package.package import ContainerAction, ManifestAction
from wpk_sandbox.package.units import quantity
from wpk_sandbox.plan.manifests import containers_of, images_of
from wpk_sandbox.plan.stand_ins import LABEL

WITH_PODS = ["deployment", "statefulset", "daemonset", "replicaset", "job", "cronjob", "pod"]
OTHERS = [
    *("service", "configmap", "secret", "serviceaccount", "pvc", "hpa", "pdb", "ingress", "networkpolicy", "role"),
    *("rolebinding", "clusterrole", "clusterrolebinding", "quota", "limitrange", "lease", "priorityclass"),
    *("storageclass", "ingressclass"),
]


def pod_spec_of(one: Any) -> dict[str, Any]:
    if isinstance(one, dict):
        if "containers" in one:
            return one
        return next((found for value in one.values() if (found := pod_spec_of(value))), {})
    return {}


@pytest.mark.parametrize("kind", WITH_PODS)
def test_pods_of_stand_ins_satisfy_the_restricted_pod_security_standard(kind: str) -> None:
    (made,) = planned(k8s("get", kind, "web")).stand_ins
    spec = pod_spec_of(made)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 65532
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    for container in spec["containers"]:
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_ten_pods_of_stand_ins_fit_into_the_quota() -> None:
    (made,) = planned(k8s("get", "deployment", "web")).stand_ins
    (container,) = containers_of(made)
    asked, bound = container["resources"]["requests"], container["resources"]["limits"]
    assert 10 * quantity(asked["cpu"]) <= 2
    assert 10 * quantity(asked["memory"]) <= 4 * 1024**3
    assert 10 * quantity(bound["cpu"]) <= 4
    assert 10 * quantity(bound["memory"]) <= 8 * 1024**3


@pytest.mark.parametrize("kind", WITH_PODS + OTHERS)
def test_each_kind_has_a_stand_in_with_its_name_and_label(kind: str) -> None:
    (made,) = planned(k8s("get", kind, "web")).stand_ins
    assert made["metadata"]["name"] == "web"
    assert made["metadata"]["labels"][LABEL] == "true"
    assert ("namespace" in made["metadata"]) == (
        not made["kind"].startswith(("Cluster", "Priority", "Storage")) and made["kind"] != "IngressClass"
    )


@pytest.mark.parametrize("kind", ["deployment", "statefulset", "daemonset"])
def test_the_selector_of_a_workload_finds_its_pods(kind: str) -> None:
    (made,) = planned(k8s("restart", kind, "web")).stand_ins
    selected = made["spec"]["selector"]["matchLabels"]
    assert selected
    assert selected.items() <= made["spec"]["template"]["metadata"]["labels"].items()


def test_one_stand_in_serves_every_step_that_acts_on_it() -> None:
    made = planned(k8s("restart", "deployment", "web"), k8s("scale", "deployment", "web", replicas=3), k8s("logs"))
    names = [one["metadata"]["name"] for one in made.stand_ins]
    assert names == ["web", "fix-web"]


@pytest.mark.parametrize("provided", [workload("web"), workload("web", "atom-sandbox")])
def test_what_the_case_provides_needs_no_stand_in(provided: dict[str, Any]) -> None:
    assert planned(k8s("restart", "deployment", "web"), objects=(provided,)).stand_ins == ()


@pytest.mark.parametrize(
    "maker",
    [
        k8s("apply", manifest=workload("web")),
        k8s("create", template=workload("web")),
        k8s("run", manifest=[workload("web")]),
        ManifestAction(workload("web")),
    ],
)
def test_what_an_earlier_step_makes_needs_no_stand_in_and_what_a_later_step_makes_does(maker: Any) -> None:
    restart = k8s("restart", "deployment", "web")
    assert planned(maker, restart).stand_ins == ()
    assert stand_in_of(planned(restart, maker), "Deployment", "web")


def test_a_copy_is_there_for_the_rollback() -> None:
    made = planned(
        k8s("copy", "secret", "db", destination="db-old"),
        rollback=(k8s("restore", "secret", "db", source="db-old"), k8s("delete", "secret", "db-old")),
    )
    assert [one["metadata"]["name"] for one in made.stand_ins] == ["db"]


def test_a_rollback_that_deletes_what_was_never_made_gets_no_stand_in() -> None:
    assert planned(rollback=(k8s("delete", "job", "retry"),)).stand_ins == ()
    assert planned(k8s("delete", "job", "retry")).stand_ins != ()


def test_waiting_for_the_end_of_an_object_does_not_make_it() -> None:
    assert planned(k8s("wait", "job", "old", condition="deleted")).stand_ins == ()


def test_a_secret_holds_the_keys_that_steps_set_and_read() -> None:
    made = planned(
        k8s("patch", "secret", "db", data={"password": "new"}),
        k8s("get", "secret", "db", field="{.data.username}"),
        k8s("get", "secret", "db", field="token"),
    )
    data = stand_in_of(made, "Secret", "db")["data"]
    assert list(data) == ["password", "token", "username"]
    assert {b64decode(value) for value in data.values()} == {b"stand-in"}


def test_a_secret_of_which_no_key_is_known_holds_credentials() -> None:
    made = planned(k8s("patch", "secret", "db", data="new_credentials"))
    assert set(stand_in_of(made, "Secret", "db")["data"]) == {"username", "password"}


def test_a_config_map_holds_the_keys_that_steps_name() -> None:
    made = planned(
        k8s("patch", "configmap", "app", data={"LEVEL": "7"}), k8s("get", "configmap", "app", field="data.a\\.conf")
    )
    assert stand_in_of(made, "ConfigMap", "app")["data"] == {"LEVEL": "stand-in", "a.conf": "stand-in"}


def test_an_annotation_that_is_read_exists() -> None:
    made = planned(k8s("get", "deployment", "web", field="metadata.annotations.team"))
    assert stand_in_of(made, "Deployment", "web")["metadata"]["annotations"] == {"team": "stand-in"}


def test_a_container_that_a_patch_names_exists() -> None:
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "api", "image": "example/api:2"}]}}}}
    made = planned(k8s("patch", "deployment", "web", data=patch))
    assert [one["name"] for one in containers_of(stand_in_of(made, "Deployment", "web"))] == ["api"]


@pytest.mark.parametrize(("asked", "before"), [(3, 2), (2, 1), ("2", 1), ("original", 2)])
def test_scaling_changes_the_number_of_replicas(asked: Any, before: int) -> None:
    made = planned(k8s("scale", "deployment", "web", replicas=asked))
    assert stand_in_of(made, "Deployment", "web")["spec"]["replicas"] == before


def test_a_deployment_that_is_rolled_back_first_has_two_revisions() -> None:
    old, new = planned(k8s("rollback", "deployment", "web", revision="previous")).stand_ins
    assert old["metadata"] == new["metadata"]
    assert old["spec"]["template"] != new["spec"]["template"]


def test_a_deployment_that_a_step_changes_before_it_is_rolled_back_has_one_revision() -> None:
    made = planned(k8s("restart", "deployment", "web"), rollback=(k8s("rollback", "deployment", "web"),))
    assert len(made.stand_ins) == 1


def script(one: dict[str, Any]) -> str:
    (container,) = containers_of(one)
    return str(container["command"][2])


def test_the_log_of_a_previous_container_takes_a_first_start_that_failed() -> None:
    made = stand_in_of(planned(k8s("logs", "deployment", "web", previous=True)), "Deployment", "web")
    assert "exit 1" in script(made)
    assert made["spec"]["template"]["spec"]["volumes"]
    assert "exit 1" not in script(stand_in_of(planned(k8s("logs", "deployment", "web")), "Deployment", "web"))


@pytest.mark.parametrize(("condition", "end"), [("complete", "exit 0"), ("failed", "exit 1")])
def test_a_job_ends_as_the_step_that_waits_for_it_expects(condition: str, end: str) -> None:
    made = stand_in_of(planned(k8s("wait", "job", "report", condition=condition)), "Job", "report")
    assert script(made).endswith(end)


def test_a_job_leaves_the_controllers_label_alone() -> None:
    made = stand_in_of(planned(k8s("logs", "job", "report")), "Job", "report")
    assert "job-name" not in made["spec"]["template"]["metadata"]["labels"]


def test_a_job_from_a_cron_job_needs_the_cron_job() -> None:
    made = planned(k8s("create", "job", "report-now", template="cronjob/report"))
    assert [one["kind"] for one in made.stand_ins] == ["CronJob"]


def test_what_pods_of_a_manifest_need_exists_with_the_keys_that_they_read() -> None:
    pod = {
        "containers": [
            {
                "name": "main",
                "image": "example/job:1",
                "env": [{"name": "P", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}],
                "envFrom": [
                    {"configMapRef": {"name": "app"}},
                    {"configMapRef": {"name": "maybe", "optional": True}},
                ],
            }
        ],
        "serviceAccountName": "runner",
        "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}],
    }
    made = planned(ManifestAction(manifest("Pod", "job", "shop", spec=pod)))
    found = {(one["kind"], one["metadata"]["name"], one["metadata"]["namespace"]) for one in made.stand_ins}
    assert found == {
        ("Secret", "db", "shop"),
        ("ConfigMap", "app", "shop"),
        ("ServiceAccount", "runner", "shop"),
        ("PersistentVolumeClaim", "data", "shop"),
    }
    assert set(stand_in_of(made, "Secret", "db")["data"]) == {"password"}
    assert "with a stand-in for ConfigMap/app, Secret/db," in made.steps[0].reason


def test_what_a_container_steps_environment_comes_from_exists() -> None:
    raw = {"image": "a:1", "envFrom": [{"secretRef": {"name": "db"}}]}
    assert stand_in_of(planned(ContainerAction("a:1", raw=raw)), "Secret", "db")


def test_what_others_refer_to_is_made_before_them() -> None:
    made = planned(k8s("restart", "deployment", "web"), k8s("patch", "configmap", "app", data={"A": "1"}))
    assert [one["kind"] for one in made.stand_ins] == ["ConfigMap", "Deployment"]


def test_namespaces_and_nodes_are_in_every_cluster() -> None:
    made = planned(k8s("get", "namespace", "shop"), k8s("annotate", "node", "n1", annotation="a", value="b"))
    assert made.stand_ins == ()
    assert "shop" in made.namespaces


def test_the_image_of_stand_ins_is_the_settings() -> None:
    made = planned(k8s("restart"), stand_in_image="registry.example/tools:2")
    assert set(images_of(list(made.stand_ins))) == {"registry.example/tools:2"}
    assert made.images == ("registry.example/tools:2",)
