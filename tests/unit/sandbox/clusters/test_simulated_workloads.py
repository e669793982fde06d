"""StatefulSets, DaemonSets, Jobs and what else makes pods."""

import pytest


def pods(api, **query):
    return {pod["metadata"]["name"]: pod for pod in api.list("Pod", **query)}


def test_a_stateful_set_numbers_its_pods_and_claims(api, make):
    template = make.claim("data")
    api.create("StatefulSet", make.workload(replicas=2, serviceName="web", volumeClaimTemplates=[template]))
    assert set(pods(api)) == {"web-0", "web-1"}
    assert api.names("PersistentVolumeClaim") == ["data-web-0", "data-web-1"]
    assert pods(api)["web-1"]["metadata"]["labels"]["apps.kubernetes.io/pod-index"] == "1"
    api.patch("StatefulSet", "web", {"spec": {"replicas": 1}})
    assert set(pods(api)) == {"web-0"}
    assert api.names("PersistentVolumeClaim") == ["data-web-0", "data-web-1"]


def test_a_stateful_set_rolls_from_the_last_to_the_first(api, make):
    api.create("StatefulSet", make.workload(replicas=3))
    before = api.store.version
    api.patch("StatefulSet", "web", make.image("nginx:2"))
    gone = [
        c.before["metadata"]["name"]
        for c in api.store.changes_after(before)
        if c.kind.kind == "Pod" and c.after is None
    ]
    assert gone == ["web-2", "web-1", "web-0"]
    assert {pod["spec"]["containers"][0]["image"] for pod in pods(api).values()} == {"nginx:2"}
    status = api.get("StatefulSet", "web")["status"]
    assert status["currentRevision"] == status["updateRevision"]
    assert {pod["metadata"]["labels"]["controller-revision-hash"] for pod in pods(api).values()} == {
        status["updateRevision"]
    }
    assert status["updatedReplicas"] == 3


def test_a_partition_keeps_the_first_pods_as_they_are(api, make):
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    api.create("StatefulSet", make.workload(replicas=2, updateStrategy=strategy))
    api.patch("StatefulSet", "web", make.image("nginx:2"))
    assert {n: p["spec"]["containers"][0]["image"] for n, p in pods(api).items()} == {
        "web-0": "nginx:1",
        "web-1": "nginx:2",
    }
    api.delete("Pod", "web-0")
    assert pods(api)["web-0"]["spec"]["containers"][0]["image"] == "nginx:1"


def test_on_delete_waits_for_the_pod_to_be_deleted(api, make):
    api.create("StatefulSet", make.workload(updateStrategy={"type": "OnDelete"}))
    api.patch("StatefulSet", "web", make.image("nginx:2"))
    assert pods(api)["web-0"]["spec"]["containers"][0]["image"] == "nginx:1"
    api.delete("Pod", "web-0")
    assert pods(api)["web-0"]["spec"]["containers"][0]["image"] == "nginx:2"


def test_a_pod_that_never_works_holds_an_ordered_rollout(api, make):
    broken = make.container(env=[{"name": "X", "valueFrom": {"secretKeyRef": {"name": "none", "key": "x"}}}])
    api.create("StatefulSet", make.workload(template={"spec": {"containers": [broken]}}, replicas=2))
    assert set(pods(api)) == {"web-0"}
    api.patch(
        "StatefulSet",
        "web",
        [{"op": "remove", "path": "/spec/template/spec/containers/0/env"}],
        how="application/json-patch+json",
    )
    assert pods(api)["web-0"]["status"]["phase"] == "Pending"
    api.delete("Pod", "web-0")
    assert {pod["status"]["phase"] for pod in pods(api).values()} == {"Running"}
    assert len(pods(api)) == 2


