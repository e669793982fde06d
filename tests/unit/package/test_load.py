"""What authors write becomes facts; what they write wrongly becomes a finding where it stands."""

import hashlib

import pytest

from package.text_of import PACKAGE, changed, found, load, package
from wpk_sandbox.finding import Severity
from wpk_sandbox.package import package as facts
from wpk_sandbox.package.package import Retry, RuntimeType, UnknownAction


def test_a_correct_package_has_no_findings() -> None:
    assert load(PACKAGE).findings == ()


def test_dialect_a_handlers_are_one_step_of_the_same_name() -> None:
    logs, restart, notify, _ = package().handlers
    assert [step.name for step in logs.steps] == ["collect-logs"]
    assert logs.steps[0].action == facts.KubernetesAction(
        "logs", facts.Reference("deployment", "web"), {"lines": 100}
    )
    assert (logs.steps[0].timeout, logs.pointer) == (60.0, "/spec/handlers/0")
    assert restart.steps[0].retry == Retry(3, 10.0)
    assert restart.steps[0].action.reference.selector == "app=web,tier=front"
    assert notify.steps[0].action == facts.ApiAction(
        "https://example.com/x", "POST", {"X-Try": "1"}, None, (200, 202)
    )


def test_dialect_b_handlers_are_their_steps() -> None:
    verify = package().handlers[3]
    assert (verify.timeout, [step.name for step in verify.steps]) == (
        300.0,
        ["check", "compact", "roll", "sign-off"],
    )
    check, compact, roll, sign_off = verify.steps
    assert check.action == facts.ShellAction("curl -fs http://web/healthz")
    assert check.timeout == 30.0
    assert compact.action.command == ("vacuumdb", "-a")
    assert compact.action.env == {"A": "1"}
    assert roll.action.manifest["kind"] == "ConfigMap"
    assert sign_off.action == facts.ManualAction()
    assert roll.pointer == "/spec/handlers/3/steps/2"


def test_the_rest_of_a_package_is_read() -> None:
    read = package()
    assert (read.name, read.version, read.author) == ("restart-web", "1.2.0", "platform@example.com")
    assert read.tags == ("kubernetes", "restart")
    assert read.runtime == facts.Runtime(RuntimeType.K8S, "1.28+", {"cpu": "100m", "memory": "128Mi"})
    assert read.safety == facts.Safety("manual", True, True, True)
    assert read.triggers[0].type == "webhook"
    assert read.triggers[0].config["condition"] == "up == 0"
    assert read.rollback.enabled
    assert read.rollback.handlers[0].steps[0].action.options == {"revision": "previous"}
    assert read.required_permissions == ("deployments/get", "pods/list")
    assert read.resource_limits == {"cpu": "500m"}
    assert read.monitoring["logging_level"] == "info"
    assert read.digest == hashlib.sha256(PACKAGE.encode()).hexdigest()


@pytest.mark.parametrize(("written", "read"), [("kubernetes", "k8s"), ("container", "docker"), ("shell", "shell")])
def test_older_runtime_types_are_read_as_the_newer_ones(written: str, read: str) -> None:
    text = changed("type: k8s\n    version", f"type: {written}\n    version")
    assert package(text).runtime.type == read
    assert load(text).findings == ()


