"""The plan, before anything runs."""

import json
from collections.abc import Callable

import pytest

from report.hostile import HOSTILE
from report.planned import planned_step, small_plan
from wpk_sandbox.package.package import (
    Action,
    ApiAction,
    ContainerAction,
    KubernetesAction,
    ManifestAction,
    ManualAction,
    Reference,
    ShellAction,
    UnknownAction,
)
from wpk_sandbox.plan.plan import Fidelity, Origin, ParameterUse, Phase, Plan, Target
from wpk_sandbox.report.plan_table import action_words, plan_json, plan_table


def plan() -> Plan:
    return small_plan(
        [
            planned_step(1, "collect-logs"),
            planned_step(
                2,
                "restart-deployment",
                action=KubernetesAction("restart", Reference("deployment"), {}),
                target=Target("apps/v1", "Deployment", "shop", "web", origin=Origin.STAND_IN),
                reason="the cluster can do it",
            ),
            planned_step(
                3,
                "notify",
                action=ApiAction("${ALERT_URL}", "POST"),
                fidelity=Fidelity.SIMULATED,
                reason="the sandbox has no network",
            ),
        ],
        [planned_step(1, "undo", Phase.ROLLBACK)],
        case="one pod is unhealthy",
        parameters=(ParameterUse("ALERT_URL", "https://alert-url.invalid", Origin.PLACEHOLDER),),
        stand_ins=({"kind": "Deployment", "metadata": {"name": "web"}},),
        objects=({"kind": "Secret", "metadata": {"name": "token"}},),
        images=("busybox:1.36",),
        notes=("no event was given",),
    )


def test_the_table_reads_as_agreed(golden: Callable[[str, str], None]) -> None:
    golden("report/plan.txt", plan_table(plan()))


def test_the_json_reads_as_agreed(golden: Callable[[str, str], None]) -> None:
    golden("report/plan.json", plan_json(plan()))


def test_columns_align() -> None:
    rows = [line for line in plan_table(plan()).splitlines() if line.startswith(("  1 c", "  2 r", "  3 n"))]
    starts = [row.index(word) for row, word in zip(rows, ("runs in", "the cluster", "the sandbox"), strict=True)]
    assert len(set(starts)) == 1


def test_a_guess_is_shown_as_one() -> None:
    assert "Deployment/web (stand-in)" in plan_table(plan())
    assert "${ALERT_URL} = https://alert-url.invalid  (placeholder)" in plan_table(plan())


def test_json_tells_the_line_of_each_step() -> None:
    steps = json.loads(plan_json(plan()))["steps"]
    assert [step["line"] for step in steps] == [10, 20, 30]


def test_hostile_names_stay_in_their_row() -> None:
    hostile = small_plan([planned_step(1, HOSTILE, reason=HOSTILE)], case=HOSTILE, notes=(HOSTILE,))
    lines = plan_table(hostile).splitlines()
    assert len(lines) == 5
    assert not [line for line in lines if line.lstrip().startswith("::") or "##[" in line or "\x1b" in line]
    assert json.loads(plan_json(hostile))["case"] == HOSTILE


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (KubernetesAction("scale", Reference(), {}), "k8s scale"),
        (ShellAction("true"), "shell"),
        (ApiAction("https://x", "PUT"), "api PUT"),
        (ContainerAction("busybox:1.36"), "container busybox:1.36"),
        (ManifestAction({"kind": "Job", "metadata": {"name": "j"}}), "manifest Job/j"),
        (ManifestAction({"kind": "Job", "metadata": None}), "manifest Job/?"),
        (ManualAction(), "manual"),
        (UnknownAction("no such type"), "unknown"),
    ],
)
def test_every_action_has_words(action: Action, words: str) -> None:
    assert action_words(action) == words