def test_a_parallel_set_does_not_wait(api, make):
    broken = make.container(envFrom=[{"configMapRef": {"name": "none"}}])
    body = make.workload(template={"spec": {"containers": [broken]}}, replicas=3, podManagementPolicy="Parallel")
    api.create("StatefulSet", body)
    assert set(pods(api)) == {"web-0", "web-1", "web-2"}


def test_the_history_of_a_stateful_set_is_kept_and_reused(api, make):
    api.create("StatefulSet", make.workload())
    api.patch("StatefulSet", "web", make.image("nginx:2"))
    history = {each["metadata"]["name"]: each["revision"] for each in api.list("ControllerRevision")}
    assert sorted(history.values()) == [1, 2]
    api.patch("StatefulSet", "web", make.image("nginx:1"))
    again = {each["metadata"]["name"]: each["revision"] for each in api.list("ControllerRevision")}
    assert set(again) == set(history)
    assert sorted(again.values()) == [2, 3]


def test_revisions_beyond_the_limit_go(api, make):
    api.create("DaemonSet", make.workload(revisionHistoryLimit=1))
    for number in range(2, 6):
        api.patch("DaemonSet", "web", make.image(f"nginx:{number}"))
    assert sorted(each["revision"] for each in api.list("ControllerRevision")) == [4, 5]


def test_a_daemon_set_stays_on_a_cordoned_node(api, make):
    api.create("DaemonSet", make.workload())
    (first,) = pods(api)
    api.patch("Node", "simulated", {"spec": {"unschedulable": True}})
    api.delete("Pod", first)
    (second,) = pods(api).values()
    assert second["status"]["phase"] == "Running"
    status = api.get("DaemonSet", "web")["status"]
    assert (status["desiredNumberScheduled"], status["numberReady"], status["updatedNumberScheduled"]) == (1, 1, 1)


def test_a_daemon_set_without_a_fitting_node_is_empty(api, make):
    template = {"spec": {"containers": [make.container()], "nodeSelector": {"disk": "fast"}}}
    api.create("DaemonSet", make.workload(template=template))
    assert pods(api) == {}
    api.patch("Node", "simulated", {"metadata": {"labels": {"disk": "fast"}}})
    assert len(pods(api)) == 1


@pytest.mark.parametrize(("completions", "parallelism"), [(1, 1), (3, 1), (3, 2)])
def test_a_job_completes(api, make, completions, parallelism):
    api.create("Job", make.job(completions=completions, parallelism=parallelism))
    status = api.get("Job", "once")["status"]
    assert status["succeeded"] == completions
    assert [c["type"] for c in status["conditions"]] == ["SuccessCriteriaMet", "Complete"]
    assert status["startTime"] <= status["completionTime"]
    assert {pod["status"]["phase"] for pod in pods(api).values()} == {"Succeeded"}
    assert [event["message"] for event in api.events("Completed")] == ["Job completed"]


def test_a_complete_job_starts_nothing_more(api, make):
    api.create("Job", make.job())
    (name,) = pods(api)
    api.delete("Pod", name)
    assert pods(api) == {}
    assert api.get("Job", "once")["status"]["succeeded"] == 1


def test_an_indexed_job_numbers_its_pods(api, make):
    api.create("Job", make.job(completions=3, parallelism=3, completionMode="Indexed"))
    key = "batch.kubernetes.io/job-completion-index"
    assert sorted(pod["metadata"]["annotations"][key] for pod in pods(api).values()) == ["0", "1", "2"]


def test_a_suspended_job_waits_until_it_is_resumed(api, make):
    api.create("Job", make.job(suspend=True))
    assert pods(api) == {}
    assert api.condition("Job", "once", "Suspended")["status"] == "True"
    api.patch("Job", "once", {"spec": {"suspend": False}})
    assert api.condition("Job", "once", "Complete")["status"] == "True"


def test_a_job_whose_pods_are_refused_says_so(api, make):
    api.prepare("closed")
    api.create("Job", make.job(), "closed")
    assert "succeeded" not in api.get("Job", "once", "closed")["status"]
    assert 'violates PodSecurity "restricted:latest"' in api.events("FailedCreate", "closed")[0]["message"]


