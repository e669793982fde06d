"""The commands in the job of a hostile pull request, from the event to the exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pull_requests import HARMLESS, POLICY, WIPE, PullRequest, handler, package

PROGRAM = Path(sys.executable).parent / "wpk-sandbox"
CLEAN = "ops/clean.wpk.yaml"
LOOK = package(handler("look", HARMLESS))
WIPES = package(handler("wipe", WIPE))
FOREIGN = ("GITHUB_", "INPUT_", "WPK_SANDBOX_", "CI", "GITLAB")


def call(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a command says and ends with, in a folder and nothing but this of a CI system's environment."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    argv = [str(PROGRAM), *arguments]
    return subprocess.run(
        argv, cwd=folder, env={**clean, **environment}, capture_output=True, text=True, check=False
    )


@pytest.fixture
def change(tmp_path: Path) -> PullRequest:
    return PullRequest(tmp_path)


def test_changed_goes_by_the_patterns_of_the_base(change: PullRequest) -> None:
    base = change.commit({CLEAN: LOOK})
    change.commit({POLICY: "discover: {patterns: [none]}\n", CLEAN: WIPES})
    assert call(change.root, "changed", **change.environment(base)).stdout == f"{CLEAN}\n"


def test_changed_fails_for_what_it_cannot_list(change: PullRequest) -> None:
    base = change.commit({CLEAN: LOOK, "ops/b.wpk.yaml": LOOK.replace("clean-up", "b")})
    (change.root / CLEAN).unlink()
    (change.root / CLEAN).symlink_to("/etc/passwd")
    change.commit({"ops/b.wpk.yaml": None, "ops/b.txt": LOOK.replace("clean-up", "b")})
    listed = call(change.root, "changed", **change.environment(base))
    assert (listed.returncode, listed.stdout) == (1, "")
    assert all(rule in listed.stderr for rule in ("file-link", "package-hidden"))
    document = json.loads(call(change.root, "changed", "--format", "json", **change.environment(base)).stdout)
    assert [each.split(": ")[1] for each in document["findings"]] == ["file-link", "package-hidden"]


def test_changed_gives_each_name_one_line_that_is_no_option_and_no_command(change: PullRequest) -> None:
    base = change.commit({CLEAN: LOOK})
    names = ["-rf.wpk.yaml", "a\n::set-output name=x::y.wpk.yaml", "\x1b[2J.wpk.yaml"]
    change.commit(dict.fromkeys(names, LOOK))
    listed = call(change.root, "changed", **change.environment(base)).stdout
    assert listed.splitlines() == [
        "\\x1b[2J.wpk.yaml",
        "./-rf.wpk.yaml",
        "a\\n::set-output name=x::y.wpk.yaml",
    ]


def test_no_name_of_a_file_speaks_to_the_runner(change: PullRequest) -> None:
    base = change.commit({CLEAN: LOOK})
    change.commit({"a\n::set-output name=x::y.wpk.yaml": WIPES, "##[set-env name=A]b.wpk.yaml": WIPES})
    for command in ("check", "plan"):
        said = call(change.root, command, **change.environment(base))
        lines = (said.stdout + said.stderr).splitlines()
        assert any("set-output" in line for line in lines)
        assert [line for line in lines if line.lstrip().startswith("::") or "##[" in line] == []


@pytest.mark.parametrize("command", [["run", CLEAN], ["ci", CLEAN], ["ci"]])
def test_nothing_is_run_with_the_repositorys_own_rights(change: PullRequest, command: list[str]) -> None:
    base = change.commit({CLEAN: LOOK})
    change.commit({CLEAN: WIPES})
    environment = change.environment(base) | {"GITHUB_WORKSPACE": str(change.root)}
    refused = call(change.root, *command, **environment | {"GITHUB_EVENT_NAME": "pull_request_target"})
    assert refused.returncode == 2
    assert "with the repository's own rights" in refused.stderr
    looked_at = call(change.root, *command, **environment)
    assert (looked_at.returncode, "shell-destroy-system" in looked_at.stdout) == (1, True)


def test_check_holds_the_change_to_its_base_under_pull_request_target_too(change: PullRequest) -> None:
    base = change.commit({POLICY: "policy: {fail_on: review}\n", CLEAN: LOOK})
    change.commit({POLICY: "policy: {fail_on: block}\n", CLEAN: package(handler("purge", "rm -rf /srv/data"))})
    environment = change.environment(base) | {"GITHUB_EVENT_NAME": "pull_request_target"}
    assert call(change.root, "check", **environment).returncode == 1
    assert call(change.root, "check").returncode == 0


@pytest.mark.parametrize("command", ["check", "ci", "changed", "plan"])
def test_a_clone_without_the_base_decides_nothing_and_says_what_to_do(
    change: PullRequest, tmp_path: Path, command: str
) -> None:
    base = change.commit({CLEAN: LOOK})
    change.commit({POLICY: "policy: {block_from: 999}\n", CLEAN: WIPES})
    environment = change.environment(base)
    clone = tmp_path / "clone"
    change.git("clone", "-q", "--depth", "1", change.root.as_uri(), str(clone))
    change.git("-C", str(clone), "remote", "remove", "origin")
    said = call(clone, command, **environment | {"GITHUB_WORKSPACE": str(clone)})
    assert (said.returncode, f"the settings of the base {base[:12]} cannot be read" in said.stderr) == (3, True)
    assert "`fetch-depth: 0`" in said.stderr


def test_a_shallow_clone_that_can_fetch_the_base_is_held_to_it(change: PullRequest, tmp_path: Path) -> None:
    base = change.commit({POLICY: "policy: {fail_on: review}\n", CLEAN: LOOK})
    change.git("checkout", "-q", "-b", "feature")
    head = change.commit({POLICY: "", CLEAN: package(handler("purge", "rm -rf /srv/data"))})
    change.git("checkout", "-q", "-b", "merge", base)
    change.git("merge", "-q", "--no-ff", "-m", "merge", "feature")
    merge = change.git("rev-parse", "HEAD")
    clone = tmp_path / "clone"
    change.git("clone", "-q", "--depth", "1", "--branch", "merge", change.root.as_uri(), str(clone))
    environment = change.environment(base, head) | {"GITHUB_SHA": merge}
    assert call(clone, "changed", **environment).stdout == f"{CLEAN}\n"
    assert call(clone, "check", **environment).returncode == 1
    assert call(clone, "check").returncode == 0


def test_paths_that_no_longer_name_a_package_do_not_pass(change: PullRequest) -> None:
    base = change.commit({CLEAN: LOOK})
    change.commit({CLEAN: None, "kept/clean.txt": WIPES})
    environment = change.environment(base) | {"GITHUB_WORKSPACE": str(change.root)}
    for paths in ("ops/*.wpk.yaml", "."):
        said = call(change.root, "ci", **environment | {"INPUT_PATHS": paths})
        assert (said.returncode, "there is no package to look at" in said.stderr) == (2, True)


def test_a_change_of_the_policy_is_told_to_its_reviewers(change: PullRequest) -> None:
    base = change.commit({CLEAN: LOOK})
    change.commit({CLEAN: LOOK + "\n"})
    assert "until this is merged" not in call(change.root, "check", **change.environment(base)).stderr
    change.commit({POLICY: "policy: {fail_on: nobody}\n"})
    said = call(change.root, "check", **change.environment(base)).stderr
    assert "`.wpk-sandbox.yaml` is changed here; until this is merged, that of the base counts" in said
    assert "as it is changed here, it cannot be used: .wpk-sandbox.yaml:1:10" in said


def test_the_note_on_the_policy_shows_no_file_of_the_runner(change: PullRequest, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("hunter2: {}\n")
    base = change.commit({CLEAN: LOOK})
    (change.root / POLICY).symlink_to("../secret.yaml")
    change.commit()
    said = call(change.root, "check", **change.environment(base))
    assert "hunter2" not in said.stdout + said.stderr


def test_reports_do_not_follow_a_link_out_of_the_repository(change: PullRequest, tmp_path: Path) -> None:
    base = change.commit({CLEAN: LOOK})
    (tmp_path / "outside").mkdir()
    (change.root / "wpk-sandbox-report").symlink_to("../outside")
    change.commit({CLEAN: WIPES})
    environment = change.environment(base) | {"GITHUB_WORKSPACE": str(change.root)}
    said = call(change.root, "ci", **environment)
    assert (said.returncode, "leads out of the repository" in said.stderr) == (2, True)
    assert list((tmp_path / "outside").iterdir()) == []
    (change.root / "wpk-sandbox-report").unlink()
    assert call(change.root, "ci", **environment).returncode == 1
    assert (change.root / "wpk-sandbox-report" / "result.json").is_file()


def test_the_words_of_the_summary_are_the_bases(change: PullRequest, tmp_path: Path) -> None:
    settings, template = "report: {templates: words}\n", "words/summary.md.j2"
    base = change.commit({POLICY: settings, template: "ours: {{ result.verdict }}\n", CLEAN: LOOK})
    change.commit({CLEAN: WIPES})
    environment = change.environment(base) | {"GITHUB_WORKSPACE": str(change.root)}
    summary = change.root / "wpk-sandbox-report" / "summary.md"
    call(change.root, "ci", **environment)
    assert summary.read_text() == "ours: fail\n"
    summary.unlink()
    change.commit({template: "all is well\n"})
    said = call(change.root, "ci", **environment)
    assert "`words` is changed here, so the summary is the built-in one" in said.stdout
    assert "all is well" not in summary.read_text()


def test_a_package_outside_of_the_repository_is_checked_where_it_is(change: PullRequest, tmp_path: Path) -> None:
    change.commit({CLEAN: LOOK})
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.wpk.yaml").write_text(WIPES)
    (outside / "b.wpk.yaml").symlink_to("/etc/passwd")
    for path in (str(outside / "a.wpk.yaml"), "../outside/a.wpk.yaml"):
        said = call(change.root, "check", path)
        assert (said.returncode, "shell-destroy-system" in said.stdout) == (1, True)
    led_out = call(change.root, "check", str(outside / "b.wpk.yaml"))
    assert (led_out.returncode, "file-outside-repository" in led_out.stdout) == (1, True)
