"""A job's container that is killed with everything in it: a container beside it removes what its run made."""

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import held_by_docker, shell_package
from .test_signals import eventually

pytestmark = pytest.mark.needs("docker")
PROJECT = Path(__file__).parents[2]
IMAGE = "wpk-sandbox-reaper-test"
SETTINGS = 'shell: {image: "debian:trixie-slim"}\nimages: {pull: false}\nsandbox: {network: {record: false}}\n'
WITHOUT = SETTINGS.replace("sandbox: {", "sandbox: {cleanup: {reaper: off}, ")


@pytest.fixture(scope="module")
def image() -> str:
    """The image, from the Dockerfile that is released."""
    argv = ["docker", "build", "--quiet", "--label=wpk-sandbox.test=reaper", f"--tag={IMAGE}", str(PROJECT)]
    environment = {**os.environ, "DOCKER_BUILDKIT": "0"}
    built = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False, env=environment)
    assert built.returncode == 0, built.stdout + built.stderr
    return IMAGE


@pytest.fixture
def job(tmp_path: Path, image: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A job's container with the daemon's socket, whose run sleeps in a step; its name is the job's number."""
    (tmp_path / ".wpk-sandbox.yaml").write_text(getattr(request, "param", SETTINGS))
    (tmp_path / "sleeps.wpk.yaml").write_text(json.dumps(shell_package("sleeps", ["sleep 50"], "100s")))
    name = f"killed-{uuid.uuid4().hex[:10]}"
    options = [
        "--name",
        name,
        "--env",
        f"CI_JOB_ID={name}",
        "--volume",
        "/var/run/docker.sock:/var/run/docker.sock",
    ]
    options += ["--volume", f"{tmp_path}:/work", "--workdir", "/work"]
    docker("run", "-d", *options, image, "run", "sleeps.wpk.yaml", "--sandbox", "container")
    yield name
    docker("rm", "-f", name)


def test_killed_job_is_cleaned_up_after(job: str) -> None:
    assert eventually(lambda: reapers(job)), docker("logs", job)
    assert eventually(lambda: len(held_by_docker(f"gl-{job}")["containers"]) == 2), "the shell's is there too"
    docker("kill", "--signal", "KILL", job)
    assert eventually(lambda: not any(held_by_docker(f"gl-{job}").values()), 40)


@pytest.mark.parametrize("job", [WITHOUT], indirect=True)
def test_without_a_reaper_a_killed_job_leaves_its_shell(job: str) -> None:
    assert eventually(lambda: len(held_by_docker(f"gl-{job}")["containers"]) == 1), docker("logs", job)
    (shell,) = held_by_docker(f"gl-{job}")["containers"]
    docker("kill", "--signal", "KILL", job)
    # Longer than a reaper needs.
    assert not eventually(lambda: not any(held_by_docker(f"gl-{job}").values()), 10)
    docker("rm", "-f", shell)
    assert not any(held_by_docker(f"gl-{job}").values())


def test_reaper_holds_the_socket_and_nothing_else(job: str) -> None:
    assert eventually(lambda: reapers(job)), docker("logs", job)
    shown = json.loads(docker("inspect", reapers(job)[0]))[0]
    host = shown["HostConfig"]
    assert [mount["Destination"] for mount in shown["Mounts"]] == ["/var/run/docker.sock"]
    assert (host["NetworkMode"], host["CapDrop"], host["ReadonlyRootfs"]) == ("none", ["ALL"], True)
    assert (host["RestartPolicy"]["Name"], host["AutoRemove"], host["SecurityOpt"]) == (
        "no",
        True,
        ["no-new-privileges"],
    )
    docker("stop", "--time", "20", job)
    assert "143" in docker("inspect", "-f", "{{.State.ExitCode}}", job)
    assert not any(held_by_docker(f"gl-{job}").values()), "a run that ends takes its reaper with it"


def reapers(job: str) -> list[str]:
    """The containers that wait beside a job's, once they run."""
    return docker("ps", "-q", "--filter", f"label=wpk-sandbox.run=gl-{job}", "--filter", "name=reaper").split()


def docker(*arguments: str) -> str:
    """What a docker command prints."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout + done.stderr
