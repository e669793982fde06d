"""What GitHub and GitLab tell of a change, and which packages follow from it."""

from pathlib import Path
from typing import Any

import pytest

from package.repositories import Folder, repository
from wpk_sandbox.errors import UsageError
from wpk_sandbox.package.discover import Selection, changed_for_event

ZERO = "0" * 40


@pytest.fixture
def upstream(tmp_path: Path) -> Folder:
    """`feature` added one package; `main` has gone on; `pull/1/merge` is what GitHub would make of both."""
    made = repository(tmp_path / "up")
    made.add("old.wpk.yaml")
    made.git("checkout", "-q", "-b", "feature")
    made.commit("start")
    made.add("new.wpk.yaml")
    made.git("checkout", "-q", "main")
    made.add("meanwhile.wpk.yaml")
    made.git("checkout", "-q", "-b", "merge")
    made.git("merge", "-q", "--no-ff", "-m", "merge", "feature")
    made.git("checkout", "-q", "main")
    return made


def github(folder: Folder, name: str, event: dict[str, Any]) -> Selection:
    return changed_for_event(folder.path, {"GITHUB_EVENT_NAME": name}, event)


def pull_request(upstream: Folder) -> dict[str, Any]:
    base, head = upstream.git("rev-parse", "main"), upstream.git("rev-parse", "feature")
    return {"pull_request": {"base": {"sha": base, "ref": "main"}, "head": {"sha": head}}}


@pytest.mark.parametrize("depth", [["--depth", "1"], ["--depth", "2"], []])
def test_a_pull_request_whose_merge_is_checked_out(upstream: Folder, depth: list[str]) -> None:
    clone = upstream.clone("clone", *depth, "--branch", "merge", "--single-branch")
    selection = github(clone, "pull_request", pull_request(upstream))
    assert (selection.files, selection.everything) == (("new.wpk.yaml",), False)


@pytest.mark.parametrize("depth", [["--depth", "1"], []])
def test_a_pull_request_whose_head_is_checked_out(upstream: Folder, depth: list[str]) -> None:
    clone = upstream.clone("clone", *depth, "--branch", "feature", "--single-branch")
    selection = github(clone, "pull_request", pull_request(upstream))
    assert (selection.files, selection.everything) == (("new.wpk.yaml",), False)


def test_a_merge_in_the_history_of_the_head_is_not_taken_for_that_of_the_pull_request(upstream: Folder) -> None:
    upstream.git("checkout", "-q", "feature")
    upstream.git("merge", "-q", "--no-ff", "-m", "update", "main")
    selection = github(upstream, "pull_request", pull_request(upstream))
    assert selection.files == ("new.wpk.yaml",)


def test_a_merge_group(upstream: Folder) -> None:
    event = {"merge_group": {"base_sha": upstream.git("rev-parse", "main")}}
    clone = upstream.clone("clone", "--depth", "1", "--branch", "merge", "--single-branch")
    assert github(clone, "merge_group", event).files == ("new.wpk.yaml",)


def push(before: str, branch: str = "feature", **more: Any) -> dict[str, Any]:
    repository_facts = {"default_branch": "main"}
    return {"before": before, "ref": f"refs/heads/{branch}", "repository": repository_facts, **more}


def test_a_push(upstream: Folder) -> None:
    clone = upstream.clone("clone", "--depth", "1", "--branch", "feature", "--single-branch")
    selection = github(clone, "push", push(upstream.git("rev-parse", "feature^")))
    assert (selection.files, selection.everything) == (("new.wpk.yaml",), False)


@pytest.mark.parametrize("depth", [["--depth", "1"], []])
def test_a_push_of_a_new_branch_is_compared_with_the_default_branch(upstream: Folder, depth: list[str]) -> None:
    clone = upstream.clone("clone", *depth, "--branch", "feature", "--single-branch")
    selection = github(clone, "push", push(ZERO))
    assert (selection.files, selection.everything) == (("new.wpk.yaml",), False)
    assert "compared with `main`" in selection.notes[0]


def test_a_forced_push_whose_old_state_is_gone_is_compared_with_the_default_branch(upstream: Folder) -> None:
    clone = upstream.clone("clone", "--branch", "feature")
    assert github(clone, "push", push("1" * 40)).files == ("new.wpk.yaml",)


