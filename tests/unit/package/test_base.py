"""Which revision a change is held to: the newest there is, and never none where there must be one."""

import json
from pathlib import Path
from typing import Any

import pytest

from package.repositories import Folder, repository
from wpk_sandbox.errors import UnavailableError, UsageError
from wpk_sandbox.package.base import base_of, merge_parent, refuse_unsafe, told_base
from wpk_sandbox.package.discover import changed_for_event

A, B, C = "a" * 40, "b" * 40, "c" * 40
GITLAB = {"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "merge_request_event"}


def job(folder: Path, name: str, event: Any, **more: str) -> dict[str, str]:
    """The environment of a GitHub job for an event; text is written as it is."""
    path = folder / "event.json"
    path.write_text(event if isinstance(event, str) else json.dumps(event))
    return {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(path), **more}


def pull_request(base: str, head: str = B) -> dict[str, Any]:
    return {"pull_request": {"base": {"sha": base}, "head": {"sha": head}}}


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("pull_request", pull_request(A)),
        ("pull_request_review", pull_request(A)),
        ("pull_request_target", pull_request(A)),
        ("merge_group", {"merge_group": {"base_sha": A}}),
    ],
)
def test_github_tells_the_base(tmp_path: Path, name: str, event: Any) -> None:
    assert told_base(job(tmp_path, name, event)) == A


@pytest.mark.parametrize("name", ["push", "schedule", "workflow_dispatch", "release", "repository_dispatch"])
def test_a_job_that_is_about_no_proposed_change_has_none(tmp_path: Path, name: str) -> None:
    assert told_base(job(tmp_path, name, {"before": A, "inputs": None})) == ""


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("pull_request", {}),
        ("pull_request", {"pull_request": None}),
        ("pull_request", {"pull_request": {"base": "main"}}),
        ("pull_request", pull_request("main")),
        ("pull_request", pull_request("")),
        ("pull_request", []),
        ("pull_request_target", {}),
        ("merge_group", {"merge_group": {"base_sha": None}}),
        ("issue_comment", {"issue": {"pull_request": {"url": "u"}}}),
        ("workflow_run", {"workflow_run": {"event": "pull_request", "pull_requests": []}}),
        ("workflow_run", {"workflow_run": {"event": "pull_request_target"}}),
    ],
)
def test_a_change_without_a_base_is_not_decided(tmp_path: Path, name: str, event: Any) -> None:
    with pytest.raises(UnavailableError, match=f"`{name}` does not tell the base") as caught:
        told_base(job(tmp_path, name, event))
    assert "`pull_request`" in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("issue_comment", {"issue": {"number": 1}}),
        ("workflow_run", {"workflow_run": {"event": "push"}}),
    ],
)
def test_the_same_events_about_no_change_have_none(tmp_path: Path, name: str, event: Any) -> None:
    assert told_base(job(tmp_path, name, event)) == ""


def test_an_event_file_that_is_not_there_does_not_free_a_pull_request(tmp_path: Path) -> None:
    lost = {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(tmp_path / "nothing")}
    for environment in (lost, {"GITHUB_EVENT_NAME": "pull_request"}, {"GITHUB_BASE_REF": "main"}):
        with pytest.raises(UnavailableError):
            told_base(environment)


def test_an_event_that_is_not_json_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not JSON"):
        told_base(job(tmp_path, "pull_request", "{"))


@pytest.mark.parametrize(
    ("more", "base"),
    [
        ({"CI_MERGE_REQUEST_DIFF_BASE_SHA": A}, A),
        ({"CI_MERGE_REQUEST_DIFF_BASE_SHA": A, "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": B}, B),
        ({"CI_MERGE_REQUEST_DIFF_BASE_SHA": A, "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": ""}, A),
        ({"CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_SHA": C}, C),
    ],
)
def test_gitlab_tells_the_base(more: dict[str, str], base: str) -> None:
    assert told_base({**GITLAB, **more}) == base


@pytest.mark.parametrize(
    "more",
    [{}, {"CI_MERGE_REQUEST_DIFF_BASE_SHA": "HEAD"}, {"CI_PIPELINE_SOURCE": "external_pull_request_event"}],
)
def test_a_merge_request_without_a_base_is_not_decided(more: dict[str, str]) -> None:
    with pytest.raises(UnavailableError):
        told_base({**GITLAB, **more})


@pytest.mark.parametrize("source", ["push", "schedule", "web", "api"])
def test_other_pipelines_have_none(source: str) -> None:
    assert told_base({**GITLAB, "CI_PIPELINE_SOURCE": source}) == ""


@pytest.fixture
def merged(tmp_path: Path) -> Folder:
    """GitHub's merge of `feature` is checked out; `main` has gone on since `feature` began."""
    made = repository(tmp_path / "up")
    made.add("old.wpk.yaml")
    made.git("checkout", "-q", "-b", "feature")
    made.add("new.wpk.yaml")
    made.git("checkout", "-q", "main")
    made.add("meanwhile.wpk.yaml")
    made.git("checkout", "-q", "-b", "merge")
    made.git("merge", "-q", "--no-ff", "-m", "merge", "feature")
    return made


def test_the_tip_that_github_merged_into_is_newer_than_the_event(merged: Folder, tmp_path: Path) -> None:
    first, tip = merged.git("rev-parse", "main^"), merged.git("rev-parse", "main")
    event = pull_request(first, merged.git("rev-parse", "feature"))
    environment = job(tmp_path, "pull_request", event, GITHUB_SHA=merged.git("rev-parse", "HEAD"))
    assert base_of(merged.path, environment) == tip
    merged.git("checkout", "-q", "feature")
    assert base_of(merged.path, environment) == first


def test_a_merge_that_somebody_else_made_is_no_base(merged: Folder, tmp_path: Path) -> None:
    """The author merges a base of his own with the head that the event names, and the job checks out his branch."""
    base, head, github = (merged.git("rev-parse", name) for name in ("main", "feature", "merge"))
    merged.git("checkout", "-q", "-b", "forged", "main")
    merged.add("evil.wpk.yaml")
    merged.git("merge", "-q", "--no-ff", "-m", "forged", "feature")
    event = pull_request(base, head)
    environment = job(tmp_path, "pull_request", event, GITHUB_SHA=github)
    assert merge_parent(merged.path, environment, event) is None
    assert base_of(merged.path, environment) == base
    assert "evil.wpk.yaml" in changed_for_event(merged.path, environment, event).files


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("pull_request_target", pull_request(A)),
        ("workflow_run", {"workflow_run": {"event": "push"}}),
        ("issue_comment", {"issue": {"pull_request": {"url": "u"}}}),
    ],
)
def test_nothing_runs_with_the_repositorys_own_rights(tmp_path: Path, name: str, event: Any) -> None:
    with pytest.raises(UsageError, match=f"under `{name}`") as caught:
        refuse_unsafe(job(tmp_path, name, event))
    assert "on: pull_request" in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "event"),
    [("pull_request", pull_request(A)), ("push", {}), ("issue_comment", {"issue": {"number": 1}})],
)
def test_other_jobs_may_run_packages(tmp_path: Path, name: str, event: Any) -> None:
    refuse_unsafe(job(tmp_path, name, event))
    refuse_unsafe({})
