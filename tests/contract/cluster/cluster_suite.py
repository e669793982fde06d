"""What the tests of every cluster share: objects that it admits, and waiting for what it does."""

import json
import time

import pytest
from kubernetes.client import ApiException

IMAGE = "busybox:1.36"
PATIENCE = 90.0
CLOSED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "seccompProfile": {"type": "RuntimeDefault"},
}


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


def refused_as_missing(call, *arguments):
    try:
        call(*arguments)
    except ApiException as error:
        return error.status == 404
    return False


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
