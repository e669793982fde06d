"""A shell under Landlock where it is meant for: an ordinary container, and a user who is not root."""

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from under_landlock import SUCCESSES

import wpk_sandbox

IMAGE = "wpk-sandbox-test-python"
DOCKERFILE = """\
FROM debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends bubblewrap python3 && rm -rf /var/lib/apt/lists/*
"""
SCRIPT = Path(__file__).with_name("under_landlock.py")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Our source where everybody can read it."""
    folder = Path("/var/tmp", f"wpk-sandbox-test-{secrets.token_hex(4)}")
    ignored = shutil.ignore_patterns("__pycache__")
    try:
        shutil.copytree(Path(wpk_sandbox.__file__).parent, folder / "wpk_sandbox", ignore=ignored)
        shutil.copy(SCRIPT, folder)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder)


def docker(*argv: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DOCKER_BUILDKIT": "0"}
    return subprocess.run(
        ["docker", *argv], input=stdin, text=True, capture_output=True, timeout=300, check=check, env=environment
    )


def in_container(source: Path, user: str) -> dict[str, Any]:
    if docker("image", "inspect", IMAGE, check=False).returncode != 0:
        docker("build", "--tag", IMAGE, "-", stdin=DOCKERFILE)
    bounds = ("--network=none", "--pids-limit=300", "--memory=1g", f"--user={user}", "--rm")
    mounted = f"--volume={source}:{source}:ro"
    done = docker(
        "run", *bounds, mounted, IMAGE, "python3", str(source / SCRIPT.name), str(source), "local", check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def as_an_ordinary_user(source: Path) -> dict[str, Any]:
    user = secrets.randbelow(10_000) + 64_000
    become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if os.geteuid() == 0 else []
    argv = [*become, "/usr/bin/python3", str(source / SCRIPT.name), str(source)]
    done = subprocess.run(argv, text=True, capture_output=True, timeout=120, check=False, cwd="/")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("65532", marks=pytest.mark.needs("docker", "landlock"), id="container"),
        pytest.param("0", marks=pytest.mark.needs("docker", "landlock"), id="container as root"),
        pytest.param("", marks=pytest.mark.needs("landlock"), id="ordinary user"),
    ],
)
def found(request: pytest.FixtureRequest, source: Path) -> dict[str, Any]:
    user: str = request.param
    return in_container(source, user) if user else as_an_ordinary_user(source)


def test_it_says_that_it_is_weaker(found: dict[str, Any]) -> None:
    assert "no namespaces: processes, host names" in found["details"]
    assert "not held" in found["details"], "memory and processes are watched only"


def test_local_takes_it_where_namespaces_are_refused(found: dict[str, Any], request: pytest.FixtureRequest) -> None:
    if "ordinary" not in request.node.callspec.id:
        assert "taken because this host refuses namespaces to bubblewrap" in found["details"]


def test_all_evidence_holds(found: dict[str, Any]) -> None:
    assert [probe for probe, held in found["evidence"].items() if not held] == []
    assert len(found["evidence"]) >= 10


def test_everything_is_possible_without_it(found: dict[str, Any]) -> None:
    assert {what for what, code in found["control"].items() if code != 0} == set()


def test_what_is_its_own_is_possible_inside(found: dict[str, Any]) -> None:
    assert {what: found["inside"][what] for what in SUCCESSES} == dict.fromkeys(SUCCESSES, 0)


def test_nothing_outside_can_be_reached(found: dict[str, Any]) -> None:
    assert {what for what, code in found["inside"].items() if code == 0} == set(SUCCESSES)


def test_what_was_denied_is_told(found: dict[str, Any]) -> None:
    told = " ".join(found["events"])
    assert "socket" in told
    assert "prlimit64" in told


def test_nothing_stays(found: dict[str, Any]) -> None:
    assert found["daemon is gone"]
    assert found["tally"].endswith("left 0")
