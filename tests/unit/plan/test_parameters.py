from collections.abc import Mapping
from typing import Any

import pytest
from planning import k8s, package, planned

from wpk_sandbox.package.package import (
    ApiAction,
    Case,
    ContainerAction,
    KubernetesAction,
    ManifestAction,
    ShellAction,
)
from wpk_sandbox.package.parameters import fill_action, fill_shell, fill_text, names_of_the_shell, used_names
from wpk_sandbox.plan.placeholders import placeholder
from wpk_sandbox.plan.plan import Origin, Plan
from wpk_sandbox.plan.planner import PlanOptions, plan


def use(made: Plan, name: str) -> tuple[str, Origin]:
    return next((one.value, one.origin) for one in made.parameters if one.name == name)


def command(made: Plan) -> str:
    action = made.steps[0].step.action
    assert isinstance(action, ShellAction)
    return action.command


def test_the_command_line_wins_over_the_case_and_the_case_over_a_placeholder() -> None:
    step = ShellAction("echo ${A} ${B} ${C}")
    made = planned(step, parameters={"A": "case", "B": "case"})
    assert use(made, "A") == ("case", Origin.CASE)
    assert use(made, "C") == ("c", Origin.PLACEHOLDER)


def test_a_value_of_the_command_line_overrides_that_of_the_case() -> None:
    one = package(ShellAction("echo ${A}"))
    made = plan(one, Case(parameters={"A": "case"}), PlanOptions("local", parameters={"A": "line"}))
    assert use(made, "A") == ("line", Origin.COMMAND_LINE)
    assert command(made) == "echo line"


def test_the_environment_of_the_process_is_never_a_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "secret of the host")
    made = planned(ShellAction("echo ${API_TOKEN}"))
    assert command(made) == "echo api-token"


def test_an_event_tells_a_parameter_of_the_same_name() -> None:
    made = planned(
        ShellAction("echo ${DEPLOYMENT_NAME} in ${NAMESPACE}"), event={"deployment": "web", "namespace": "shop"}
    )
    assert command(made) == "echo web in shop"
    assert use(made, "NAMESPACE")[1] is Origin.EVENT


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLACK_WEBHOOK_URL", "https://placeholder.invalid/slack-webhook-url"),
        ("VAULT_ADDR", "https://placeholder.invalid/vault-addr"),
        ("METRICS_ENDPOINT", "https://placeholder.invalid/metrics-endpoint"),
        ("DB_HOST", "db-host.invalid"),
        ("DB_PORT", "8080"),
        ("MAX_REPLICAS", "2"),
        ("RETRY_COUNT", "2"),
        ("WAIT_SECONDS", "1"),
        ("DRAIN_TIMEOUT", "5s"),
        ("ONCALL_EMAIL", "oncall-email@placeholder.invalid"),
        ("BACKUP_DIR", "/tmp/backup-dir"),
        ("TARGET_NAMESPACE", "shop"),
        ("WORKER_IMAGE", "busybox:1.36"),
        ("IMAGE_TAG", "1.0.0"),
        ("CLUSTER_NAME", "cluster-name"),
        ("_", "placeholder"),
    ],
)
def test_a_placeholder_has_the_shape_that_its_name_asks_for(name: str, value: str) -> None:
    assert placeholder(name, namespace="shop", image="busybox:1.36") == value


def test_what_a_value_holds_is_not_filled_again() -> None:
    values = {"A": "${B}", "B": "never"}
    assert fill_text("${A}", values.get) == "${B}"


def test_an_escaped_parameter_is_left_alone() -> None:
    assert fill_text(r"\${A} $${A} ${A}", {"A": "x"}.get) == r"\${A} $${A} x"


@pytest.mark.parametrize(
    ("script", "owned"),
    [
        ('COUNT=3; echo "${COUNT}"', "COUNT"),
        ("export COUNT=3\necho ${COUNT}", "COUNT"),
        ("if COUNT=$(wc -l < /etc/hosts); then echo ${COUNT}; fi", "COUNT"),
        ("for COUNT in 1 2; do echo ${COUNT}; done", "COUNT"),
        ("while read -r COUNT; do echo ${COUNT}; done", "COUNT"),
        ("read -t 5 FIRST COUNT; echo ${COUNT}", "COUNT"),
        ("A=1 COUNT=2 sh -c true; echo ${COUNT}", "COUNT"),
        ("echo ${COUNT:-3} ${COUNT}", "COUNT"),
        ("echo ${COUNT:?is missing}", "COUNT"),
        ("echo ${COUNT%.gz} ${COUNT}", "COUNT"),
        ("printf -v COUNT %s 3; echo ${COUNT}", "COUNT"),
        ("mapfile -t COUNT < x; echo ${COUNT}", "COUNT"),
    ],
)
def test_a_name_that_the_command_gives_a_value_belongs_to_the_shell(script: str, owned: str) -> None:
    assert owned in names_of_the_shell(script)
    assert fill_shell(script, lambda name: "FILLED") == script


@pytest.mark.parametrize(
    "script",
    [
        "kubectl set env deployment/web COUNT=${COUNT}",
        "docker run -e COUNT=${COUNT} x",
        "echo COUNT=${COUNT}",
        "curl --data COUNT=${COUNT} http://x",
        "test ${COUNT} = 3",
    ],
)
def test_an_argument_that_looks_like_an_assignment_is_filled(script: str) -> None:
    assert "FILLED" in fill_shell(script, lambda name: "FILLED")


