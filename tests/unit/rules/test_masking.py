"""Secrets stay out of what is said of a file, whoever says it."""

import pytest

from wpk_sandbox.finding import Finding
from wpk_sandbox.package.load import load_bytes
from wpk_sandbox.rules.masking import LONGEST_EXCERPT, masked

KEY = "AKIAIOSFODNN7EXAMPLQ"
HEAD = """\
apiVersion: v1
kind: WorkflowPackage
metadata: {name: good, version: 1.0.0}
spec:
  runtime: {type: shell}
  handlers:
"""


def handler(config: str) -> str:
    return f"    - name: look\n      timeout: 3s\n      type: shell\n      config: {config}\n"


def told(text: str) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """The loader's findings as they are, and masked."""
    loaded = load_bytes(text.encode(), "a.wpk.yaml")
    assert loaded.findings
    return loaded.findings, masked(loaded.findings, loaded.packages)


def test_a_secret_on_the_line_of_another_problem_is_starred() -> None:
    text = HEAD + handler(f'{{command: "true", passwrd: "{KEY}"}}')
    (raw,), (found,) = told(text)
    assert KEY in raw.excerpt
    assert found.excerpt == text.splitlines()[9].replace(KEY, "*" * len(KEY))
    assert (found.rule, found.location) == (raw.rule, raw.location)


def test_a_secret_of_a_second_package_is_starred_too() -> None:
    good = HEAD + handler('{command: "true"}')
    bad = HEAD + handler(f'{{command: "true", passwrd: "{KEY}"}}')
    _, found = told(f"{good}---\n{bad}")
    assert [KEY in each.excerpt for each in found] == [False]


def test_a_long_line_is_shown_far_enough_and_never_with_half_of_a_secret() -> None:
    pad = "x" * (LONGEST_EXCERPT - 50)
    _, (found,) = told(HEAD + handler(f'{{command: "true {pad}", passwrd: "{KEY}"}}'))
    assert len(found.excerpt) == LONGEST_EXCERPT
    assert "AKIA" not in found.excerpt
    assert found.excerpt.endswith("*")


@pytest.mark.parametrize(
    "line",
    ["password: hunter2abc", 'api_key: "hunter2abc', "DB_PASSWORD=hunter2abc", "x: {token: hunter2abc"],
)
def test_in_a_file_that_cannot_be_read_what_a_name_calls_secret_is_starred(line: str) -> None:
    (raw,), (found,) = told(f"kind: WorkflowPackage\n@{line}\n")
    assert "hunter2abc" in raw.excerpt
    assert found.excerpt == raw.excerpt.replace("hunter2abc", "*" * 10)


def test_a_line_without_a_secret_is_shown_as_it_is() -> None:
    raw, found = told(HEAD + handler('{command: "true", colour: red}'))
    assert found == raw


def test_nothing_found_is_nothing_to_mask() -> None:
    assert masked((), ()) == ()
