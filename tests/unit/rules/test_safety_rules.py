"""What a package promises of its safety must be there."""

import json
from typing import Any

import pytest
from checking import HEAD, POLICY, api, findings, k8s, load, rules, shell, steps

from wpk_sandbox.rules.check import check

AUTO = {"mode": "auto", "approval_required": False}
DELETES = k8s("delete", resource_type="pod", name="web")
UNASKED, UNAPPROVED = "automatic-destruction", "approval-missing"
OURS = {UNASKED, UNAPPROVED}


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


REPLACING = [
    DELETES,
    k8s("delete", selector="app=web"),
    k8s("delete", resource_type="job", name="failed"),
    shell("kubectl -n shop delete pod web"),
    shell("kubectl delete pods --selector app=web --grace-period 5"),
]
DESTROYING = [
    k8s("delete", resource_type="namespace", name="preview"),
    k8s("delete", name="deployment/web"),
    k8s("scale", resource_type="deployment", name="web", replicas=0),
    api("http://web.shop.svc/x", method="DELETE"),
    shell("rm -rf /srv/app/data"),
    shell("cd /srv/app && rm -rf data"),
    shell("kubectl -n shop delete pvc web"),
    shell("kubectl delete -f all.yaml"),
    shell("kubectl scale deployment/web --replicas=0"),
    shell("if true; then kubectl drain node-1; fi"),
    shell("helm uninstall web"),
    shell("terraform apply -destroy -auto-approve"),
    shell("psql -c 'DELETE FROM sessions;'"),
    shell("echo 'DROP TABLE sessions' | mysql app"),
    shell("redis-cli -h cache FLUSHALL"),
    shell("aws ec2 terminate-instances --instance-ids i-1"),
    shell("curl -X DELETE http://search.shop.svc/index"),
    shell("systemctl stop app; reboot"),
]
HARMLESS = [
    k8s("restart", resource_type="deployment", name="web"),
    k8s("scale", resource_type="deployment", name="web", replicas=2),
    k8s("scale", resource_type="deployment", name="web", replicas="original"),
    api("http://web.shop.svc/x"),
    shell("rm -rf /tmp/work"),
    shell("cd /tmp/work && rm -rf restored"),
    shell("rm -f /srv/app/lock"),
    shell("find /var/log/app -name '*.gz' -mtime +30 -delete"),
    shell("kubectl get pods"),
    shell("kubectl delete pod web --dry-run=client"),
    shell("kubectl delete pods --field-selector=status.phase==Succeeded"),
    shell("kubectl scale deployment/web --replicas=10"),
    shell("echo kubectl delete pod web"),
    shell("terraform plan -destroy"),
    shell("psql -c 'DELETE FROM sessions WHERE expired'"),
    shell("aws sqs delete-message --queue-url q --receipt-handle h"),
    shell("aws s3 cp backup.tgz s3://delete-me-later/"),
]


@pytest.mark.parametrize("action", DESTROYING)
def test_destruction_without_a_person_is_found_by_what_the_package_says_of_itself(action: dict[str, Any]) -> None:
    assert OURS & rules(action, safety=AUTO) == {UNASKED}
    assert OURS & rules(action, safety={"mode": "auto"}) == {UNASKED}
    assert OURS & rules(action, safety={"mode": "manual", "approval_required": False}) == {UNAPPROVED}
    assert OURS & rules(action, safety={"mode": "auto", "approval_required": True}) == set()
    assert OURS & rules(action, safety={"mode": "manual"}) == set()


@pytest.mark.parametrize("action", REPLACING)
def test_pods_that_come_back_take_an_approval_only_where_an_alert_deletes_them(action: dict[str, Any]) -> None:
    assert OURS & rules(action, safety=AUTO) == {UNASKED}
    assert OURS & rules(action, safety={"mode": "manual", "approval_required": False}) == set()


@pytest.mark.parametrize("action", HARMLESS)
def test_what_can_be_undone_needs_no_approval(action: dict[str, Any]) -> None:
    assert OURS & rules(action, safety=AUTO) == set()
    assert OURS & rules(action, safety={"mode": "manual", "approval_required": False}) == set()


JOB = {"resource_type": "job", "name": "probe", "namespace": "shop"}


@pytest.mark.parametrize(
    ("made", "deleted", "asked"),
    [
        (k8s("create", **JOB, template="cronjob/probe"), k8s("delete", **JOB), False),
        (k8s("create", **JOB, template="cronjob/probe"), k8s("delete", **{**JOB, "name": "other"}), True),
        (k8s("create", **JOB, template="cronjob/probe"), k8s("delete", resource_type="job"), True),
        (shell("kubectl run probe --image=busybox:1.36 -- true"), shell("kubectl delete pod probe"), False),
        (shell("kubectl create job probe --image=busybox:1.36"), shell("kubectl delete job/probe"), False),
        (shell("kubectl create job probe --image=busybox:1.36"), shell("kubectl delete job probe web"), True),
        (shell("kubectl create job probe --image=busybox:1.36"), shell("kubectl delete jobs --all"), True),
        (shell("kubectl get job probe"), shell("kubectl delete job probe"), True),
    ],
)
def test_what_the_package_made_itself_is_nobodys_loss(
    made: dict[str, Any], deleted: dict[str, Any], asked: bool
) -> None:
    assert (UNASKED in rules(made, deleted, safety=AUTO)) is asked
    assert UNASKED in rules(deleted, made, safety=AUTO)


def test_what_a_rollback_deletes_needs_no_approval() -> None:
    undo = [{"timeout": "1m", **DELETES}]
    assert OURS & rules(shell("true"), safety=AUTO, rollback={"enabled": True, "handlers": undo}) == set()


def test_a_step_that_is_approved_itself_is_an_approval() -> None:
    delete = {"shell": {"command": "kubectl delete namespace preview"}}
    assert UNASKED in rules(steps(delete), safety=AUTO)
    assert UNASKED not in rules(steps({**delete, "approval_required": True}), safety=AUTO)


def test_a_person_who_is_asked_before_is_an_approval_and_one_after_is_not() -> None:
    ask, delete = {"manual": True}, {"shell": {"command": "kubectl delete pod web"}}
    assert OURS & rules(steps(ask, delete), safety=AUTO) == set()
    assert OURS & rules(steps(delete, ask), safety=AUTO) == {UNASKED}


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