# Text to change, what to write instead, the rule, its place, and a part of what is said.
MISTAKES = [
    ("action: restart", "action: restrat", "unknown-action", "31:24", "did you mean `restart`?"),
    ("lines: 100", "lines: -1", "invalid-value", "27:16", "a whole number from 1"),
    ("lines: 100", "lins: 100", "unknown-field", "27:9", "did you mean `lines`?"),
    ("timeout: 60s", "tiemout: 60s", "unknown-field", "28:7", "did you mean `timeout`?"),
    ("timeout: 60s", "timeout: 5 minutes", "invalid-value", "28:16", "write 30s, 5m or 1h30m"),
    ("timeout: 60s", "timeout: -5", "invalid-value", "28:16", "not a duration"),
    ("timeout: 60s", "timeout: 1e300", "invalid-value", "28:16", "a year"),
    ("backoff: 10s", "backoff: soon", "invalid-value", "32:41", "not a duration"),
    ("max_attempts: 3", "max_attempts: 0", "invalid-value", "32:29", "at least 1"),
    ("name: restart-web", "name: Restart_Web", "invalid-value", "4:9", "lower-case"),
    ("version: 1.2.0", "version: 1.2", "invalid-value", "5:12", "semantic version"),
    ("version: 1.2.0", "version: v1.2.0", "invalid-value", "5:12", "semantic version"),
    ("cpu: 100m", "cpu: 1e999", "invalid-value", "15:25", "'1e999'"),
    ("tags: [kubernetes, restart]", "¹: x", "unknown-field", "9:3", "takes no field `¹`"),
    ("cpu: 100m", "cpu: lots", "invalid-value", "15:25", "not a quantity"),
    ('"1.28+"', "1.28", "invalid-value", "14:14", "must be a text, not `1.28`"),
    ('"2025-01-15T10:00:00Z"', "yesterday", "invalid-value", "8:12", "ISO 8601"),
    ("mode: manual", "mode: automatic", "invalid-value", "16:18", "did you mean `auto`?"),
    ("approval_required: true, dry", "approval_required: yes, dry", "invalid-value", "16:45", "`true` or `false`"),
    ("type: webhook", "type: cron", "unknown-type", "18:13", "did you mean `schedule`?"),
    (
        "resource_type: deployment",
        "resource_type: deplyment",
        "unknown-type",
        "25:24",
        "did you mean `deployment`?",
    ),
    ("type: api", "type: http", "unknown-type", "34:13", "did you mean `api`?"),
    ("method: post", "method: fetch", "invalid-value", "35:54", "GET"),
    ("expected_status: [200, 202]", "expected_status: 2000", "invalid-value", "35:98", "100 to 599"),
    ("shell: {command", "shell: {cmd", "incomplete-part", "40:11", "lacks `command`"),
    (
        'shell: {command: "curl -fs http://web/healthz"}',
        "shell: {command: [a]}",
        "invalid-value",
        "40:28",
        "a text",
    ),
    ("manual: true", "manal: true", "unknown-action", "47:11", "did you mean `manual`?"),
    ("manual: true", "manual: false", "incomplete-part", "46:11", "asks no person"),
    ("          manual: true\n", "", "incomplete-part", "46:11", "does nothing"),
    ("          manual: true\n", "          type: shell\n", "unknown-action", "47:11", "a step does not take"),
    (
        "container: {",
        "shell: {command: a}\n          container: {",
        "ambiguous-step",
        "42:11",
        "`shell` and `container`",
    ),
    ("action: rollback, ", "", "incomplete-part", "53:9", "lacks `action`"),
    ("action: restart", "action: scale", "incomplete-part", "31:7", "neither `replicas` nor `scale_factor`"),
    (
        "- name: notify\n      type",
        "- name: notify\n      tpye",
        "incomplete-part",
        "33:7",
        "neither `type` nor `steps`",
    ),
    ("- name: collect-logs\n      type", "- type", "incomplete-part", "21:7", "lacks `name`"),
    ("logging_level: info", "logging_level: verbose", "invalid-value", "58:54", "debug, info, warn, error"),
    ("tags: [kubernetes, restart]", "tags: kubernetes", "invalid-value", "9:9", "must be a list"),
    ("selector: {app: web, tier: front}", "selector: [app]", "invalid-value", "31:43", "labels"),
]


@pytest.mark.parametrize(("old", "new", "rule", "place", "says"), MISTAKES)
def test_a_mistake_is_found_where_it_stands_and_the_package_still_loads(
    old: str, new: str, rule: str, place: str, says: str
) -> None:
    loaded = load(changed(old, new))
    assert (rule, place) in found(loaded)
    finding = next(f for f in loaded.findings if f.rule == rule)
    assert says in finding.message
    assert finding.fix
    assert finding.excerpt == changed(old, new).splitlines()[finding.location.line - 1]
    assert finding.severity is Severity.MEDIUM
    assert len(loaded.packages) == 1


# Text to change, what to write instead, the rule, its place.
FATAL = [
    ("apiVersion: v1", "apiVersion: v2", "wrong-api-version", "1:13"),
    ("apiVersion: v1", "apiVersion: 1", "wrong-api-version", "1:13"),
    ("apiVersion: v1\n", "", "missing-field", "1:1"),
    ("kind: WorkflowPackage", "kind: Workflowpackage", "not-a-package", "2:7"),
    ("kind: WorkflowPackage", "kind: WorkflowPackages", "not-a-package", "2:7"),
    ("kind: WorkflowPackage", "kind: Deployment", "not-a-package", "2:7"),
    ("kind: WorkflowPackage\n", "", "not-a-package", "1:1"),
    ("  name: restart-web\n", "", "missing-field", "3:1"),
    ("name: restart-web", "name:", "missing-field", "4:8"),
    ("name: restart-web", "name: [a]", "missing-field", "4:9"),
    ("  handlers:\n", "  handler:\n", "missing-field", "11:1"),
    ("spec:\n", "spec: []\nspecs:\n", "wrong-structure", "11:7"),
    ("metadata:\n", "metadata: x\nmeta:\n", "wrong-structure", "3:11"),
    ("  handlers:\n", "  handlers: {}\n  x:\n", "wrong-structure", "20:13"),
    ("  handlers:\n", "  handlers: []\n  x:\n", "missing-field", "20:13"),
]


