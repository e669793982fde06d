"""The verbs of the API, its subresources, and what it says to a request that makes no sense."""

import pytest

from wpk_sandbox.sandbox.clusters.simulated.api import answer
from wpk_sandbox.sandbox.clusters.simulated.request import Request

MERGE = "application/merge-patch+json"
JSON = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"


def config(name="settings", **fields):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **fields}


PATH = "/api/v1/namespaces/default/configmaps/settings"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/unheard"),
        ("GET", "/apis/none.example.com/v1/things"),
        ("GET", "/apis/none.example.com"),
        ("GET", "/apis/apps/v9"),
        ("GET", "/apis/apps/v9/deployments"),
        ("GET", "/api/v1/namespaces/default/nodes"),
        ("GET", "/api/v1/pods/alone"),
        ("GET", "/api/v1/namespaces/default/pods/a/b/c/d"),
        ("GET", "/"),
        ("GET", "/openapi/v3/apis/none"),
        ("POST", "/api/v1/namespaces/default/configmaps/x/scale"),
        ("GET", "/apis/apps/v1/namespaces/default/daemonsets/x"),
    ],
)
def test_what_is_not_there_is_not_found(api, method, path):
    code, body = api.call(method, path, {})
    assert (code, body["reason"], body["kind"]) == (404, "NotFound", "Status")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/v1/namespaces/default/configmaps"),
        ("PATCH", "/api/v1/namespaces/default/configmaps"),
        ("POST", "/api/v1/namespaces/default/configmaps/x"),
        ("POST", "/api/v1/configmaps"),
        ("DELETE", "/api/v1/configmaps"),
        ("DELETE", "/api/v1/namespaces"),
    ],
)
def test_a_verb_that_a_place_does_not_know_is_refused(api, method, path):
    code, body = api.call(method, path, {"metadata": {"name": "x"}})
    assert (code, body["reason"]) == (405, "MethodNotAllowed")


@pytest.mark.parametrize("sub", ["exec", "attach", "portforward"])
def test_nothing_can_be_attached_to_a_process_that_does_not_run(api, make, sub):
    api.create("Pod", make.pod())
    for method in ("GET", "POST"):
        code, body = api.call(method, f"/api/v1/namespaces/default/pods/alone/{sub}", {})
        assert code == 501
        assert "the simulated cluster runs no process" in body["message"]


def test_a_body_must_belong_to_its_place(api):
    api.create("ConfigMap", config())
    for body, words in (
        (config("other"), "does not match the name on the URL"),
        (config(metadata={"name": "settings", "namespace": "shop"}), "does not match the namespace sent"),
        (["x"], "holds no object"),
        (None, "holds no object"),
    ):
        assert words in api.refusal("PUT", "ConfigMap", "settings", body)["message"]


def test_a_body_that_is_no_json_is_a_bad_request(api):
    for content_type in ("application/json", APPLY):
        done = answer(api.store, Request("PATCH", PATH, {"fieldManager": "x"}, content_type, b"{: [}"))
        assert (done.code, done.body["reason"]) in ((400, "BadRequest"), (404, "NotFound"))
    done = answer(api.store, Request("POST", PATH.rpartition("/")[0], {}, "application/json", b"{: [}"))
    assert (done.code, done.body["reason"]) == (400, "BadRequest")


def test_yaml_is_read_where_it_is_announced(api):
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: '1'}\n"
    done = answer(api.store, Request("PATCH", PATH, {"fieldManager": "x"}, APPLY, text))
    assert (done.code, done.body["data"]) == (201, {"a": "1"})


def test_what_the_server_decides_is_not_for_the_caller(api):
    body = config(
        metadata={
            "name": "settings",
            "uid": "mine",
            "creationTimestamp": "1999-01-01T00:00:00Z",
            "managedFields": [],
        }
    )
    made = api.create("ConfigMap", body)["metadata"]
    assert made["uid"] != "mine"
    assert made["creationTimestamp"].startswith("2025-")
    assert "managedFields" not in made
    again = api.patch("ConfigMap", "settings", {"metadata": {"creationTimestamp": None, "labels": {"a": "b"}}})
    assert again["metadata"]["creationTimestamp"] == made["creationTimestamp"]


