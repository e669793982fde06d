"""What is let in: Pod Security, limits, quotas; and what is not valid at all."""

import pytest

from wpk_sandbox.sandbox.clusters.simulated.pod_security import violations

CLOSED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def spec(*contexts, **pod):
    return {
        "containers": [{"name": f"c{n}", "securityContext": context} for n, context in enumerate(contexts)],
        **pod,
    }


def test_a_closed_pod_breaks_no_level():
    for level in ("privileged", "baseline", "restricted"):
        assert violations(spec(CLOSED), level) == []


def test_a_pod_may_say_for_all_its_containers_what_it_can():
    pod = {"runAsNonRoot": True, "seccompProfile": {"type": "Localhost", "localhostProfile": "x"}}
    container = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}
    assert violations(spec(container, container, securityContext=pod), "restricted") == []


@pytest.mark.parametrize(
    ("context", "pod", "words"),
    [
        ({"privileged": True}, {}, 'privileged (container "c0" must not set securityContext.privileged=true)'),
        ({}, {"hostIPC": True}, "host namespaces (hostIPC=true)"),
        ({}, {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, 'hostPath volumes (volume "v")'),
        (
            {"capabilities": {"add": ["CHOWN", "BPF"]}},
            {},
            'non-default capabilities (container "c0" must not include "BPF" in securityContext.capabilities.add)',
        ),
        (
            {"procMount": "Unmasked"},
            {},
            'procMount (container "c0" must not set securityContext.procMount to "Unmasked")',
        ),
        (
            {"seccompProfile": {"type": "Unconfined"}},
            {"securityContext": {"seccompProfile": {"type": "Unconfined"}}},
            'seccompProfile (pod and container "c0" must not set securityContext.seccompProfile.type to "Unconfined")',
        ),
        (
            {"appArmorProfile": {"type": "Unconfined"}},
            {},
            'forbidden AppArmor profile (container "c0" must not set AppArmor profile type to "Unconfined")',
        ),
        (
            {"seLinuxOptions": {"type": "bad_t"}},
            {},
            'seLinuxOptions (container "c0" set forbidden securityContext.seLinuxOptions: type "bad_t")',
        ),
        (
            {"windowsOptions": {"hostProcess": True}},
            {},
            'hostProcess (container "c0" must not set securityContext.windowsOptions.hostProcess=true)',
        ),
    ],
)
def test_baseline_refuses_what_leads_to_the_host(context, pod, words):
    assert violations(spec(context, **pod), "baseline") == [words]
    assert violations(spec(context, **pod), "privileged") == []


def test_host_ports_are_named():
    pod = {"containers": [{"name": "a", "ports": [{"hostPort": 80}, {"hostPort": 81}, {"containerPort": 1}]}]}
    assert violations(pod, "baseline") == ['hostPort (container "a" uses hostPorts 80, 81)']


def test_every_container_at_fault_is_named_once():
    (escalation, capabilities, root, seccomp) = violations(spec({}, {}), "restricted")
    assert escalation == (
        'allowPrivilegeEscalation != false (containers "c0", "c1" must set securityContext.allowPrivilegeEscalation=false)'
    )
    assert capabilities.startswith('unrestricted capabilities (containers "c0", "c1" must set')
    assert root == 'runAsNonRoot != true (pod or containers "c0", "c1" must set securityContext.runAsNonRoot=true)'
    assert seccomp.startswith('seccompProfile (pod or containers "c0", "c1" must set')


def test_init_containers_are_held_to_the_same():
    pod = {"initContainers": [{"name": "init"}], **spec(CLOSED)}
    assert all('"init"' in text for text in violations(pod, "restricted"))
    assert len(violations(pod, "restricted")) == 4


def test_restricted_names_the_types_of_volumes():
    volumes = [{"name": "a", "nfs": {}}, {"name": "b", "hostPath": {}}, {"name": "c", "emptyDir": {}}]
    assert violations(spec(CLOSED, volumes=volumes), "restricted") == [
        'restricted volume types (volumes "a", "b" use restricted volume types "hostPath", "nfs")'
    ]


def test_a_namespace_without_a_level_lets_everything_in(api, make):
    api.create("Pod", make.pod(container={"securityContext": {"privileged": True}}))
    assert api.get("Pod", "alone")["status"]["phase"] == "Running"


def test_the_level_of_a_namespace_can_change(api, make):
    api.create("Namespace", {"metadata": {"name": "shop"}})
    label = {
        "pod-security.kubernetes.io/enforce": "baseline",
        "pod-security.kubernetes.io/enforce-version": "v1.30",
    }
    api.patch("Namespace", "shop", {"metadata": {"labels": label}})
    body = make.pod(hostNetwork=True)
    message = api.refusal("POST", "Pod", body=body, namespace="shop")["message"]
    assert (
        message
        == 'pods "alone" is forbidden: violates PodSecurity "baseline:v1.30": host namespaces (hostNetwork=true)'
    )


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


def workload_with(make, **pod):
    return make.workload(template={"spec": {"containers": [make.container()], **pod}})


INVALID = [
    ("ConfigMap", lambda m: {"metadata": {}}, "metadata.name: Required value"),
    ("ConfigMap", lambda m: {"metadata": {"name": "x" * 254}}, "must be no more than 253 characters"),
    (
        "ConfigMap",
        lambda m: {"metadata": {"name": "x", "labels": {"a": "b c"}}},
        "a valid label must be an empty string",
    ),
    (
        "ConfigMap",
        lambda m: {"metadata": {"name": "x", "labels": {"a": "b" * 64}}},
        "must be no more than 63 bytes",
    ),
    ("ConfigMap", lambda m: {"metadata": {"name": "x"}, "data": {"a b": ""}}, "data[a b]: Invalid value"),
    ("Namespace", lambda m: {"metadata": {"name": "a.b"}}, "must not contain dots"),
    ("Service", lambda m: {"metadata": {"name": "a.b"}, "spec": {"ports": [{"port": 1}]}}, "RFC 1123 label"),
    ("Service", lambda m: {"metadata": {"name": "x"}, "spec": {}}, "spec.ports: Required value"),
    ("Service", lambda m: {"metadata": {"name": "x"}, "spec": {"ports": [{"port": 0}]}}, "between 1 and 65535"),
    (
        "Service",
        lambda m: {"metadata": {"name": "x"}, "spec": {"type": "ExternalName"}},
        "spec.externalName: Required",
    ),
    ("Pod", lambda m: {"metadata": {"name": "x"}, "spec": {"containers": []}}, "spec.containers: Required value"),
    ("Pod", lambda m: m.pod(container={"image": None}), "spec.containers[0].image: Required value"),
    ("Pod", lambda m: m.pod(container={"name": "A_B"}), "spec.containers[0].name: Invalid value"),
    ("Pod", lambda m: m.pod(restartPolicy="Maybe"), 'supported values: "Always", "OnFailure", "Never"'),
    (
        "Pod",
        lambda m: m.pod(container={"volumeMounts": [{"name": "v", "mountPath": "/v"}]}),
        'volumeMounts[0].name: Not found: "v"',
    ),
    (
        "Pod",
        lambda m: m.pod(volumes=[{"name": "v", "emptyDir": {}}] * 2),
        'spec.volumes[1].name: Duplicate value: "v"',
    ),
    ("Pod", lambda m: m.pod(container={"ports": [{"containerPort": 70000}]}), "between 1 and 65535"),
    (
        "Pod",
        lambda m: m.pod(container={"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}),
        "must be less than or equal to cpu limit of 1",
    ),
    ("Deployment", lambda m: {"metadata": {"name": "x"}, "spec": {}}, "spec.selector: Required value"),
    ("Deployment", lambda m: m.workload(selector={}), "empty selector is invalid for deployment"),
    ("Deployment", lambda m: m.workload(replicas=-1), "spec.replicas: Invalid value: -1"),
    ("Deployment", lambda m: workload_with(m, restartPolicy="Never"), 'supported values: "Always"'),
    (
        "Deployment",
        lambda m: m.workload(
            strategy={"type": "Recreate", "rollingUpdate": {}} | {"rollingUpdate": {"maxSurge": 1}}
        ),
        "may not be specified when strategy `type` is 'Recreate'",
    ),
    (
        "Deployment",
        lambda m: m.workload(strategy={"type": "Blue"}),
        'supported values: "Recreate", "RollingUpdate"',
    ),
    (
        "DaemonSet",
        lambda m: m.workload(selector={"matchLabels": {"a": "b"}}),
        "`selector` does not match template `labels`",
    ),
    (
        "Job",
        lambda m: m.job(template={"spec": {"containers": [m.container()]}}),
        'valid values: "OnFailure", "Never"',
    ),
    ("Job", lambda m: m.job(completions=-1), "spec.completions: Invalid value: -1"),
    (
        "CronJob",
        lambda m: {
            "metadata": {"name": "x"},
            "spec": {"schedule": "daily", "jobTemplate": {"spec": m.job()["spec"]}},
        },
        "expected exactly 5 fields, found 1: [daily]",
    ),
    (
        "PersistentVolumeClaim",
        lambda m: {"metadata": {"name": "x"}, "spec": {}},
        "at least 1 access mode is required",
    ),
    (
        "HorizontalPodAutoscaler",
        lambda m: {"metadata": {"name": "x"}, "spec": {"maxReplicas": 1, "minReplicas": 2}},
        "must be greater than or equal to `minReplicas`",
    ),
    (
        "CustomResourceDefinition",
        lambda m: {**m.definition(), "metadata": {"name": "x"}},
        "must be spec.names.plural",
    ),
]


@pytest.mark.parametrize(
    ("kind", "body", "words"), INVALID, ids=[f"{kind}-{n}" for n, (kind, *_) in enumerate(INVALID)]
)
def test_what_breaks_a_rule_is_invalid(api, make, kind, body, words):
    refused = api.refusal("POST", kind, body=body(make))
    assert (refused["code"], refused["reason"]) == (422, "Invalid")
    assert words in refused["message"]
    assert refused["details"]["causes"][0]["field"]


MISTYPED = [
    ("ConfigMap", {"metadata": {"name": "x"}, "data": {"a": 1}}, "ConfigMap.data of type string"),
    (
        "ConfigMap",
        {"metadata": {"name": "x", "labels": {"a": True}}},
        "cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels",
    ),
    ("ConfigMap", {"metadata": {"name": 1}}, "ObjectMeta.metadata.name of type string"),
    ("ConfigMap", {"metadata": []}, "cannot unmarshal array"),
    ("Secret", {"metadata": {"name": "x"}, "data": {"a": "ab%"}}, "illegal base64 data at input byte 2"),
    (
        "Deployment",
        {"metadata": {"name": "x"}, "spec": []},
        "cannot unmarshal array into Go struct field Deployment.spec",
    ),
    ("Deployment", {"metadata": {"name": "x"}, "spec": {"replicas": "2"}}, "spec.replicas of type int32"),
    ("Deployment", {"metadata": {"name": "x"}, "spec": {"replicas": True}}, "spec.replicas of type int32"),
    (
        "Deployment",
        {"metadata": {"name": "x"}, "spec": {"template": {"spec": "x"}}},
        "PodTemplateSpec.spec.template.spec",
    ),
    ("Pod", {"metadata": {"name": "x"}, "spec": {"containers": ["x"]}}, "PodSpec.spec.containers"),
    (
        "Pod",
        {"metadata": {"name": "x"}, "spec": {"containers": [{"env": [{"name": "A", "value": 1}]}]}},
        "EnvVar.spec.containers.env.value",
    ),
    (
        "Pod",
        {"metadata": {"name": "x"}, "spec": {"containers": [{"resources": {"limits": {"cpu": "lots"}}}]}},
        "quantities must match",
    ),
    ("Pod", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}}, "Service in version"),
]


@pytest.mark.parametrize(
    ("kind", "body", "words"), MISTYPED, ids=[f"{kind}-{n}" for n, (kind, *_) in enumerate(MISTYPED)]
)
def test_what_has_the_wrong_type_cannot_be_read(api, kind, body, words):
    refused = api.refusal("POST", kind, body=body)
    assert (refused["code"], refused["reason"]) == (400, "BadRequest")
    assert words in refused["message"]


def test_an_empty_value_of_a_config_map_is_an_empty_text(api):
    assert api.create("ConfigMap", {"metadata": {"name": "x"}, "data": {"a": None}})["data"] == {"a": ""}


FIXED = [
    (
        "Deployment",
        lambda m: m.workload(),
        {"spec": {"selector": {"matchLabels": {"more": "x"}}, "template": {"metadata": {"labels": {"more": "x"}}}}},
        "field is immutable",
    ),
    (
        "StatefulSet",
        lambda m: m.workload(),
        {"spec": {"serviceName": "other"}},
        "updates to statefulset spec for fields other than",
    ),
    (
        "Job",
        lambda m: m.job(),
        {"spec": {"completions": 3}},
        "spec.completions: Invalid value: 3: field is immutable",
    ),
    (
        "Pod",
        lambda m: m.pod(),
        {"spec": {"nodeSelector": {"a": "b"}}},
        "pod updates may not change fields other than",
    ),
    (
        "PersistentVolumeClaim",
        lambda m: m.claim(),
        {"spec": {"storageClassName": "other"}},
        "spec is immutable after creation",
    ),
    ("Secret", lambda m: {"metadata": {"name": "x"}}, {"type": "kubernetes.io/tls"}, "type: Invalid value"),
    (
        "ConfigMap",
        lambda m: {"metadata": {"name": "x"}, "immutable": True},
        {"data": {"a": "b"}},
        "when `immutable` is set",
    ),
    (
        "RoleBinding",
        lambda m: {"metadata": {"name": "x"}, "roleRef": {"name": "a"}},
        {"roleRef": {"name": "b"}},
        "cannot change roleRef",
    ),
]


@pytest.mark.parametrize(("kind", "body", "patch", "words"), FIXED, ids=[kind for kind, *_ in FIXED])
def test_what_is_fixed_stays(api, make, kind, body, patch, words):
    made = api.create(kind, body(make))
    refused = api.refusal("PATCH", kind, made["metadata"]["name"], patch)
    assert (refused["code"], refused["reason"]) == (422, "Invalid")
    assert words in refused["message"]


def test_defaults_of_a_pod_are_those_of_the_api(api, make):
    probe = {"httpGet": {"port": 80}}
    pod = api.create(
        "Pod", make.pod(container={"image": "nginx", "ports": [{"containerPort": 80}], "livenessProbe": probe})
    )
    spec, (container,) = pod["spec"], pod["spec"]["containers"]
    assert (spec["restartPolicy"], spec["dnsPolicy"], spec["serviceAccountName"]) == (
        "Always",
        "ClusterFirst",
        "default",
    )
    assert (container["imagePullPolicy"], container["ports"][0]["protocol"]) == ("Always", "TCP")
    assert container["livenessProbe"]["httpGet"] == {"port": 80, "path": "/", "scheme": "HTTP"}


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1", "IfNotPresent"),
        ("r:5000/nginx", "Always"),
        ("nginx@sha256:0", "IfNotPresent"),
    ],
)
def test_the_tag_of_an_image_decides_when_it_is_pulled(api, make, image, policy):
    pod = api.create("Pod", make.pod(container={"image": image}))
    assert pod["spec"]["containers"][0]["imagePullPolicy"] == policy


def test_plain_secrets_are_encoded(api):
    made = api.create("Secret", {"metadata": {"name": "x"}, "stringData": {"a": "b"}})
    assert (made["data"], made["type"], "stringData" in made) == ({"a": "Yg=="}, "Opaque", False)
