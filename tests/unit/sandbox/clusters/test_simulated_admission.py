"""What is let into a namespace: limits, quotas, accounts and priorities."""

import pytest


def limit_range(**limit):
    return {"metadata": {"name": "limits"}, "spec": {"limits": [{"type": "Container", **limit}]}}


def test_limits_are_given_and_noted(api, make):
    api.create("LimitRange", limit_range(default={"cpu": "2"}, defaultRequest={"cpu": "1"}))
    pod = api.create("Pod", make.pod())
    assert pod["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "2"}, "requests": {"cpu": "1"}}
    note = "LimitRanger plugin set: cpu request for container main; cpu limit for container main"
    assert pod["metadata"]["annotations"]["kubernetes.io/limit-ranger"] == note


def test_a_limit_that_is_set_is_the_request_too(api, make):
    api.create("LimitRange", limit_range(default={"cpu": "2"}, defaultRequest={"cpu": "1"}))
    pod = api.create("Pod", make.pod(container={"resources": {"limits": {"cpu": "500m"}}}))
    assert pod["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "500m"}, "requests": {"cpu": "500m"}}


def test_every_bound_that_is_broken_is_named(api, make):
    api.create("LimitRange", limit_range(max={"cpu": "1", "memory": "1Gi"}, min={"cpu": "100m"}))
    resources = {"limits": {"cpu": "2", "memory": "2Gi"}, "requests": {"cpu": "50m"}}
    message = api.refusal("POST", "Pod", body=make.pod(container={"resources": resources}))["message"]
    assert message == (
        'pods "alone" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, '
        "maximum memory usage per Container is 1Gi, but limit is 2Gi, "
        "minimum cpu usage per Container is 100m, but request is 50m]"
    )


def quota(**hard):
    return {"metadata": {"name": "small"}, "spec": {"hard": hard}}


def test_a_quota_bounds_the_sum_of_requests(api, make):
    api.create("ResourceQuota", quota(**{"requests.cpu": "1", "pods": "5"}))
    half = {"resources": {"requests": {"cpu": "600m"}}}
    api.create("Pod", make.pod("first", container=half))
    message = api.refusal("POST", "Pod", body=make.pod(container=half))["message"]
    assert message.endswith(
        "exceeded quota: small, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1"
    )
    api.delete("Pod", "first")
    api.create("Pod", make.pod(container=half))


def test_a_quota_asks_for_what_it_counts(api, make):
    api.create("ResourceQuota", quota(**{"limits.cpu": "1", "limits.memory": "1Gi"}))
    message = api.refusal("POST", "Pod", body=make.pod())["message"]
    assert message.endswith("failed quota: small: must specify limits.cpu for: main; limits.memory for: main")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("configmaps", "ConfigMap"), ("count/configmaps", "ConfigMap"), ("count/leases.coordination.k8s.io", "Lease")],
)
def test_a_quota_counts_objects(api, name, kind):
    api.create("Namespace", {"metadata": {"name": "shop"}})
    already = len(api.list(kind, "shop"))
    api.create("ResourceQuota", quota(**{name: str(already + 1)}), "shop")
    api.create(kind, {"metadata": {"name": "one"}}, "shop")
    refused = api.refusal("POST", kind, body={"metadata": {"name": "two"}}, namespace="shop")
    assert f"exceeded quota: small, requested: {name}=1" in refused["message"]


def test_accounts_and_priorities_must_be_there(api, make):
    message = api.refusal("POST", "Pod", body=make.pod(serviceAccountName="nobody"))["message"]
    assert message.endswith('error looking up service account default/nobody: serviceaccount "nobody" not found')
    message = api.refusal("POST", "Pod", body=make.pod(priorityClassName="high"))["message"]
    assert message.endswith("no PriorityClass with name high was found")
    api.create("PriorityClass", {"metadata": {"name": "high"}, "value": 7})
    assert api.create("Pod", make.pod(priorityClassName="high"))["spec"]["priority"] == 7
