"""What a package promises of its safety must be there."""

import json
from typing import Any

import pytest
from checking import HEAD, POLICY, api, findings, k8s, load, rules, shell, steps

from wpk_sandbox.rules.check import check

AUTO = {"mode": "auto", "approval_required": False}
DELETES = k8s("delete", resource_type="pod", name="web")
UNASKED = "automatic-destruction"


@pytest.mark.parametrize(
    ("safety", "rollback", "found"),
    [
        ({"mode": "manual"}, {"enabled": False}, False),
        ({"mode": "manual"}, {"enabled": True, "handlers": []}, True),
        ({"mode": "manual", "rollback_enabled": True}, {"enabled": False}, True),
        ({"mode": "manual", "rollback_enabled": False}, {"enabled": False}, False),
        (
            {"mode": "manual", "rollback_enabled": True},
            {"enabled": True, "handlers": [{"timeout": "1m", **shell("true")}]},
            False,
        ),
    ],
)
def test_a_promised_rollback_must_have_handlers(safety: Any, rollback: Any, found: bool) -> None:
    assert rules(shell("true"), safety=safety, rollback=rollback) == ({"rollback-empty"} if found else set())


def test_an_empty_rollback_is_told_once() -> None:
    found = findings(shell("true"), safety={"rollback_enabled": True}, rollback={"enabled": True, "handlers": []})
    assert [finding.rule for finding in found] == ["rollback-empty"]


@pytest.mark.parametrize(
    "action",
    [
        DELETES,
        k8s("scale", resource_type="deployment", name="web", replicas=0),
        api("http://web.shop.svc/x", method="DELETE"),
        shell("rm -rf /srv/app/data"),
        shell("kubectl -n shop delete pod web"),
        shell("if true; then kubectl drain node-1; fi"),
        shell("helm uninstall web"),
    ],
)
def test_automatic_destruction_without_approval_is_found(action: dict[str, Any]) -> None:
    assert rules(action, safety=AUTO) == {UNASKED}
    assert rules(action, safety={"mode": "auto"}) == {UNASKED}
    assert rules(action, safety={"mode": "auto", "approval_required": True}) == set()
    assert rules(action, safety={"mode": "manual", "approval_required": False}) == set()


@pytest.mark.parametrize(
    "action",
    [
        k8s("restart", resource_type="deployment", name="web"),
        k8s("scale", resource_type="deployment", name="web", replicas=2),
        k8s("scale", resource_type="deployment", name="web", replicas="original"),
        api("http://web.shop.svc/x"),
        shell("rm -rf /tmp/work"),
        shell("rm -f /srv/app/lock"),
        shell("kubectl get pods"),
        shell("echo kubectl delete pod web"),
    ],
)
def test_what_can_be_undone_needs_no_approval(action: dict[str, Any]) -> None:
    assert rules(action, safety=AUTO) == set()


def test_a_person_who_is_asked_before_is_an_approval_and_one_after_is_not() -> None:
    ask, delete = {"manual": True}, {"shell": {"command": "kubectl delete pod web"}}
    assert rules(steps(ask, delete), safety=AUTO) == set()
    assert rules(steps(delete, ask), safety=AUTO) == {UNASKED}


@pytest.mark.parametrize(
    ("handler", "found"),
    [
        ({"name": "a", "type": "shell", "config": {"command": "sleep 5"}, "timeout": None}, True),
        ({"name": "a", "type": "shell", "config": {"command": "sleep 5"}, "timeout": "1m"}, False),
    ],
)
def test_a_handler_needs_a_timeout(handler: dict[str, Any], found: bool) -> None:
    handler = {key: value for key, value in handler.items() if value is not None}
    assert {finding.rule for finding in _untimed(handler)} == ({"timeout-missing"} if found else set())


def test_timed_steps_and_people_need_no_timeout_of_the_handler() -> None:
    timed = {"name": "a", "shell": {"command": "true"}, "timeout": "10s"}
    untimed = {"name": "b", "shell": {"command": "true"}}
    person = {"name": "c", "manual": True}
    assert _untimed({"name": "many", "steps": [timed, person]}) == ()
    assert [each.severity for each in _untimed({"name": "many", "steps": [timed, untimed]})] == ["info"]


def _untimed(handler: dict[str, Any]) -> tuple[Any, ...]:
    return check(load(HEAD + f"  handlers: [{json.dumps(handler)}]\n"), POLICY)
