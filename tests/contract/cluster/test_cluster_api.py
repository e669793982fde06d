"""How every cluster answers, whatever the objects are about: writes, conflicts, patches, selectors."""

from cluster_suite import IMAGE, eventually, pod, refusal, refused_as_missing, send, workload
from kubernetes.client import ApiextensionsV1Api, CustomObjectsApi


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
