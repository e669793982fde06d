"""What a package may do in every cluster: what it says that it needs, and some things whatever it says."""

import json

import pytest
from cluster_suite import pod, refusal, workload
from kubernetes.client import (
    ApiException,
    ApiextensionsV1Api,
    AppsV1Api,
    AuthorizationV1Api,
    CoreV1Api,
    RbacAuthorizationV1Api,
    StorageV1Api,
)

from wpk_sandbox.sandbox.clusters.refusals import missing

STEPS = "system:serviceaccount:wpk-sandbox:steps"
DENIED = "ValidatingAdmissionPolicy 'wpk-sandbox-{0}' with binding 'wpk-sandbox-{0}' denied request: "


@pytest.fixture
def acting(cluster):
    return CoreV1Api(cluster.acting_api)


@pytest.fixture
def rbac(cluster):
    return RbacAuthorizationV1Api(cluster.acting_api)


def notes(name="notes"):
    return {"metadata": {"name": name}, "data": {"a": "1"}}


def service(**spec):
    return {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}], **spec}}


def binding(role, *subjects, kind="RoleBinding", name="mine"):
    return {
        "kind": kind,
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": list(subjects),
    }


def account(name="default", namespace="default"):
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def test_what_is_listed_works(acting, cluster, namespace):
    assert acting.create_namespaced_config_map(namespace, notes()).data == {"a": "1"}
    assert acting.read_namespaced_config_map("notes", namespace).metadata.name == "notes"
    AppsV1Api(cluster.api).create_namespaced_deployment(namespace, workload("Deployment"))
    scaled = AppsV1Api(cluster.acting_api).patch_namespaced_deployment_scale(
        "web", namespace, {"spec": {"replicas": 2}}
    )
    assert scaled.spec.replicas == 2


def test_what_does_the_same_as_what_is_listed_works_in_steps(acting, namespace):
    acting.create_namespaced_config_map(namespace, notes())
    assert acting.replace_namespaced_config_map("notes", namespace, notes()).metadata.name == "notes"
    assert len(acting.list_namespaced_config_map(namespace).items) >= 1


def test_what_is_not_listed_is_refused_by_its_name(acting, core, namespace):
    core.create_namespaced_config_map(namespace, notes())
    body = refusal(acting.delete_namespaced_config_map, "notes", namespace)
    assert (body["code"], body["reason"]) == (403, "Forbidden")
    assert body["message"] == (
        f'configmaps "notes" is forbidden: User "{STEPS}" cannot delete resource "configmaps"'
        f' in API group "" in the namespace "{namespace}"'
    )
    assert missing(body["message"]).permission == "configmaps/delete"
    assert core.read_namespaced_config_map("notes", namespace).data == {"a": "1"}


def test_refusals_name_groups_subresources_and_the_cluster(acting, cluster, namespace):
    apps = AppsV1Api(cluster.acting_api)
    listed = refusal(apps.list_namespaced_stateful_set, namespace)["message"]
    assert listed == (
        f'statefulsets.apps is forbidden: User "{STEPS}" cannot list resource "statefulsets"'
        f' in API group "apps" in the namespace "{namespace}"'
    )
    scaled = refusal(apps.patch_namespaced_stateful_set_scale, "db", namespace, {"spec": {"replicas": 1}})[
        "message"
    ]
    assert scaled == (
        f'statefulsets.apps "db" is forbidden: User "{STEPS}" cannot patch resource "statefulsets/scale"'
        f' in API group "apps" in the namespace "{namespace}"'
    )
    nodes = refusal(acting.list_node)["message"]
    assert nodes == (
        f'nodes is forbidden: User "{STEPS}" cannot list resource "nodes" in API group "" at the cluster scope'
    )


def test_a_right_holds_in_the_namespaces_of_the_package_alone(acting, core, namespace):
    assert acting.create_namespaced_config_map(namespace, notes())
    for other in ("kube-system", "default", "wpk-sandbox"):
        found = missing(refusal(acting.create_namespaced_config_map, other, notes())["message"])
        assert (found.permission, found.namespace) == ("configmaps/create", other)


@pytest.mark.parametrize(
    ("verb", "group", "resource", "allowed"),
    [
        ("create", "", "configmaps", True),
        ("update", "", "configmaps", True),
        ("delete", "", "configmaps", False),
        ("patch", "apps", "deployments", True),
        ("create", "apps", "deployments", False),
        ("escalate", "rbac.authorization.k8s.io", "roles", False),
        ("impersonate", "", "users", False),
    ],
)
def test_an_account_is_told_what_it_may_do(cluster, namespace, verb, group, resource, allowed):
    asked = {"namespace": namespace, "verb": verb, "group": group, "resource": resource}
    review = AuthorizationV1Api(cluster.acting_api).create_self_subject_access_review(
        {"spec": {"resourceAttributes": asked}}
    )
    assert review.status.allowed is allowed
    ours = AuthorizationV1Api(cluster.api).create_self_subject_access_review(
        {"spec": {"resourceAttributes": asked}}
    )
    assert ours.status.allowed


