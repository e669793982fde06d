"""The revision that a change is measured against, as the CI system tells it.

A pull request without a base would be held to its own policy. So where there must be one and none is told, nothing
is decided.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wpk_sandbox.errors import UnavailableError, UsageError
from wpk_sandbox.package.repository import Repository, is_hash

PULL_REQUEST = frozenset({"pull_request", "pull_request_review", "pull_request_review_comment"})
# These run with the base repository's secrets and token: to run the head's runbooks there gives both away.
# https://securitylab.github.com/resources/github-actions-preventing-pwn-requests/
_UNSAFE = frozenset({"pull_request_target", "workflow_run"})
# GitLab tells the target's tip in merged results pipelines only; where the branch began is older than that, and may
# hold an older policy. https://docs.gitlab.com/ci/variables/predefined_variables/
_GITLAB_BASES = (
    "CI_MERGE_REQUEST_TARGET_BRANCH_SHA",
    "CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_SHA",
    "CI_MERGE_REQUEST_DIFF_BASE_SHA",
)
_GITLAB_CHANGES = frozenset({"merge_request_event", "external_pull_request_event"})


def told_base(environment: Mapping[str, str]) -> str:
    """The hash that the CI system calls the base; nothing for a job that is about no proposed change.

    Raises `errors.UnavailableError` for a job that is about one, and does not tell.
    """
    name = environment.get("GITHUB_EVENT_NAME", "")
    event = event_of(environment)
    told = [environment.get(variable) for variable in _GITLAB_BASES]
    told += [_inside(event, "pull_request", "base", "sha"), _inside(event, "merge_group", "base_sha")]
    found = next((base for base in told if isinstance(base, str) and is_hash(base)), "")
    if not found and (_proposes(name, event, environment) or any(told)):
        source = name or environment.get("CI_PIPELINE_SOURCE") or "this job"
        remedy = "check changes in jobs of `pull_request` or `merge_group` (GitHub), or of merge requests (GitLab)"
        raise UnavailableError(f"`{source}` does not tell the base that the change is held to", remedy)
    return found


def base_of(root: Path, environment: Mapping[str, str]) -> str:
    """The same; where GitHub's own merge of a pull request is checked out, the tip that it was merged into.

    That is the newest base there is: the event keeps the one of its day, however often the job is run again.
    """
    told = told_base(environment)
    merged_into = merge_parent(root, environment, event_of(environment)) if told else None
    return merged_into if merged_into and Repository(root).have(merged_into) else told


def merge_parent(root: Path, environment: Mapping[str, str], event: Mapping[str, Any]) -> str | None:
    """The base's side of GitHub's merge commit of the pull request, if that is what is checked out.

    A merge with the head as its second parent is easily made; only that of `GITHUB_SHA` is GitHub's.
    """
    if environment.get("GITHUB_EVENT_NAME") not in PULL_REQUEST:
        return None
    repository = Repository(root)
    parents = repository.parents("HEAD")
    tip = environment.get("GITHUB_SHA")
    if len(parents) != 2 or parents[1] != _inside(event, "pull_request", "head", "sha"):
        return None
    return parents[0] if not tip or tip == repository.resolve("HEAD") else None


def refuse_unsafe(environment: Mapping[str, str]) -> None:
    """Raise `errors.UsageError` where to run a change would give it the repository's own rights."""
    name = environment.get("GITHUB_EVENT_NAME", "")
    if name in _UNSAFE or (name == "issue_comment" and _proposes(name, event_of(environment), environment)):
        message = f"under `{name}` the packages of a pull request would run with the repository's own rights"
        raise UsageError(message, "use `on: pull_request`; a second workflow can publish the result")


def event_of(environment: Mapping[str, str]) -> Mapping[str, Any]:
    """What GitHub tells in its event file; empty without one. Raises `errors.UsageError` for what is no event."""
    path = environment.get("GITHUB_EVENT_PATH")
    if not path or not Path(path).is_file():
        return {}
    try:
        event = json.loads(Path(path).read_bytes())
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the event {path} is not JSON: {error}", "check GITHUB_EVENT_PATH") from error
    return event if isinstance(event, dict) else {}


def _proposes(name: str, event: Mapping[str, Any], environment: Mapping[str, str]) -> bool:
    """True for a job that is about a change that somebody proposes."""
    return bool(
        name in PULL_REQUEST
        or name in ("pull_request_target", "merge_group")
        or environment.get("GITHUB_BASE_REF")
        or (name == "issue_comment" and _inside(event, "issue", "pull_request"))
        or str(_inside(event, "workflow_run", "event") or "").startswith("pull_request")
        or environment.get("CI_PIPELINE_SOURCE") in _GITLAB_CHANGES
    )


def _inside(event: Any, *path: str) -> Any:
    for name in path:
        event = event.get(name) if isinstance(event, Mapping) else None
    return event
