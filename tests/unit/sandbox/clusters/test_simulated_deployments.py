"""The Deployment controller and its ReplicaSets."""

import pytest

REVISION = "deployment.kubernetes.io/revision"


def images(api):
    return sorted(pod["spec"]["containers"][0]["image"] for pod in api.list("Pod"))


def sets(api):
    return {s["metadata"]["annotations"][REVISION]: s["spec"]["replicas"] for s in api.list("ReplicaSet")}


def test_a_rollout_ends_with_pods_of_the_new_template_alone(api, make):
    api.create("Deployment", make.workload(replicas=4))
    api.patch("Deployment", "web", make.image("nginx:2"))
    assert images(api) == ["nginx:2"] * 4
    assert sets(api) == {"1": 0, "2": 4}
    status = api.get("Deployment", "web")["status"]
    counts = {name: status[name] for name in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")}
    assert set(counts.values()) == {4}
    assert "unavailableReplicas" not in status
    assert status["observedGeneration"] == 2


def test_a_rollout_stays_within_its_bounds(api, make):
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    api.create("Deployment", make.workload(replicas=3, strategy=strategy))
    before = api.store.version
    api.patch("Deployment", "web", make.image("nginx:2"))
    alive, most = 3, 3
    for change in api.store.changes_after(before):
        if change.kind.kind == "Pod" and (change.before is None or change.after is None):
            alive += 1 if change.before is None else -1
            most = max(most, alive)
            assert alive >= 3
    assert (most, alive) == (4, 3)


def test_recreate_takes_all_old_pods_away_first(api, make):
    api.create("Deployment", make.workload(replicas=2, strategy={"type": "Recreate"}))
    before = api.store.version
    api.patch("Deployment", "web", make.image("nginx:2"))
    pods = [c for c in api.store.changes_after(before) if c.kind.kind == "Pod" and None in (c.before, c.after)]
    assert ["gone" if c.after is None else "new" for c in pods] == ["gone", "gone", "new", "new"]


def test_a_rollout_that_has_no_room_waits(api, make):
    """With the quota used up and no pod to spare, a real rollout stands still as well."""
    api.prepare("tight")
    container = make.container(securityContext=make.closed)
    template = {"spec": {"containers": [container]}}
    api.create("Deployment", make.workload("fill", template, replicas=9), "tight")
    api.create("Deployment", make.workload("web", template, replicas=1), "tight")
    api.patch("Deployment", "web", make.image("nginx:2"), "tight")
    status = api.get("Deployment", "web", "tight")["status"]
    assert (status["replicas"], status.get("updatedReplicas")) == (1, None)
    assert (
        "exceeded quota: sandbox-quota" in api.condition("Deployment", "web", "ReplicaFailure", "tight")["message"]
    )
    api.patch("Deployment", "fill", {"spec": {"replicas": 8}}, "tight")
    status = api.get("Deployment", "web", "tight")["status"]
    assert (status["replicas"], status["updatedReplicas"]) == (1, 1)
    assert api.condition("Deployment", "web", "ReplicaFailure", "tight") is None


def test_a_failure_is_one_event_however_often_it_is_tried(api, make):
    api.prepare("closed")
    api.create("Deployment", make.workload(replicas=2), "closed")
    for number in range(3):
        api.create("ConfigMap", {"metadata": {"name": f"other-{number}"}}, "closed")
    (event,) = api.events("FailedCreate", "closed")
    assert (event["involvedObject"]["kind"], event["type"], event["count"]) == ("ReplicaSet", "Warning", 1)
    assert api.list("Pod", "closed") == []


def test_a_restart_makes_a_revision(api, make):
    api.create("Deployment", make.workload(replicas=2))
    before = set(api.names("Pod"))
    note = {"kubectl.kubernetes.io/restartedAt": "now"}
    api.patch("Deployment", "web", {"spec": {"template": {"metadata": {"annotations": note}}}})
    assert not before & set(api.names("Pod"))
    assert api.get("Deployment", "web")["metadata"]["annotations"][REVISION] == "2"


def test_an_earlier_template_takes_its_replica_set_and_becomes_the_newest_revision(api, make):
    api.create("Deployment", make.workload())
    (first,) = api.names("ReplicaSet")
    api.patch("Deployment", "web", make.image("nginx:2"))
    api.patch("Deployment", "web", make.image("nginx:1"))
    assert sets(api) == {"2": 0, "3": 1}
    assert api.get("ReplicaSet", first)["metadata"]["annotations"][REVISION] == "3"


def test_old_revisions_beyond_the_limit_go(api, make):
    api.create("Deployment", make.workload(revisionHistoryLimit=1))
    for number in range(2, 6):
        api.patch("Deployment", "web", make.image(f"nginx:{number}"))
    assert sets(api) == {"4": 0, "5": 1}


def test_a_paused_deployment_scales_but_does_not_roll(api, make):
    api.create("Deployment", make.workload(replicas=1))
    api.patch("Deployment", "web", {"spec": {"paused": True}})
    api.patch("Deployment", "web", make.image("nginx:2"))
    api.patch("Deployment", "web", {"spec": {"replicas": 2}})
    assert images(api) == ["nginx:1", "nginx:1"]
    assert api.condition("Deployment", "web", "Progressing")["reason"] == "DeploymentPaused"
    api.patch("Deployment", "web", {"spec": {"paused": False}})
    assert images(api) == ["nginx:2", "nginx:2"]


def test_a_deployment_of_none_is_complete(api, make):
    api.create("Deployment", make.workload(replicas=0))
    assert api.condition("Deployment", "web", "Available")["status"] == "True"
    assert api.list("Pod") == []


def test_scaling_is_told(api, make):
    api.create("Deployment", make.workload(replicas=1))
    api.patch("Deployment", "web", {"spec": {"replicas": 3}})
    (name,) = api.names("ReplicaSet")
    assert {event["message"] for event in api.events("ScalingReplicaSet")} == {
        f"Scaled up replica set {name} from 0 to 1",
        f"Scaled up replica set {name} from 1 to 3",
    }


def test_a_scale_down_keeps_the_oldest_pods(api, make):
    api.create("Deployment", make.workload(replicas=1))
    (oldest,) = api.names("Pod")
    api.patch("Deployment", "web", {"spec": {"replicas": 3}})
    api.patch("Deployment", "web", {"spec": {"replicas": 1}})
    assert api.names("Pod") == [oldest]


def test_the_time_of_a_transition_stays_while_nothing_changes(api, make):
    api.create("Deployment", make.workload())
    before = api.get("Deployment", "web")
    api.create("Pod", make.pod("bystander"))
    assert api.get("Deployment", "web") == before


def test_a_pod_that_loses_its_label_is_replaced(api, make):
    api.create("Deployment", make.workload(replicas=1))
    (name,) = api.names("Pod")
    api.patch("Pod", name, {"metadata": {"labels": {"app": "aside"}}})
    assert len(api.names("Pod", labelSelector="app=web")) == 1
    assert api.get("Pod", name)


def test_an_orphan_is_adopted(api, make):
    api.create("Deployment", make.workload(replicas=2))
    api.delete("Deployment", "web", propagationPolicy="Orphan")
    pods = api.names("Pod")
    assert len(pods) == 2
    api.create("Deployment", make.workload(replicas=2))
    assert api.names("Pod") == pods
    assert len(api.names("ReplicaSet")) == 1


@pytest.mark.parametrize("policy", ["Background", "Foreground"])
def test_all_that_is_owned_goes_with_its_owner(api, make, policy):
    api.create("Deployment", make.workload(replicas=2))
    api.delete("Deployment", "web", propagationPolicy=policy)
    assert api.missing("Deployment", "web")
    assert (api.list("ReplicaSet"), api.list("Pod")) == ([], [])


def test_foreground_deletion_waits_for_what_is_owned(api, make):
    api.create("Deployment", make.workload())
    (name,) = api.names("Pod")
    api.patch("Pod", name, {"metadata": {"finalizers": ["example.com/hold"]}})
    api.delete("Deployment", "web", propagationPolicy="Foreground")
    metadata = api.get("Deployment", "web")["metadata"]
    assert metadata["deletionTimestamp"]
    assert metadata["finalizers"] == ["foregroundDeletion"]
    api.patch("Pod", name, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/hold"]}})
    assert api.missing("Deployment", "web")


def test_a_replication_controller_keeps_its_number(api, make):
    body = make.workload("old", replicas=2)
    del body["spec"]["selector"]
    api.create("ReplicationController", body)
    first, second = api.names("Pod")
    api.delete("Pod", first)
    assert second in api.names("Pod")
    assert len(api.names("Pod")) == 2