def test_an_account_is_told_all_that_it_may_do(cluster, namespace):
    review = AuthorizationV1Api(cluster.acting_api).create_self_subject_rules_review(
        {"spec": {"namespace": namespace}}
    )
    listed = {name for rule in review.status.resource_rules for name in rule.resources}
    assert {"configmaps", "deployments", "nodes"} <= listed
    assert not {"*", "statefulsets", "nodes/proxy"} & listed


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "NodePort"},
        {"type": "LoadBalancer"},
        {"type": "ExternalName", "externalName": "example.invalid"},
        {"externalIPs": ["192.0.2.1"]},
    ],
)
def test_no_service_is_open_to_the_outside(acting, core, namespace, spec):
    for caller in (acting, core):
        body = refusal(caller.create_namespaced_service, namespace, service(**spec))
        assert (body["code"], body["reason"]) == (403, "Forbidden")
        assert body["message"].startswith(f'services "web" is forbidden: {DENIED.format("services")}')
    acting.create_namespaced_service(namespace, service())
    change = refusal(acting.patch_namespaced_service, "web", namespace, {"spec": spec})
    assert DENIED.format("services") in change["message"]


def volume(**source):
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], **source}
    return {"metadata": {"name": "disk"}, "spec": spec}


def test_no_volume_is_on_the_nodes_disk(acting, core):
    body = refusal(acting.create_persistent_volume, volume(hostPath={"path": "/"}))
    assert DENIED.format("volumes") in body["message"]
    acting.create_persistent_volume(volume(nfs={"server": "192.0.2.1", "path": "/"}))
    core.delete_persistent_volume("disk")


def definition(**spec):
    names = {"plural": "gadgets", "kind": "Gadget", "singular": "gadget"}
    schema = {"openAPIV3Schema": {"type": "object"}}
    versions = [{"name": "v1", "served": True, "storage": True, "schema": schema}]
    spec = {"group": "rights.example.com", "scope": "Namespaced", "names": names, "versions": versions, **spec}
    return {"metadata": {"name": "gadgets.rights.example.com"}, "spec": spec}


def test_no_webhook_converts_objects_or_decides_over_requests(cluster):
    definitions = ApiextensionsV1Api(cluster.acting_api)
    hook = {"clientConfig": {"url": "https://192.0.2.1/"}, "conversionReviewVersions": ["v1"]}
    open_one = definition(conversion={"strategy": "Webhook", "webhook": hook})
    body = refusal(definitions.create_custom_resource_definition, open_one)
    assert DENIED.format("conversion") in body["message"]
    definitions.create_custom_resource_definition(definition())
    definitions.delete_custom_resource_definition("gadgets.rights.example.com")

    from kubernetes.client import AdmissionregistrationV1Api  # noqa: PLC0415 - heavy, and only here

    hooks = AdmissionregistrationV1Api(cluster.acting_api)
    body = refusal(hooks.create_validating_webhook_configuration, {"metadata": {"name": "h"}, "webhooks": []})
    assert missing(body["message"]).group == "admissionregistration.k8s.io"


