import subprocess
from pathlib import Path

import pytest
import yaml

from wpk_sandbox.errors import SettingsError, UsageError
from wpk_sandbox.finding import Severity
from wpk_sandbox.package.load import load_file
from wpk_sandbox.package.selection import matches
from wpk_sandbox.rules.check import check
from wpk_sandbox.rules.policy import Policy
from wpk_sandbox.settings import resolve
from wpk_sandbox.starter import Written, detect, host_of, init

GITHUB = ".github/workflows/wpk-sandbox.yml"
SAMPLE = "runbooks/restart-web.wpk.yaml"


def repository(folder: Path, url: str) -> Path:
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    subprocess.run(["git", "-C", str(folder), "remote", "add", "origin", url], check=True)
    return folder


def hows(root: Path, **options) -> dict[str, str]:
    return {written.path: written.how for written in init(root, **options)}


def test_an_empty_folder_gets_a_workflow_settings_and_a_sample(tmp_path: Path) -> None:
    written = hows(tmp_path)
    assert written == dict.fromkeys((GITHUB, ".wpk-sandbox.yaml", SAMPLE), "written")
    assert {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()} == set(written)


def test_the_sample_has_no_finding_above_low(tmp_path: Path) -> None:
    init(tmp_path)
    loaded = load_file(tmp_path / SAMPLE, display=SAMPLE)
    (package,) = loaded.packages
    found = [*loaded.findings, *check(package, Policy())]
    assert [finding for finding in found if finding.severity.rank > Severity.LOW.rank] == []
    assert [step.name for step in package.steps] == ["restart", "wait-until-available"]
    assert package.rollback.enabled
    assert package.rollback.handlers


def test_the_workflow_is_least_privileged_and_pinned(tmp_path: Path) -> None:
    init(tmp_path)
    workflow = yaml.safe_load((tmp_path / GITHUB).read_text())
    assert workflow["permissions"] == {"contents": "read"}
    # YAML 1.1 reads the key `on` as true.
    assert set(workflow[True]) == {"pull_request"}
    checkout, ours, upload = workflow["jobs"]["dry-run"]["steps"]
    assert checkout["uses"] == "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683"
    assert checkout["with"] == {"fetch-depth": 0, "persist-credentials": False}
    assert ours == {"uses": "org/wpk-sandbox@v1"}
    assert upload["uses"] == "actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02"
    assert upload["if"] == "always()"


@pytest.mark.parametrize(
    "path", ["a.wpk.yaml", "deep/er/a.wpk.yml", "x/a.wpk.test.yaml", ".wpk-sandbox.yaml", GITHUB]
)
def test_the_workflow_starts_for_packages_cases_settings_and_itself(tmp_path: Path, path: str) -> None:
    init(tmp_path)
    patterns = yaml.safe_load((tmp_path / GITHUB).read_text())[True]["pull_request"]["paths"]
    # In a workflow `**` is any run of characters, slashes too; our own globs read `**/*` so.
    ours = [pattern.replace("**.", "**/*.") for pattern in patterns]
    assert matches(path, ours)
    assert not matches("README.md", ours)


def test_the_settings_change_nothing_until_a_line_is_uncommented(tmp_path: Path) -> None:
    init(tmp_path)
    lines = (tmp_path / ".wpk-sandbox.yaml").read_text().splitlines()
    assert resolve(file="\n".join(lines).encode()) == resolve()
    uncommented = "\n".join(line.removeprefix("# ") for line in lines[1:])
    assert resolve(file=uncommented.encode()) == resolve()
    with pytest.raises(SettingsError):
        resolve(file=(uncommented + "\nno-such-setting: 1\n").encode())


def test_what_is_there_is_kept_unless_forced(tmp_path: Path) -> None:
    init(tmp_path)
    (tmp_path / ".wpk-sandbox.yaml").write_text("mine\n")
    assert set(hows(tmp_path).values()) == {"kept"}
    assert (tmp_path / ".wpk-sandbox.yaml").read_text() == "mine\n"
    assert set(hows(tmp_path, force=True).values()) == {"replaced"}
    assert (tmp_path / ".wpk-sandbox.yaml").read_text() != "mine\n"