def test_a_new_object_has_no_version(api):
    body = config(metadata={"name": "settings", "resourceVersion": "1"})
    assert "resourceVersion should not be set" in api.refusal("POST", "ConfigMap", body=body)["message"]


def test_a_write_with_another_uid_conflicts(api):
    api.create("ConfigMap", config())
    body = config(metadata={"name": "settings", "uid": "other"})
    refused = api.refusal("PUT", "ConfigMap", "settings", body)
    assert (refused["code"], "Precondition failed: UID in precondition: other" in refused["message"]) == (409, True)


def test_a_replacement_leaves_out_what_it_does_not_say(api):
    api.create("ConfigMap", config(data={"a": "1"}, metadata={"name": "settings", "labels": {"x": "y"}}))
    after = api.replace("ConfigMap", "settings", config(data={"b": "2"}))
    assert (after["data"], "labels" in after["metadata"]) == ({"b": "2"}, False)


def test_a_version_that_is_patched_must_be_the_present_one(api):
    old = api.create("ConfigMap", config())["metadata"]["resourceVersion"]
    api.patch("ConfigMap", "settings", {"data": {"a": "1"}})
    patch = {"metadata": {"resourceVersion": old}, "data": {"a": "2"}}
    assert api.refusal("PATCH", "ConfigMap", "settings", patch)["reason"] == "Conflict"


@pytest.mark.parametrize(
    ("how", "patch", "code"),
    [
        (JSON, [{"op": "remove", "path": "/data/none"}], 422),
        (JSON, {"data": {}}, 422),
        (JSON, [{"op": "remove", "path": "/metadata"}], 400),
        (MERGE, ["x"], 400),
        (MERGE, {"metadata": {"name": "other"}}, 400),
        ("text/plain", {}, 415),
        (APPLY, config(), 422),
    ],
)
def test_a_patch_that_does_not_fit_is_refused_and_changes_nothing(api, how, patch, code):
    before = api.create("ConfigMap", config(data={"a": "1"}))
    assert api.refusal("PATCH", "ConfigMap", "settings", patch, how=how)["code"] == code
    assert api.get("ConfigMap", "settings") == before


def test_apply_asks_for_the_right_kind(api):
    api.create("ConfigMap", config())
    wrong = {"apiVersion": "v1", "kind": "Secret"}
    assert (
        "invalid object type"
        in api.refusal("PATCH", "ConfigMap", "settings", wrong, how=APPLY, fieldManager="x")["message"]
    )


def test_managers_apply_side_by_side(api):
    for manager, key in (("one", "a"), ("two", "b")):
        api.patch("ConfigMap", "settings", config(data={key: "1"}), how=APPLY, fieldManager=manager)
    after = api.patch("ConfigMap", "settings", config(), how=APPLY, fieldManager="one")
    assert after["data"] == {"b": "1"}


def test_what_was_applied_is_forgotten_with_its_object(api):
    api.patch("ConfigMap", "settings", config(data={"a": "1"}), how=APPLY, fieldManager="one")
    api.delete("ConfigMap", "settings")
    api.create("ConfigMap", config(data={"a": "2"}))
    after = api.patch("ConfigMap", "settings", config(), how=APPLY, fieldManager="one")
    assert after["data"] == {"a": "2"}


def test_a_dry_run_leaves_no_trace(api, make):
    api.create("Deployment", make.workload())
    version, everything = api.store.version, api.list("Pod")
    made = api.create("Deployment", make.workload("ghost"), dryRun="All")
    assert (made["spec"]["replicas"], made["status"]) == (1, {})
    api.patch("Deployment", "web", {"spec": {"replicas": 5}}, dryRun="All")
    api.patch("ConfigMap", "ghost", config("ghost"), how=APPLY, fieldManager="x", dryRun="All")
    api.delete("Deployment", "web", body={"dryRun": ["All"]})
    assert (api.store.version, api.list("Pod")) == (version, everything)
    assert api.missing("Deployment", "ghost")
    assert api.store.changes_after(version) == []