def test_a_forced_push_whose_old_state_is_still_there(upstream: Folder) -> None:
    upstream.git("checkout", "-q", "-b", "before", "feature^")
    before = upstream.add("dropped.wpk.yaml")
    clone = upstream.clone("clone", "--depth", "1", "--branch", "feature", "--single-branch")
    assert github(clone, "push", push(before)).files == ("new.wpk.yaml",)


@pytest.mark.parametrize("before", [ZERO, "1" * 40, "", "HEAD"])
def test_a_push_of_which_nothing_is_known_takes_everything(upstream: Folder, before: str) -> None:
    selection = github(upstream, "push", push(before, "main"))
    assert selection.everything
    assert selection.files == ("meanwhile.wpk.yaml", "old.wpk.yaml")


def test_a_tag_takes_everything(upstream: Folder) -> None:
    assert github(upstream, "push", {**push(ZERO), "ref": "refs/tags/v1"}).everything


def test_a_deleted_branch_has_nothing_to_try(upstream: Folder) -> None:
    selection = github(upstream, "push", push("1" * 40, deleted=True))
    assert (selection.files, selection.everything) == ((), False)


@pytest.mark.parametrize("name", ["schedule", "workflow_dispatch", "release", "issue_comment"])
def test_an_event_without_a_change_takes_everything(upstream: Folder, name: str) -> None:
    selection = github(upstream, name, {})
    assert selection.everything
    assert selection.files == ("meanwhile.wpk.yaml", "old.wpk.yaml")


@pytest.mark.parametrize("name", ["pull_request_target", "workflow_run"])
def test_events_that_carry_the_repositorys_rights_are_refused(upstream: Folder, name: str) -> None:
    with pytest.raises(UsageError, match=name) as caught:
        github(upstream, name, pull_request(upstream))
    assert "on: pull_request" in caught.value.remedy


@pytest.mark.parametrize(
    "event", [{}, {"pull_request": []}, {"pull_request": {"head": {"sha": "--x"}, "base": {"sha": "y"}}}]
)
def test_an_event_that_lacks_its_commits_is_refused(upstream: Folder, event: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="no commit"):
        github(upstream, "pull_request", event)


def gitlab(folder: Folder, **variables: str) -> Selection:
    return changed_for_event(folder.path, {"GITLAB_CI": "true", **variables}, {})


def test_a_gitlab_merge_request(upstream: Folder) -> None:
    clone = upstream.clone("clone", "--depth", "1", "--branch", "feature", "--single-branch")
    base = upstream.git("merge-base", "main", "feature")
    selection = gitlab(
        clone, CI_PIPELINE_SOURCE="merge_request_event", CI_MERGE_REQUEST_DIFF_BASE_SHA=base, CI_COMMIT_BRANCH=""
    )
    assert (selection.files, selection.everything) == (("new.wpk.yaml",), False)


def test_a_gitlab_merge_request_without_its_base_is_compared_with_its_target(upstream: Folder) -> None:
    clone = upstream.clone("clone", "--depth", "1", "--branch", "feature", "--single-branch")
    selection = gitlab(clone, CI_PIPELINE_SOURCE="merge_request_event", CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main")
    assert (selection.files, selection.everything) == (("new.wpk.yaml",), False)


@pytest.mark.parametrize("before", ["known", ZERO])
def test_a_gitlab_push(upstream: Folder, before: str) -> None:
    clone = upstream.clone("clone", "--depth", "1", "--branch", "feature", "--single-branch")
    known = upstream.git("rev-parse", "feature^") if before == "known" else before
    selection = gitlab(
        clone,
        CI_PIPELINE_SOURCE="push",
        CI_COMMIT_BEFORE_SHA=known,
        CI_COMMIT_BRANCH="feature",
        CI_DEFAULT_BRANCH="main",
    )
    assert (selection.files, selection.everything) == (("new.wpk.yaml",), False)


@pytest.mark.parametrize(
    "variables", [{"CI_PIPELINE_SOURCE": "schedule"}, {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_TAG": "v1"}]
)
def test_a_gitlab_pipeline_without_a_change_takes_everything(upstream: Folder, variables: dict[str, str]) -> None:
    assert gitlab(upstream, **variables).everything


def test_outside_of_ci_there_is_no_event(upstream: Folder) -> None:
    with pytest.raises(UsageError, match="neither GitHub Actions nor GitLab CI"):
        changed_for_event(upstream.path, {}, {})
