"""patch and annotate: keys, merge patches, what was before, and what earlier handlers produced."""

from typing import Any

import pytest
from running import (
    HOME,
    FakeShell,
    deployment,
    handler,
    k8s,
    manifest,
    objects_of,
    perform,
    planned,
    said,
    simulated,
    tried,
)

from wpk_sandbox.package.package import ShellAction
from wpk_sandbox.run.outcome import Outcome
from wpk_sandbox.run.result import StepStatus, Verdict

SECRET = manifest("Secret", "db", data={"username": "YXBw", "password": "b2xk"}, type="Opaque")
SETTINGS = manifest("ConfigMap", "app", data={"level": "info", "size": "1"})


def left(
    *actions: Any, kind: str, name: str, shell: FakeShell | None = None, **situation: Any
) -> tuple[Outcome, Any]:
    """The outcome, and the object as the cluster has it afterwards."""
    made = planned(*actions, **situation)
    with simulated() as cluster:
        outcome = perform(made, cluster=cluster, shell=shell or FakeShell())
        objects = objects_of(cluster)
        version = "apps/v1" if kind == "Deployment" else "v1"
        return outcome, objects.get(objects.kind(version, kind), name, HOME)


def test_keys_of_a_config_map_are_set_added_and_removed() -> None:
    action = k8s("patch", "configmap", "app", data={"level": "debug", "ttl": 10, "size": None})
    outcome, now = left(action, kind="ConfigMap", name="app", objects=(SETTINGS,))
    assert outcome.steps[0].message == "ConfigMap/app set 3 keys: level, size, ttl"
    assert now["data"] == {"level": "debug", "ttl": "10"}
    assert [str(effect) for effect in outcome.effects] == [
        'ConfigMap/app data.level "info" → "debug"',
        'ConfigMap/app data.size removed "1"',
        'ConfigMap/app data.ttl added "10"',
    ]


def test_values_of_a_secret_are_encoded_and_not_shown() -> None:
    action = k8s("patch", "secret", "db", data={"password": "hunter2"})
    outcome, now = left(action, kind="Secret", name="db", objects=(SECRET,))
    assert now["data"] == {"username": "YXBw", "password": "aHVudGVyMg=="}
    assert "hunter2" not in repr((outcome.steps, outcome.effects))


def test_other_kinds_are_patched_as_kubectl_patches_them() -> None:
    containers = [{"name": "main", "image": "busybox:9"}]
    data = {"spec": {"template": {"spec": {"containers": containers}}}}
    one = deployment(
        containers=[{"name": "main", "image": "busybox:1", "args": ["a"]}, {"name": "proxy", "image": "p:1"}]
    )
    outcome, now = left(k8s("patch", "deployment", "web", data=data), kind="Deployment", name="web", objects=(one,))
    assert outcome.verdict is Verdict.PASS, outcome.reason
    images = {one["name"]: one["image"] for one in now["spec"]["template"]["spec"]["containers"]}
    assert images == {"main": "busybox:9", "proxy": "p:1"}
    assert len(outcome.effects) == 1


@pytest.mark.parametrize(
    ("change", "kind", "name", "one"),
    [
        (k8s("patch", "configmap", "app", data={"level": "debug", "new": "1"}), "configmap", "app", SETTINGS),
        (k8s("patch", "secret", "db", data={"password": "x", "new": "1"}), "secret", "db", SECRET),
        (k8s("patch", "deployment", "web", data={"spec": {"replicas": 1}}), "deployment", "web", deployment()),
    ],
)
def test_original_data_brings_everything_back(change: Any, kind: str, name: str, one: dict[str, Any]) -> None:
    outcome = tried(change, undo=(k8s("patch", kind, name, data="original"),), objects=(one,))
    assert outcome.effects
    assert outcome.rollback.residue == ()
    assert outcome.verdict is Verdict.PASS, outcome.reason


