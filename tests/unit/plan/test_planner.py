from dataclasses import replace
from typing import Any

import pytest
from planning import SHELL, first, handler, k8s, manifest, package, planned, with_timeout, workload

from wpk_sandbox.package.package import (
    ApiAction,
    Case,
    ContainerAction,
    Handler,
    ManifestAction,
    ManualAction,
    ShellAction,
    Step,
    UnknownAction,
)
from wpk_sandbox.plan.plan import Fidelity, Phase
from wpk_sandbox.plan.planner import PlanOptions, needs, plan

EXECUTED, SIMULATED, SKIPPED = Fidelity.EXECUTED, Fidelity.SIMULATED, Fidelity.SKIPPED


@pytest.mark.parametrize(
    ("action", "kind", "local"),
    [
        (k8s("restart"), EXECUTED, SIMULATED),
        (k8s("logs"), EXECUTED, SIMULATED),
        (ManifestAction(workload("web")), EXECUTED, SIMULATED),
        (ContainerAction("a:1"), EXECUTED, SIMULATED),
        (SHELL, EXECUTED, EXECUTED),
        (ApiAction("https://example.invalid"), SIMULATED, SIMULATED),
        (ManualAction(), SIMULATED, SIMULATED),
        (k8s("metrics"), SIMULATED, SIMULATED),
        (UnknownAction("`magic` is no type that we know"), SKIPPED, SKIPPED),
    ],
)
def test_each_action_has_its_fidelity_and_a_reason(action: Any, kind: Fidelity, local: Fidelity) -> None:
    for sandbox, fidelity in (("kind", kind), ("local", local), ("container", local)):
        step = first(action, sandbox=sandbox)
        assert step.fidelity is fidelity
        assert step.reason


def test_the_reason_of_a_skipped_step_is_that_of_the_package() -> None:
    assert first(UnknownAction("`magic` is no type that we know")).reason == "`magic` is no type that we know"


def test_the_status_that_a_call_expects_is_assumed() -> None:
    assert "the answer 202 is assumed" in first(ApiAction("https://x.invalid", expected_status=(202, 200))).reason
    assert "the answer 200 is assumed" in first(ApiAction("https://x.invalid")).reason


def test_steps_are_numbered_within_their_phase() -> None:
    made = planned(SHELL, SHELL, rollback=(SHELL,))
    assert [(step.phase, step.number) for step in (*made.steps, *made.rollback)] == [
        (Phase.RUN, 1),
        (Phase.RUN, 2),
        (Phase.ROLLBACK, 1),
    ]


def test_a_step_without_a_timeout_has_its_handlers_and_a_handler_without_one_the_default() -> None:
    one = package(SHELL)
    default = plan(one, Case(), PlanOptions("local", handler_timeout=120, package_timeout=600))
    assert (default.steps[0].timeout, default.steps[0].handler_timeout, default.timeout) == (120, 120, 600)
    own = plan(with_timeout(one, 7), Case(), PlanOptions("local"))
    assert (own.steps[0].timeout, own.steps[0].handler_timeout) == (7, 7)


def test_the_timeout_of_wait_bounds_its_step() -> None:
    assert first(k8s("wait", condition="ready", timeout="1m30s")).timeout == 90
    assert first(k8s("wait", condition="ready", timeout="1h")).timeout == 300
    assert first(k8s("wait", condition="ready")).timeout == 300
    assert first(k8s("wait", condition="ready", timeout="soon")).timeout == 300


def test_a_shell_only_package_needs_no_cluster_and_a_cluster_package_no_shell() -> None:
    shell, cluster = planned(SHELL), planned(k8s("restart"))
    assert (shell.needs_shell, shell.needs_cluster, shell.namespaces) == (True, False, ("atom-sandbox",))
    assert (cluster.needs_shell, cluster.needs_cluster) == (False, True)


def test_objects_of_the_case_need_a_cluster() -> None:
    assert planned(SHELL, objects=(manifest("ConfigMap", "app"),)).needs_cluster


@pytest.mark.parametrize(
    ("action", "wanted"),
    [
        (SHELL, {"shell"}),
        (ShellAction("kubectl get pods"), {"shell", "cluster", "kubectl"}),
        (ShellAction("set -e\nif ! sudo mount /dev/sdb /mnt; then exit 1; fi"), {"shell", "root"}),
        (k8s("restart"), {"cluster"}),
        (ContainerAction("a:1"), {"cluster"}),
        (ManifestAction(workload("web")), {"cluster"}),
        (k8s("metrics"), set()),
        (ManualAction(), set()),
        (ApiAction("https://x.invalid"), set()),
    ],
)
def test_what_a_package_needs_of_its_sandbox(action: Any, wanted: set[str]) -> None:
    assert needs(package(action)) == wanted
    assert needs(package(rollback=(action,))) == wanted


