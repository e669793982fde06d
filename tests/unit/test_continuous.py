"""A pull request is held to the settings of its base, whatever its own copy says."""

import json
import subprocess
from pathlib import Path

import pytest

from wpk_sandbox.continuous import has_settings, settings
from wpk_sandbox.errors import UnavailableError, UsageError


def git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "init.defaultBranch=main"]
    ran = subprocess.run(["git", *identity, *arguments], cwd=root, capture_output=True, text=True, check=True)
    return ran.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "-q")
    (root / ".wpk-sandbox.yaml").write_text("policy: {fail_on: review}\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "base")
    return root


def pull_request(root: Path, base: str) -> dict[str, str]:
    event = root.parent / "event.json"
    event.write_text(json.dumps({"pull_request": {"base": {"sha": base}, "head": {"sha": base}}}))
    return {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(event)}


def test_a_pull_request_cannot_loosen_what_it_is_held_to(repository: Path) -> None:
    base = git(repository, "rev-parse", "HEAD")
    (repository / ".wpk-sandbox.yaml").write_text("policy: {fail_on: block}\n")
    git(repository, "commit", "-qam", "loosen")
    assert settings(repository, pull_request(repository, base), {}, None)["policy.fail_on"] == "review"


def test_outside_of_a_pull_request_the_checkout_decides(repository: Path) -> None:
    (repository / ".wpk-sandbox.yaml").write_text("policy: {fail_on: person}\n")
    assert settings(repository, {}, {}, None)["policy.fail_on"] == "person"


def test_a_file_that_the_base_lacks_does_not_count(repository: Path) -> None:
    git(repository, "rm", "-q", ".wpk-sandbox.yaml")
    git(repository, "commit", "-qm", "no settings")
    base = git(repository, "rev-parse", "HEAD")
    (repository / ".wpk-sandbox.yaml").write_text("policy: {fail_on: person}\n")
    assert settings(repository, pull_request(repository, base), {}, None)["policy.fail_on"] == "block"


def test_a_base_that_cannot_be_had_leaves_nothing_decided(repository: Path) -> None:
    with pytest.raises(UnavailableError, match="cannot be read") as caught:
        settings(repository, pull_request(repository, "1" * 40), {}, None)
    assert "fetch-depth" in caught.value.remedy


def test_a_settings_file_of_another_name_is_the_bases_too_however_it_is_named(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "strict.yaml").write_text("policy: {fail_on: person}\n")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "strict")
    base = git(repository, "rev-parse", "HEAD")
    (repository / "strict.yaml").write_text("policy: {fail_on: block}\n")
    event = pull_request(repository, base)
    assert settings(repository, event, {}, str(repository / "strict.yaml"))["policy.fail_on"] == "person"
    monkeypatch.chdir(repository)
    assert settings(repository, event, {}, "strict.yaml")["policy.fail_on"] == "person"


def test_a_settings_file_outside_of_the_repository_is_read_where_it_is(repository: Path) -> None:
    outside = repository.parent / "ours.yaml"
    outside.write_text("policy: {fail_on: person}\n")
    base = git(repository, "rev-parse", "HEAD")
    assert settings(repository, pull_request(repository, base), {}, str(outside))["policy.fail_on"] == "person"


def test_a_pull_request_makes_no_folder_a_root_by_its_own_settings(repository: Path) -> None:
    base = git(repository, "rev-parse", "HEAD")
    folder = repository / "ops"
    folder.mkdir()
    (folder / ".wpk-sandbox.yaml").write_text("policy: {fail_on: block}\n")
    assert has_settings(folder, {})
    assert not has_settings(folder, pull_request(repository, base))
    assert has_settings(repository, pull_request(repository, base))
    assert not has_settings(repository.parent, pull_request(repository, base))


def test_a_base_whose_settings_were_left_out_of_the_clone_leaves_nothing_decided(repository: Path) -> None:
    """A clone without blobs, and without a remote to fetch them from: what cannot be read may be there."""
    base = git(repository, "rev-parse", "HEAD")
    blob = git(repository, "rev-parse", "HEAD:.wpk-sandbox.yaml")
    (repository / ".wpk-sandbox.yaml").write_text("policy: {fail_on: block}\n")
    git(repository, "commit", "-qam", "loosen")
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(UnavailableError) as caught:
        settings(repository, pull_request(repository, base), {}, None)
    assert "fetch-depth" in caught.value.remedy


def test_a_base_whose_settings_are_a_link_is_told_so(repository: Path) -> None:
    (repository / ".wpk-sandbox.yaml").rename(repository / "strict.yaml")
    (repository / ".wpk-sandbox.yaml").symlink_to("strict.yaml")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "link")
    base = git(repository, "rev-parse", "HEAD")
    with pytest.raises(UsageError, match="is a symbolic link"):
        settings(repository, pull_request(repository, base), {}, None)


@pytest.mark.parametrize("name", ["..strict.yaml", "conf/strict.yaml", "conf/../strict.yaml"])
def test_no_spelling_of_its_path_makes_a_settings_file_the_changes_own(repository: Path, name: str) -> None:
    (repository / "conf").mkdir()
    (repository / "conf" / "keep").write_text("")
    (repository / name).write_text("policy: {fail_on: person}\n")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "strict")
    base = git(repository, "rev-parse", "HEAD")
    (repository / name).write_text("policy: {fail_on: block}\n")
    link = repository.with_name("link")
    link.symlink_to(repository)
    for root in (repository, link):
        for folder in (repository, link):
            event = pull_request(repository, base)
            assert settings(root, event, {}, str(folder / name))["policy.fail_on"] == "person"


def test_a_folder_that_the_change_makes_a_link_leads_no_settings_out(repository: Path) -> None:
    (repository / "conf").mkdir()
    (repository / "conf" / "strict.yaml").write_text("policy: {fail_on: person}\n")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "strict")
    base = git(repository, "rev-parse", "HEAD")
    (repository / "conf").rename(repository.parent / "outside")
    (repository.parent / "outside" / "strict.yaml").write_text("policy: {fail_on: block}\n")
    (repository / "conf").symlink_to(repository.parent / "outside")
    event = pull_request(repository, base)
    assert settings(repository, event, {}, str(repository / "conf" / "strict.yaml"))["policy.fail_on"] == "person"


def test_a_lost_link_is_not_the_same_as_no_settings(repository: Path) -> None:
    (repository / ".wpk-sandbox.yaml").unlink()
    (repository / ".wpk-sandbox.yaml").symlink_to("nowhere.yaml")
    with pytest.raises(UsageError, match="cannot be read"):
        settings(repository, {}, {}, None)
