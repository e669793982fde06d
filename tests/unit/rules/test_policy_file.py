"""The policy in the settings file: what it may say, and where a mistake in it is told."""

import pytest

from wpk_sandbox.errors import SettingsError
from wpk_sandbox.finding import Finding, Severity
from wpk_sandbox.package.load import load_bytes
from wpk_sandbox.rules import cel
from wpk_sandbox.rules.check import check
from wpk_sandbox.rules.policy import Policy, decide, weighed
from wpk_sandbox.settings import resolve

PACKAGE = """\
apiVersion: v1
kind: WorkflowPackage
metadata: {name: a, version: 1.0.0, author: ""}
spec:
  runtime: {type: shell}
  handlers:
    - {name: call, type: shell, timeout: 5s, config: {command: 'rm -rf /srv/data; rm -rf /'}}
"""


def policy(text: str) -> Policy:
    return resolve(file=text.encode()).policy


def findings(text: str) -> tuple[Finding, ...]:
    (package,) = load_bytes(PACKAGE.encode(), "p.wpk.yaml").packages
    rules = policy(text)
    return weighed(check(package, rules), rules)


def refused(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        policy(text)
    return str(caught.value)


def test_a_rule_gets_the_severity_and_the_points_that_the_policy_gives_it() -> None:
    by = {each.rule: each for each in findings("policy: {severity: {shell-destroy-data: low}}\n")}
    assert (by["shell-destroy-data"].severity, by["shell-destroy-data"].points) == (Severity.LOW, 3)
    assert by["shell-destroy-system"].severity is Severity.CRITICAL


@pytest.mark.parametrize("off", ["off", '"off"', "false"])
def test_a_rule_that_is_off_finds_nothing(off: str) -> None:
    rules = {each.rule for each in findings(f"policy: {{severity: {{shell-destroy-data: {off}}}}}\n")}
    assert "shell-destroy-data" not in rules
    assert "shell-destroy-system" in rules


def test_a_critical_rule_can_be_made_high_and_blocks_no_more_by_itself() -> None:
    found = findings("policy: {severity: {shell-destroy-system: high, shell-destroy-data: off}}\n")
    assert not decide(found, Policy(), automatic=False).blocked


@pytest.mark.parametrize("severity", ["off", "medium", "low", "info"])
def test_a_critical_rule_is_not_turned_off_or_below_high(severity: str) -> None:
    told = refused(f"policy:\n  severity:\n    shell-destroy-system: {severity}\n")
    assert told.startswith(".wpk-sandbox.yaml:3:5: policy.severity: `shell-destroy-system` is critical")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("policy: {severity: {shell-destroy-dat: low}}", "did you mean `shell-destroy-data`?"),
        ("policy: {severity: {shell-destroy-data: mild}}", "'mild' is none of critical, high"),
        ("policy: {severity: {yaml-syntax: off}}", "there is no package to judge"),
        ("policy: {severity: [a]}", "is not a mapping"),
        ("policy: {required_fields: metadata.author}", "is not a list"),
        ("policy: {required_fields: ['a b']}", "is not the path of a field"),
        ("policy: {rules: [{id: our-a, when: 'true'}]}", "1:18: policy.rules: `message` is missing"),
        ("policy: {rules: [{id: A, when: 'true', message: m}]}", "is not lower-case words"),
        ("policy: {rules: [{id: our-a, when: 'true', message: m, level: low}]}", "`level` is none of id, when"),
        ("policy: {rules: [{id: our-a, when: 'metdata.x', message: m}]}", "line 1, column 8: undeclared reference"),
        ("policy: {rules: [{id: our-a, when: '1 +', message: m}]}", "Syntax error"),
        ("policy: {rules: [{id: our-a, when: '1', message: m}]}", "it gives INT"),
        ("policy: {rules: [{id: shell-destroy-data, when: 'true', message: m}]}", "one of wpk-sandbox's own rules"),
        (
            "policy: {rules: [{id: our-a, when: 'true', message: m}, {id: our-a, when: 'true', message: m}]}",
            "another rule of this policy",
        ),
        (
            "policy: {rules: [{id: our-a, when: 'true', message: m, examples: {hits: {}}}]}",
            "`hits` is none of hit, miss",
        ),
        ("policy: {waivers: [{rule: a-b}]}", "`path` is missing"),
        ("policy: {waivers: [{rule: a-b, path: a, why: b}]}", "`why` is none of rule, path"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, words: str) -> None:
    told = refused(text)
    assert words in told
    assert told.startswith(".wpk-sandbox.yaml:1:")


@pytest.mark.parametrize("field", ["metadata.author", "metadata.labels.team", "spec.monitoring"])
def test_a_required_field_is_missed_where_it_is_absent_or_empty(field: str) -> None:
    (found,) = (
        each for each in findings(f"policy: {{required_fields: [{field}]}}") if each.rule == "required-field"
    )
    assert f"`{field}` is missing" in found.message
    assert found.location.line in (3, 5)


def test_a_required_field_that_is_there_is_not_missed() -> None:
    assert "required-field" not in {each.rule for each in findings("policy: {required_fields: [metadata.name]}")}


RULE = """\
policy:
  rules:
    - id: our-shell
      when: spec.handlers.exists(each, each.type == 'shell')
      message: shell steps are not for us
      severity: critical
      fix: Use an action.
      at: spec.handlers
"""


def test_a_rule_of_the_repository_finds_points_at_and_weighs_what_it_says() -> None:
    found = findings(RULE)
    (one,) = (each for each in found if each.rule == "our-shell")
    assert (one.severity, one.points, one.fix, one.location.line) == (Severity.CRITICAL, 80, "Use an action.", 7)
    assert decide([one], Policy(), automatic=False).blocked
    assert "our-shell" not in {each.rule for each in findings(RULE.replace("'shell'", "'k8s'"))}


def test_a_rule_without_an_answer_counts_as_broken_and_says_why() -> None:
    (one,) = (each for each in findings(RULE.replace("each.type", "each.nothing")) if each.rule == "our-shell")
    assert "cannot be asked of this package: there is no `nothing`" in one.message


@pytest.mark.parametrize(
    "expression",
    [
        "spec.many.all(a, spec.many.all(b, a + b >= 0))",
        "spec.many.map(a, spec.many.map(b, a)).size() > 0",
    ],
)
def test_an_expression_that_goes_on_for_long_is_stopped(expression: str) -> None:
    with pytest.raises(cel.ExpressionError, match="more than 10,000 iterations"):
        cel.read(expression).holds({"spec": {"many": list(range(2000))}})
    assert cel.read(expression).holds({"spec": {"many": list(range(20))}})


def test_a_text_that_tortures_regular_expressions_takes_no_time() -> None:
    assert not cel.read("spec.text.matches('^(a+)+$')").holds({"spec": {"text": "a" * 60_000 + "b"}})


@pytest.mark.parametrize("value", [float("nan"), None, [], {}, "1", True])
def test_any_value_of_a_package_can_be_asked(value: object) -> None:
    assert cel.read("spec.x == 7").holds({"spec": {"x": value}}) is False


@pytest.mark.parametrize("value", [2**70, "\ud800", object()])
def test_a_value_that_the_language_does_not_have_gives_no_answer(value: object) -> None:
    with pytest.raises(cel.ExpressionError):
        cel.read("spec.x == 7").holds({"spec": {"x": value}})


def test_an_expression_that_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(cel.ExpressionError):
        cel.read("(" * 5000 + "true" + ")" * 5000)
