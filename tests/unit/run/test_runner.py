"""A run: order, retries, the four time limits, what fails a package and what only says nothing about it."""

import pytest
from running import (
    FakeShell,
    FakeTime,
    Listener,
    deployment,
    handler,
    k8s,
    manifest,
    objects_of,
    perform,
    planned,
    said,
    simulated,
    tried,
)

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.package.package import Action, ContainerAction, Retry, ShellAction
from wpk_sandbox.run.outcome import Outcome
from wpk_sandbox.run.result import Limit, RollbackStatus, StepStatus, Verdict
from wpk_sandbox.sandbox.sandbox import Completed, Ended


def statuses(outcome: Outcome) -> list[str]:
    return [str(step.status) for step in outcome.steps]


def failing(*commands: str) -> FakeShell:
    return FakeShell(lambda command: said("", exit_code=1, stderr="no") if command in commands else said("yes"))


def slow(time: FakeTime, seconds: float) -> FakeShell:
    """A shell whose commands take so long, and are ended at their timeout as a real one ends them."""
    shell = FakeShell()

    def answer(command: str) -> Completed:
        left = shell.timeouts[-1]
        time.now += min(seconds, left)
        ended = Ended.DEADLINE if seconds >= left else None
        return Completed(None if ended else 0, "", "", seconds, ended)

    shell.answer = answer
    return shell


def test_steps_run_in_order_and_are_heard() -> None:
    shell, listener = FakeShell(), Listener()
    made = planned(handler("a", ShellAction("one"), ShellAction("two")), handler("b", ShellAction("three")))
    outcome = perform(made, shell=shell, listener=listener)
    assert shell.commands == ["one", "two", "three"]
    assert listener.heard == [
        "run started",
        "a/step-1 1/3",
        "a/step-1 ok",
        "a/step-2 2/3",
        "a/step-2 ok",
        "b 3/3",
        "b ok",
    ]
    assert (outcome.verdict, outcome.reason) == (Verdict.PASS, "3 steps worked")


def test_the_first_failure_ends_the_package() -> None:
    shell = failing("two")
    outcome = tried(ShellAction("one"), ShellAction("two"), ShellAction("three"), shell=shell)
    assert statuses(outcome) == ["ok", "failed", "not reached"]
    assert shell.commands == ["one", "two"]
    assert (outcome.verdict, outcome.reason) == (Verdict.FAIL, "step-2 failed: exit code 1: no")


def test_a_step_that_works_at_the_third_try() -> None:
    answers = iter([said("", exit_code=1, stderr="first"), said("", exit_code=1, stderr="second"), said("done")])
    time = FakeTime()
    made = planned(handler("try", ShellAction("x"), retry=Retry(3, 2.0)))
    outcome = perform(made, shell=FakeShell(lambda _: next(answers)), clock=time.clock)
    step = outcome.steps[0]
    assert (step.status, step.attempts) == (StepStatus.OK, 3)
    assert step.details == ("attempt 1: exit code 1: first", "attempt 2: exit code 1: second")
    assert time.slept == [2.0, 4.0]
    assert step.seconds == 6.0


def test_the_last_failure_counts() -> None:
    shell = failing("x")
    step = tried(handler("try", ShellAction("x"), retry=Retry(2, 0.0)), shell=shell).steps[0]
    assert (step.status, step.attempts, len(shell.commands)) == (StepStatus.FAILED, 2, 2)


def test_pauses_count_into_the_handler_s_time() -> None:
    time, shell = FakeTime(), failing("x")
    made = planned(handler("try", ShellAction("x"), timeout=10.0, retry=Retry(9, 4.0)))
    step = perform(made, shell=shell, clock=time.clock).steps[0]
    assert step.status is StepStatus.FAILED
    assert len(shell.commands) == 2
    assert time.now - 100 <= 10


def test_the_step_limit() -> None:
    time = FakeTime()
    made = planned(k8s("wait", "deployment", "web", timeout="3s"), objects=(deployment(nodeSelector={"no": "no"}),))
    outcome = perform(made, clock=time.clock)
    assert outcome.steps[0].limit is Limit.STEP


def test_the_handler_limit_is_for_all_its_steps() -> None:
    time = FakeTime()
    made = planned(handler("slow", ShellAction("a"), ShellAction("b"), timeout=10.0))
    outcome = perform(made, shell=slow(time, 7.0), clock=time.clock)
    assert statuses(outcome) == ["ok", "failed"]
    assert outcome.steps[1].limit is Limit.HANDLER
    assert outcome.reason == "slow/step-2 failed: still running when the handler limit of 10 s ran out"


def test_the_package_limit_is_for_all_handlers() -> None:
    time = FakeTime()
    made = planned(ShellAction("a"), ShellAction("b"), handler_timeout=8.0, package_timeout=10.0)
    outcome = perform(made, shell=slow(time, 7.0), clock=time.clock)
    assert [step.limit for step in outcome.steps] == [None, Limit.PACKAGE]


def test_the_run_limit_is_outermost() -> None:
    time = FakeTime()
    made = planned(ShellAction("a"), ShellAction("b"))
    outcome = perform(made, shell=slow(time, 7.0), clock=time.clock, run_timeout=10.0)
    assert [step.limit for step in outcome.steps] == [None, Limit.RUN]


