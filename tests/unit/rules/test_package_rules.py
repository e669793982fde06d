"""Targets that nothing names, timeouts that are never reached, parameters that nobody explains, names that are taken."""

from typing import Any

import pytest
from checking import HEAD, POLICY, findings, k8s, load, package, shell, steps

from wpk_sandbox.finding import Location
from wpk_sandbox.package.package import Case
from wpk_sandbox.rules.check import check
from wpk_sandbox.rules.naming import name_taken

NIGHTLY = [{"type": "schedule", "config": {"cron": "0 3 * * *"}}]
ALERT = [{"type": "event", "config": {"source": "prometheus", "condition": "up == 0"}}]


def messages(rule: str, *handlers: dict[str, Any], cases: tuple[Case, ...] = (), **spec: Any) -> list[str]:
    found = check(package(*handlers, **spec), POLICY, cases)
    return [finding.message for finding in found if finding.rule == rule]


@pytest.mark.parametrize(
    "action",
    [
        k8s("restart"),
        k8s("restart", resource_type="deployment", namespace="shop"),
        k8s("logs", lines=5),
        k8s("delete", resource_type="pod"),
        k8s("run"),
    ],
)
def test_an_action_without_a_name_has_no_target_on_a_schedule(action: dict[str, Any]) -> None:
    assert len(messages("target-unknown", action, triggers=NIGHTLY)) == 1
    assert messages("target-unknown", action, triggers=ALERT) == []
    assert messages("target-unknown", action, triggers=[*NIGHTLY, *ALERT]) == []
    assert messages("target-unknown", action, triggers=[]) == []


@pytest.mark.parametrize(
    "action",
    [
        k8s("restart", resource_type="deployment", name="web"),
        k8s("restart", name="deployment/${APP}"),
        k8s("restart", resource_type="deployment", selector="app=web"),
        k8s("metrics", query="up"),
        k8s("apply", manifest="deploy/all.yaml"),
        k8s("create", resource_type="job", template="cronjob/report"),
        k8s("run", manifest={"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": {}}),
        shell("df -h"),
    ],
)
def test_what_is_named_or_needs_no_name_is_not_told(action: dict[str, Any]) -> None:
    assert messages("target-unknown", action, triggers=NIGHTLY) == []


def test_what_an_earlier_step_made_is_the_target() -> None:
    made, wait = (
        k8s("create", name="x", template="cronjob/r"),
        k8s("wait", resource_type="job", condition="complete"),
    )
    assert messages("target-unknown", made, wait, triggers=NIGHTLY) == []
    assert len(messages("target-unknown", wait, made, triggers=NIGHTLY)) == 1


@pytest.mark.parametrize(
    ("case", "found"),
    [
        (Case(event={"deployment": "web"}), 0),
        (Case(objects=({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}},)), 0),
        (Case(event={"job_name": "a"}), 1),
        (Case(), 1),
    ],
)
def test_a_case_tells_the_target(case: Case, found: int) -> None:
    action = k8s("restart", resource_type="deployment")
    assert len(messages("target-unknown", action, cases=(case,), triggers=NIGHTLY)) == found


def within(inner: dict[str, Any], outer: str | None, **more: Any) -> list[str]:
    handler = steps({"shell": {"command": "true"}, **inner}) | {"timeout": outer} | more
    return messages("timeout-too-long", {key: value for key, value in handler.items() if value is not None})


def test_a_step_may_take_as_long_as_its_handler_and_no_longer() -> None:
    assert within({"timeout": "90s"}, "1m") == ["step-0 may take 90s, and many ends after 60s"]
    assert within({"timeout": "2h"}, "90m") == ["step-0 may take 2h, and many ends after 90m"]
    assert within({"timeout": "60s"}, "1m") == []
    assert within({}, "1m") == []


@pytest.mark.parametrize(
    ("backoff", "tries", "found"), [("5m", 2, 1), ("60s", 3, 1), ("10s", 3, 0), ("59s", 2, 0), ("5m", 1, 0)]
)
def test_a_second_try_comes_before_the_end(backoff: str, tries: int, found: int) -> None:
    handler = {**shell("true"), "retry": {"max_attempts": tries, "backoff": backoff}, "timeout": "60s"}
    assert len(messages("timeout-too-long", handler)) == found