def test_every_image_is_listed_once() -> None:
    made = planned(
        ContainerAction("tools:1"),
        ManifestAction(workload("api")),
        k8s("apply", manifest=workload("api2")),
        k8s(
            "patch",
            "deployment",
            "web",
            data={"spec": {"template": {"spec": {"containers": [{"name": "m", "image": "web:2"}]}}}},
        ),
        objects=(
            manifest(
                "Pod", "old", spec={"containers": [{"image": "old:1"}], "initContainers": [{"image": "init:1"}]}
            ),
        ),
    )
    assert made.images == ("old:1", "init:1", "busybox:1.36", "tools:1", "example/web:1", "web:2")


def test_every_namespace_is_listed_once_with_the_default_first() -> None:
    made = planned(
        k8s("restart", "deployment", "web", namespace="shop"),
        k8s("copy", "secret", "db", namespace="vault"),
        ManifestAction(workload("api", "front")),
        k8s("get", "clusterrole", "reader"),
        k8s("get", "configmap", "coredns", namespace="kube-system"),
        objects=(manifest("ConfigMap", "a", "back"), manifest("Namespace", "made")),
        event={"namespace": "home"},
    )
    assert made.namespaces[:2] == ("atom-sandbox", "home")
    assert set(made.namespaces) == {"atom-sandbox", "home", "shop", "vault", "front", "back", "made"}


def test_a_container_step_has_a_pod_of_its_own_in_each_phase() -> None:
    made = planned(ContainerAction("a:1"), ContainerAction("a:1"), rollback=(ContainerAction("a:1"),))
    targets = [step.target for step in (*made.steps, *made.rollback)]
    names = [target.name for target in targets if target]
    assert names == ["fix-web-1-step-1", "fix-web-2-step-2", "fix-web-1-undo-undo"]


def test_the_name_of_a_pod_is_a_dns_label_however_long_the_step_is() -> None:
    one = package(name="a-package-with-a-very-long-name-indeed-and-more")
    long = Handler(
        "h", (Step("Ünicode & spaces, and a very long description of it all", ContainerAction("a:1"), "/"),), "/"
    )
    target = plan(replace(one, handlers=(long,)), Case(), PlanOptions("kind")).steps[0].target
    assert target is not None
    assert target.name is not None
    assert len(target.name) <= 63
    assert target.name.replace("-", "").isascii()
    assert target.name == target.name.strip("-").lower()


def test_a_manifest_gets_the_namespace_that_it_leaves_open() -> None:
    action = first(ManifestAction(workload("web")), event={"namespace": "shop"}).step.action
    assert isinstance(action, ManifestAction)
    assert action.manifest["metadata"]["namespace"] == "shop"


def test_the_event_of_the_command_line_overrides_that_of_the_case() -> None:
    made = plan(
        package(k8s("restart")),
        Case(event={"deployment": "web", "namespace": "shop"}),
        PlanOptions("kind", event={"deployment": "api"}),
    )
    target = made.steps[0].target
    assert target is not None
    assert (target.name, target.namespace) == ("api", "shop")


def test_notes_say_what_stands_in_what_waits_and_what_a_sandbox_lacks() -> None:
    made = planned(
        k8s("scale", "deployment", "web", replicas=50), ShellAction("kubectl get nodes"), sandbox="local"
    )
    assert made.notes == (
        "nobody provides Deployment/web: stand-ins are made; a case file can hold the real ones",
        "the shell step step-2 calls a cluster: `--sandbox kind` gives it a real one",
        "step-1 scales to 50: a sandbox runs 10 pods, the rest will wait",
    )
    assert planned(SHELL).notes == ()


def test_a_plan_is_the_same_each_time() -> None:
    actions = (
        k8s("restart"),
        k8s("patch", "secret", "db", data={"b": "1", "a": "2"}),
        ShellAction("echo ${A} ${B}"),
    )
    assert planned(*actions) == planned(*actions)


def test_handlers_keep_the_name_that_the_author_gave() -> None:
    one = replace(package(), handlers=(handler(SHELL, name="vacuum"),))
    assert plan(one, Case(), PlanOptions("local")).steps[0].label == "vacuum"
