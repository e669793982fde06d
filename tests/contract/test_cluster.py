"""What every cluster does alike, so that a runbook meets the same behaviour wherever it is tried.

The official client speaks to each. A behaviour that takes time on a real cluster is waited for.
"""

import importlib
import itertools
import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from kubernetes.client import (
    ApiException,
    ApiextensionsV1Api,
    AppsV1Api,
    BatchV1Api,
    CoreV1Api,
    CustomObjectsApi,
    PolicyV1Api,
    VersionApi,
)

from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import SandboxSpec

IMAGE = "busybox:1.36"
PATIENCE = 90.0
CLOSED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "seccompProfile": {"type": "RuntimeDefault"},
}
numbers = itertools.count(1)


@pytest.fixture(
    scope="module",
    params=["simulated", pytest.param("kind", marks=pytest.mark.needs("kind"))],
)
def cluster(request):
    module = importlib.import_module(f"wpk_sandbox.sandbox.clusters.{request.param}")
    provider = getattr(module, request.param.upper())
    spec = SandboxSpec()
    assert provider.why_not(spec) is None
    ledger = Ledger("contract", datetime.now(UTC) + timedelta(hours=1))
    with provider.open(spec, ledger) as opened:
        assert opened.load_images([IMAGE]) == ()
        yield opened
    tally = ledger.close()
    assert tally.made == tally.removed >= 1, tally


@pytest.fixture
def namespace(cluster):
    name = f"contract-{next(numbers)}"
    cluster.prepare(name)
    yield name
    CoreV1Api(cluster.api).delete_namespace(name)


@pytest.fixture
def apps(cluster):
    return AppsV1Api(cluster.api)


@pytest.fixture
def core(cluster):
    return CoreV1Api(cluster.api)


@pytest.fixture
def batch(cluster):
    return BatchV1Api(cluster.api)


