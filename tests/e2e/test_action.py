"""The Action as a repository of runbooks uses it: its image, under act, on a pull request that changes two of five.

act gives the Action what GitHub gives it: the event, `INPUT_*`, the files for outputs and summary, the Docker socket.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

from wpk_sandbox.sandbox.ledger import EXPIRES_LABEL, RUN_LABEL

PROJECT = Path(__file__).parents[2]
IMAGE = "wpk-sandbox-action-test"
PACKAGES = ("requeue-failed-job", "restart-unhealthy", "rolling-restart", "scale-on-latency", "verify-backup")
CHANGED = {"runbooks/restart-unhealthy.wpk.yaml", "runbooks/verify-backup.wpk.yaml"}

SETTINGS = """\
shell: {image: "debian:trixie-slim"}
kind: {node_image: "kindest/node:v1.34.4"}
images: {pull: false}
"""

# What a user writes, but for the checkout: act has put the repository there.
WORKFLOW = """\
on: pull_request
jobs:
  dry-run:
    runs-on: ubuntu-latest
    steps:
      - id: wpk
        uses: ./.github/wpk-sandbox
        with: {sandbox: SANDBOX}
      - if: always()
        run: |
          echo "outputs [${{ steps.wpk.outputs.verdict }}] [${{ steps.wpk.outputs.packages }}] \
[${{ steps.wpk.outputs.failed }}] [${{ steps.wpk.outputs.inconclusive }}]"
          ls "${{ steps.wpk.outputs.report-path }}"
"""

pytestmark = pytest.mark.needs("act", "docker", "kind")


@dataclass(frozen=True)
class PullRequest:
    """A checked out pull request, the event that tells of it, and its job's id."""

    folder: Path
    event: Path
    run_id: str

    @property
    def report(self) -> Path:
        return self.folder / "wpk-sandbox-report"

    def result(self) -> dict:
        return json.loads((self.report / "result.json").read_text())

    def run(self) -> subprocess.CompletedProcess[str]:
        """What GitHub does with the workflow; the exit code is the job's."""
        argv = ["act", "pull_request", "--bind", "--pull=false", "--platform=ubuntu-latest=debian:trixie-slim"]
        argv += [f"--eventpath={self.event}", f"--env=GITHUB_RUN_ID={self.run_id}", "--no-cache-server", "--rm"]
        home = self.folder.parent / "act"
        environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home), "XDG_CONFIG_HOME": str(home)}
        return subprocess.run(
            argv, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=540, check=False
        )


@pytest.fixture(scope="module")
def image() -> str:
    """The image, from the Dockerfile that is released."""
    argv = ["docker", "build", "--quiet", "--label=wpk-sandbox.test=action", f"--tag={IMAGE}", str(PROJECT)]
    built = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return IMAGE


@pytest.fixture
def run_id() -> Iterator[str]:
    """The id of a workflow run, of which nothing stays behind, even where a test fails."""
    name = str(int.from_bytes(os.urandom(5)))
    yield name
    if labelled(name):
        reap = ["reap", "--run", f"gh-{name}-1-dry-run"]
        socket = "--volume=/var/run/docker.sock:/var/run/docker.sock"
        subprocess.run(["docker", "run", "--rm", socket, IMAGE, *reap], capture_output=True, check=False)


def labelled(run_id: str) -> list[str]:
    """The containers and networks of any job of this workflow run; a kind node keeps its network from going."""
    shown = f'{{{{.ID}}}} {{{{.Label "{RUN_LABEL}"}}}}'
    found = []
    for listing in (["ps", "--all"], ["network", "ls"]):
        argv = ["docker", *listing, "--format", shown]
        lines = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()
        found += [line.split()[0] for line in lines if run_id in line]
    return found


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=author", "-c", "user.email=author@example.com", "-c", "protocol.file.allow=always"]
    argv = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def write_repository(folder: Path, sandbox: str) -> tuple[str, str]:
    """Five packages, of which a pull request changes two, and the settings too. Gives base and head."""
    runbooks = folder / "runbooks"
    shutil.copytree(PROJECT / "examples" / "objects", runbooks / "objects")
    for name in PACKAGES:
        for path in (PROJECT / "examples").glob(f"{name}.wpk*.yaml"):
            shutil.copy(path, runbooks)
    (folder / ".wpk-sandbox.yaml").write_text(SETTINGS)
    workflow = folder / ".github" / "workflows" / "wpk.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(WORKFLOW.replace("SANDBOX", sandbox))
    action = folder / ".github" / "wpk-sandbox" / "action.yml"
    action.parent.mkdir()
    declared = (PROJECT / "action.yml").read_text()
    assert declared.count("image: Dockerfile") == 1
    action.write_text(declared.replace("image: Dockerfile", f"image: docker://{IMAGE}"))
    base = commit(folder, "base")
    git(folder, "switch", "--create", "change")
    for path in CHANGED:
        text = (folder / path).read_text()
        (folder / path).write_text(re.sub(r"(?m)^  version: .*$", "  version: 9.0.0", text))
    # Held to the settings of its base, a pull request cannot break or loosen them.
    (folder / ".wpk-sandbox.yaml").write_text("shell: {image: attacker/image}\n")
    return base, commit(folder, "change")


