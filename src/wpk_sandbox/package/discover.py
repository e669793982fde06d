"""Which packages to try: those that are named, those that changed, those that a CI event is about.

`find` and `changed` are for people; `changed_for_event` knows what GitHub and GitLab tell of a change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from wpk_sandbox.errors import UsageError
from wpk_sandbox.package.base import PULL_REQUEST, merge_parent, refuse_unsafe
from wpk_sandbox.package.changes import changed
from wpk_sandbox.package.repository import Repository, is_hash
from wpk_sandbox.package.selection import PATTERNS, Selection, everything, find

__all__ = ["PATTERNS", "Selection", "changed", "changed_for_event", "everything", "find"]

_GITLAB_CHANGES = frozenset({"push", "merge_request_event", "external_pull_request_event"})


def changed_for_event(
    root: str | Path,
    environment: Mapping[str, str],
    event: Mapping[str, Any],
    patterns: Sequence[str] = PATTERNS,
) -> Selection:
    """The packages that the CI job is about, from its environment and (on GitHub) the event's contents.

    A job that is about no change (a schedule, a release, a manual start) takes every package. Raises
    `errors.UsageError` outside of CI, and for events under which running the change would be unsafe.
    """
    if environment.get("GITHUB_EVENT_NAME"):
        refuse_unsafe(environment)
        return _github(Path(root), environment, event, patterns)
    if environment.get("GITLAB_CI"):
        return _gitlab(Path(root), environment, patterns)
    raise UsageError(
        "neither GitHub Actions nor GitLab CI tells here what changed", "name a base revision or the packages"
    )


def _github(
    root: Path, environment: Mapping[str, str], event: Mapping[str, Any], patterns: Sequence[str]
) -> Selection:
    name = environment["GITHUB_EVENT_NAME"]
    if name in PULL_REQUEST:
        return _pull_request(root, environment, event, patterns)
    if name == "merge_group":
        return changed(root, _hash(event, "merge_group", "base_sha"), "HEAD", patterns)
    if name == "push":
        return _github_push(root, event, patterns)
    return everything(root, patterns, f"a `{name}` is about no change, so every package is taken")


def _pull_request(
    root: Path, environment: Mapping[str, str], event: Mapping[str, Any], patterns: Sequence[str]
) -> Selection:
    """A checkout of `refs/pull/N/merge` is a merge: what it adds to its first parent is the pull request."""
    if merged_into := merge_parent(root, environment, event):
        return changed(root, merged_into, "HEAD", patterns, exact=True)
    return changed(root, _hash(event, "pull_request", "base", "sha"), "HEAD", patterns)


def _github_push(root: Path, event: Mapping[str, Any], patterns: Sequence[str]) -> Selection:
    reference = str(event.get("ref", ""))
    if reference.startswith("refs/tags/"):
        return everything(root, patterns, f"`{reference}` is a tag, so every package is taken")
    if event.get("deleted") is True:
        return Selection((), (f"`{reference}` was deleted, so there is nothing to try",))
    repository = event.get("repository")
    default = str(repository.get("default_branch") or "") if isinstance(repository, dict) else ""
    branch = reference.removeprefix("refs/heads/")
    return _push(root, str(event.get("before", "")), branch, default, patterns)


def _push(root: Path, before: str, branch: str, default: str, patterns: Sequence[str]) -> Selection:
    """What a push brought: since the branch's last state, or since it left the default branch."""
    repository = Repository(root)
    if is_hash(before) and before.strip("0") and repository.have(before):
        return changed(root, before, "HEAD", patterns)
    if default and branch != default and (tip := repository.have_branch(default)):
        selection = changed(root, tip, "HEAD", patterns)
        note = f"the branch's state before the push is not known, so it is compared with `{default}`"
        return replace(selection, notes=(note, *selection.notes))
    return everything(root, patterns, "what the push changed cannot be known, so every package is taken")


def _gitlab(root: Path, environment: Mapping[str, str], patterns: Sequence[str]) -> Selection:
    source = environment.get("CI_PIPELINE_SOURCE", "")
    if base := environment.get("CI_MERGE_REQUEST_DIFF_BASE_SHA"):
        # GitLab has found the merge base already; a shallow clone could not find it again.
        return changed(root, base, "HEAD", patterns, exact=True)
    if target := environment.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"):
        return _push(root, "", environment.get("CI_COMMIT_REF_NAME", ""), target, patterns)
    if environment.get("CI_COMMIT_TAG") or source not in _GITLAB_CHANGES:
        why = "a tag" if environment.get("CI_COMMIT_TAG") else f"a pipeline of `{source}`"
        return everything(root, patterns, f"{why} is about no change, so every package is taken")
    before, branch = environment.get("CI_COMMIT_BEFORE_SHA", ""), environment.get("CI_COMMIT_BRANCH", "")
    return _push(root, before, branch, environment.get("CI_DEFAULT_BRANCH", ""), patterns)


def _hash(event: Mapping[str, Any], *path: str) -> str:
    value: Any = event
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(value, str) or not is_hash(value):
        raise UsageError(f"the event has no commit at `{'.'.join(path)}`", "check GITHUB_EVENT_PATH")
    return value
