"""Words in another spelling are corrected in every layout, and nothing else is; what is misspelt is a person's."""

import pytest

from wpk_sandbox.package.load import load_bytes
from wpk_sandbox.rules.check import check
from wpk_sandbox.rules.edit import apply
from wpk_sandbox.rules.fixes import fixes
from wpk_sandbox.rules.policy import Policy

HEAD = "apiVersion: v1\nkind: WorkflowPackage\nmetadata: {name: sample, version: 1.0.0}\nspec:\n"
LOOK = "  handlers:\n    - {name: look, type: shell, timeout: 9s, config: {command: 'true'}}\n"
ROUNDS = 4


def once(text: str) -> str:
    loaded = load_bytes(text.encode(), "sample.wpk.yaml")
    findings = [*loaded.findings, *(each for one in loaded.packages for each in check(one, Policy()))]
    return apply(text, (edit for fix in fixes(text, loaded.packages, findings) for edit in fix.edits))


def fixed(text: str) -> str:
    """The text after as many rounds as `check --fix` makes; one more changes nothing."""
    for _ in range(ROUNDS):
        text = once(text)
    assert once(text) == text
    return text


def safety(written: str) -> str:
    return f"{HEAD}  safety: {written}\n{LOOK}"


def handler(lines: str) -> str:
    return f"{HEAD}  handlers:\n    - name: look\n      timeout: 9s\n{lines}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (safety("{mode: Auto}"), safety("{mode: auto}")),
        (safety("{mode: 'AUTO'} # why"), safety("{mode: 'auto'} # why")),
        (safety('{"mode": "Manual"}'), safety('{"mode": "manual"}')),
        (safety("{approval_required: yes}"), safety("{approval_required: true}")),
        (safety("{approval_required: 'false'}"), safety("{approval_required: false}")),
        (safety("{ approvalRequired : Yes }"), safety("{ approval_required : true }")),
        (safety("{'rollback-enabled': on}"), safety("{'rollback_enabled': true}")),
        (safety("\n    Mode: auto # as ever"), safety("\n    mode: auto # as ever")),
        (safety("{mode: &m Auto}"), safety("{mode: &m Auto}")),
        (
            handler("      type: K8S\n      config: {action: Restart, resourceType: pod, name: web}\n"),
            handler("      type: k8s\n      config: {action: restart, resource_type: pod, name: web}\n"),
        ),
        (
            handler(
                "      type: shell\n      retry: {maxAttempts: '3', backoff: 10 sec}\n      config: {command: x}\n"
            ),
            handler(
                "      type: shell\n      retry: {max_attempts: 3, backoff: 10s}\n      config: {command: x}\n"
            ),
        ),
        (
            f"{HEAD}  validation: {{schema_version: 1.10}}\n{LOOK}",
            f'{HEAD}  validation: {{schema_version: "1.10"}}\n{LOOK}',
        ),
    ],
)
def test_another_spelling_is_corrected_where_it_stands(before: str, after: str) -> None:
    assert fixed(before) == after


@pytest.mark.parametrize(
    "text",
    [
        safety("{mode: automatic}"),
        safety("{mod: auto}"),
        safety("{mode: auto, Mode: manual}"),
        safety("{approval_required: maybe}"),
        safety("{approval_required: 1}"),
        f"{HEAD.replace('name: sample', 'name: Sample')}{LOOK}",
        handler("      type: shel\n      config: {command: x}\n"),
        handler("      type: k8s\n      config: {action: kill, name: web}\n"),
        handler("      type: k8s\n      config: {action: restart, resource_type: deploymnt, name: web}\n"),
        "kind: WorkflowPackage\nkind: x\nspec: {safety: {mode: Auto}}\n",
        safety("{mode: Auto").replace(LOOK, ""),
        "\tmode: Auto\n",
    ],
)
def test_what_is_misspelt_twice_there_or_unreadable_is_left(text: str) -> None:
    assert fixed(text) == text


def test_a_value_that_another_place_refers_to_is_left_where_that_would_change() -> None:
    text = f"{HEAD}  safety: {{mode: &m Auto}}\n  monitoring: {{alerts: [*m]}}\n{LOOK}"
    assert fixed(text) == text


@pytest.mark.parametrize(
    ("from_", "to"),
    [
        ("\n", "\r\n"),
        ("      timeout: 9s\n", "      # a comment\n\n      timeout: 9s   # \ttabs\n"),
        ("look", "'look'"),
    ],
)
def test_the_layout_around_it_stays(from_: str, to: str) -> None:
    wrong = handler("      type: SHELL\n      config: {command: x}\n")
    right = handler("      type: shell\n      config: {command: x}\n")
    assert fixed(wrong.replace(from_, to)) == right.replace(from_, to)
    assert fixed(wrong.replace(from_, to).rstrip("\r\n")) == right.replace(from_, to).rstrip("\r\n")


def test_each_document_of_a_file_is_corrected_and_others_are_left() -> None:
    other = "kind: ConfigMap\nmode: Auto\n"
    text = f"{other}---\n{safety('{mode: Auto}')}---\n{safety('{mode: MANUAL}').replace('sample', 'second')}"
    right = f"{other}---\n{safety('{mode: auto}')}---\n{safety('{mode: manual}').replace('sample', 'second')}"
    assert fixed(text) == right
