"""What every cluster does with workloads alike, so that a runbook meets the same behaviour wherever it is tried.

The official client speaks to each. A behaviour that takes time on a real cluster is waited for.
"""

from cluster_suite import (
    available,
    eventually,
    job,
    pod,
    pod_names,
    refusal,
    refused_as_missing,
    restart_patch,
    workload,
)
from kubernetes.client import ApiException, PolicyV1Api


def test_a_deployment_becomes_available(apps, core, namespace):
    apps.create_namespaced_deployment(namespace, workload("Deployment", replicas=2))
    done = available(apps, "web", namespace)
    conditions = {condition.type: condition.status for condition in done.status.conditions}
    assert conditions == {"Available": "True", "Progressing": "True"}
    assert done.metadata.annotations["deployment.kubernetes.io/revision"] == "1"
    assert len(pod_names(core, namespace)) == 2


def test_a_restart_replaces_every_pod(apps, core, namespace):
    apps.create_namespaced_deployment(namespace, workload("Deployment", replicas=2))
    available(apps, "web", namespace)
    before = pod_names(core, namespace)
    apps.patch_namespaced_deployment("web", namespace, restart_patch("2025-01-01T00:00:00Z"))
    done = available(apps, "web", namespace)
    eventually(lambda: len(pod_names(core, namespace)) == 2)
    assert not before & pod_names(core, namespace)
    assert done.metadata.annotations["deployment.kubernetes.io/revision"] == "2"


def test_an_earlier_template_brings_its_replica_set_back(apps, namespace):
    apps.create_namespaced_deployment(namespace, workload("Deployment"))
    first = available(apps, "web", namespace)
    apps.patch_namespaced_deployment("web", namespace, restart_patch("2025-01-01T00:00:00Z"))
    available(apps, "web", namespace)
    template = apps.api_client.sanitize_for_serialization(first.spec.template)
    apps.patch_namespaced_deployment(
        "web", namespace, [{"op": "replace", "path": "/spec/template", "value": template}]
    )
    done = available(apps, "web", namespace)
    assert done.metadata.annotations["deployment.kubernetes.io/revision"] == "3"
    sets = apps.list_namespaced_replica_set(namespace).items
    revisions = {
        each.metadata.annotations["deployment.kubernetes.io/revision"]: each.spec.replicas for each in sets
    }
    assert revisions == {"2": 0, "3": 1}


def test_the_scale_subresource_scales(apps, core, namespace):
    apps.create_namespaced_deployment(namespace, workload("Deployment"))
    available(apps, "web", namespace)
    apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 3}})
    available(apps, "web", namespace)
    scale = eventually(
        lambda: (s := apps.read_namespaced_deployment_scale("web", namespace)).status.replicas == 3 and s
    )
    assert scale.spec.replicas == 3
    assert scale.status.selector == "app=web"
    assert len(pod_names(core, namespace)) == 3


def test_a_deleted_pod_comes_back_under_another_name(apps, core, namespace):
    apps.create_namespaced_deployment(namespace, workload("Deployment"))
    available(apps, "web", namespace)
    (before,) = pod_names(core, namespace)
    core.delete_namespaced_pod(before, namespace)
    after = eventually(lambda: pod_names(core, namespace) - {before})
    assert len(after) == 1


def test_what_a_deployment_owns_goes_with_it(apps, core, namespace):
    apps.create_namespaced_deployment(namespace, workload("Deployment"))
    available(apps, "web", namespace)
    apps.delete_namespaced_deployment("web", namespace)
    eventually(lambda: not apps.list_namespaced_replica_set(namespace).items)
    eventually(lambda: not pod_names(core, namespace))


def test_an_orphan_stays_when_its_owner_goes(apps, core, namespace):
    apps.create_namespaced_deployment(namespace, workload("Deployment"))
    available(apps, "web", namespace)
    apps.delete_namespaced_deployment("web", namespace, propagation_policy="Orphan")
    eventually(lambda: refused_as_missing(apps.read_namespaced_deployment, "web", namespace))
    eventually(lambda: not apps.list_namespaced_replica_set(namespace).items[0].metadata.owner_references)
    assert len(pod_names(core, namespace)) == 1


def test_a_stateful_set_keeps_the_names_of_its_pods(apps, core, namespace):
    apps.create_namespaced_stateful_set(namespace, workload("StatefulSet", replicas=2, serviceName="web"))
    eventually(lambda: apps.read_namespaced_stateful_set("web", namespace).status.ready_replicas == 2)
    assert pod_names(core, namespace) == {"web-0", "web-1"}
    uids = {pod.metadata.uid for pod in core.list_namespaced_pod(namespace).items}
    apps.patch_namespaced_stateful_set("web", namespace, restart_patch("2025-01-01T00:00:00Z"))

    def restarted():
        status = apps.read_namespaced_stateful_set("web", namespace).status
        return status.current_revision == status.update_revision and status.ready_replicas == 2 and status

    eventually(lambda: apps.read_namespaced_stateful_set("web", namespace).status.observed_generation == 2)
    eventually(restarted)
    assert pod_names(core, namespace) == {"web-0", "web-1"}
    assert not uids & {pod.metadata.uid for pod in core.list_namespaced_pod(namespace).items}
    assert len(apps.list_namespaced_controller_revision(namespace).items) == 2


