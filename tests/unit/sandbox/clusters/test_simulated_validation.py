"""What is not valid, cannot be read, or may not change any more."""

import pytest


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