@pytest.mark.parametrize(("inner", "found"), [("5m", 1), ("1m", 0), ("30s", 0), (None, 0)])
def test_a_wait_may_take_as_long_as_its_handler(inner: str | None, found: int) -> None:
    more = {} if inner is None else {"timeout": inner}
    action = k8s("wait", resource_type="deployment", name="web", condition="available", **more)
    assert len(messages("timeout-too-long", action)) == found


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("kubectl rollout status deployment/web --timeout=10m", 1),
        ("kubectl -n shop wait --for=condition=Ready pod/web --timeout 300s", 1),
        ("kubectl wait --for=condition=Ready pod/web --timeout=60s", 0),
        ("kubectl wait --for=condition=Ready pod/web --timeout=$WAIT", 0),
        ("kubectl get pods --request-timeout=10m", 0),
        ("echo kubectl wait --timeout=10m", 0),
    ],
)
def test_a_command_that_waits_may_take_as_long_as_its_step(command: str, found: int) -> None:
    assert len(messages("timeout-too-long", shell(command))) == found


@pytest.mark.parametrize("command", ["work ${LEVEL}", "work --to=${X}", 'curl "http://web.svc/${CHAN_ID}"'])
def test_a_parameter_of_which_nothing_is_said_is_told(command: str) -> None:
    assert len(messages("parameter-unexplained", shell(command))) == 1


def test_all_parameters_of_a_package_are_one_finding_at_the_first() -> None:
    found = findings(shell("work ${LEVEL} ${SRC} ${LEVEL}"), shell("rest ${MODE}"))
    (finding,) = [each for each in found if each.rule == "parameter-unexplained"]
    assert finding.message == "nothing says what belongs into `${LEVEL}`, `${SRC}`, `${MODE}`"
    assert finding.excerpt[finding.location.column - 1 :].startswith("${LEVEL} ${SRC}")


@pytest.mark.parametrize(
    "command",
    [
        "work ${LEVEL:-5}",
        "work ${LEVEL:?how many}",
        "LEVEL=5; work ${LEVEL}",
        "# LEVEL is how far to go\nwork ${LEVEL}",
        "work ${LEVEL} # in percent",
        "# for one certificate\nwork ${CERT_NAME}",
        "work ${NAMESPACE} ${POD_NAME} ${NODE} ${alertname}",
        "work ${DB_HOST} ${CHAT_WEBHOOK_URL} ${NEW_DB_PASSWORD} ${IMAGE_TAG}",
        "work ${HOME} $LEVEL",
    ],
)
def test_a_parameter_with_a_default_a_comment_or_a_speaking_name_is_not_told(command: str) -> None:
    assert messages("parameter-unexplained", shell(command)) == []


def test_the_description_comments_and_cases_explain() -> None:
    text = (
        HEAD + "  handlers:\n  - name: a\n    type: shell\n    timeout: 5s\n    config: {command: 'go ${LEVEL}'}\n"
    )
    silent, commented = load(text), load(text.replace("    config", "    # How far to go.\n    config"))
    described = load(text.replace("A package of the tests.", "Works up to a level."))
    case = Case(parameters={"LEVEL": "5"})

    def told(one: Any, *cases: Case) -> bool:
        return any(finding.rule == "parameter-unexplained" for finding in check(one, POLICY, cases))

    assert [told(silent), told(silent, Case()), told(silent, case)] == [True, True, False]
    assert [told(commented), told(described)] == [False, False]


def test_the_second_package_of_a_name_is_told_where_the_first_is() -> None:
    text = HEAD + "  handlers: [{name: a, type: shell, timeout: 5s, config: {command: 'true'}}]\n"
    taken: dict[str, Location] = {}
    first, other, second = (
        load(text, "a.yaml"),
        load(text.replace("sample", "other"), "b.yaml"),
        load(text, "c.yaml"),
    )
    assert [*name_taken(first, taken), *name_taken(other, taken)] == []
    (finding,) = name_taken(second, taken)
    assert (finding.rule, finding.message) == ("name-taken", "a.yaml:4 is called `sample` too")
    assert (finding.location.path, finding.location.line) == ("c.yaml", 4)
    assert list(name_taken(first, taken)) == []