def test_an_unknown_dry_run_is_refused(api):
    assert api.refusal("POST", "ConfigMap", body=config(), dryRun="Some")["code"] == 400


def test_deleting_answers_with_what_became_of_it(api, make):
    uid = api.create("ConfigMap", config())["metadata"]["uid"]
    assert api.delete("ConfigMap", "settings") == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {"name": "settings", "kind": "configmaps", "uid": uid},
    }
    api.create("Pod", make.pod())
    assert api.delete("Pod", "alone")["metadata"]["deletionTimestamp"]


def test_deleting_heeds_its_preconditions(api):
    api.create("ConfigMap", config())
    wrong = {"preconditions": {"uid": "other"}}
    assert api.refusal("DELETE", "ConfigMap", "settings", wrong)["reason"] == "Conflict"
    assert api.get("ConfigMap", "settings")
    uid = api.get("ConfigMap", "settings")["metadata"]["uid"]
    api.delete("ConfigMap", "settings", body={"preconditions": {"uid": uid}})
    assert api.missing("ConfigMap", "settings")


def test_an_unknown_propagation_is_refused(api):
    api.create("ConfigMap", config())
    assert api.refusal("DELETE", "ConfigMap", "settings", propagationPolicy="Sideways")["code"] == 400


def test_a_finalizer_holds_and_a_second_deletion_changes_nothing(api):
    api.create("ConfigMap", config(metadata={"name": "settings", "finalizers": ["example.com/hold"]}))
    first = api.delete("ConfigMap", "settings")
    assert api.delete("ConfigMap", "settings") == first
    api.patch("ConfigMap", "settings", {"metadata": {"finalizers": None}})
    assert api.missing("ConfigMap", "settings")


def test_scale_reads_and_writes_replicas_alone(api, make):
    api.create("Deployment", make.workload(replicas=2))
    scale = api.get("Deployment", "web", sub="scale")
    assert (scale["kind"], scale["spec"], scale["status"]) == (
        "Scale",
        {"replicas": 2},
        {"replicas": 2, "selector": "app=web"},
    )
    api.replace("Deployment", "web", {**scale, "spec": {"replicas": 3}}, sub="scale")
    assert len(api.list("Pod")) == 3
    old = {**scale, "spec": {"replicas": 1}}
    assert api.refusal("PUT", "Deployment", "web", old, sub="scale")["reason"] == "Conflict"
    for replicas, code in ((-1, 422), ("two", 400)):
        patch = {"spec": {"replicas": replicas}}
        assert api.refusal("PATCH", "Deployment", "web", patch, sub="scale", how=MERGE)["code"] == code


def test_status_is_written_through_its_own_door(api, make):
    api.create(
        "HorizontalPodAutoscaler",
        {
            "metadata": {"name": "web"},
            "spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "web"}},
        },
    )
    patch = {"spec": {"maxReplicas": 9}, "status": {"desiredReplicas": 2}}
    after = api.patch("HorizontalPodAutoscaler", "web", patch)
    assert (after["spec"]["maxReplicas"], after["status"]["desiredReplicas"]) == (9, 0)
    after = api.patch("HorizontalPodAutoscaler", "web", {**patch, "spec": {"maxReplicas": 1}}, sub="status")
    assert (after["spec"]["maxReplicas"], after["status"]["desiredReplicas"]) == (9, 2)


def log(api, name="alone", **query):
    return api.call("GET", f"/api/v1/namespaces/default/pods/{name}/log", **query)


def test_a_log_says_that_nothing_ran(api, make):
    api.create("Pod", make.pod(container={"command": ["serve", "--all"]}))
    code, text = log(api)
    assert code == 200
    assert text.splitlines() == [
        "simulated: no process ran in container main",
        "simulated: image nginx:1",
        'simulated: command ["serve","--all"]',
    ]
    assert log(api, tailLines="1")[1] == 'simulated: command ["serve","--all"]\n'
    assert log(api, tailLines="0")[1] == ""
    assert log(api, limitBytes="9")[1] == "simulated"
    assert log(api, timestamps="true")[1].startswith("2025-")


