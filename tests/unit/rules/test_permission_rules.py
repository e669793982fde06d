"""`required_permissions` must be those that the actions need: no fewer, and no more."""

from typing import Any

import pytest
from checking import api, applied, container, findings, k8s, manifest, shell, steps

from wpk_sandbox.package.package import KubernetesAction, Reference, Step
from wpk_sandbox.package.verbs import VERBS
from wpk_sandbox.rules.acts import acts
from wpk_sandbox.rules.permission import Permission, needs, read

MISSING, UNUSED = "permission-missing", "permission-unused"
WEB = {"resource_type": "deployment", "name": "web", "namespace": "shop"}
SECRET = {"resource_type": "secret", "name": "db", "namespace": "shop"}


def told(listed: list[str] | None, *handlers: dict[str, Any]) -> list[tuple[str, str]]:
    validation = {} if listed is None else {"required_permissions": listed}
    found = findings(*handlers, validation=validation)
    return sorted((each.rule, each.message) for each in found if each.rule in (MISSING, UNUSED))


ENOUGH = [
    (k8s("restart", **WEB), ["deployments/patch"]),
    (k8s("restart", **WEB), ["deployments/update"]),
    (k8s("restart", **WEB), ["deployments/restart"]),
    (k8s("restart", **WEB), ["deployments.apps/patch"]),
    (k8s("restart", **WEB), ["deployments/*"]),
    (k8s("restart", **WEB), ["*"]),
    (k8s("restart", **WEB), ["deploy:patch"]),
    (k8s("restart", resource_type="pod", name="web"), ["pods/delete"]),
    (k8s("restart", name="web"), ["statefulsets/patch"]),
    (k8s("scale", **WEB, replicas=2), ["deployments/scale"]),
    (k8s("scale", **WEB, replicas=2), ["deployments/scale/update"]),
    (k8s("scale", **WEB, replicas=2), ["deployments/patch"]),
    (k8s("logs", resource_type="deployment", name="web"), ["pods/log"]),
    (k8s("logs", name="web"), ["pods/logs"]),
    (k8s("events", **WEB), ["events/list"]),
    (k8s("get", **SECRET), ["secrets/get"]),
    (k8s("wait", **WEB, condition="available"), ["deployments/watch"]),
    (k8s("delete", resource_type="pod", selector="app=web"), ["pods/deletecollection"]),
    (k8s("copy", **SECRET), ["secrets/get", "secrets/create"]),
    (k8s("restore", **SECRET), ["secrets/patch"]),
    (k8s("metrics", query="up"), []),
    (k8s("create", resource_type="job", name="b", template="cronjob/a"), ["jobs/create", "cronjobs/get"]),
    (applied(manifest("ConfigMap")), ["configmaps/create"]),
    (applied(manifest("Widget", api_version="example.com/v1")), []),
    (k8s("apply", manifest="deploy/all.yaml"), []),
    (shell("df -h"), []),
]


@pytest.mark.parametrize(("action", "listed"), ENOUGH)
def test_any_way_to_write_what_is_needed_is_enough(action: dict[str, Any], listed: list[str]) -> None:
    assert told(listed, action) == []


@pytest.mark.parametrize(
    ("action", "listed", "lacking"),
    [
        (k8s("restart", **WEB), [], "deployments/patch"),
        (k8s("restart", **WEB), ["deployments/get"], "deployments/patch"),
        (k8s("restart", **WEB), ["deployments/scale", "statefulsets/patch"], "deployments/patch"),
        (k8s("logs", **WEB), ["pods/get"], "pods/log"),
        (k8s("get", **SECRET), ["configmaps/get"], "secrets/get"),
        (k8s("delete", resource_type="job", name="x"), ["pods/delete"], "jobs/delete"),
        (applied(manifest("ConfigMap")), ["secrets/patch"], "configmaps/patch"),
    ],
)
def test_what_is_missing_is_named_with_the_step_that_needs_it(
    action: dict[str, Any], listed: list[str], lacking: str
) -> None:
    step = "step-0" if "steps" in action else "act"
    assert (MISSING, f"the permissions lack `{lacking}` (for {step})") in told(listed, action)