def test_a_repository_with_a_package_gets_no_sample(tmp_path: Path) -> None:
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops/own.wpk.yaml").write_text("kind: WorkflowPackage\n")
    assert SAMPLE not in hows(tmp_path)


def test_gitlab_gets_a_job_file_and_an_include(tmp_path: Path) -> None:
    written = hows(tmp_path, ci="gitlab")
    assert GITHUB not in written
    root = yaml.safe_load((tmp_path / ".gitlab-ci.yml").read_text())
    job = yaml.safe_load((tmp_path / root["include"][0]["local"]).read_text())
    assert job["include"][0]["remote"].endswith("/templates/gitlab-ci.yml")
    assert set(job["wpk-sandbox"]["variables"]) == {"WPK_SANDBOX_IMAGE", "GIT_DEPTH"}


@pytest.mark.parametrize("force", [False, True])
def test_a_gitlab_pipeline_that_exists_is_kept_with_what_to_add(tmp_path: Path, force: bool) -> None:
    (tmp_path / ".gitlab-ci.yml").write_text("build: {script: [make]}\n")
    note = {written.path: written for written in init(tmp_path, force=force)}[".gitlab-ci.yml"]
    assert (note.how, ".gitlab/wpk-sandbox.yml" in note.note) == ("kept", True)
    assert (tmp_path / ".gitlab-ci.yml").read_text() == "build: {script: [make]}\n"
    (tmp_path / ".gitlab-ci.yml").write_text("include: [{local: .gitlab/wpk-sandbox.yml}]\n")
    assert {written.path: written for written in init(tmp_path)}[".gitlab-ci.yml"].note == ""


@pytest.mark.parametrize(
    ("url", "service"),
    [
        ("git@gitlab.com:team/ops.git", "gitlab"),
        ("https://gitlab.example.com/team/ops.git", "gitlab"),
        ("https://github.com/team/gitlab-ops.git", "github"),
        ("git@github.com:team/ops.git", "github"),
        ("/srv/git/gitlab.git", "github"),
    ],
)
def test_the_remotes_host_tells_the_service(tmp_path: Path, url: str, service: str) -> None:
    assert detect(repository(tmp_path, url)) == service


def test_ci_files_tell_the_service_before_the_remote_does(tmp_path: Path) -> None:
    repository(tmp_path, "git@gitlab.com:team/ops.git")
    (tmp_path / ".github").mkdir()
    assert detect(tmp_path) == "github"
    (tmp_path / ".gitlab-ci.yml").write_text("")
    assert detect(tmp_path) == "gitlab"


def test_hosts_are_read_from_every_form_of_url() -> None:
    urls = ("ssh://git@GitLab.com:22/a", "user@host:a/b", "host:a", "./a:b", "/a")
    assert [host_of(url) for url in urls] == ["gitlab.com", "host", "host", "", ""]


def test_a_link_out_of_the_repository_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "runbooks").symlink_to(outside)
    with pytest.raises(UsageError, match="leads out"):
        init(root)
    assert list(outside.iterdir()) == []
    assert not (root / ".wpk-sandbox.yaml").exists()


def test_a_forced_write_replaces_a_link_and_not_its_target(tmp_path: Path) -> None:
    root, target = tmp_path / "root", tmp_path / "target"
    root.mkdir()
    target.write_text("mine\n")
    (root / ".wpk-sandbox.yaml").symlink_to(target)
    assert hows(root)[".wpk-sandbox.yaml"] == "kept"
    assert hows(root, force=True)[".wpk-sandbox.yaml"] == "replaced"
    assert target.read_text() == "mine\n"


def test_a_folder_that_does_not_exist_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a folder"):
        init(tmp_path / "none")


def test_what_became_of_a_file_reads_as_one_line() -> None:
    assert str(Written("a.yaml", "written")) == "written   a.yaml"
    assert str(Written("b.yaml", "kept", "add a line")) == "kept      b.yaml; add a line"
