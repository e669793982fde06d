"""Kubernetes objects that are broken at any place end in findings, never in a traceback."""

import copy
from typing import Any

import pytest
from checking import POLICY, applied, in_pod, k8s, manifest, package, pod
from hypothesis import given, settings
from hypothesis import strategies as st

from wpk_sandbox.rules.check import check
from wpk_sandbox.rules.objects import RULES

RBAC = "rbac.authorization.k8s.io/v1"
CONTEXT = {
    "runAsUser": 0,
    "seccompProfile": {"type": "Unconfined"},
    "seLinuxOptions": {"type": "spc_t", "user": "a"},
    "procMount": "Unmasked",
    "capabilities": {"add": ["CHOWN"], "drop": ["ALL"]},
    "sysctls": [{"name": "kernel.msgmax", "value": "1"}],
    "windowsOptions": {"hostProcess": True},
}
FULL_POD = pod(
    containers=[
        in_pod(securityContext=CONTEXT, ports=[{"hostPort": 80}], livenessProbe={"httpGet": {"host": "a"}})
    ],
    securityContext=CONTEXT,
    volumes=[{"name": "files", "nfs": {"server": "a", "path": "/"}}],
    automountServiceAccountToken=True,
    os={"name": "linux"},
)
LABELS = {"app": "a"}
TEMPLATE = {"metadata": {"labels": LABELS, "annotations": {"a": "b"}}, "spec": FULL_POD}
OBJECTS = [
    manifest("Pod", FULL_POD),
    manifest("Deployment", {"selector": {"matchLabels": LABELS}, "template": TEMPLATE}, "apps/v1"),
    manifest("CronJob", {"schedule": "a", "jobTemplate": {"spec": {"template": TEMPLATE}}}, "batch/v1beta1"),
    manifest("Service", {"type": "NodePort", "externalName": "a.example.com", "ports": [{"port": 80}]}),
    manifest("Role", None, RBAC, rules=[{"apiGroups": [""], "verbs": ["*"], "resources": ["secrets"]}]),
    manifest("RoleBinding", None, RBAC, roleRef={"name": "cluster-admin"}, subjects=[{"name": "system:masters"}]),
    manifest("Secret", data={"key": "aGVsbG8="}),
    manifest("List", items=[manifest("ConfigMap", data={"a": "b"})]),
]
WEIRD = st.sampled_from(
    [None, 0, -1, 2.5, True, "", "text", "${X}", [], [None], [[]], ["a"], [{"a": 1}], {}, {"a": []}, {"": {}}]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_anything_may_stand_anywhere(data: st.DataObject) -> None:
    changed: Any = copy.deepcopy(data.draw(st.sampled_from(OBJECTS)))
    for _ in range(data.draw(st.integers(1, 3))):
        *path, last = data.draw(st.sampled_from([place for place in places(changed) if place]))
        value = changed
        for key in path:
            value = value[key]
        value[last] = copy.deepcopy(data.draw(WEIRD))
    patch = k8s("patch", resource_type="deployment", name="a", data={"spec": changed.get("spec")})
    for handler in (k8s("apply", manifest=changed), k8s("create", name="a", template=changed), patch):
        for found in check(package(handler), POLICY):
            assert found.location.line > 0


@pytest.mark.parametrize("data", OBJECTS[:-1], ids=lambda data: data["kind"])
def test_the_objects_that_are_broken_have_findings_when_whole(data: dict[str, Any]) -> None:
    ids = {rule.id for rule in RULES}
    found = {finding.rule for finding in check(package(applied(data)), POLICY)} & ids
    assert bool(found) == (data["kind"] != "Secret")