def test_everything_that_is_missing_is_one_finding_at_the_list() -> None:
    found = findings(k8s("copy", **SECRET), k8s("logs", **WEB), validation={"required_permissions": []})
    (finding,) = [each for each in found if each.rule == MISSING]
    assert finding.message == (
        "the permissions lack `secrets/get` (for act), `secrets/create` (for act), `pods/log` (for act)"
    )
    assert finding.fix == "Add `secrets/get`, `secrets/create`, `pods/log`."


def test_a_package_without_the_list_says_nothing() -> None:
    assert told(None, k8s("restart", **WEB)) == []


def test_a_list_in_a_form_that_nobody_knows_is_not_held_against_the_actions() -> None:
    assert told(["may restart deployments"], k8s("restart", **WEB)) == []


@pytest.mark.parametrize(
    "permission",
    ["secrets/get", "nodes/delete", "deployments/delete", "deployments/scale", "pods/exec", "configmaps/*"],
)
def test_a_permission_that_nothing_needs_is_told_where_it_stands(permission: str) -> None:
    listed = ["deployments/get", "deployments/patch", permission]
    assert told(listed, k8s("restart", **WEB)) == [(UNUSED, f"no action needs `{permission}`")]


@pytest.mark.parametrize(
    "permission",
    ["pods/list", "replicasets/get", "events/watch", "deployments/watch", "rollouts.argoproj.io/get", "*/*"],
)
def test_what_an_engine_may_look_at_meanwhile_is_not_too_much(permission: str) -> None:
    assert told(["deployments/patch", permission], k8s("restart", **WEB)) == []


@pytest.mark.parametrize(
    "action",
    [
        shell("kubectl get secret db"),
        shell("./rotate.sh"),
        container(command=["rotate"]),
        k8s("apply", manifest="deploy/all.yaml"),
    ],
)
def test_beside_a_script_or_an_image_nothing_is_too_much(action: dict[str, Any]) -> None:
    listed = ["deployments/patch", "secrets/get"]
    assert told(listed, k8s("restart", **WEB), action) == []
    assert told(listed, k8s("restart", **WEB), shell("df -h"), api("http://web.shop.svc/")) != []


def test_the_rollback_and_steps_need_permissions_too() -> None:
    undo = [{"timeout": "1m", **k8s("rollback", **WEB)}]
    listed = {"required_permissions": ["deployments/get"]}
    found = findings(steps({"kubernetes": manifest("Secret")}), undo=undo, validation=listed)
    (message,) = [each.message for each in found if each.rule == MISSING]
    assert "`secrets/patch` (for step-0)" in message
    assert "`deployments/patch` (for act)" in message


@pytest.mark.parametrize(
    ("text", "permission"),
    [
        ("pods/get", Permission("pods", "get")),
        ("Pods/GET", Permission("pods", "get")),
        ("po/logs", Permission("pods", "log")),
        ("deployments.apps/scale", Permission("deployments", "scale")),
        ("*", Permission("*", "*")),
        ("widgets.example.com/get", Permission("widgets.example.com", "get")),
        ("get/pods", None),
        ("pods/dance", None),
        ("pods", None),
        ("", None),
    ],
)
def test_a_permission_is_read_in_the_forms_in_use(text: str, permission: Permission | None) -> None:
    assert read(text) == permission


def test_the_table_knows_every_action_of_the_format() -> None:
    for verb in VERBS:
        action = KubernetesAction(verb, Reference("deployment", "web"), {"manifest": {"kind": "Job"}})
        asked = [need for act in acts(Step("s", action, "/x")) for need in needs(act)]
        assert bool(asked) == (verb != "metrics"), verb
