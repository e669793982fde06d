"""A rollback must be able to undo what the handlers do; where it may, nothing is said."""

from typing import Any

import pytest
from checking import api, container, findings, k8s, shell, steps

RULE = "rollback-cannot-undo"
WEB = {"resource_type": "deployment", "name": "web", "namespace": "shop"}
SETTINGS = {"resource_type": "configmap", "name": "settings", "namespace": "shop"}
PASSWORD = {"resource_type": "secret", "name": "db", "namespace": "shop"}
SCALE_UP = k8s("scale", **WEB, replicas=5)
MANIFEST = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings", "namespace": "shop"},
    "data": {},
}

FREEZE = k8s("annotate", **WEB, annotation="example.com/frozen", value="true")


def told(done: list[dict[str, Any]], undo: list[dict[str, Any]]) -> list[str]:
    undo = [{"timeout": "1m", **handler, "name": f"undo-{number}"} for number, handler in enumerate(undo)]
    done = [{**handler, "name": f"do-{number}"} for number, handler in enumerate(done)]
    return [finding.message for finding in findings(*done, undo=undo) if finding.rule == RULE]


@pytest.mark.parametrize(
    ("done", "undo", "message"),
    [
        (
            [SCALE_UP],
            [k8s("scale", **WEB, replicas=3)],
            "undo-0 scales to 3, which need not be the number before do-0",
        ),
        (
            [k8s("scale", **WEB, scale_factor=2, max_replicas=6)],
            [k8s("scale", **WEB, scale_factor=0.5)],
            "undo-0 multiplies by 0.5, which need not be the number before do-0",
        ),
        (
            [SCALE_UP],
            [k8s("wait", **WEB, condition="available")],
            "do-0 scales Deployment/web, and no rollback handler scales it back",
        ),
        (
            [SCALE_UP],
            [k8s("scale", **{**WEB, "name": "other"}, replicas="original")],
            "do-0 scales Deployment/web, and no rollback handler scales it back",
        ),
        (
            [SCALE_UP],
            [k8s("rollback", **WEB)],
            "do-0 scales Deployment/web, and no rollback handler scales it back",
        ),
        (
            [SCALE_UP],
            [k8s("patch", **WEB, data={"spec": {"paused": True}})],
            "do-0 scales Deployment/web, and no rollback handler scales it back",
        ),
        (
            [FREEZE, SCALE_UP],
            [k8s("scale", **WEB, replicas="original")],
            "do-0 annotates Deployment/web, and no rollback handler removes it",
        ),
        (
            [k8s("delete", **SETTINGS)],
            [k8s("restart", **WEB)],
            "do-0 deletes ConfigMap/settings, and no rollback handler makes it again",
        ),
        (
            [k8s("delete", resource_type="pvc", name="data", namespace="shop")],
            [k8s("apply", manifest={**MANIFEST, "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}})],
            "do-0 deletes PersistentVolumeClaim/data, and no rollback brings back what it held",
        ),
        (
            [k8s("patch", **SETTINGS, data={"rate": "1"})],
            [k8s("restart", **WEB)],
            "do-0 changes ConfigMap/settings, and no rollback handler puts it back",
        ),
        (
            [k8s("patch", **SETTINGS, data={"rate": "1", "burst": "2"})],
            [k8s("patch", **SETTINGS, data={"rate": "9"})],
            "do-0 sets `burst` of ConfigMap/settings, and undo-0 does not put it back",
        ),
        (
            [k8s("patch", **WEB, data={"spec": {"paused": True, "minReadySeconds": 9}})],
            [k8s("patch", **WEB, data={"spec": {"paused": False}})],
            "do-0 sets `spec.minReadySeconds` of Deployment/web, and undo-0 does not put it back",
        ),
        (
            [k8s("patch", **PASSWORD, data="new_credentials")],
            [k8s("restart", **WEB)],
            "do-0 changes Secret/db, and the old value is lost",
        ),
        (
            [k8s("annotate", **WEB, annotation="example.com/by", value="us")],
            [k8s("wait", **WEB, condition="available")],
            "do-0 annotates Deployment/web, and no rollback handler removes it",
        ),
        (
            [k8s("apply", manifest=MANIFEST)],
            [k8s("restart", **WEB)],
            "do-0 makes ConfigMap/settings, and no rollback handler removes it",
        ),
        (
            [steps({"kubernetes": MANIFEST})],
            [shell("rm -f /tmp/record")],
            "step-0 makes ConfigMap/settings, and no rollback handler removes it",
        ),
    ],
)
def test_what_stays_done_is_told_with_the_handler_and_the_reason(
    done: list[dict[str, Any]], undo: list[dict[str, Any]], message: str
) -> None:
    assert told(done, undo) == [message]


UNDONE = [
    ([SCALE_UP], [k8s("scale", **WEB, replicas="original")]),
    ([SCALE_UP], [k8s("scale", **WEB, replicas="${BEFORE}")]),
    ([SCALE_UP], [k8s("scale", replicas="original")]),
    ([SCALE_UP], [k8s("patch", **WEB, data={"spec": {"replicas": 2}})]),
    ([SCALE_UP], [k8s("patch", **WEB, data="original")]),
    ([FREEZE], [k8s("annotate", **WEB, annotation="example.com/frozen", value="original")]),
    ([FREEZE], [k8s("patch", **WEB, data={"metadata": {"annotations": None}})]),
    ([FREEZE], [k8s("restore", **WEB)]),
    ([SCALE_UP, k8s("scale", **WEB, replicas="original")], [k8s("restart", **WEB)]),
    ([k8s("scale", **WEB, scale_factor=2)], [k8s("scale", **WEB, scale_factor=0.5)]),
    ([k8s("delete", **SETTINGS)], [k8s("apply", manifest=MANIFEST)]),
    ([k8s("delete", **SETTINGS)], [steps({"kubernetes": MANIFEST})]),
    ([k8s("delete", **SETTINGS)], [k8s("restore", **SETTINGS)]),
    ([k8s("apply", manifest=MANIFEST), k8s("delete", **SETTINGS)], [k8s("restart", **WEB)]),
    (
        [k8s("copy", **SETTINGS, destination="s2"), k8s("delete", **{**SETTINGS, "name": "s2"})],
        [k8s("restart", **WEB)],
    ),
    ([k8s("delete", resource_type="pod", selector="app=web")], [k8s("restart", **WEB)]),
    ([k8s("delete", resource_type="job", name="once")], [k8s("restart", **WEB)]),
    ([k8s("delete")], [k8s("restart", **WEB)]),
    ([k8s("restart", **WEB)], [k8s("wait", **WEB, condition="available")]),
    ([k8s("patch", **SETTINGS, data={"rate": "1"})], [k8s("patch", **SETTINGS, data="original")]),
    ([k8s("patch", **SETTINGS, data={"rate": "1"})], [k8s("patch", **SETTINGS, data={"data": {"rate": "9"}})]),
    ([k8s("patch", **WEB, data={"spec": {"paused": True}})], [k8s("patch", **WEB, data={"spec": None})]),
    ([k8s("patch", **PASSWORD, data={"a": "${NEW}"})], [k8s("restore", **PASSWORD)]),
    ([k8s("patch", **{**WEB, "name": "${APP}"}, data={"spec": {"paused": True}})], [k8s("restore", **WEB)]),
    ([k8s("annotate", **WEB, annotation="a")], [k8s("annotate", **WEB, annotation="a", value="original")]),
    ([k8s("apply", manifest=MANIFEST)], [k8s("delete", **SETTINGS)]),
    ([k8s("apply", manifest="deploy/all.yaml")], [k8s("restart", **WEB)]),
    ([k8s("create", resource_type="job", name="again", template="cronjob/report")], [k8s("restart", **WEB)]),
]


@pytest.mark.parametrize(("done", "undo"), UNDONE)
def test_what_is_undone_or_may_be_is_not_told(done: list[dict[str, Any]], undo: list[dict[str, Any]]) -> None:
    assert told(done, undo) == []


@pytest.mark.parametrize(
    "undo",
    [
        shell("kubectl -n shop scale deployment/web --replicas=3"),
        shell("./undo.sh"),
        api("http://deploy.tools.svc/undo"),
        container(command=["undo"]),
        steps({"manual": True}),
        k8s("apply", manifest="deploy/before.yaml"),
    ],
)
def test_a_script_a_call_an_image_or_a_person_may_undo_anything(undo: dict[str, Any]) -> None:
    assert told([SCALE_UP], [undo]) == []
    assert told([SCALE_UP], [shell("rm -f /tmp/record")]) != []


def test_a_package_without_a_rollback_promises_nothing() -> None:
    assert told([SCALE_UP], []) == []
