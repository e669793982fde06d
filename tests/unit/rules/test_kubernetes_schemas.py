"""The schemas of Kubernetes objects: against the library that they are made from, and what a walk says of a value."""

import copy
import importlib.util
import json
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wpk_sandbox.rules.kubernetes import schemas, walk
from wpk_sandbox.rules.kubernetes.problem import Problem
from wpk_sandbox.rules.kubernetes.removals import Removal, removal
from wpk_sandbox.rules.kubernetes.walk import Walk

ROOT = Path(__file__).parents[3]

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "labels": {"app": "web"}},
    "spec": {
        "containers": [
            {
                "name": "web",
                "image": "nginx:1.27",
                "env": [{"name": "PORT", "value": "8080"}],
                "ports": [{"containerPort": 8080}],
                "resources": {"limits": {"cpu": 1, "memory": "64Mi"}},
                "livenessProbe": {"httpGet": {"path": "/", "port": "http"}},
            }
        ],
        "terminationGracePeriodSeconds": 3,
        "hostNetwork": False,
    },
}
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "strategy": {"rollingUpdate": {"maxUnavailable": "25%", "maxSurge": 1}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": POD["spec"]},
    },
}
SECRET: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "key"},
    "data": {"key": "aGVsbG8="},
    "stringData": {"other": "plain"},
}
ROLE: dict[str, Any] = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "reader"},
    "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
}
OBJECTS = [POD, DEPLOYMENT, SECRET, ROLE]


def problems(data: Any, minor: int = 34, *, partial: bool = False) -> list[Problem]:
    kind = schemas.of_kind(data["apiVersion"], data["kind"], minor)
    assert kind
    return list(Walk(minor, partial).problems(data, kind, ""))


def refused_by_library(data: Any, minor: int) -> bool:
    try:
        kubernetes_validate.validate(data, f"1.{minor}", strict=True)
    except kubernetes_validate.ValidationError:
        return True
    return False


def test_the_schemas_are_those_of_the_library() -> None:
    spec = importlib.util.spec_from_file_location("making", ROOT / "scripts" / "kubernetes_schemas.py")
    assert spec
    assert spec.loader
    making = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(making)
    assert making.made() == making.TARGET.read_text(encoding="utf-8"), "run scripts/kubernetes_schemas.py"


def test_the_releases_are_those_of_the_file() -> None:
    written = json.loads((Path(schemas.__file__).parent / "schemas.json").read_text(encoding="utf-8"))
    assert written["releases"] == [schemas.OLDEST, schemas.NEWEST]


@pytest.mark.parametrize("data", OBJECTS, ids=lambda data: data["kind"])
@pytest.mark.parametrize("minor", [schemas.OLDEST, 28, 34, schemas.NEWEST])
def test_a_sound_object_has_no_problem(data: dict[str, Any], minor: int) -> None:
    assert problems(data, minor) == []
    assert not refused_by_library(data, minor)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


@contextmanager
def by_schema_alone() -> Iterator[None]:
    """Without what the API server checks beyond its schemas, which the library does not know."""
    with pytest.MonkeyPatch.context() as patch:
        for beyond in (walk.unions, walk.validation):
            patch.setattr(beyond, "problems", lambda *_, **__: iter(()))
        patch.setattr(walk, "values", lambda *_: ())
        patch.setattr(walk, "bounds", lambda *_: (-inf, inf))
        patch.setattr(walk, "form", lambda *_: ("", ""))
        yield


LENIENT = {"the object lacks `spec`", "`template` lacks `spec`"}
WRONG = st.sampled_from([5, 2.5, True, "text", ["x"], [{"a": 1}], {"a": "b"}, {}, []])


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_walk_refuses_what_the_library_refuses(data: st.DataObject) -> None:
    changed = copy.deepcopy(data.draw(st.sampled_from(OBJECTS)))
    *path, last = data.draw(st.sampled_from([place for place in places(changed) if len(place) > 1]))
    value = changed
    for key in path:
        value = value[key]
    match data.draw(st.sampled_from(["change", "add", "remove"])):
        case "change":
            value[last] = data.draw(WRONG)
        case "add" if isinstance(value, dict):
            value["strange"] = data.draw(WRONG)
        case "remove":
            del value[last]
    # The library lets pass: what is no base64 and no quantity, and a `spec` that is missing as a whole.
    with by_schema_alone():
        ours = [each.message for each in problems(changed)]
    ours = [each for each in ours if not any(word in each for word in ("base64, and", "is no quantity"))]
    assert bool(set(ours) - LENIENT) == refused_by_library(changed, 34)
    assert len(problems(changed)) >= len(ours)