def eventually(check):
    """The first true answer of `check`; fails when there is none within our patience."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := check():
            return found
        time.sleep(0.2)
    return check() or pytest.fail(f"it did not happen in {PATIENCE} s")


def pod_spec(command="sleep 3600", **changes):
    container = {"name": "main", "image": IMAGE, "command": ["sh", "-c", command], "securityContext": CLOSED}
    return {"terminationGracePeriodSeconds": 0, "containers": [container], **changes}


def pod(name, **changes):
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": pod_spec(**changes),
    }


def workload(kind, name="web", **changes):
    template = {"metadata": {"labels": {"app": name}}, "spec": pod_spec()}
    spec = {"selector": {"matchLabels": {"app": name}}, "template": template, **changes}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def job(name, command="echo done"):
    template = {"spec": pod_spec(command, restartPolicy="Never")}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": template}}


def available(apps, name, namespace):
    """The Deployment once its present template is fully rolled out."""

    def rolled_out():
        found = apps.read_namespaced_deployment(name, namespace)
        status = found.status
        counts = (status.updated_replicas or 0, status.available_replicas or 0, status.replicas or 0)
        current = status.observed_generation == found.metadata.generation
        return found if current and counts == (found.spec.replicas,) * 3 else None

    return eventually(rolled_out)


def pod_names(core, namespace, selector="app=web"):
    found = core.list_namespaced_pod(namespace, label_selector=selector).items
    return {pod.metadata.name for pod in found if not pod.metadata.deletion_timestamp}


def refusal(call, *arguments, **options):
    """The Status that a refused call is answered with."""
    with pytest.raises(ApiException) as caught:
        call(*arguments, **options)
    body = json.loads(caught.value.body)
    assert body["kind"] == "Status"
    assert body["code"] == caught.value.status
    return body


def restart_patch(at):
    return {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": at}}}}}


def test_it_says_what_it_is(cluster):
    version = VersionApi(cluster.api).get_code()
    assert (version.major, int(version.minor) >= 30) == ("1", True)
    assert cluster.name
    assert cluster.details
    assert cluster.seconds_to_ready >= 0


def test_its_evidence_holds(cluster):
    evidence = cluster.evidence()
    assert evidence
    assert all(each.held for each in evidence), evidence


def test_a_prepared_namespace_is_closed_and_limited(core, cluster, namespace):
    cluster.prepare(namespace)
    labels = core.read_namespace(namespace).metadata.labels
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    quota = core.read_namespaced_resource_quota("sandbox-quota", namespace)
    assert quota.spec.hard["pods"] == "10"
    assert len(core.list_namespaced_limit_range(namespace).items) == 1


def test_a_deployment_becomes_available(apps, core, namespace):
    apps.create_namespaced_deployment(namespace, workload("Deployment", replicas=2))
    done = available(apps, "web", namespace)
    conditions = {condition.type: condition.status for condition in done.status.conditions}
    assert conditions == {"Available": "True", "Progressing": "True"}
    assert done.metadata.annotations["deployment.kubernetes.io/revision"] == "1"
    assert len(pod_names(core, namespace)) == 2


def test_pods_without_resources_get_those_of_the_namespace(core, namespace):
    core.create_namespaced_pod(namespace, pod("plain"))
    resources = core.read_namespaced_pod("plain", namespace).spec.containers[0].resources
    assert resources.requests == {"cpu": "50m", "memory": "32Mi"}
    assert resources.limits == {"cpu": "200m", "memory": "128Mi"}


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


def refused_as_missing(call, *arguments):
    try:
        call(*arguments)
    except ApiException as error:
        return error.status == 404
    return False


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


def test_an_open_pod_is_refused_in_a_prepared_namespace(core, namespace):
    opened = pod("open")
    del opened["spec"]["containers"][0]["securityContext"]
    body = refusal(core.create_namespaced_pod, namespace, opened)
    assert (body["code"], body["reason"]) == (403, "Forbidden")
    assert body["message"] == (
        'pods "open" is forbidden: violates PodSecurity "restricted:latest": '
        'allowPrivilegeEscalation != false (container "main" must set securityContext.allowPrivilegeEscalation=false), '
        'unrestricted capabilities (container "main" must set securityContext.capabilities.drop=["ALL"]), '
        'runAsNonRoot != true (pod or container "main" must set securityContext.runAsNonRoot=true), '
        'seccompProfile (pod or container "main" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hostNetwork": True, "hostPID": True}, "host namespaces (hostNetwork=true, hostPID=true)"),
        (
            {"volumes": [{"name": "root", "hostPath": {"path": "/"}}]},
            'restricted volume types (volume "root" uses restricted volume type "hostPath")',
        ),
        ({"securityContext": {"runAsUser": 0}}, "runAsUser=0 (pod must not set runAsUser=0)"),
        (
            {"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}},
            "forbidden sysctls (kernel.msgmax)",
        ),
    ],
)
def test_what_opens_a_pod_to_its_host_is_refused(core, namespace, changes, words):
    body = refusal(core.create_namespaced_pod, namespace, pod("open", **changes))
    assert body["message"] == f'pods "open" is forbidden: violates PodSecurity "restricted:latest": {words}'


@pytest.mark.parametrize(
    ("context", "words"),
    [
        (
            {"privileged": True, "allowPrivilegeEscalation": True},
            'privileged (container "main" must not set securityContext.privileged=true), '
            'allowPrivilegeEscalation != false (container "main" must set securityContext.allowPrivilegeEscalation=false)',
        ),
        (
            {"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}},
            'unrestricted capabilities (container "main" must not include "SYS_ADMIN" in securityContext.capabilities.add)',
        ),
        (
            {"runAsNonRoot": False},
            'runAsNonRoot != true (container "main" must not set securityContext.runAsNonRoot=false)',
        ),
        (
            {"seccompProfile": {"type": "Unconfined"}},
            'seccompProfile (container "main" must not set securityContext.seccompProfile.type to "Unconfined")',
        ),
    ],
)
def test_what_opens_a_container_is_refused(core, namespace, context, words):
    opened = pod("open")
    opened["spec"]["containers"][0]["securityContext"] = {**CLOSED, **context}
    body = refusal(core.create_namespaced_pod, namespace, opened)
    assert body["message"] == f'pods "open" is forbidden: violates PodSecurity "restricted:latest": {words}'


def test_a_deployment_of_open_pods_says_why_it_has_none(apps, core, namespace):
    opened = workload("Deployment")
    del opened["spec"]["template"]["spec"]["containers"][0]["securityContext"]
    apps.create_namespaced_deployment(namespace, opened)

    def failure():
        conditions = apps.read_namespaced_deployment("web", namespace).status.conditions or ()
        return next((each for each in conditions if each.type == "ReplicaFailure"), None)

    found = eventually(failure)
    assert (found.status, found.reason) == ("True", "FailedCreate")
    assert 'violates PodSecurity "restricted:latest"' in found.message
    events = core.list_namespaced_event(
        namespace, field_selector="involvedObject.kind=ReplicaSet,type=Warning"
    ).items
    assert {event.reason for event in events} == {"FailedCreate"}
    assert events[0].message.startswith('Error creating: pods "web-')


def test_the_eleventh_pod_exceeds_the_quota(core, namespace):
    for number in range(10):
        core.create_namespaced_pod(namespace, pod(f"pod-{number}"))
    eventually(lambda: core.read_namespaced_resource_quota("sandbox-quota", namespace).status.used["pods"] == "10")
    body = refusal(core.create_namespaced_pod, namespace, pod("pod-10"))
    assert body["code"] == 403
    assert body["message"] == (
        'pods "pod-10" is forbidden: exceeded quota: sandbox-quota, requested: pods=1, used: pods=10, limited: pods=10'
    )


def test_a_container_over_the_bound_is_refused(core, namespace):
    big = pod("big")
    big["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "3", "memory": "64Mi"}}
    body = refusal(core.create_namespaced_pod, namespace, big)
    assert body["message"] == 'pods "big" is forbidden: maximum cpu usage per Container is 1, but limit is 3'


def test_a_missing_object_is_not_found(apps, namespace):
    body = refusal(apps.read_namespaced_deployment, "gone", namespace)
    assert (body["code"], body["reason"]) == (404, "NotFound")
    assert body["message"] == 'deployments.apps "gone" not found'
    assert body["details"] == {"name": "gone", "group": "apps", "kind": "deployments"}


def test_nothing_is_created_in_a_missing_namespace(core):
    body = refusal(core.create_namespaced_config_map, "no-such-place", {"metadata": {"name": "settings"}})
    assert (body["code"], body["message"]) == (404, 'namespaces "no-such-place" not found')


def test_a_name_is_taken_once(core, namespace):
    core.create_namespaced_config_map(namespace, {"metadata": {"name": "settings"}})
    body = refusal(core.create_namespaced_config_map, namespace, {"metadata": {"name": "settings"}})
    assert (body["code"], body["reason"]) == (409, "AlreadyExists")
    assert body["message"] == 'configmaps "settings" already exists'


def test_a_write_on_top_of_an_unseen_one_conflicts(core, namespace):
    read = core.create_namespaced_config_map(namespace, {"metadata": {"name": "settings"}, "data": {"a": "1"}})
    core.patch_namespaced_config_map("settings", namespace, {"data": {"a": "2"}})
    read.data["a"] = "3"
    body = refusal(core.replace_namespaced_config_map, "settings", namespace, read)
    assert (body["code"], body["reason"]) == (409, "Conflict")
    assert body["message"].endswith("please apply your changes to the latest version and try again")


def test_a_selector_must_match_the_template(apps, namespace):
    wrong = workload("Deployment")
    wrong["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    body = refusal(apps.create_namespaced_deployment, namespace, wrong)
    assert (body["code"], body["reason"]) == (422, "Invalid")
    assert body["message"] == (
        'Deployment.apps "web" is invalid: spec.template.metadata.labels: Invalid value: {"app":"other"}: '
        "`selector` does not match template `labels`"
    )
    assert [cause["field"] for cause in body["details"]["causes"]] == ["spec.template.metadata.labels"]


def test_a_selector_never_changes(apps, namespace):
    apps.create_namespaced_deployment(namespace, workload("Deployment", replicas=0))
    labels = {"app": "web", "tier": "front"}
    patch = {"spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}}
    body = refusal(apps.patch_namespaced_deployment, "web", namespace, patch)
    assert body["code"] == 422
    assert "spec.selector: Invalid value" in body["message"]
    assert body["message"].endswith("field is immutable")


def test_a_name_is_required_and_well_formed(core, namespace):
    body = refusal(core.create_namespaced_config_map, namespace, {"metadata": {}})
    assert body["message"].endswith("Required value: name or generateName is required")
    body = refusal(core.create_namespaced_config_map, namespace, {"metadata": {"name": "Not_Valid"}})
    assert body["code"] == 422
    assert 'metadata.name: Invalid value: "Not_Valid": a lowercase RFC 1123 subdomain must' in body["message"]


def test_a_value_of_the_wrong_type_is_a_bad_request(cluster, namespace):
    config = {"metadata": {"name": "x"}, "data": {"a": 1}}
    body = refusal(send, cluster, "POST", f"/api/v1/namespaces/{namespace}/configmaps", config)
    assert (body["code"], body["reason"]) == (400, "BadRequest")
    assert body["message"].endswith("cannot unmarshal number into Go struct field ConfigMap.data of type string")
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    body = refusal(send, cluster, "POST", path, workload("Deployment", replicas="two"))
    assert body["code"] == 400
    assert (
        "cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32" in body["message"]
    )


def test_a_pod_that_runs_keeps_its_command(core, namespace):
    core.create_namespaced_pod(namespace, pod("fixed"))
    patch = {"spec": {"containers": [{"name": "main", "command": ["true"]}]}}
    body = refusal(core.patch_namespaced_pod, "fixed", namespace, patch)
    assert body["code"] == 422
    assert "pod updates may not change fields other than `spec.containers[*].image`" in body["message"]


def test_a_name_is_generated(core, namespace):
    made = core.create_namespaced_config_map(namespace, {"metadata": {"generateName": "settings-"}})
    assert made.metadata.name.startswith("settings-")
    assert len(made.metadata.name) == len("settings-") + 5


def test_a_dry_run_answers_and_stores_nothing(core, namespace):
    made = core.create_namespaced_config_map(namespace, {"metadata": {"name": "ghost"}}, dry_run="All")
    assert made.metadata.uid
    assert refusal(core.read_namespaced_config_map, "ghost", namespace)["code"] == 404
    core.create_namespaced_config_map(namespace, {"metadata": {"name": "real"}, "data": {"a": "1"}})
    changed = core.patch_namespaced_config_map("real", namespace, {"data": {"a": "2"}}, dry_run="All")
    assert changed.data == {"a": "2"}
    core.delete_namespaced_config_map("real", namespace, dry_run="All")
    assert core.read_namespaced_config_map("real", namespace).data == {"a": "1"}


def test_a_dry_run_is_refused_as_the_real_one_would_be(core, namespace):
    opened = pod("open", hostNetwork=True)
    assert refusal(core.create_namespaced_pod, namespace, opened, dry_run="All")["code"] == 403


def test_a_write_that_changes_nothing_makes_no_version(core, namespace):
    made = core.create_namespaced_config_map(namespace, {"metadata": {"name": "same"}, "data": {"a": "1"}})
    again = core.patch_namespaced_config_map("same", namespace, {"data": {"a": "1"}})
    assert again.metadata.resource_version == made.metadata.resource_version


def test_a_change_of_the_spec_is_a_generation_and_one_of_a_label_is_not(apps, namespace):
    apps.create_namespaced_deployment(namespace, workload("Deployment", replicas=0))
    labelled = apps.patch_namespaced_deployment("web", namespace, {"metadata": {"labels": {"note": "x"}}})
    scaled = apps.patch_namespaced_deployment("web", namespace, {"spec": {"replicas": 1}})
    noted = apps.patch_namespaced_deployment("web", namespace, {"metadata": {"annotations": {"note": "x"}}})
    assert [each.metadata.generation for each in (labelled, scaled, noted)] == [1, 2, 3]


def test_a_strategic_patch_merges_lists_by_key(apps, namespace):
    apps.create_namespaced_deployment(namespace, workload("Deployment", replicas=0))
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "main", "env": env}]}}}}
    apps.patch_namespaced_deployment("web", namespace, patch)
    env = [{"name": "A", "$patch": "delete"}, {"name": "B", "value": "3"}]
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "main", "env": env}]}}}}
    changed = apps.patch_namespaced_deployment("web", namespace, patch)
    (container,) = changed.spec.template.spec.containers
    assert container.image == IMAGE
    assert [(each.name, each.value) for each in container.env] == [("B", "3")]


def send(cluster, method, path, body, content_type="application/json", **query):
    """A call in the raw form that the runner uses."""
    request = cluster.api.param_serialize(
        method=method,
        resource_path=path,
        query_params=list(query.items()),
        header_params={"Content-Type": content_type, "Accept": "application/json"},
        body=body,
        auth_settings=["BearerToken"],
    )
    answer = cluster.api.call_api(*request)
    answer.read()
    if answer.status >= 400:
        raise ApiException(http_resp=answer, body=answer.data.decode())
    return answer.status, json.loads(answer.data)


def test_server_side_apply_creates_then_takes_back_what_it_no_longer_says(cluster, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps/applied"
    kind, how = {"apiVersion": "v1", "kind": "ConfigMap"}, "application/apply-patch+yaml"
    name = {"metadata": {"name": "applied"}}
    status, made = send(
        cluster, "PATCH", path, {**kind, **name, "data": {"a": "1", "b": "2"}}, how, fieldManager="wpk"
    )
    assert (status, made["data"]) == (201, {"a": "1", "b": "2"})
    send(cluster, "PATCH", path, {"data": {"other": "kept"}}, "application/merge-patch+json")
    status, after = send(cluster, "PATCH", path, {**kind, **name, "data": {"a": "3"}}, how, fieldManager="wpk")
    assert (status, after["data"]) == (200, {"a": "3", "other": "kept"})


def test_a_merge_patch_replaces_lists_and_removes_nulls(cluster, core, namespace):
    ports = [{"name": "http", "port": 80}, {"name": "https", "port": 443}]
    metadata = {"name": "web", "annotations": {"old": "x"}}
    core.create_namespaced_service(
        namespace, {"metadata": metadata, "spec": {"selector": {"app": "web"}, "ports": ports}}
    )
    patch = {"metadata": {"annotations": {"old": None}}, "spec": {"ports": [{"name": "http", "port": 8080}]}}
    path = f"/api/v1/namespaces/{namespace}/services/web"
    _, after = send(cluster, "PATCH", path, patch, "application/merge-patch+json")
    assert [port["port"] for port in after["spec"]["ports"]] == [8080]
    assert "annotations" not in after["metadata"]


def test_selectors_choose(core, namespace):
    for name, labels in (("a", {"tier": "front", "env": "dev"}), ("b", {"tier": "back"}), ("c", {})):
        core.create_namespaced_config_map(namespace, {"metadata": {"name": name, "labels": labels}})

    def chosen(**query):
        found = core.list_namespaced_config_map(namespace, **query).items
        return [each.metadata.name for each in found if each.metadata.name in "abc"]

    assert chosen(label_selector="tier=front") == ["a"]
    assert chosen(label_selector="tier in (front,back),!env") == ["b"]
    assert chosen(label_selector="tier notin (front)") == ["b", "c"]
    assert chosen(label_selector="env") == ["a"]
    assert chosen(field_selector="metadata.name!=a") == ["b", "c"]
    assert refusal(core.list_namespaced_config_map, namespace, field_selector="data.x=1")["code"] == 400


def test_a_finalizer_holds_what_was_deleted(core, namespace):
    metadata = {"name": "held", "finalizers": ["example.com/hold"]}
    core.create_namespaced_config_map(namespace, {"metadata": metadata})
    core.delete_namespaced_config_map("held", namespace)
    assert core.read_namespaced_config_map("held", namespace).metadata.deletion_timestamp
    core.patch_namespaced_config_map("held", namespace, {"metadata": {"finalizers": None}})
    assert refusal(core.read_namespaced_config_map, "held", namespace)["code"] == 404


def test_many_are_deleted_at_once(core, namespace):
    for name, labels in (("a", {"tier": "front"}), ("b", {"tier": "back"})):
        core.create_namespaced_config_map(namespace, {"metadata": {"name": name, "labels": labels}})
    core.delete_collection_namespaced_config_map(namespace, label_selector="tier=front")
    assert refusal(core.read_namespaced_config_map, "a", namespace)["code"] == 404
    assert core.read_namespaced_config_map("b", namespace)


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


def test_a_custom_kind_is_served_once_it_is_defined(cluster, namespace):
    group = f"{namespace}.example.com"
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    names = {"plural": "gadgets", "singular": "gadget", "kind": "Gadget"}
    definition = {
        "metadata": {"name": f"gadgets.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }
    definitions, objects = ApiextensionsV1Api(cluster.api), CustomObjectsApi(cluster.api)
    gadget = {"apiVersion": f"{group}/v1", "kind": "Gadget", "metadata": {"name": "one"}, "spec": {"size": 1}}
    place = (group, "v1", namespace, "gadgets")
    assert refused_as_missing(objects.list_namespaced_custom_object, *place)
    definitions.create_custom_resource_definition(definition)
    try:
        eventually(lambda: not refused_as_missing(objects.list_namespaced_custom_object, *place))
        objects.create_namespaced_custom_object(*place, gadget)
        changed = objects.patch_namespaced_custom_object(*place, "one", {"spec": {"size": 2}})
        assert (changed["spec"], changed["metadata"]["generation"]) == ({"size": 2}, 2)
    finally:
        definitions.delete_custom_resource_definition(f"gadgets.{group}")
    eventually(lambda: refused_as_missing(objects.get_namespaced_custom_object, *place, "one"))


def test_a_deleted_namespace_takes_all_with_it(cluster, core):
    cluster.prepare("contract-brief")
    core.create_namespaced_config_map("contract-brief", {"metadata": {"name": "settings"}})
    core.delete_namespace("contract-brief")
    eventually(lambda: refused_as_missing(core.read_namespace, "contract-brief"))
    assert refused_as_missing(core.read_namespaced_config_map, "settings", "contract-brief")
    assert refusal(core.delete_namespace, "default")["code"] == 403