def commit(folder: Path, message: str) -> str:
    if not (folder / ".git").exists():
        git(folder, "init", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def write_event(path: Path, base: str, head: str) -> Path:
    sides = {"base": {"sha": base, "ref": "main"}, "head": {"sha": head, "ref": "change"}}
    repository = {"full_name": "example/runbooks", "default_branch": "main"}
    path.write_text(
        json.dumps({"action": "synchronize", "pull_request": {"number": 7, **sides}, "repository": repository})
    )
    return path


def shallow_clone(origin: Path, folder: Path) -> None:
    """What `fetch-depth: 1` gives: the head alone. The remote lies in the clone, where the container sees it."""
    git(origin, "clone", "--depth=1", "--branch=change", f"file://{origin}", str(folder))
    remote = folder / ".git" / "remote.git"
    git(origin, "clone", "--bare", f"file://{origin}", str(remote))
    git(folder, "remote", "set-url", "origin", f"file://{remote}")


@pytest.mark.usefixtures("image")
def test_a_pull_request_is_tried_on_a_real_cluster_and_leaves_nothing(tmp_path: Path, run_id: str) -> None:
    folder = tmp_path / "repository"
    base, head = write_repository(folder, "kind")
    request = PullRequest(folder, write_event(tmp_path / "event.json", base, head), run_id)

    done = request.run()

    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    packages = request.result()["packages"]
    assert {package["path"] for package in packages} == CHANGED, said
    assert {package["verdict"] for package in packages} == {"pass"}, said
    assert {package["sandbox"]["type"] for package in packages} == {"kind"}
    fidelities = {step["fidelity"] for package in packages for step in package["steps"]}
    assert fidelities == {"executed"}, "a step did not really run"
    assert "outputs [pass] [2] [0] [0]" in said
    # The following step finds the reports by the output, which is not a path of the Action's own container.
    assert re.search(r"\| report\.html", said), said
    assert {case.get("classname") for case in ElementTree.parse(request.report / "junit.xml").iter("testcase")}
    assert "<html" in (request.report / "report.html").read_text()
    assert re.search(r"found 0, removed 0, left 0", said), "the post step did not look for leftovers"
    assert "Exception ignored" not in said
    assert labelled(run_id) == []


@pytest.mark.usefixtures("image")
def test_a_shallow_clone_gives_the_same_packages(tmp_path: Path, run_id: str) -> None:
    origin, folder = tmp_path / "origin", tmp_path / "repository"
    base, head = write_repository(origin, "container")
    shallow_clone(origin, folder)
    assert git(folder, "rev-list", "--count", "HEAD") == "1"
    request = PullRequest(folder, write_event(tmp_path / "event.json", base, head), run_id)

    done = request.run()

    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert {package["path"] for package in request.result()["packages"]} == CHANGED, said
    assert labelled(run_id) == []


@pytest.mark.usefixtures("image")
def test_a_package_that_fails_fails_the_job_and_still_reports(tmp_path: Path, run_id: str) -> None:
    folder = tmp_path / "repository"
    base, _ = write_repository(folder, "container")
    shutil.copy(PROJECT / "examples" / "unsafe-cleanup.wpk.yaml", folder / "runbooks")
    head = commit(folder, "unsafe")
    request = PullRequest(folder, write_event(tmp_path / "event.json", base, head), run_id)

    done = request.run()

    said = done.stdout + done.stderr
    assert done.returncode != 0, said
    assert "outputs [fail] [3] [1] [0]" in said
    assert (request.report / "junit.xml").is_file()


@pytest.mark.usefixtures("image")
def test_the_post_step_removes_what_a_killed_job_left_and_nothing_of_another(run_id: str) -> None:
    others = f"{run_id}0"
    expires = f"--label={EXPIRES_LABEL}=2999-01-01T00:00:00Z"
    for owner in (run_id, others):
        label = f"--label={RUN_LABEL}=gh-{owner}-1-dry-run"
        subprocess.run(["docker", "create", label, expires, IMAGE], capture_output=True, check=True)
    job = [f"--env=GITHUB_RUN_ID={run_id}", "--env=GITHUB_RUN_ATTEMPT=1", "--env=GITHUB_JOB=dry-run"]
    socket = "--volume=/var/run/docker.sock:/var/run/docker.sock"
    argv = ["docker", "run", "--rm", socket, *job, "--entrypoint=/usr/local/bin/wpk-sandbox-post", IMAGE, "ci"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

        assert done.returncode == 0, done.stderr
        assert "removed 1, left 0" in done.stdout
        assert len(labelled(run_id)) == len(labelled(others)) == 1
    finally:
        subprocess.run(["docker", "rm", "--force", *labelled(others)], capture_output=True, check=False)
