"""shell, api, manual and container steps."""

from typing import Any

import pytest
from running import FakeShell, deployment, k8s, perform, planned, said, tried

from wpk_sandbox.package.mock import Mock
from wpk_sandbox.package.package import ApiAction, ContainerAction, ManualAction, ShellAction, UnknownAction
from wpk_sandbox.run.result import Limit, StepResult, StepStatus, Verdict
from wpk_sandbox.sandbox.sandbox import Completed, Ended


def shell_step(answer: Completed, **situation: Any) -> StepResult:
    return tried(ShellAction("do it"), shell=FakeShell(lambda _: answer), **situation).steps[0]


def test_a_command_that_worked() -> None:
    step = shell_step(said("hello\n"))
    assert (step.status, step.message, step.stdout) == (StepStatus.OK, "exit code 0 in 0.1 s", "hello\n")


def test_a_command_that_failed_shows_its_last_words() -> None:
    step = shell_step(said("out\n", exit_code=3, stderr="first\nno space left\n"))
    assert (step.status, step.message) == (StepStatus.FAILED, "exit code 3: no space left")
    assert step.details == ("first",)
    assert step.stderr == "first\nno space left\n"


def test_a_missing_program_has_an_advice_of_its_own() -> None:
    assert "lacks a program" in shell_step(said("", exit_code=127, stderr="sh: psql: not found\n")).advice


@pytest.mark.parametrize(
    ("ended", "limit"),
    [
        (Ended.DEADLINE, Limit.STEP),
        (Ended.OUTPUT, Limit.OUTPUT),
        (Ended.MEMORY, Limit.MEMORY),
        (Ended.PROCESSES, Limit.PROCESSES),
        (Ended.SHELL_DIED, None),
    ],
)
def test_what_ended_a_command_is_named(ended: Ended, limit: Limit | None) -> None:
    step = shell_step(Completed(None, "so far\n", "", 1.0, ended, detail="1 GiB of 1 GiB"))
    assert (step.status, step.limit) == (StepStatus.FAILED, limit)
    assert step.details == ("so far",)
    assert step.advice


def test_a_command_gets_the_time_that_is_left_and_the_parameters_that_were_given() -> None:
    shell = FakeShell()
    tried(ShellAction("echo ${NAME} ${OTHER}"), shell=shell, parameters={"NAME": "web"}, handler_timeout=7.0)
    assert 6 < shell.timeouts[0] <= 7
    assert shell.environments[0]["NAME"] == "web"
    assert "OTHER" not in shell.environments[0]


def test_a_cut_output_is_marked() -> None:
    assert shell_step(Completed(0, "x", "", 0.1, truncated=True)).truncated is True


def test_an_api_call_is_assumed_with_its_parameters() -> None:
    action = ApiAction("https://hooks.example/${ROOM}", "POST", expected_status=(202,))
    step = tried(action, parameters={"ROOM": "ops"}).steps[0]
    assert step.message == "POST https://hooks.example/ops: 202 assumed"


HOOK = ApiAction("https://hooks.example/${ROOM}", "POST", expected_status=(202,))


def test_a_mock_answers_an_api_call() -> None:
    mock = Mock("https://hooks.example/*", "POST", 202, body=b"queued\n")
    step = tried(HOOK, parameters={"ROOM": "ops"}, mocks=(mock,)).steps[0]
    assert (step.status, step.message) == (StepStatus.OK, "POST https://hooks.example/ops: 202 (mock)")
    assert step.stdout == "queued\n"
    assert step.reason == "answered by the mock of https://hooks.example/*"


def test_a_mock_that_answers_otherwise_than_expected_fails_the_call() -> None:
    step = tried(
        HOOK, parameters={"ROOM": "ops"}, mocks=(Mock("https://hooks.example/*", status=503, body=b"full"),)
    ).steps[0]
    assert (step.status, step.message) == (
        StepStatus.FAILED,
        "POST https://hooks.example/ops: 503 (mock), expected 202",
    )
    assert step.details == ("full",)


def test_a_mock_of_something_else_leaves_the_answer_assumed() -> None:
    step = tried(HOOK, parameters={"ROOM": "ops"}, mocks=(Mock("https://other.example/*"),)).steps[0]
    assert step.message == "POST https://hooks.example/ops: 202 assumed"


def test_an_approval_is_assumed() -> None:
    assert tried(ManualAction()).steps[0].message == "approval assumed"


def test_what_nobody_knows_is_skipped_and_proves_nothing() -> None:
    outcome = tried(UnknownAction("`fly` is no action"))
    assert (outcome.steps[0].status, outcome.steps[0].message) == (StepStatus.SKIPPED, "`fly` is no action")
    assert outcome.verdict is Verdict.INCONCLUSIVE


def test_a_skipped_step_among_others_does_not_spoil_them() -> None:
    outcome = tried(UnknownAction("`fly` is no action"), ManualAction())
    assert outcome.verdict is Verdict.PASS


def test_a_container_runs_and_leaves_nothing() -> None:
    outcome = tried(ContainerAction("busybox:1.36", ("true",)))
    assert (outcome.verdict, outcome.steps[0].message) == (Verdict.PASS, "exit code 0")
    assert outcome.effects == ()


def test_a_container_gets_its_environment_and_empty_volumes_for_its_mounts() -> None:
    raw = {"volumeMounts": [{"name": "data", "mountPath": "/data"}], "resources": {"limits": {"memory": "64Mi"}}}
    outcome = tried(ContainerAction("busybox:1.36", ("true",), env={"A": "1"}, raw=raw))
    assert outcome.verdict is Verdict.PASS, outcome.reason
    assert any("the volume data is not described, so it is empty" in note for note in outcome.notes)


def test_a_privileged_container_is_refused_by_name() -> None:
    raw = {"securityContext": {"privileged": True}}
    outcome = tried(ContainerAction("busybox:1.36", ("true",), raw=raw))
    assert outcome.verdict is Verdict.FAIL
    assert "privileged" in outcome.reason


def test_the_usage_of_the_shell_is_reported() -> None:
    outcome = perform(planned(ShellAction("true"), k8s("events", "deployment", "web"), objects=(deployment(),)))
    assert (outcome.usage.cpu_seconds, outcome.usage.memory_peak) == (1.5, 1000)
