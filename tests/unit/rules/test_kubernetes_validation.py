"""What the API server refuses beyond its schemas: each mistake beside the same object without it."""

import copy
from typing import Any

import pytest
from checking import applied, findings, in_pod, k8s, manifest, pod, rules

RULE = "manifest-invalid"


def deployment(strategy: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod(**fields)},
    }
    return manifest("Deployment", {**spec, "strategy": strategy} if strategy else spec, "apps/v1")


def container(**fields: Any) -> dict[str, Any]:
    return deployment(containers=[in_pod(**fields)])


def limited(**resources: Any) -> dict[str, Any]:
    return container(resources={"limits": {"cpu": "500m", "memory": "256Mi"}, **resources})


def service(*ports: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return manifest("Service", {"selector": {"app": "web"}, "ports": list(ports), **spec})


def cron(schedule: str) -> dict[str, Any]:
    job = {"spec": {"template": {"spec": pod(restartPolicy="Never")}}}
    return manifest("CronJob", {"schedule": schedule, "jobTemplate": job}, "batch/v1")


def claim(**spec: Any) -> dict[str, Any]:
    whole = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return manifest("PersistentVolumeClaim", {**whole, **spec})


def autoscaler(least: int, most: int) -> dict[str, Any]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"scaleTargetRef": target, "minReplicas": least, "maxReplicas": most}
    return manifest("HorizontalPodAutoscaler", spec, "autoscaling/v2")


def binding(**subject: Any) -> dict[str, Any]:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}
    return manifest("RoleBinding", None, "rbac.authorization.k8s.io/v1", roleRef=role, subjects=[subject])


def ingress(path: str, kind: str = "Prefix", **service: Any) -> dict[str, Any]:
    backend = {"service": {"name": "web", "port": service or {"number": 80}}}
    paths = [{"path": path, "pathType": kind, "backend": backend}]
    return manifest("Ingress", {"rules": [{"http": {"paths": paths}}]}, "networking.k8s.io/v1")


