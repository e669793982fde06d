"""A field or an action that an author mistyped, or knows from another tool, is named with the one that was meant."""

import json
from typing import Any

import pytest

from wpk_sandbox.package.actions import KUBERNETES_ACTIONS
from wpk_sandbox.package.load import load_bytes

# What each action cannot be without, so that only the field in question is wrong.
NEEDED: dict[str, dict[str, Any]] = {
    "wait": {"condition": "ready"},
    "scale": {"replicas": 1},
    "patch": {"data": {"a": "b"}},
    "annotate": {"annotation": "a"},
    "apply": {"manifest": "x.yaml"},
}
CLOSED = [name for name, model in KUBERNETES_ACTIONS.items() if model.model_config.get("extra") != "allow"]


def told(config: dict[str, Any]) -> list[str]:
    handler = {"name": "h", "type": "k8s", "config": config}
    document = {
        "apiVersion": "v1",
        "kind": "WorkflowPackage",
        "metadata": {"name": "a"},
        "spec": {"handlers": [handler]},
    }
    return [finding.message for finding in load_bytes(json.dumps(document).encode(), "a.wpk.yaml").findings]


def typed_wrong(field: str) -> list[str]:
    """One letter left out, two swapped, and the spelling of Kubernetes' own manifests."""
    middle = len(field) // 2
    first, *rest = field.split("_")
    camel = first + "".join(part.title() for part in rest)
    swapped = field[:middle] + field[middle + 1] + field[middle] + field[middle + 2 :]
    return [form for form in (field[:middle] + field[middle + 1 :], swapped, camel) if form != field]


@pytest.mark.parametrize("action", CLOSED)
def test_each_mistyped_field_of_an_action_is_told_with_the_right_one(action: str) -> None:
    fields = [field for field in KUBERNETES_ACTIONS[action].model_fields if field != "action"]
    for field in fields:
        needed = {key: value for key, value in NEEDED.get(action, {}).items() if key != field}
        for wrong in typed_wrong(field):
            messages = told({"action": action, **needed, wrong: "1"})
            assert any(f"`{wrong}`; did you mean `{field}`?" in message for message in messages), (wrong, messages)


@pytest.mark.parametrize("action", CLOSED)
def test_the_right_fields_are_not_told(action: str) -> None:
    config = {"action": action, **NEEDED.get(action, {}), "resource_type": "deployment", "name": "web"}
    assert told({**config, "namespace": "shop"}) == []


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("kind", "resource_type"),
        ("type", "resource_type"),
        ("ns", "namespace"),
        ("labels", "selector"),
        ("label_selector", "selector"),
        ("resource_name", "name"),
    ],
)
def test_the_words_of_other_tools_for_a_target_are_known(wrong: str, right: str) -> None:
    assert told({"action": "restart", wrong: "web"}) == [
        f"`config` takes no field `{wrong}`; did you mean `{right}`?"
    ]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("restrat", "restart"),
        ("Restart", "restart"),
        ("reboot", "restart"),
        ("del", "delete"),
        ("kill", "delete"),
        ("watch", "wait"),
        ("describe", "get"),
        ("update", "patch"),
        ("label", "patch"),
        ("replace", "apply"),
        ("undo", "rollback"),
        ("metric", "metrics"),
    ],
)
def test_the_action_that_was_meant_is_named(wrong: str, right: str) -> None:
    assert told({"action": wrong}) == [f"the action `{wrong}` is unknown; did you mean `{right}`?"]


def test_an_action_that_resembles_none_is_told_with_all_that_there_are() -> None:
    (message,) = told({"action": "teleport"})
    assert all(f"`{name}`" in message for name in KUBERNETES_ACTIONS)