def test_a_parameter_that_is_taken_over_into_a_variable_of_the_same_name_is_filled() -> None:
    script = 'LEVEL="${LEVEL}"; echo ${LEVEL}'
    assert fill_shell(script, {"LEVEL": "7"}.get) == 'LEVEL="7"; echo ${LEVEL}'


def test_variables_of_every_shell_are_no_parameters_unless_somebody_gives_them() -> None:
    one = package(ShellAction("echo ${HOME} ${LEVEL}"))
    assert used_names(one) == ("LEVEL",)
    assert used_names(one, ["HOME"]) == ("HOME", "LEVEL")


def test_what_somebody_gave_is_in_the_environment_of_the_shell_and_placeholders_are_not() -> None:
    made = planned(ShellAction("echo ${LEVEL:-1} ${OTHER}"), parameters={"LEVEL": "7"})
    assert command(made) == "echo ${LEVEL:-1} other"
    assert made.environment == {"LEVEL": "7"}


def filled(action: KubernetesAction | ManifestAction, values: Mapping[str, str]) -> Any:
    done = fill_action(action, values.get)
    return done.options if isinstance(done, KubernetesAction) else done.manifest  # type: ignore[union-attr]


def test_a_number_is_a_number_where_kubernetes_wants_one_and_text_where_it_wants_text() -> None:
    manifest = {
        "spec": {
            "replicas": "${N}",
            "template": {"spec": {"containers": [{"env": [{"name": "N", "value": "${N}"}]}]}},
        },
        "data": {"N": "${N}", "nested": {"replicas": "${N}"}},
        "metadata": {"labels": {"n": "${N}"}, "name": "${N}"},
    }
    done = filled(ManifestAction(manifest), {"N": "3"})
    assert done["spec"]["replicas"] == 3
    assert done["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] == "3"
    assert done["data"] == {"N": "3", "nested": {"replicas": 3}}
    assert done["metadata"] == {"labels": {"n": "3"}, "name": "3"}


def test_a_merge_patch_below_data_keeps_its_numbers() -> None:
    done = filled(k8s("patch", "deployment", "web", data={"spec": {"replicas": "${N}"}}), {"N": "3"})
    assert done["data"]["spec"]["replicas"] == 3


def test_names_and_selectors_of_a_target_are_filled() -> None:
    action = fill_action(
        k8s("restart", "deployment", "${APP}", namespace="${NS}", selector="app=${APP}"),
        {"APP": "web", "NS": "shop"}.get,
    )
    assert isinstance(action, KubernetesAction)
    assert (action.reference.name, action.reference.namespace, action.reference.selector) == (
        "web",
        "shop",
        "app=web",
    )


def test_url_headers_and_payload_of_a_call_are_filled() -> None:
    call = ApiAction("${URL}/x", "POST", {"Authorization": "Bearer ${TOKEN}"}, {"count": "${N}", "list": ["${N}"]})
    done = fill_action(call, {"URL": "https://a", "TOKEN": "t", "N": "3"}.get)
    assert done == ApiAction("https://a/x", "POST", {"Authorization": "Bearer t"}, {"count": "3", "list": ["3"]})


def test_a_container_keeps_what_its_own_environment_and_script_define() -> None:
    script = "for i in 1 2; do echo ${i} ${DB} ${LEVEL}; done"
    raw = {"image": "${IMAGE}", "command": ["sh", "-c", script], "env": [{"name": "DB", "value": "${DB_NAME}"}]}
    action = ContainerAction("${IMAGE}", ("sh", "-c", script), (), {"DB": "${DB_NAME}"}, raw)
    done = fill_action(action, {"IMAGE": "a:1", "LEVEL": "7", "DB": "wrong", "i": "wrong", "DB_NAME": "shop"}.get)
    assert isinstance(done, ContainerAction)
    assert done.image == "a:1"
    assert done.command[2] == done.raw["command"][2] == "for i in 1 2; do echo ${i} ${DB} 7; done"
    assert done.env == {"DB": "shop"}
    assert done.raw["env"][0]["value"] == "shop"


def test_a_parameter_that_is_given_but_not_used_is_noted_with_the_nearest_name() -> None:
    made = planned(ShellAction("echo ${LOG_LEVEL}"), parameters={"LOG_LEVLE": "1"})
    assert any("LOG_LEVLE" in note and "did you mean LOG_LEVEL?" in note for note in made.notes)


def test_a_parameter_that_the_text_names_without_braces_counts_as_used() -> None:
    one = package(ShellAction("echo $LEVEL"), text="command: echo $LEVEL")
    made = plan(one, Case(parameters={"LEVEL": "1"}), PlanOptions("local"))
    assert not [note for note in made.notes if "LEVEL" in note]


def test_a_name_may_have_dots_and_outside_a_shell_hyphens() -> None:
    made = planned(ShellAction("echo ${event.pod} ${A-b}"), event={"pod": "web-0"})
    assert command(made) == "echo web-0 ${A-b}"
    assert fill_text("${A-b}", {"A-b": "x"}.get) == "x"