def test_a_log_is_of_one_container_that_started(api, make):
    body = make.pod()
    body["spec"]["containers"].append({"name": "side", "image": "nginx:1"})
    api.create("Pod", body)
    assert log(api)[1]["message"] == "a container name must be specified for pod alone, choose one of: [main side]"
    assert log(api, container="none")[1]["message"] == "container none is not valid for pod alone"
    assert "container side" in log(api, container="side")[1]
    refused = log(api, container="side", previous="true")
    assert (refused[0], refused[1]["message"]) == (
        400,
        'previous terminated container "side" in pod "alone" not found',
    )
    api.create("Pod", make.pod("late", container={"envFrom": [{"secretRef": {"name": "none"}}]}))
    assert (
        log(api, "late")[1]["message"]
        == 'container "main" in pod "late" is waiting to start: CreateContainerConfigError'
    )


def test_events_are_objects_that_can_be_chosen(api, make):
    api.create("Pod", make.pod())
    api.create("Pod", make.pod("other"))
    found = api.list("Event", fieldSelector="involvedObject.name=alone,involvedObject.kind=Pod")
    assert [event["reason"] for event in found] == ["Scheduled", "Started"]
    assert found[0]["message"] == "Successfully assigned default/alone to simulated"


def test_lists_cover_all_namespaces(api):
    api.create("Namespace", {"metadata": {"name": "shop"}})
    for namespace in ("default", "shop"):
        api.create("ConfigMap", config(), namespace)
    found = api.done(api.call("GET", "/api/v1/configmaps", fieldSelector="metadata.name=settings"))
    assert [each["metadata"]["namespace"] for each in found["items"]] == ["default", "shop"]
    assert found["kind"] == "ConfigMapList"
    assert "kind" not in found["items"][0]


def test_discovery_names_every_kind_and_its_subresources(api, make):
    api.create("CustomResourceDefinition", make.definition())
    groups = {group["name"] for group in api.done(api.call("GET", "/apis"))["groups"]}
    assert {"apps", "batch", "networking.k8s.io", "example.com"} <= groups
    resources = {r["name"]: r for r in api.done(api.call("GET", "/apis/apps/v1"))["resources"]}
    assert resources["deployments"]["shortNames"] == ["deploy"]
    assert resources["deployments/scale"]["kind"] == "Scale"
    core = {r["name"] for r in api.done(api.call("GET", "/api/v1"))["resources"]}
    assert {"pods", "pods/log", "pods/eviction", "pods/status", "namespaces"} <= core
    assert api.done(api.call("GET", "/apis/example.com"))["preferredVersion"]["version"] == "v1"
    assert api.done(api.call("GET", "/version"))["minor"] == "34"
    assert api.done(api.call("GET", "/readyz")) == "ok"


def test_nothing_happens_twice_in_a_settled_cluster(api, make):
    """Reading never writes, and a write that changes nothing wakes no controller."""
    api.create("Deployment", make.workload(replicas=2))
    api.create("StatefulSet", make.workload("db", replicas=2, volumeClaimTemplates=[make.claim()]))
    api.create("DaemonSet", make.workload("agent"))
    api.create("Job", make.job())
    api.create(
        "Service",
        {
            "metadata": {"name": "web"},
            "spec": {"type": "NodePort", "selector": {"app": "web"}, "ports": [{"port": 80}]},
        },
    )
    api.create("CustomResourceDefinition", make.definition())
    api.prepare("shop")
    api.create("Deployment", make.workload(), "shop")
    api.create("Pod", make.pod(container={"envFrom": [{"secretRef": {"name": "none"}}]}))
    version = api.store.version
    api.list("Pod")
    api.patch("Deployment", "web", {"spec": {"replicas": 2}})
    assert api.store.version == version
