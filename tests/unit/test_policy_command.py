"""`policy test` on the command line, and the CI job of a pull request from its event to its exit code."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).parent / "wpk-sandbox"
SOON = datetime.now(UTC).date() + timedelta(days=30)
RULE = """\
policy:
  rules:
    - id: our-contact
      when: "!has(metadata.author) || metadata.author == ''"
      message: nobody is named whom we could ask
      examples:
        hit: [{metadata: {name: a}}, {metadata: {author: ''}}]
        miss: {metadata: {author: ops@example.com}}
"""


def call(folder: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    foreign = ("GITHUB_", "INPUT_", "WPK_SANDBOX_", "CI")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    ended = subprocess.run(
        [PROGRAM, *arguments], cwd=folder, env=inherited | environment, capture_output=True, text=True, check=False
    )
    return ended.returncode, ended.stdout + ended.stderr


def tried(folder: Path, text: str) -> tuple[int, str]:
    (folder / ".wpk-sandbox.yaml").write_text(text)
    return call(folder, "policy", "test")


def test_a_policy_whose_examples_hold_passes(tmp_path: Path) -> None:
    code, said = tried(tmp_path, RULE)
    assert (code, said.splitlines()[-1]) == (0, "3 tried, 0 wrong")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("author: ops@example.com", "author: ''", "FAIL our-contact: miss 1 is a hit"),
        ("{author: ''}}]", "{author: x}}]", "FAIL our-contact: hit 2 is a miss"),
        ("!has(metadata.author) || ", "", "FAIL our-contact: hit 1 has no answer: there is no `author`"),
        ("        miss: {metadata: {author: ops@example.com}}\n", "", "FAIL our-contact: `examples` has no miss"),
    ],
)
def test_a_rule_that_its_examples_do_not_bear_out_fails(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in RULE
    code, said = tried(tmp_path, RULE.replace(old, new))
    assert code == 1
    assert words in said


def test_a_rule_that_cannot_be_read_is_a_mistake_in_the_settings(tmp_path: Path) -> None:
    code, said = tried(tmp_path, RULE.replace("metadata.author ==", "metdata.author =="))
    assert code == 2
    assert ".wpk-sandbox.yaml:4:7: policy.rules: the expression of `our-contact` cannot be read" in said


@pytest.mark.parametrize(
    ("further", "words"),
    [
        (f"owner: '@ops', until: {SOON}", "ok   waiver of external-call"),
        ("owner: '@ops', until: 2020-01-31", "ran out on 2020-01-31"),
        ("owner: '@ops', until: 9999-12-31", "may run for 366 at most (`policy.waiver_days`)"),
        (f"until: {SOON}", "has no owner"),
    ],
)
def test_the_waivers_of_a_policy_are_tried_too(tmp_path: Path, further: str, words: str) -> None:
    code, said = tried(tmp_path, f"policy: {{waivers: [{{rule: external-call, path: a, reason: r, {further}}}]}}\n")
    assert words in said
    assert code == (0 if words.startswith("ok") else 1)


def test_a_critical_rule_is_waived_for_one_text_in_one_file(tmp_path: Path) -> None:
    waiver = (
        "policy: {waivers: [{rule: shell-fork-bomb, path: a, reason: r, owner: '@o', until: " + f"{SOON}%s}}]}}\n"
    )
    code, said = tried(tmp_path, waiver % "")
    assert (code, "is about a critical rule" in said) == (1, True)
    assert tried(tmp_path, waiver % ", text: bomb")[0] == 0


def test_the_job_of_a_hostile_pull_request_fails_and_says_what_it_changed(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    root.mkdir()
    identity = ["-c", "user.name=t", "-c", "user.email=t@t.example"]

    def git(*arguments: str) -> str:
        argv = ["git", *identity, *arguments]
        return subprocess.run(argv, cwd=root, capture_output=True, text=True, check=True).stdout.strip()

    def commit() -> str:
        git("add", "-A")
        git("commit", "-qm", "change")
        return git("rev-parse", "HEAD")

    look = "    - {name: look, type: shell, timeout: 5s, config: {command: uptime}}\n"
    head = "apiVersion: v1\nkind: WorkflowPackage\nmetadata: {name: a, version: 1.0.0}\nspec:\n  runtime: {type: shell}\n"
    git("init", "-q")
    (root / "a.wpk.yaml").write_text(head + "  handlers:\n" + look)
    base = commit()
    allow = f"    # wpk-sandbox: allow shell-destroy-system -- trust me (until {SOON}, @me)\n"
    wipe = allow + look.replace("look", "wipe").replace("uptime", "rm -rf /")
    (root / "a.wpk.yaml").unlink()
    (root / "b.wpk.yaml").write_text(head + "  handlers:\n" + look + wipe)
    (root / ".wpk-sandbox.yaml").write_text("policy: {block_from: 101, severity: {shell-destroy-system: high}}\n")
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"base": {"sha": base}, "head": {"sha": commit()}}}))
    environment = {
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_WORKSPACE": str(root),
    }
    code, said = call(root, "check", **environment)
    assert (code, "risk 0 → 90, block\n  step `wipe` is new (shell-destroy-system)\n" in said) == (1, True)
    assert call(root, "check")[0] == 0  # the checkout's own policy and comment, which count for nobody else
    code, said = call(root, "ci", "--sandbox", "local", **environment)
    assert code == 1
    assert "Risk      0 → 90: step `wipe` is new (shell-destroy-system); waiver-refused is new" in said
    (package,) = json.loads((root / "wpk-sandbox-report/result.json").read_text())["packages"]
    assert (package["decision"]["outcome"], package["base_risk"], package["steps"]) == ("block", 0, [])