@pytest.mark.parametrize(("old", "new", "rule", "place"), FATAL)
def test_what_a_package_cannot_do_without_leaves_no_package(old: str, new: str, rule: str, place: str) -> None:
    loaded = load(changed(old, new))
    assert (rule, place) in found(loaded)
    assert loaded.packages == ()
    assert any(finding.severity is Severity.HIGH for finding in loaded.findings)


UNFIT = [
    ("action: restart", "action: restrat"),
    ("action: restart", "action: [restart]"),
    ("config: {action: restart, selector: {app: web, tier: front}}", "config: restart"),
    ("type: k8s\n      config: {action: restart", "type: k9s\n      config: {action: restart"),
    ("selector: {app: web, tier: front}", "grace_period: long"),
]


@pytest.mark.parametrize(("old", "new"), UNFIT)
def test_a_step_that_is_not_understood_is_kept_as_unknown_and_its_neighbours_as_they_are(
    old: str, new: str
) -> None:
    steps = package(changed(old, new)).steps
    assert isinstance(steps[1].action, UnknownAction)
    assert steps[1].action.reason
    assert steps[1].name == "restart"
    assert [step.action for step in steps if step.name != "restart"] == [
        step.action for step in package().steps if step.name != "restart"
    ]


BESIDE = [
    ("timeout: 60s", "timeout: never"),
    ("lines: 100", "lines: 100\n        surprise: 1"),
    ("- name: collect-logs", "- name: 7"),
    ("max_attempts: 3", "max_attempts: many"),
]


@pytest.mark.parametrize(("old", "new"), BESIDE)
def test_a_mistake_beside_the_action_does_not_stop_the_step(old: str, new: str) -> None:
    text = changed(old, new)
    assert load(text).findings
    assert not [step for step in package(text).steps if isinstance(step.action, UnknownAction)]


def test_an_unfit_timeout_or_retry_has_its_default() -> None:
    step = package(changed("timeout: 60s", "timeout: never")).steps[0]
    assert step.timeout is None
    step = package(changed("max_attempts: 3", "max_attempts: 1000")).steps[1]
    assert step.retry == Retry(1, 10.0)


def test_parameters_may_stand_for_numbers_and_truth_values() -> None:
    text = changed("lines: 100", 'lines: "${LINES}"\n        previous: "${BEFORE}"')
    assert load(text).findings == ()
    assert package(text).steps[0].action.options == {"lines": "${LINES}", "previous": "${BEFORE}"}


def test_a_parameter_in_the_name_of_a_kind_is_left_for_the_plan() -> None:
    assert load(changed("resource_type: deployment", 'resource_type: "${KIND}"')).findings == ()


@pytest.mark.parametrize("replicas", ["3", "original", '"${COUNT}"'])
def test_replicas_may_be_a_number_original_or_a_parameter(replicas: str) -> None:
    assert load(changed("action: restart", f"replicas: {replicas}, action: scale")).findings == ()


def test_handlers_without_a_name_are_called_by_their_number() -> None:
    text = changed("- name: collect-logs\n      type", "- type")
    assert package(text).handlers[0].name == "handler-1"


def test_documents_of_other_kinds_beside_a_package_are_ordinary() -> None:
    loaded = load(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\n---\n{PACKAGE}---\n{PACKAGE}")
    assert loaded.findings == ()
    assert [(p.document.index, p.name) for p in loaded.packages] == [(1, "restart-web"), (2, "restart-web")]
    assert loaded.packages[1].document.locate("/metadata/name").line == 4 + PACKAGE.count("\n") + 1 + 4


def test_a_near_miss_beside_a_package_is_found() -> None:
    loaded = load(f"{PACKAGE}---\nkind: WorkflowPakage\n")
    assert len(loaded.packages) == 1
    assert found(loaded) == [("not-a-package", "60:7")]


def test_a_wrong_document_does_not_take_its_neighbour_with_it() -> None:
    loaded = load(f"{PACKAGE}---\na: 1\na: 2\n")
    assert len(loaded.packages) == 1
    assert found(loaded) == [("yaml-duplicate-key", "61:1")]


def test_anchors_used_as_plain_references_are_ordinary() -> None:
    text = changed("timeout: 60s", "timeout: &t 60s").replace("timeout: 30s", "timeout: *t")
    assert load(text).findings == ()
    assert package(text).handlers[3].steps[0].timeout == 60.0


def test_a_thousand_problems_are_cut_to_a_hundred() -> None:
    fields = "".join(f"  field{number}: 1\n" for number in range(1000))
    loaded = load(changed("spec:\n", f"spec:\n{fields}"))
    assert len(loaded.findings) == 100
    assert loaded.findings[-1].rule == "too-many-problems"
    assert "901 further" in loaded.findings[-1].message