def test_a_daemon_set_has_a_pod_on_the_node(apps, core, namespace):
    apps.create_namespaced_daemon_set(namespace, workload("DaemonSet"))
    eventually(lambda: apps.read_namespaced_daemon_set("web", namespace).status.number_ready == 1)
    (found,) = core.list_namespaced_pod(namespace).items
    assert found.spec.node_name == core.list_node().items[0].metadata.name


def test_a_job_comes_to_its_end(batch, core, namespace):
    batch.create_namespaced_job(namespace, job("once"))

    def complete():
        found = batch.read_namespaced_job("once", namespace).status
        return {condition.type for condition in found.conditions or ()} >= {"Complete"} and found

    status = eventually(complete)
    assert status.succeeded == 1
    assert status.completion_time
    (found,) = core.list_namespaced_pod(namespace, label_selector="job-name=once").items
    assert found.status.phase == "Succeeded"
    assert found.status.container_statuses[0].state.terminated.exit_code == 0
    assert core.read_namespaced_pod_log(found.metadata.name, namespace)


def test_a_job_leaves_its_pods_unless_told_otherwise(batch, core, namespace):
    for name in ("left", "cleared"):
        batch.create_namespaced_job(namespace, job(name))
        eventually(lambda name=name: batch.read_namespaced_job(name, namespace).status.succeeded)
    batch.delete_namespaced_job("left", namespace)
    batch.delete_namespaced_job("cleared", namespace, propagation_policy="Background")
    eventually(lambda: not pod_names(core, namespace, "job-name=cleared"))
    assert pod_names(core, namespace, "job-name=left")


def test_a_bare_pod_runs_and_is_ready(core, namespace):
    core.create_namespaced_pod(namespace, pod("alone"))

    def ready():
        status = core.read_namespaced_pod("alone", namespace).status
        return {c.type: c.status for c in status.conditions or ()}.get("Ready") == "True" and status

    status = eventually(ready)
    assert status.phase == "Running"
    assert status.pod_ip


def test_a_budget_stops_an_eviction(apps, core, cluster, namespace):
    apps.create_namespaced_deployment(namespace, workload("Deployment"))
    available(apps, "web", namespace)
    policy = PolicyV1Api(cluster.api)
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    policy.create_namespaced_pod_disruption_budget(namespace, {"metadata": {"name": "web"}, "spec": spec})
    read = policy.read_namespaced_pod_disruption_budget
    eventually(lambda: (status := read("web", namespace).status) and status.current_healthy == 1)
    (name,) = pod_names(core, namespace)
    eviction = {"metadata": {"name": name}}
    body = refusal(core.create_namespaced_pod_eviction, name, namespace, eviction)
    assert (body["code"], body["reason"]) == (429, "TooManyRequests")
    assert body["message"] == "Cannot evict pod as it would violate the pod's disruption budget."
    policy.delete_namespaced_pod_disruption_budget("web", namespace)
    core.create_namespaced_pod_eviction(name, namespace, eviction)
    eventually(lambda: name not in pod_names(core, namespace) and pod_names(core, namespace))


def test_a_cordoned_node_takes_no_more_pods(apps, core, namespace):
    node = core.list_node().items[0].metadata.name
    core.patch_node(node, {"spec": {"unschedulable": True}})
    try:
        core.create_namespaced_pod(namespace, pod("late"))

        def unschedulable():
            conditions = core.read_namespaced_pod("late", namespace).status.conditions or ()
            return next((c for c in conditions if c.type == "PodScheduled" and c.status == "False"), None)

        found = eventually(unschedulable)
        assert found.reason == "Unschedulable"
        assert "1 node(s) were unschedulable" in found.message
    finally:
        core.patch_node(node, {"spec": {"unschedulable": False}})
    eventually(lambda: core.read_namespaced_pod("late", namespace).status.phase == "Running")


def test_a_pod_waits_for_the_config_map_that_it_mounts(core, namespace):
    waiting = pod("waiting", volumes=[{"name": "settings", "configMap": {"name": "settings"}}])
    waiting["spec"]["containers"][0]["volumeMounts"] = [{"name": "settings", "mountPath": "/settings"}]
    core.create_namespaced_pod(namespace, waiting)

    def event():
        found = core.list_namespaced_event(
            namespace, field_selector="involvedObject.name=waiting,type=Warning"
        ).items
        return next((each for each in found if each.reason == "FailedMount"), None)

    assert (
        eventually(event).message
        == 'MountVolume.SetUp failed for volume "settings" : configmap "settings" not found'
    )
    assert core.read_namespaced_pod("waiting", namespace).status.phase == "Pending"
    core.create_namespaced_config_map(namespace, {"metadata": {"name": "settings"}})
    eventually(lambda: core.read_namespaced_pod("waiting", namespace).status.phase == "Running")


def test_a_service_has_an_address_and_endpoints(apps, core, namespace):
    apps.create_namespaced_deployment(namespace, workload("Deployment"))
    available(apps, "web", namespace)
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
    made = core.create_namespaced_service(namespace, {"metadata": {"name": "web"}, "spec": spec})
    assert core.read_namespaced_service("web", namespace).spec.cluster_ip.startswith("10.96.")
    assert made.spec.type == "ClusterIP"

    def endpoints():
        try:
            return core.read_namespaced_endpoints("web", namespace).subsets
        except ApiException:
            return None

    (subset,) = eventually(endpoints)
    assert [(port.port, len(subset.addresses)) for port in subset.ports] == [(8080, 1)]