@pytest.mark.parametrize(
    ("path", "value", "pointer", "message", "fix"),
    [
        (
            ("spec", "containers", 0, "comand"),
            ["sh"],
            "/spec/containers/0/comand",
            "an entry of `containers` has no field `comand` in Kubernetes 1.34; `command` is the nearest that there is",
            "Write `command`.",
        ),
        (
            ("spec", "containers", 0, "readiness_probe"),
            {},
            "/spec/containers/0/readiness_probe",
            "an entry of `containers` has no field `readiness_probe` in Kubernetes 1.34; `readinessProbe` is the nearest"
            " that there is",
            "Write `readinessProbe`.",
        ),
        (
            ("spec", "qqqq"),
            1,
            "/spec/qqqq",
            "`spec` has no field `qqqq` in Kubernetes 1.34",
            "Remove it, or move it to where it belongs.",
        ),
        (
            ("spec", "containers", 0, "env", 0, "value"),
            8080,
            "/spec/containers/0/env/0/value",
            "`value` must be a text, not a number",
            "Write it in quotes.",
        ),
        (
            ("metadata", "labels", "app"),
            True,
            "/metadata/labels/app",
            "`app` of `labels` must be a text, not true or false",
            "Write it in quotes.",
        ),
        (
            ("spec", "hostNetwork"),
            "yes",
            "/spec/hostNetwork",
            "`hostNetwork` must be true or false, not a text",
            "Write true or false.",
        ),
        (
            ("spec", "containers"),
            {"name": "web"},
            "/spec/containers",
            "`containers` must be a list, not a mapping",
            "Write a list.",
        ),
        (
            ("spec", "containers", 0, "imagePullPolicy"),
            "ifNotPresent",
            "/spec/containers/0/imagePullPolicy",
            "`imagePullPolicy` must be one of `Always`, `IfNotPresent`, `Never`, not `ifNotPresent`",
            "Write `IfNotPresent`.",
        ),
        (
            ("spec", "containers", 0, "ports", 0, "containerPort"),
            None,
            "/spec/containers/0/ports/0",
            "an entry of `ports` lacks `containerPort`",
            "Add `containerPort: …`.",
        ),
    ],
)
def test_a_problem_says_where_and_what_to_write(
    path: tuple[Any, ...], value: Any, pointer: str, message: str, fix: str
) -> None:
    changed = copy.deepcopy(POD)
    inner: Any = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    (found,) = problems(changed)
    assert (found.pointer, found.message, found.fix) == (pointer, message, fix)


def test_a_field_that_came_later_names_its_release() -> None:
    changed = {**POD, "spec": {**POD["spec"], "resources": {"limits": {"cpu": "1"}}}}
    (found,) = problems(changed, 28)
    assert found.message.startswith("`resources` of `spec` came with Kubernetes 1.32")
    assert problems(changed, 32) == []


@pytest.mark.parametrize("value", ["${REPLICAS}", "${REPLICAS:-3}", None])
def test_what_is_filled_in_later_may_be_of_any_type(value: Any) -> None:
    spec = {**DEPLOYMENT["spec"], "replicas": value}
    assert problems({**DEPLOYMENT, "spec": spec}) == []
    assert len(problems({**DEPLOYMENT, "spec": {**spec, "replicas": "three"}})) == 1


@pytest.mark.parametrize(("text", "sound"), [("aGVsbG8=", True), ("", True), ("${KEY}", True), ("hunter2!", False)])
def test_the_data_of_a_secret_is_base64(text: str, sound: bool) -> None:
    found = problems({**SECRET, "data": {"key": text}})
    assert (found == []) == sound
    assert all("hunter2" not in each.message + each.fix for each in found)


def test_a_part_need_not_be_whole_and_may_tell_how_it_is_merged() -> None:
    part = {**DEPLOYMENT, "spec": {"template": {"spec": {"containers": [{"$patch": "delete", "name": "web"}]}}}}
    assert problems(part, partial=True) == []
    assert [found.message for found in problems(part)] == ["`spec` lacks `selector`"]


def test_a_field_that_was_never_enforced_may_be_missing() -> None:
    stateful = {**DEPLOYMENT, "kind": "StatefulSet", "spec": {**DEPLOYMENT["spec"], "serviceName": "web"}}
    del stateful["spec"]["strategy"]
    assert problems(stateful, 28) == []
    del stateful["spec"]["serviceName"]
    assert problems(stateful, 28) == []
    del stateful["spec"]["selector"]
    assert [found.message for found in problems(stateful, 28)] == ["`spec` lacks `selector`"]


@pytest.mark.parametrize(
    ("api_version", "kind", "told"),
    [
        ("extensions/v1beta1", "Deployment", Removal(9, 16, "apps/v1")),
        ("batch/v1beta1", "CronJob", Removal(21, 25, "batch/v1")),
        ("policy/v1beta1", "PodSecurityPolicy", Removal(21, 25, "")),
        ("autoscaling/v2beta2", "HorizontalPodAutoscaler", Removal(23, 26, "autoscaling/v2")),
        ("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema", Removal(29, 32, "flowcontrol.apiserver.k8s.io/v1")),
        ("v1", "Endpoints", Removal(33, None, "discovery.k8s.io/v1")),
        # Not in the guide; the schemas of 1.33 and 1.34 tell.
        (
            "admissionregistration.k8s.io/v1beta1",
            "ValidatingAdmissionPolicy",
            Removal(30, 34, "admissionregistration.k8s.io/v1"),
        ),
        ("batch/v1", "CronJob", None),
        ("v1", "Pod", None),
        ("example.com/v1beta1", "CronJob", None),
    ],
)
def test_what_became_of_an_api_version_is_known(api_version: str, kind: str, told: Removal | None) -> None:
    assert removal(api_version, kind) == told


def test_the_guide_and_the_schemas_agree() -> None:
    guide = (Path(schemas.__file__).parent / "removals.txt").read_text(encoding="utf-8").splitlines()
    checked = 0
    for api_version, kinds, _, removed, replacement in (line.split() for line in guide if not line.startswith("#")):
        for kind in kinds.split(","):
            served = {version: last for version, _, last in schemas.served(kind)}
            if removed != "-":
                assert served.get(api_version, int(removed) - 1) == int(removed) - 1, (api_version, kind)
                assert replacement == "-" or replacement in served, (api_version, kind)
                checked += 1
    assert checked > 40