def test_an_earlier_package_that_was_in_time_is_not_limited() -> None:
    time = FakeTime()
    made = planned(ShellAction("a"), ShellAction("b"), package_timeout=15.0)
    assert statuses(perform(made, shell=slow(time, 7.0), clock=time.clock)) == ["ok", "ok"]


def test_a_rollback_has_time_of_its_own_after_the_package_limit() -> None:
    time = FakeTime()
    made = planned(ShellAction("a"), ShellAction("b"), undo=(ShellAction("undo"),), package_timeout=10.0)
    outcome = perform(made, shell=slow(time, 7.0), clock=time.clock)
    assert outcome.steps[1].limit is Limit.PACKAGE
    assert outcome.rollback.steps[0].status is StepStatus.OK


def test_a_rollback_has_no_time_after_the_run_limit() -> None:
    time = FakeTime()
    made = planned(ShellAction("a"), ShellAction("b"), undo=(ShellAction("undo"),))
    outcome = perform(made, shell=slow(time, 7.0), clock=time.clock, run_timeout=10.0)
    assert (outcome.rollback.status, outcome.rollback.trigger) == (
        RollbackStatus.NOT_RUN,
        "no time was left for it",
    )


def test_a_shell_that_breaks_says_nothing_about_the_package() -> None:
    def broken(command: str) -> Completed:
        raise SandboxError("the container is gone", "start Docker again")

    outcome = tried(ShellAction("a"), ShellAction("b"), undo=(ShellAction("undo"),), shell=FakeShell(broken))
    assert (outcome.verdict, outcome.reason) == (Verdict.INCONCLUSIVE, "the container is gone")
    assert statuses(outcome) == ["failed", "not reached"]
    assert outcome.rollback.status is RollbackStatus.NOT_RUN
    assert "start Docker again" in outcome.notes


def test_a_cluster_that_goes_away_says_nothing_about_the_package() -> None:
    made = planned(
        ShellAction("cut"), k8s("get", "deployment", "web"), objects=(deployment(),), undo=(ShellAction("u"),)
    )
    with simulated() as cluster:
        clients = cluster.api, cluster.acting_api

        def cut(command: str) -> Completed:
            for client in clients:
                client.configuration.host = "http://127.0.0.1:9"
            return said("")

        outcome = perform(made, cluster=cluster, shell=FakeShell(cut))
    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert "the cluster does not answer" in outcome.reason
    assert statuses(outcome) == ["ok", "failed"]


def test_an_invalid_object_of_the_case_fails_with_its_name() -> None:
    bad = manifest("Deployment", "web", spec={"replicas": 1})
    outcome = tried(k8s("get", "deployment", "web"), objects=(bad,))
    assert outcome.verdict is Verdict.FAIL
    assert outcome.reason.startswith("the case's Deployment/web was refused: ")
    assert outcome.steps == ()


def test_what_the_sandbox_does_not_allow_in_a_case_is_inconclusive() -> None:
    privileged = manifest(
        "Pod", "one", spec={"containers": [{"name": "a", "image": "a:1", "securityContext": {"privileged": True}}]}
    )
    outcome = tried(k8s("get", "pod", "one"), objects=(privileged,))
    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert "the case's Pod/one could not be made" in outcome.reason


def test_a_case_may_be_about_what_never_works() -> None:
    outcome = tried(k8s("get", "deployment", "web"), objects=(deployment(nodeSelector={"no": "no"}),))
    assert outcome.verdict is Verdict.PASS
    assert any(note.startswith("Deployment/web did not work before the run: ") for note in outcome.notes)


@pytest.mark.parametrize(
    ("action", "waits"),
    [(ContainerAction("busybox:1.36", ("true",)), True), (k8s("scale", "Deployment", "web", replicas=3), False)],
)
def test_pods_of_the_package_find_a_name_service_or_it_is_told(action: Action, waits: bool) -> None:
    with simulated() as cluster:
        cluster.prepare("kube-system")
        stuck = deployment("coredns", nodeSelector={"disk": "nowhere"})
        objects_of(cluster).apply(stuck | {"metadata": {"name": "coredns"}}, "kube-system")
        outcome = perform(planned(action), cluster=cluster, settle_timeout=0.5)
    told = [note for note in outcome.notes if note.startswith("Deployment/coredns did not work before the run: ")]
    assert bool(told) is waits


def test_what_a_step_set_off_and_does_not_work_is_noted() -> None:
    data = {"spec": {"template": {"spec": {"nodeSelector": {"no": "no"}}}}}
    outcome = tried(k8s("patch", "deployment", "web", data=data), objects=(deployment(),))
    assert outcome.verdict is Verdict.PASS
    assert any(note.startswith("Deployment/web did not work after the run: ") for note in outcome.notes)


def test_what_works_after_the_run_is_not_noted() -> None:
    outcome = tried(k8s("scale", "deployment", "web", replicas=3), objects=(deployment(),))
    assert not any("did not work" in note for note in outcome.notes)


@pytest.mark.parametrize("kind", ["deployment", "configmap"])
def test_a_plan_s_own_notes_are_kept(kind: str) -> None:
    outcome = tried(k8s("get", kind, "web"))
    assert any("nobody provides" in note for note in outcome.notes)