def test_no_pod_says_that_it_is_the_kubelets(acting, core, namespace):
    mirrored = pod("mirror", nodeName=core.list_node().items[0].metadata.name)
    mirrored["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    for caller in (acting, core):
        assert DENIED.format("mirror-pods") in refusal(caller.create_namespaced_pod, namespace, mirrored)["message"]
    acting.create_namespaced_pod(namespace, pod("plain"))


@pytest.mark.parametrize(
    "given",
    [
        binding("cluster-admin", account()),
        binding("system:node", account()),
        binding("view", {"kind": "Group", "name": "system:authenticated", "apiGroup": "rbac.authorization.k8s.io"}),
        binding("view", account("steps", "wpk-sandbox")),
    ],
    ids=["cluster-admin", "system role", "system group", "our account"],
)
def test_nobody_is_given_the_cluster(cluster, rbac, namespace, given):
    for api in (rbac, RbacAuthorizationV1Api(cluster.api)):
        refused = refusal(api.create_namespaced_role_binding, namespace, given)
        whole = refusal(api.create_cluster_role_binding, {**given, "kind": "ClusterRoleBinding"})
        assert (refused["code"], whole["code"]) == (403, 403)
    assert DENIED.format("bindings") in refused["message"]


def role(**rule):
    return {
        "metadata": {"name": "mine"},
        "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], **rule}],
    }


@pytest.mark.parametrize(
    "given",
    [
        role(verbs=["*"]),
        role(verbs=["impersonate"], resources=["users"]),
        role(verbs=["escalate"], apiGroups=["rbac.authorization.k8s.io"], resources=["clusterroles"]),
        role(verbs=["approve"], apiGroups=["certificates.k8s.io"], resources=["signers"]),
        role(resources=["nodes/proxy"]),
        role(apiGroups=["*"], resources=["*"]),
        {
            "metadata": {"name": "mine"},
            "aggregationRule": {
                "clusterRoleSelectors": [
                    {"matchLabels": {"rbac.authorization.k8s.io/aggregate-to-admin": "true"}},
                ]
            },
        },
    ],
    ids=["all verbs", "another user", "escalation", "certificates", "the kubelet", "everything", "aggregation"],
)
def test_no_role_makes_whoever_has_it_more_than_the_sandbox_bounds(cluster, given):
    """A case's objects are made by the administrator, whom no check of escalation stops."""
    rbac = RbacAuthorizationV1Api(cluster.api)
    assert DENIED.format("roles") in refusal(rbac.create_cluster_role, given)["message"]


def test_other_roles_are_fine(cluster):
    rbac = RbacAuthorizationV1Api(cluster.api)
    rbac.create_cluster_role(role(verbs=["*"], apiGroups=["example.com"], resources=["*"]))
    rbac.delete_cluster_role("mine")
    rbac.create_cluster_role_binding(binding("view", account(), kind="ClusterRoleBinding", name="viewers"))
    for much in ("edit", "admin"):
        given = binding(much, account(), kind="ClusterRoleBinding")
        assert DENIED.format("bindings") in refusal(rbac.create_cluster_role_binding, given)["message"]
    rbac.delete_cluster_role_binding("viewers")


def test_no_namespace_is_made_open(acting, namespace):
    label = {"pod-security.kubernetes.io/enforce": "privileged"}
    opened = {"metadata": {"name": f"{namespace}-opened", "labels": label}}
    assert DENIED.format("levels") in refusal(acting.create_namespace, opened)["message"]
    for labels in ({}, {"pod-security.kubernetes.io/enforce": "restricted"}):
        acting.create_namespace({"metadata": {"name": f"{namespace}-{len(labels)}", "labels": labels}})
        acting.delete_namespace(f"{namespace}-{len(labels)}")


def test_no_volume_is_made_elsewhere_than_its_provisioner_puts_it(cluster):
    storage = StorageV1Api(cluster.api)
    made = {"metadata": {"name": "mine"}, "provisioner": "rancher.io/local-path"}
    given = {**made, "parameters": {"pathPattern": "../../etc"}}
    assert DENIED.format("storage") in refusal(storage.create_storage_class, given)["message"]
    storage.create_storage_class(made, _preload_content=False)
    storage.delete_storage_class("mine", _preload_content=False)


def test_a_package_gives_no_right_that_it_does_not_hold(cluster, rbac, namespace):
    body = refusal(rbac.create_namespaced_role_binding, namespace, binding("edit", account()))
    assert body["code"] == 403
    assert "is attempting to grant RBAC permissions not currently held" in body["message"]
    RbacAuthorizationV1Api(cluster.api).create_namespaced_role_binding(namespace, binding("edit", account()))


def test_no_token_of_an_account_is_given_out(acting, core, namespace):
    core.create_namespaced_service_account(namespace, {"metadata": {"name": "other"}})
    secret = {
        "metadata": {"name": "token", "annotations": {"kubernetes.io/service-account.name": "other"}},
        "type": "kubernetes.io/service-account-token",
    }
    assert DENIED.format("token-secrets") in refusal(acting.create_namespaced_secret, namespace, secret)["message"]
    acting.create_namespaced_secret(namespace, {"metadata": {"name": "plain"}, "type": "Opaque"})


def test_what_makes_a_namespace_a_sandbox_stays(acting, rbac, core, cluster, namespace):
    for call, name in (
        (acting.delete_namespaced_resource_quota, "sandbox-quota"),
        (rbac.delete_namespaced_role_binding, "wpk-sandbox-steps"),
    ):
        assert DENIED.format("fixtures") in refusal(call, name, namespace)["message"]
    assert (
        DENIED.format("fixtures")
        in refusal(acting.delete_collection_namespaced_resource_quota, namespace)["message"]
    )
    core.create_namespaced_resource_quota(namespace, {"metadata": {"name": "theirs"}, "spec": {"hard": {}}})
    acting.delete_namespaced_resource_quota("theirs", namespace)
    label = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}
    assert DENIED.format("levels") in refusal(acting.patch_namespace, namespace, label)["message"]
    acting.patch_namespace(namespace, {"metadata": {"labels": {"team": "shop"}}})


def test_nobody_gets_to_the_kubelet(cluster):
    path = f"/api/v1/nodes/{CoreV1Api(cluster.api).list_node().items[0].metadata.name}/proxy"
    request = cluster.acting_api.param_serialize("GET", path, auth_settings=["BearerToken"])
    answer = cluster.acting_api.call_api(*request)
    answer.read()
    assert answer.status == 403
    assert missing(json.loads(answer.data)["message"]).permission == "nodes/proxy/get"


def test_refusals_leave_nothing_behind(acting, core, namespace):
    with pytest.raises(ApiException):
        acting.create_namespaced_service(namespace, service(type="NodePort"))
    assert core.list_namespaced_service(namespace).items == []
