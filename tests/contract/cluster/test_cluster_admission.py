"""What every cluster lets in and what it refuses, in the same words."""

import pytest
from cluster_suite import CLOSED, eventually, pod, refusal, workload
from kubernetes.client import VersionApi


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


def test_pods_without_resources_get_those_of_the_namespace(core, namespace):
    core.create_namespaced_pod(namespace, pod("plain"))
    resources = core.read_namespaced_pod("plain", namespace).spec.containers[0].resources
    assert resources.requests == {"cpu": "50m", "memory": "32Mi"}
    assert resources.limits == {"cpu": "200m", "memory": "128Mi"}


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
