"""Nodes, volumes, Services, namespaces, quotas, budgets and custom kinds."""

import pytest


def phase(api, name="alone", namespace="default"):
    return api.get("Pod", name, namespace)["status"]["phase"]


def unschedulable(api, name="alone"):
    return api.condition("Pod", name, "PodScheduled")["message"]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"nodeSelector": {"disk": "fast"}}, "1 node(s) didn't match Pod's node affinity/selector"),
        (
            {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "none"}}]},
            'persistentvolumeclaim "none" not found',
        ),
    ],
)
def test_a_pod_that_fits_no_node_says_why(api, make, spec, words):
    api.create("Pod", make.pod(**spec))
    assert phase(api) == "Pending"
    assert words in unschedulable(api)
    assert words in api.events("FailedScheduling")[0]["message"]


def test_a_node_has_only_so_much_room(api, make):
    api.create("Pod", make.pod("big", container={"resources": {"requests": {"cpu": "1500m"}}}))
    api.create("Pod", make.pod(container={"resources": {"requests": {"cpu": "600m"}}}))
    assert unschedulable(api) == "0/1 nodes are available: 1 Insufficient cpu."
    api.delete("Pod", "big")
    assert phase(api) == "Running"


def test_a_tainted_node_keeps_away_and_drives_out(api, make):
    tolerations = [{"key": "repair", "operator": "Exists"}]
    api.create("Pod", make.pod("guest"))
    api.create("Pod", make.pod("mechanic", tolerations=tolerations))
    api.patch("Node", "simulated", {"spec": {"taints": [{"key": "repair", "effect": "NoSchedule"}]}})
    api.create("Pod", make.pod())
    assert "untolerated taint {repair: }" in unschedulable(api)
    assert phase(api, "guest") == "Running"
    api.patch("Node", "simulated", {"spec": {"taints": [{"key": "repair", "effect": "NoExecute"}]}})
    assert api.missing("Pod", "guest")
    assert phase(api, "mechanic") == "Running"


def test_a_cordon_is_a_taint_for_as_long_as_it_lasts(api):
    api.patch("Node", "simulated", {"spec": {"unschedulable": True}})
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    assert api.get("Node", "simulated")["spec"]["taints"] == [taint]
    api.patch("Node", "simulated", {"spec": {"unschedulable": None}})
    assert api.get("Node", "simulated")["spec"]["taints"] == []


def test_a_drained_node_leaves_replaced_pods_waiting(api, make):
    api.create("Deployment", make.workload())
    api.patch("Node", "simulated", {"spec": {"unschedulable": True}})
    (name,) = api.names("Pod")
    api.done(api.call("POST", f"/api/v1/namespaces/default/pods/{name}/eviction", {}))
    (replaced,) = api.names("Pod")
    assert replaced != name
    assert phase(api, replaced) == "Pending"
    api.patch("Node", "simulated", {"spec": {"unschedulable": False}})
    assert phase(api, replaced) == "Running"


def test_the_pods_of_a_deleted_node_go(api, make):
    api.create("Pod", make.pod())
    api.delete("Node", "simulated")
    assert api.missing("Pod", "alone")


def test_a_claim_is_bound_to_a_volume_of_its_own_that_goes_with_it(api, make):
    api.create("PersistentVolumeClaim", make.claim())
    claim = api.get("PersistentVolumeClaim", "data")
    assert claim["status"] == {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}}
    volume = api.get("PersistentVolume", claim["spec"]["volumeName"])
    assert (volume["status"]["phase"], volume["spec"]["claimRef"]["name"]) == ("Bound", "data")
    api.delete("PersistentVolumeClaim", "data")
    assert api.list("PersistentVolume") == []


def test_a_claim_grows_and_never_shrinks(api, make):
    api.create("PersistentVolumeClaim", make.claim())
    api.patch("PersistentVolumeClaim", "data", {"spec": {"resources": {"requests": {"storage": "2Gi"}}}})
    assert api.get("PersistentVolumeClaim", "data")["status"]["capacity"] == {"storage": "2Gi"}
    patch = {"spec": {"resources": {"requests": {"storage": "1Gi"}}}}
    assert "can not be less" in api.refusal("PATCH", "PersistentVolumeClaim", "data", patch)["message"]


