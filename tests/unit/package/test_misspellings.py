"""Every field and every action is named when it is written with a slip: letters exchanged, lost, in another case."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from wpk_sandbox.finding import Finding
from wpk_sandbox.package import format as form
from wpk_sandbox.package.actions import KUBERNETES_ACTIONS
from wpk_sandbox.package.load import load_bytes

NEEDED: dict[str, dict[str, Any]] = {
    "wait": {"condition": "ready"},
    "scale": {"replicas": 3},
    "patch": {"data": {"a": "b"}},
    "annotate": {"annotation": "a"},
    "apply": {"manifest": {"kind": "x"}},
}
SHELL = {"name": "a", "type": "shell", "retry": {}, "config": {"command": "x"}}
API = {"name": "a", "type": "api", "config": {"url": "http://x"}}
STEPS = {"name": "a", "steps": [{"name": "s", "shell": {"command": "x"}}]}
CONTAINER = {"name": "a", "steps": [{"name": "s", "container": {"image": "x:1"}}]}
HANDLER = ("spec", "handlers", 0)


def k8s(action: str) -> dict[str, Any]:
    return {"name": "a", "type": "k8s", "config": {"action": action, **NEEDED.get(action, {})}}


def document(handler: dict[str, Any]) -> dict[str, Any]:
    parts = {"runtime": {"requirements": {}}, "safety": {}, "rollback": {}, "validation": {}, "monitoring": {}}
    triggers = [{"type": "event", "config": {}}]
    spec = {**parts, "triggers": triggers, "handlers": [handler]}
    return copy.deepcopy({"apiVersion": "v1", "kind": "WorkflowPackage", "metadata": {"name": "x"}, "spec": spec})


PLACES: list[tuple[type[BaseModel], tuple[str | int, ...], dict[str, Any]]] = [
    (form.WorkflowPackage, (), SHELL),
    (form.Metadata, ("metadata",), SHELL),
    (form.Spec, ("spec",), SHELL),
    (form.Runtime, ("spec", "runtime"), SHELL),
    (form.Requirements, ("spec", "runtime", "requirements"), SHELL),
    (form.Safety, ("spec", "safety"), SHELL),
    (form.Trigger, ("spec", "triggers", 0), SHELL),
    (form.Rollback, ("spec", "rollback"), SHELL),
    (form.Validation, ("spec", "validation"), SHELL),
    (form.Monitoring, ("spec", "monitoring"), SHELL),
    (form.ShellHandler, HANDLER, SHELL),
    (form.ShellConfig, (*HANDLER, "config"), SHELL),
    (form.Retry, (*HANDLER, "retry"), SHELL),
    (form.ApiConfig, (*HANDLER, "config"), API),
    (form.StepsHandler, HANDLER, STEPS),
    (form.ShellStep, (*HANDLER, "steps", 0), STEPS),
    (form.Container, (*HANDLER, "steps", 0, "container"), CONTAINER),
    *((model, (*HANDLER, "config"), k8s(action)) for action, model in KUBERNETES_ACTIONS.items()),
]


def slips(word: str) -> Iterator[str]:
    yield word.upper() if word != word.upper() else word.lower()
    if len(word) > 3:
        yield word[0] + word[2] + word[1] + word[3:] if word[1] != word[2] else word[:-1]
        yield from (word[:-1], word[1:], f"{word}s")
    first, *rest = word.split("_")
    if rest:
        yield from (first + "".join(part.title() for part in rest), word.replace("_", "-"), word.replace("_", ""))


def findings(data: dict[str, Any]) -> tuple[Finding, ...]:
    return load_bytes(json.dumps(data, indent=1).encode(), "x").findings


@pytest.mark.parametrize(("model", "path", "handler"), PLACES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_field_with_a_slip_is_told_with_its_name(
    model: type[BaseModel], path: tuple[str | int, ...], handler: dict[str, Any]
) -> None:
    names = [field.alias or name for name, field in model.model_fields.items()]
    free = model.model_config.get("extra") == "allow"
    assert findings(document(handler)) == ()
    for name in names:
        for slip in slips(name):
            if slip in names or (free and (len(name) < 7 or slip in ("manifests", "anifest"))):
                continue
            data = document(handler)
            place: Any = data
            for part in path:
                place = place[part]
            place[slip] = place.pop(name, "x")
            assert any(f"`{name}`" in each.message + each.fix for each in findings(data)), (name, slip)


@pytest.mark.parametrize("action", KUBERNETES_ACTIONS)
def test_an_action_with_a_slip_is_told_with_its_name(action: str) -> None:
    for slip in slips(action):
        if slip not in KUBERNETES_ACTIONS:
            handler = k8s(action)
            handler["config"]["action"] = slip
            assert any(f"`{action}`" in each.message + each.fix for each in findings(document(handler))), slip


@pytest.mark.parametrize(
    "options",
    [
        {"destination": "x"},
        {"to": "x"},
        {"names": ["a"]},
        {"labels": {}},
        {"target_name": "x"},
        {"manifests": "a.yaml"},
        {"new_name": "x"},
        {"backup_name": "x"},
        {"namespace": "a", "namespaces": ["a"]},
    ],
)
def test_an_option_of_a_free_action_is_no_slip(options: dict[str, Any]) -> None:
    handler = k8s("copy")
    handler["config"] |= {"resource_type": "secret", "name": "db", **options}
    assert findings(document(handler)) == ()


def test_a_slip_of_a_free_action_is_told_at_its_key_and_the_step_still_runs() -> None:
    handler = k8s("copy")
    handler["config"] |= {"resource_type": "secret", "name": "db", "namspace": "shop"}
    loaded = load_bytes(json.dumps(document(handler), indent=1).encode(), "x")
    (finding,) = loaded.findings
    assert (finding.rule, finding.fix) == ("unknown-field", "Write `namespace`.")
    assert finding.excerpt.strip().startswith('"namspace"')
    (package,) = loaded.packages
    assert type(package.steps[0].action).__name__ == "KubernetesAction"
