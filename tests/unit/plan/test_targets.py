import pytest
from planning import first, k8s, manifest, planned, stand_in_of, workload

from wpk_sandbox.plan.plan import Fidelity, Origin, Target


def deployment(name: str, namespace: str = "atom-sandbox", origin: Origin = Origin.PACKAGE) -> Target:
    return Target("apps/v1", "Deployment", namespace, name, None, origin)


def test_a_step_acts_on_what_it_names() -> None:
    step = first(
        k8s("restart", "deployment", "web", namespace="shop"), event={"deployment": "api", "namespace": "other"}
    )
    assert step.target == deployment("web", "shop")


def test_a_step_that_names_nothing_acts_on_what_the_event_names() -> None:
    step = first(
        k8s("restart"), event={"deployment": "web", "namespace": "shop"}, objects=(workload("web", "shop"),)
    )
    assert step.target == deployment("web", "shop", Origin.EVENT)
    assert step.reason == (
        "done by the API server of a real cluster, on what the event names; "
        "without a resource_type a Deployment is assumed"
    )


def test_without_an_event_the_only_object_of_the_case_is_meant() -> None:
    step = first(k8s("restart"), objects=(workload("web", "shop"),))
    assert step.target == deployment("web", "shop", Origin.CASE)


def test_two_objects_of_the_case_are_no_answer() -> None:
    step = first(k8s("restart"), objects=(workload("web"), workload("api")))
    assert step.target == deployment("fix-web", origin=Origin.STAND_IN)


def test_without_anything_a_stand_in_named_after_the_package_is_acted_on() -> None:
    made = planned(k8s("restart"))
    assert made.steps[0].target == deployment("fix-web", origin=Origin.STAND_IN)
    assert (
        "on the stand-in Deployment/fix-web, because neither package nor event names a target"
        in made.steps[0].reason
    )
    assert stand_in_of(made, "Deployment", "fix-web")["metadata"]["namespace"] == "atom-sandbox"


@pytest.mark.parametrize(
    ("event", "kind"),
    [({"statefulset": "db"}, "StatefulSet"), ({"daemonset": "agent"}, "DaemonSet"), ({}, "Deployment")],
)
def test_a_restart_without_a_kind_takes_the_workload_that_the_event_names(event: dict[str, str], kind: str) -> None:
    target = first(k8s("restart"), event=event).target
    assert target is not None
    assert target.kind == kind


def test_the_kind_of_a_named_object_is_that_of_the_case() -> None:
    target = first(k8s("scale", None, "db", replicas=3), objects=(manifest("StatefulSet", "db"),)).target
    assert target is not None
    assert target.kind == "StatefulSet"


def test_a_name_may_carry_its_kind_as_with_kubectl() -> None:
    target = first(k8s("get", None, "svc/web")).target
    assert target is not None
    assert (target.kind, target.name) == ("Service", "web")


@pytest.mark.parametrize(
    ("verb", "options", "kind"),
    [
        ("wait", {"condition": "Complete"}, "Job"),
        ("wait", {"condition": "available"}, "Deployment"),
        ("wait", {"condition": "bound"}, "PersistentVolumeClaim"),
        ("patch", {"data": {"LEVEL": "7"}}, "ConfigMap"),
        ("patch", {"data": {"password": "x"}}, "Secret"),
        ("patch", {"data": "new_credentials"}, "Secret"),
        ("patch", {"data": {"spec": {"paused": True}}}, "Deployment"),
        ("rollback", {"revision": "previous"}, "Deployment"),
        ("copy", {}, "Secret"),
        ("run", {}, "Job"),
    ],
)
def test_the_kind_follows_from_the_verb_when_nobody_says_it(
    verb: str, options: dict[str, object], kind: str
) -> None:
    target = first(k8s(verb, **options)).target
    assert target is not None
    assert target.kind == kind


def test_pods_of_the_events_deployment_are_found_by_its_own_selector() -> None:
    case = (workload("web", "shop", labels={"tier": "front"}),)
    step = first(k8s("logs"), event={"deployment": "web", "namespace": "shop"}, objects=case)
    assert step.target == Target("v1", "Pod", "shop", None, "tier=front", Origin.EVENT)