def test_a_claim_in_use_is_kept_until_its_pod_goes(api, make):
    api.create("PersistentVolumeClaim", make.claim())
    api.create("Pod", make.pod(volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]))
    api.delete("PersistentVolumeClaim", "data")
    assert api.get("PersistentVolumeClaim", "data")["metadata"]["deletionTimestamp"]
    api.delete("Pod", "alone")
    assert api.missing("PersistentVolumeClaim", "data")


def test_a_claim_of_an_unknown_class_waits_and_says_why(api, make):
    api.create("PersistentVolumeClaim", make.claim(storageClassName="fast"))
    assert api.get("PersistentVolumeClaim", "data")["status"] == {"phase": "Pending"}
    assert 'storageclass.storage.k8s.io "fast" not found' in api.events("ProvisioningFailed")[0]["message"]


def test_a_claim_takes_the_volume_that_it_names_and_leaves_it_released(api, make):
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": "Retain",
    }
    api.create("PersistentVolume", {"metadata": {"name": "disk"}, "spec": spec})
    assert api.get("PersistentVolume", "disk")["status"] == {"phase": "Available"}
    api.create("PersistentVolumeClaim", make.claim(volumeName="disk"))
    api.create("PersistentVolumeClaim", make.claim("late", volumeName="disk"))
    assert api.get("PersistentVolumeClaim", "data")["status"]["phase"] == "Bound"
    assert api.get("PersistentVolumeClaim", "late")["status"]["phase"] == "Pending"
    api.delete("PersistentVolumeClaim", "late")
    api.delete("PersistentVolumeClaim", "data")
    assert api.get("PersistentVolume", "disk")["status"] == {"phase": "Released"}


def service(name="web", **spec):
    return {"metadata": {"name": name}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec}}


def test_each_service_has_another_address_and_keeps_it(api):
    first, second = (api.create("Service", service(name))["spec"]["clusterIP"] for name in ("web", "api"))
    assert first != second
    body = service(ports=[{"port": 81}])
    assert api.replace("Service", "web", body)["spec"]["clusterIP"] == first
    patch = {"spec": {"clusterIP": "10.96.9.9"}}
    assert "may not change once set" in api.refusal("PATCH", "Service", "web", patch)["message"]


def test_types_of_service_differ_in_what_they_get(api):
    assert api.create("Service", service("headless", clusterIP="None"))["spec"]["clusterIPs"] == ["None"]
    assert api.create("Service", service("door", type="NodePort"))["spec"]["ports"][0]["nodePort"] == 30000
    named = {"metadata": {"name": "alias"}, "spec": {"type": "ExternalName", "externalName": "db.example.com"}}
    assert "clusterIP" not in api.create("Service", named)["spec"]


def test_endpoints_follow_the_pods_that_are_ready(api, make):
    port = {"name": "http", "containerPort": 8080}
    api.create("Service", service(ports=[{"port": 80, "targetPort": "http"}]))
    assert api.get("Endpoints", "web")["subsets"] == []
    api.create(
        "Deployment", make.workload(replicas=2, template={"spec": {"containers": [make.container(ports=[port])]}})
    )
    (subset,) = api.get("Endpoints", "web")["subsets"]
    assert len({address["ip"] for address in subset["addresses"]}) == 2
    assert subset["ports"] == [{"port": 8080, "protocol": "TCP"}]
    api.patch("Deployment", "web", {"spec": {"replicas": 0}})
    assert api.get("Endpoints", "web")["subsets"] == []
    api.delete("Service", "web")
    assert api.missing("Endpoints", "web")


def test_endpoints_that_somebody_made_stay(api):
    api.create("Endpoints", {"metadata": {"name": "outside"}, "subsets": []})
    assert api.get("Endpoints", "outside")


def test_a_new_namespace_has_an_account_and_certificates(api):
    api.create("Namespace", {"metadata": {"name": "shop"}})
    assert api.get("Namespace", "shop")["metadata"]["labels"] == {"kubernetes.io/metadata.name": "shop"}
    assert api.names("ServiceAccount", "shop") == ["default"]
    assert api.names("ConfigMap", "shop") == ["kube-root-ca.crt"]