def test_a_job_whose_pods_fail_gives_up_after_its_limit(api, make):
    api.patch("Node", "simulated", {"spec": {"unschedulable": True}})
    api.create("Job", make.job(backoffLimit=0))
    (name,) = pods(api)
    api.patch("Pod", name, {"status": {"phase": "Failed"}}, sub="status")
    assert api.condition("Job", "once", "Failed")["reason"] == "BackoffLimitExceeded"
    assert api.events("BackoffLimitExceeded")[0]["type"] == "Warning"


def test_a_cron_job_is_stored_and_starts_nothing(api, make):
    body = {
        "metadata": {"name": "nightly"},
        "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": make.job()["spec"]}},
    }
    api.create("CronJob", body)
    assert api.get("CronJob", "nightly")["spec"]["concurrencyPolicy"] == "Allow"
    assert (api.list("Job"), pods(api)) == ([], {})


@pytest.mark.parametrize(
    ("spec", "container", "phase"),
    [
        ({}, {}, "Running"),
        ({}, {"command": ["true"]}, "Running"),
        ({"restartPolicy": "Never"}, {}, "Running"),
        ({"restartPolicy": "Never"}, {"command": ["true"]}, "Succeeded"),
        ({"restartPolicy": "OnFailure"}, {"args": ["--once"]}, "Succeeded"),
    ],
)
def test_a_bare_pod_runs_or_has_ended(api, make, spec, container, phase):
    api.create("Pod", make.pod(container=container, **spec))
    status = api.get("Pod", "alone")["status"]
    assert status["phase"] == phase
    (state,) = status["containerStatuses"][0]["state"]
    assert state == ("running" if phase == "Running" else "terminated")


def test_a_new_image_restarts_the_container_of_a_bare_pod(api, make):
    api.create("Pod", make.pod())
    api.patch("Pod", "alone", {"spec": {"containers": [{"name": "main", "image": "nginx:2"}]}})
    (status,) = api.get("Pod", "alone")["status"]["containerStatuses"]
    assert (status["image"], status["restartCount"], status["ready"]) == ("nginx:2", 1, True)


@pytest.mark.parametrize(
    ("resources", "quality"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "1m"}}, "Burstable"),
        ({"limits": {"cpu": "1m", "memory": "1Mi"}}, "Guaranteed"),
    ],
)
def test_the_quality_of_service_follows_the_resources(api, make, resources, quality):
    api.create("Pod", make.pod(container={"resources": resources}))
    assert api.get("Pod", "alone")["status"]["qosClass"] == quality


@pytest.mark.parametrize(
    ("container", "reason", "words"),
    [
        ({"envFrom": [{"secretRef": {"name": "none"}}]}, "CreateContainerConfigError", 'secret "none" not found'),
        (
            {"env": [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "there", "key": "no"}}}]},
            "CreateContainerConfigError",
            "couldn't find key no in ConfigMap default/there",
        ),
    ],
)
def test_a_container_waits_for_its_environment(api, make, container, reason, words):
    api.create("ConfigMap", {"metadata": {"name": "there"}, "data": {"yes": "1"}})
    api.create("Pod", make.pod(container=container))
    (status,) = api.get("Pod", "alone")["status"]["containerStatuses"]
    assert status["state"]["waiting"]["reason"] == reason
    assert words in status["state"]["waiting"]["message"]
    assert words in api.events("Failed")[0]["message"]


def test_an_optional_source_is_not_waited_for(api, make):
    reference = {"name": "none", "key": "x", "optional": True}
    api.create("Pod", make.pod(container={"env": [{"name": "X", "valueFrom": {"secretKeyRef": reference}}]}))
    assert api.get("Pod", "alone")["status"]["phase"] == "Running"
