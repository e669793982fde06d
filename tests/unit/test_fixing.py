"""`check --fix`: the files are corrected, or the correction is shown."""

import os
import subprocess
from pathlib import Path

import pytest
import test_cli

from wpk_sandbox import fixing

Call = test_cli.Call
GOOD = test_cli.GOOD
call = test_cli.call

WRONG = GOOD.replace("- name: look", "- name: look  # the first\n      timeout: 30").replace(
    "type: shell}", "type: shell, version: v1.28+}"
)
RIGHT = WRONG.replace("timeout: 30", "timeout: 30s").replace("v1.28+", '"1.28+"')


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    path = tmp_path / "wrong.wpk.yaml"
    path.write_text(WRONG)
    return path


def test_the_file_is_corrected_and_checked_again(call: Call, wrong: Path) -> None:
    ended = call("check", "--fix", wrong.name)
    assert ended.code == 0
    assert wrong.read_text() == RIGHT
    assert "wrong.wpk.yaml:8:16: fixed duration-unit: `30` is `30s`\n" in ended.out
    assert "2 fixed in 1 file\n" in ended.out
    assert ended.out.endswith("1 package checked, 0 findings\n")


def test_a_second_time_there_is_nothing_to_do(call: Call, wrong: Path) -> None:
    call("check", "--fix", wrong.name)
    before = wrong.stat()
    assert "fixed" not in call("check", "--fix", wrong.name).out
    assert (wrong.stat().st_ino, wrong.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_what_was_fixed_is_no_part_of_a_form_for_programs(call: Call, wrong: Path) -> None:
    ended = call("check", "--fix", wrong.name, "--format", "json")
    assert ended.out.startswith("{")
    assert "2 fixed in 1 file" in ended.err


def test_the_diff_changes_nothing_and_is_a_patch(call: Call, wrong: Path, tmp_path: Path) -> None:
    ended = call("check", "--fix", "--diff", wrong.name)
    assert ended.code == 1
    assert wrong.read_text() == WRONG
    assert ended.out.startswith("--- a/wrong.wpk.yaml\n+++ b/wrong.wpk.yaml\n")
    subprocess.run(["git", "apply", "-"], input=ended.out, text=True, cwd=tmp_path, check=True)
    assert wrong.read_text() == RIGHT


def test_a_file_without_a_last_line_end_keeps_being_one(call: Call, wrong: Path, tmp_path: Path) -> None:
    flow = '{command: "echo ${WORD:-none}"}\n'
    wrong.write_text(WRONG.replace(flow, "\n        command: 'true'"))
    ended = call("check", "--fix", "--diff", wrong.name)
    subprocess.run(["git", "apply", "-"], input=ended.out, text=True, cwd=tmp_path, check=True)
    assert "30s" in wrong.read_text()
    assert not wrong.read_text().endswith("\n")


def test_without_anything_to_fix_the_diff_is_empty(call: Call, wrong: Path) -> None:
    wrong.write_text(RIGHT)
    ended = call("check", "--fix", "--diff", wrong.name)
    assert (ended.code, ended.out) == (0, "")


def test_a_diff_without_fix_is_a_usage_error(call: Call, wrong: Path) -> None:
    ended = call("check", "--diff", wrong.name)
    assert ended.code == 2
    assert "--fix --diff" in ended.err


def test_the_mode_of_the_file_is_kept(call: Call, wrong: Path) -> None:
    wrong.chmod(0o640)
    call("check", "--fix", wrong.name)
    assert wrong.read_text() == RIGHT
    assert wrong.stat().st_mode & 0o7777 == 0o640


def test_a_link_stays_a_link_and_its_target_is_corrected(call: Call, wrong: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.wpk.yaml"
    link.symlink_to(wrong.name)
    call("check", "--fix", link.name)
    assert link.is_symlink()
    assert wrong.read_text() == RIGHT


def test_nothing_is_left_beside_the_file(call: Call, wrong: Path, tmp_path: Path) -> None:
    call("check", "--fix", wrong.name)
    assert os.listdir(tmp_path) == [wrong.name]


def test_a_file_that_changes_meanwhile_is_left(
    call: Call, wrong: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, apply = WRONG + "# theirs\n", fixing.apply

    def meanwhile(text: str, edits: object) -> str:
        wrong.write_text(theirs)
        return apply(text, edits)  # type: ignore[arg-type]

    monkeypatch.setattr(fixing, "apply", meanwhile)
    ended = call("check", "--fix", wrong.name)
    assert ended.code == 2
    assert "was changed while it was being fixed" in ended.err
    assert wrong.read_text() == theirs
    assert os.listdir(tmp_path) == [wrong.name]


def test_a_missing_timeout_gets_the_one_of_the_settings(call: Call, wrong: Path, tmp_path: Path) -> None:
    (tmp_path / ".wpk-sandbox.yaml").write_text("timeouts: {handler: 90s}\n")
    wrong.write_text(GOOD)
    call("check", "--fix", wrong.name)
    assert wrong.read_text() == GOOD.replace("- name: look\n", "- name: look\n      timeout: 90s\n")


def test_the_diff_does_not_speak_to_the_runner(call: Call, wrong: Path) -> None:
    wrong.write_text(WRONG.replace("      config:", "      # ##[error]x\n      config:"))
    shown = call("check", "--fix", "--diff", wrong.name).out
    assert "##[error]" not in shown
    assert shown.startswith("--- a/")


def test_a_file_that_cannot_be_read_is_reported_as_ever(call: Call, wrong: Path) -> None:
    wrong.write_bytes(b"kind: \xff\n")
    ended = call("check", "--fix", wrong.name)
    assert ended.code == 1
    assert "yaml-encoding" in ended.out


def test_check_says_how_many_findings_it_could_fix(call: Call, wrong: Path) -> None:
    wrong.write_text(GOOD)
    assert call("check", wrong.name).out.endswith("1 finding, 1 of them for `--fix`\n")
    assert call("check", "--fix", wrong.name).out.endswith("1 package checked, 0 findings\n")


SECRET = "ghp_8Gk2LwQx9RtYv3BnMz7CpHd5SjFa1Ue6Xo4W"
WITH_SECRET = f"""\
apiVersion: v1
kind: WorkflowPackage
metadata: {{name: s, version: 1.0.0}}
spec:
  runtime: {{type: shell}}
  handlers:
    - name: x
      type: shell
      config:
        command: "curl -H 'X: {SECRET}' http://a.svc"
"""


def test_the_diff_shows_no_secret_beside_what_it_corrects(call: Call, tmp_path: Path) -> None:
    (tmp_path / "s.wpk.yaml").write_text(WITH_SECRET)
    shown = call("check", "--fix", "--diff", "s.wpk.yaml").out
    assert "+      timeout: 5m\n" in shown
    assert "-H 'X: ***" in shown
    assert SECRET not in shown


def test_a_fixed_file_keeps_its_secrets(call: Call, tmp_path: Path) -> None:
    (tmp_path / "s.wpk.yaml").write_text(WITH_SECRET)
    said = call("check", "--fix", "s.wpk.yaml")
    assert SECRET in (tmp_path / "s.wpk.yaml").read_text()
    assert SECRET not in said.out + said.err