def test_a_namespace_that_cannot_go_says_what_holds_it(api):
    api.create("Namespace", {"metadata": {"name": "shop"}})
    metadata = {"name": "held", "finalizers": ["example.com/hold"]}
    api.create("ConfigMap", {"metadata": metadata}, "shop")
    api.delete("Namespace", "shop")
    assert api.get("Namespace", "shop")["status"]["phase"] == "Terminating"
    remaining = api.condition("Namespace", "shop", "NamespaceFinalizersRemaining")["message"]
    assert "example.com/hold in 1 resource instances" in remaining
    refused = api.refusal("POST", "ConfigMap", body={"metadata": {"name": "late"}}, namespace="shop")
    assert "because it is being terminated" in refused["message"]
    api.patch("ConfigMap", "held", {"metadata": {"finalizers": None}}, "shop")
    assert api.missing("Namespace", "shop")


def test_a_quota_counts_what_is_used(api, make):
    api.prepare("shop")
    container = {"securityContext": make.closed}
    api.create("Pod", make.pod(container=container), "shop")
    api.create("Pod", make.pod("done", container={**container, "command": ["true"]}, restartPolicy="Never"), "shop")
    used = api.get("ResourceQuota", "sandbox-quota", "shop")["status"]["used"]
    assert used == {
        "pods": "1",
        "requests.cpu": "50m",
        "requests.memory": "32Mi",
        "limits.cpu": "200m",
        "limits.memory": "128Mi",
    }


@pytest.mark.parametrize(
    ("minimum", "allowed"),
    [
        ({"minAvailable": 1}, 2),
        ({"minAvailable": "100%"}, 0),
        ({"maxUnavailable": 1}, 1),
        ({"maxUnavailable": "50%"}, 2),
    ],
)
def test_a_budget_counts_how_many_may_go(api, make, minimum, allowed):
    api.create("Deployment", make.workload(replicas=3))
    spec = {"selector": {"matchLabels": {"app": "web"}}, **minimum}
    api.create("PodDisruptionBudget", {"metadata": {"name": "web"}, "spec": spec})
    status = api.get("PodDisruptionBudget", "web")["status"]
    assert (status["expectedPods"], status["currentHealthy"], status["disruptionsAllowed"]) == (3, 3, allowed)


GADGETS = "/apis/example.com/v1/namespaces/default/gadgets"


def gadget(name="one", **fields):
    return {"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": name}, **fields}


def test_a_custom_kind_is_there_with_its_definition_and_goes_with_it(api, make):
    assert api.call("GET", GADGETS)[0] == 404
    api.create("CustomResourceDefinition", make.definition())
    assert api.condition("CustomResourceDefinition", "gadgets.example.com", "Established")["status"] == "True"
    made = api.done(api.call("POST", GADGETS, gadget(spec={"size": 1})))
    assert made["metadata"]["generation"] == 1
    listed = api.done(api.call("GET", GADGETS))
    assert (listed["kind"], listed["items"][0]["kind"]) == ("GadgetList", "Gadget")
    api.delete("CustomResourceDefinition", "gadgets.example.com")
    assert api.call("GET", GADGETS)[0] == 404
    assert api.missing("CustomResourceDefinition", "gadgets.example.com")


def test_a_custom_status_is_a_field_unless_it_is_a_subresource(api, make):
    api.create("CustomResourceDefinition", make.definition())
    assert api.done(api.call("POST", GADGETS, gadget(status={"ok": True})))["status"] == {"ok": True}
    assert api.call("GET", f"{GADGETS}/one/status")[0] == 404
    api.create("CustomResourceDefinition", make.definition("widgets", "Widget", subresources={"status": {}}))
    path = "/apis/example.com/v1/namespaces/default/widgets"
    body = {**gadget(status={"ok": True}), "kind": "Widget"}
    assert "status" not in api.done(api.call("POST", path, body))
    patch, how = {"spec": {"size": 9}, "status": {"ok": True}}, "application/merge-patch+json"
    patched = api.done(api.call("PATCH", f"{path}/one/status", patch, how))
    assert (patched["status"], "spec" in patched) == ({"ok": True}, False)


def test_a_cluster_wide_custom_kind_has_no_namespace(api, make):
    api.create("CustomResourceDefinition", make.definition(scope="Cluster"))
    made = api.done(api.call("POST", "/apis/example.com/v1/gadgets", gadget()))
    assert "namespace" not in made["metadata"]
    assert api.call("GET", GADGETS)[0] == 404


def test_a_custom_kind_takes_no_strategic_patch(api, make):
    api.create("CustomResourceDefinition", make.definition())
    api.call("POST", GADGETS, gadget())
    code, body = api.call("PATCH", f"{GADGETS}/one", {}, "application/strategic-merge-patch+json")
    assert (code, body["reason"]) == (415, "UnsupportedMediaType")