HTTP, TCP = {"httpGet": {"path": "/", "port": 8080}}, {"tcpSocket": {"port": 8080}}
FIELD = {"fieldRef": {"fieldPath": "metadata.name"}}
PDB = {"selector": {"matchLabels": {"app": "web"}}}
MOUNT = {"name": "data", "mountPath": "/data"}
EMPTY = {"name": "data", "emptyDir": {}}
ROLLING = {"maxSurge": 0, "maxUnavailable": 0}
PAIRS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (limited(requests={"memory": "512MB"}), limited(requests={"memory": "64M"}), "no quantity"),
    (limited(requests={"cpu": "0,5"}), limited(requests={"cpu": ".5"}), "no quantity"),
    (limited(requests={"memory": "64 Mi"}), limited(requests={"memory": "64Mi"}), "no quantity"),
    (limited(requests={"memory": "1Gi"}), limited(requests={"memory": "256Mi"}), "more than the limit"),
    (container(livenessProbe={**HTTP, **TCP}), container(livenessProbe=HTTP), "exclude each other"),
    (container(livenessProbe={"periodSeconds": 5}), container(livenessProbe=TCP), "is needed here"),
    (container(env=[{"name": "A", "value": "b", "valueFrom": FIELD}]), container(env=[{"name": "A"}]), "exclude"),
    (
        container(env=[{"name": "A", "valueFrom": {}}]),
        container(env=[{"name": "A", "value": "", "valueFrom": FIELD}]),
        "is needed here",
    ),
    (container(env=[{"name": "A=1"}]), container(env=[{"name": "a.b-c"}]), "without `=`"),
    (container(ports=[{"containerPort": 0}]), container(ports=[{"containerPort": 1}]), "from 1 to 65535"),
    (container(ports=[{"containerPort": 70000}]), container(ports=[{"containerPort": 65535}]), "from 1 to 65535"),
    (
        container(ports=[{"containerPort": 1, "name": "metrics-and-more"}]),
        container(ports=[{"containerPort": 1, "name": "http-metrics"}]),
        "at most 15",
    ),
    (container(name="My_App"), container(name="my-app"), "lower-case"),
    (
        deployment(containers=[in_pod("a"), in_pod("a")]),
        deployment(containers=[in_pod("a"), in_pod("b")]),
        "stands twice",
    ),
    (
        deployment(containers=[in_pod(volumeMounts=[MOUNT])]),
        deployment(containers=[in_pod(volumeMounts=[MOUNT])], volumes=[EMPTY]),
        "has no volume `data`",
    ),
    (deployment(volumes=[EMPTY, EMPTY]), deployment(volumes=[EMPTY]), "stands twice"),
    (
        deployment(volumes=[{**EMPTY, "configMap": {"name": "x"}}]),
        deployment(volumes=[{"name": "only-a-name"}]),
        "exclude each other",
    ),
    (
        deployment(
            containers=[in_pod(volumeMounts=[MOUNT, {**MOUNT, "name": "b"}])], volumes=[EMPTY, {"name": "b"}]
        ),
        deployment(
            containers=[in_pod(volumeMounts=[MOUNT, {**MOUNT, "mountPath": "/b"}])], volumes=[EMPTY, {"name": "b"}]
        ),
        "are mounted at `/data`",
    ),
    (
        deployment({"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}),
        deployment({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}),
        "may not stand beside",
    ),
    (
        deployment({"rollingUpdate": ROLLING}),
        deployment({"rollingUpdate": {**ROLLING, "maxSurge": 1}}),
        "no pod could ever be replaced",
    ),
    (
        service({"port": 80, "name": "a"}, {"port": 90}),
        service({"port": 80, "name": "a"}, {"port": 90, "name": "b"}),
        "each needs a `name`",
    ),
    (
        service({"port": 80, "name": "a"}, {"port": 90, "name": "a"}),
        service({"port": 80}),
        "stands twice",
    ),
    (service(), service(clusterIP="None"), "lacks `ports`"),
    (manifest("ConfigMap", data={"a/b": "x"}), manifest("ConfigMap", data={"a_b.c-d": "x"}), "is refused"),
    (manifest("ConfigMap", data={"a b": "x"}), manifest("ConfigMap", data={"${KEY}": "x"}), "is refused"),
    (
        manifest("PodDisruptionBudget", {**PDB, "minAvailable": 1, "maxUnavailable": 1}, "policy/v1"),
        manifest("PodDisruptionBudget", {**PDB, "minAvailable": 1, "maxUnavailable": None}, "policy/v1"),
        "exclude each other",
    ),
    (cron("every day"), cron("0 4 * * *"), "the schedule `every day`"),
    (cron("0 0 4 * * *"), cron("@daily"), "has 6 fields"),
    (claim(accessModes=[]), claim(), "lacks `accessModes`"),
    (claim(resources={}), claim(resources={"requests": {"storage": "${SIZE}"}}), "how much storage"),
    (autoscaler(5, 3), autoscaler(3, 3), "`minReplicas` is 5"),
    (
        {**binding(kind="ServiceAccount", name="web"), "kind": "ClusterRoleBinding"},
        {**binding(kind="ServiceAccount", name="web", namespace="shop"), "kind": "ClusterRoleBinding"},
        "lacks its `namespace`",
    ),
    (binding(kind="Robot", name="web"), binding(kind="User", name="web"), "must be one of"),
    (binding(kind="Robot", name="web"), binding(kind="ServiceAccount", name="web"), "must be one of"),
    (ingress("web"), ingress("/web"), "does not begin with `/`"),
    (ingress("/", name="http", number=80), ingress("/", name="http"), "exclude each other"),
]


@pytest.mark.parametrize(("wrong", "sound", "message"), PAIRS, ids=[pair[2] for pair in PAIRS])
def test_the_mistake_is_found_and_the_object_without_it_is_not(
    wrong: dict[str, Any], sound: dict[str, Any], message: str
) -> None:
    (found,) = [each for each in findings(applied(wrong)) if each.rule == RULE]
    assert message in found.message
    assert found.fix
    assert RULE not in rules(applied(sound))


def test_a_patch_lacks_what_stands_in_the_cluster() -> None:
    web = {"resource_type": "deployment", "name": "web"}
    part = {"name": "main", "volumeMounts": [MOUNT], "livenessProbe": {"periodSeconds": 5}}
    data = {"spec": {"template": {"spec": {"containers": [part]}}}}
    assert RULE not in rules(k8s("patch", **web, data=data))
    both = copy.deepcopy(data)
    both["spec"]["template"]["spec"]["containers"][0]["livenessProbe"] = {**HTTP, **TCP}
    assert RULE in rules(k8s("patch", **web, data=both))


@pytest.mark.parametrize(
    ("written", "better"), [("512MB", "512M"), ("0,5", "0.5"), ("256 mi", "256Mi"), ("1GiB", "1Gi")]
)
def test_the_quantity_that_was_meant_is_told(written: str, better: str) -> None:
    (found,) = [each for each in findings(applied(limited(requests={"storage": written}))) if each.rule == RULE]
    assert found.fix == f"Write `{better}`."


def test_claims_of_a_stateful_set_are_volumes() -> None:
    spec = {
        "serviceName": "db",
        "selector": {"matchLabels": {"app": "db"}},
        "template": {"metadata": {"labels": {"app": "db"}}, "spec": pod(containers=[in_pod(volumeMounts=[MOUNT])])},
        "volumeClaimTemplates": [claim() | {"metadata": {"name": "data"}}],
    }
    assert RULE not in rules(applied(manifest("StatefulSet", spec, "apps/v1")))
    assert RULE in rules(applied(manifest("StatefulSet", {**spec, "volumeClaimTemplates": []}, "apps/v1")))


def test_an_image_may_be_a_volume_and_must_be_fixed_too() -> None:
    def mounted(reference: str) -> dict[str, Any]:
        return applied(deployment(volumes=[{"name": "model", "image": {"reference": reference}}]))

    assert "image-unpinned" in rules(mounted("registry.example.com/ml/model"))
    assert "image-unpinned" not in rules(mounted("registry.example.com/ml/model:1.2"))


def test_what_describes_objects_is_no_object() -> None:
    schema = {"openAPIV3Schema": {"properties": {"hostPath": {"type": "string"}}}}
    names = {"kind": "Agent", "plural": "agents"}
    versions = [{"name": "v1", "served": True, "storage": True, "schema": schema}]
    spec = {"group": "shop.example.com", "scope": "Namespaced", "names": names, "versions": versions}
    defined = manifest("CustomResourceDefinition", spec, "apiextensions.k8s.io/v1")
    assert "host-path" not in rules(applied(defined))
    rule = {"name": "x", "validate": {"pattern": {"spec": {"containers": [{"=(securityContext)": {}}]}}}}
    policy = manifest("ClusterPolicy", {"rules": [rule]}, "kyverno.io/v1")
    assert "resources-unlimited" not in rules(applied(policy))
    made = {"name": "x", "generate": {"data": {"spec": {"containers": [{"name": "a", "image": "b:1"}]}}}}
    assert "resources-unlimited" in rules(applied(manifest("ClusterPolicy", {"rules": [made]}, "kyverno.io/v1")))


@pytest.mark.parametrize(
    "whole",
    [
        service() | {"spec": {"ports": "${PORTS}"}},
        service() | {"spec": {"clusterIP": "${ADDRESS}"}},
        claim(accessModes="${MODES}"),
        claim(resources="${RESOURCES}"),
        claim(resources={"requests": "${REQUESTS}"}),
        deployment(containers=[in_pod(volumeMounts=[MOUNT])], volumes="${VOLUMES}"),
        deployment(containers=[in_pod(volumeMounts="${MOUNTS}", env="${ENV}", livenessProbe="${PROBE}")]),
        deployment(strategy="${STRATEGY}"),
        cron("${SCHEDULE}"),
        limited(requests={"memory": "${MEMORY}"}),
        container(name="${NAME}", ports=[{"containerPort": "${PORT}"}]),
    ],
)
def test_what_a_parameter_brings_is_not_missing(whole: dict[str, Any]) -> None:
    assert RULE not in rules(applied(whole))