def test_pods_without_any_event_are_those_of_the_stand_in_that_other_steps_act_on() -> None:
    made = planned(k8s("restart"), k8s("wait", "pod", condition="ready"))
    assert made.steps[1].target == Target("v1", "Pod", "atom-sandbox", None, "app=fix-web", Origin.STAND_IN)
    assert [one["kind"] for one in made.stand_ins] == ["Deployment"]


def test_a_pod_that_only_the_event_names_stands_for_the_pods_of_its_owner() -> None:
    made = planned(k8s("restart"), event={"pod": "web-7d4b9c8f6d-x2x9k"})
    assert made.steps[0].target == Target("v1", "Pod", "atom-sandbox", None, "app=web", Origin.EVENT)
    assert stand_in_of(made, "Deployment", "web")


def test_a_pod_of_the_case_is_acted_on_itself() -> None:
    target = first(k8s("logs"), event={"pod": "web-0"}, objects=(manifest("Pod", "web-0"),)).target
    assert target is not None
    assert target.name == "web-0"


def test_an_object_in_another_namespace_of_the_case_is_found_there() -> None:
    made = planned(k8s("restart", "deployment", "web"), objects=(workload("web", "shop"),))
    assert made.steps[0].target == deployment("web", "shop")
    assert made.stand_ins == ()


def test_the_namespace_of_the_event_is_home_to_what_names_none() -> None:
    made = planned(k8s("restart", "deployment", "web"), event={"namespace": "shop"}, objects=(workload("web"),))
    assert made.steps[0].target == deployment("web", "shop")
    assert made.objects[0]["metadata"]["namespace"] == "shop"
    assert made.stand_ins == ()


def test_a_node_is_always_the_sandboxs_own() -> None:
    step = first(k8s("patch", "node", "worker-1", data={"spec": {"unschedulable": True}}))
    assert step.target == Target("v1", "Node", None, None, None, Origin.STAND_IN)
    assert step.reason.endswith("on the sandbox's own node")
    assert step.fidelity is Fidelity.EXECUTED


def test_an_object_of_the_cluster_has_no_namespace() -> None:
    target = first(k8s("get", "clusterrole", "reader")).target
    assert target is not None
    assert target.namespace is None


def test_a_selector_is_kept_and_something_is_made_that_it_finds() -> None:
    made = planned(k8s("delete", "pod", selector="app=web,tier in (front, back),!legacy"))
    assert made.steps[0].target == Target(
        "v1", "Pod", "atom-sandbox", None, "app=web,tier in (front, back),!legacy"
    )
    labels = stand_in_of(made, "Deployment", "web")["spec"]["template"]["metadata"]["labels"]
    assert {"app": "web", "tier": "front"}.items() <= labels.items()


def test_a_selector_that_the_case_satisfies_needs_no_stand_in() -> None:
    case = (workload("front", labels={"app": "web", "tier": "front"}),)
    assert planned(k8s("delete", "pod", selector="app=web"), objects=case).stand_ins == ()
    assert planned(k8s("delete", "pod", selector="app=api"), objects=case).stand_ins != ()


def test_what_is_no_selector_skips_the_step() -> None:
    step = first(k8s("delete", "pod", selector="app=web=x"))
    assert step.fidelity is Fidelity.SKIPPED
    assert "is not a label selector" in step.reason


def test_an_unknown_kind_skips_the_step_with_the_nearest_name() -> None:
    step = first(k8s("restart", "deploymnet", "web"))
    assert (step.fidelity, step.target) == (Fidelity.SKIPPED, None)
    assert step.reason == "no Kubernetes kind is called `deploymnet`; did you mean `deployment`?"


def test_a_kind_that_nothing_can_stand_for_skips_the_step_unless_the_case_provides_it() -> None:
    step = first(k8s("get", "crd", "widgets.example.com"))
    assert step.fidelity is Fidelity.SKIPPED
    assert "nobody provides CustomResourceDefinition/widgets.example.com" in step.reason
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
    }
    assert first(k8s("get", "crd", "widgets.example.com"), objects=(definition,)).fidelity is Fidelity.EXECUTED