def test_one_key_can_be_original() -> None:
    change = k8s("patch", "secret", "db", data={"password": "x", "new": "y"})
    undo = k8s("patch", "secret", "db", data={"password": "original", "new": "original"})
    assert tried(change, undo=(undo,), objects=(SECRET,)).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("output", "data"),
    [
        ('{"password": "n3w", "username": "root"}', {"username": "cm9vdA==", "password": "bjN3"}),
        ("password=n3w\nusername=root\n", {"username": "cm9vdA==", "password": "bjN3"}),
        ("n3w", {"username": "bjN3", "password": "bjN3"}),
    ],
)
def test_what_an_earlier_handler_printed_becomes_the_data(output: str, data: dict[str, str]) -> None:
    actions = (
        handler("new-credentials", ShellAction("make")),
        k8s("patch", "secret", "db", data="new_credentials"),
    )
    shell = FakeShell(lambda command: said(output))
    outcome, now = left(*actions, kind="Secret", name="db", shell=shell, objects=(SECRET,))
    assert outcome.verdict is Verdict.PASS, outcome.reason
    assert now["data"] == data


def test_a_value_can_be_what_an_earlier_handler_printed() -> None:
    actions = (handler("token", ShellAction("make")), k8s("patch", "configmap", "app", data={"level": "token"}))
    _, now = left(
        *actions, kind="ConfigMap", name="app", shell=FakeShell(lambda _: said("t1\n")), objects=(SETTINGS,)
    )
    assert now["data"]["level"] == "t1"


def test_what_nobody_produced_becomes_a_placeholder_and_is_noted() -> None:
    action = k8s("patch", "secret", "db", data="new_credentials")
    outcome, now = left(action, kind="Secret", name="db", objects=(SECRET,))
    assert set(now["data"]) == {"username", "password"}
    assert now["data"]["password"] != "b2xk"
    assert any("no earlier handler produced `new_credentials`" in note for note in outcome.notes)


def test_text_is_no_patch_of_a_deployment() -> None:
    step = tried(k8s("patch", "deployment", "web", data="faster"), objects=(deployment(),)).steps[0]
    assert step.message == "data is 'faster', which is no merge patch"


@pytest.mark.parametrize("data", [None, [1], 5, ""])
def test_what_names_no_keys_is_refused(data: Any) -> None:
    outcome = tried(k8s("patch", "configmap", "app", data=data), objects=(SETTINGS,))
    assert outcome.steps[0].message == f"data is {data!r}, which names no keys"
    assert outcome.effects == ()


def test_an_invalid_patch_shows_the_api_s_refusal() -> None:
    step = tried(k8s("patch", "deployment", "web", data={"spec": {"replicas": -1}}), objects=(deployment(),)).steps[
        0
    ]
    assert step.status is StepStatus.FAILED
    assert "spec.replicas" in step.message
    assert step.details == ("status 422 Invalid",)


@pytest.mark.parametrize(
    ("options", "becomes"),
    [
        ({"annotation": "example.com/why", "value": "load"}, "load"),
        ({"annotation": "example.com/why", "value": 5}, "5"),
        ({"annotation": "example.com/why=load"}, "load"),
        ({"annotation": "example.com/why", "value": None}, None),
        ({"annotation": "example.com/why-"}, None),
    ],
)
def test_annotate_sets_and_removes(options: dict[str, Any], becomes: str | None) -> None:
    one = manifest("ConfigMap", "app")
    one["metadata"]["annotations"] = {"example.com/why": "before"}
    outcome, now = left(
        k8s("annotate", "configmap", "app", **options), kind="ConfigMap", name="app", objects=(one,)
    )
    assert outcome.verdict is Verdict.PASS, outcome.reason
    assert (now["metadata"].get("annotations") or {}).get("example.com/why") == becomes


@pytest.mark.parametrize("before", [None, "cold"])
def test_an_original_annotation_is_what_it_was_or_nothing(before: str | None) -> None:
    one = manifest("ConfigMap", "app")
    one["metadata"]["annotations"] = {"example.com/why": before} if before else {}
    outcome = tried(
        k8s("annotate", "configmap", "app", annotation="example.com/why", value="load"),
        undo=(k8s("annotate", "configmap", "app", annotation="example.com/why", value="original"),),
        objects=(one,),
    )
    assert len(outcome.effects) == 1
    assert outcome.rollback.residue == ()
