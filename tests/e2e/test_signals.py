"""A run that is interrupted or killed: its exit code, its report, and nothing of it that stays."""

import json
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.gate_image import gate_image
from wpk_sandbox.sandbox.folder import marked_folders

from .conftest import RUN_LABEL, Repository

REPORTS = [
    "findings.sarif",
    "gl-code-quality-report.json",
    "junit.xml",
    "report.html",
    "result.json",
    "summary.md",
]
Held = Callable[[str], dict[str, list[str]]]
Processes = Callable[[str], list[str]]
LOCAL = pytest.param("local", marks=pytest.mark.needs("bwrap"))
CONTAINER = pytest.param("container", marks=pytest.mark.needs("docker"))
both = pytest.mark.parametrize("sandbox", [LOCAL, CONTAINER])
either_signal = pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)


@pytest.fixture
def started() -> Iterator[list["subprocess.Popen[str]"]]:
    """Processes of the test; whatever is still going at its end is killed."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def sleep(repository: Repository) -> str:
    """A command that sleeps for a number of seconds that no other process on this host names."""
    return f"sleep 4{int(repository.job[-6:], 16)}"


def eventually(condition: Callable[[], object], seconds: float = 60) -> bool:
    """Whether a condition comes to hold within some seconds."""
    until = time.monotonic() + seconds
    while not (held := bool(condition())) and time.monotonic() < until:
        time.sleep(0.1)
    return held


def asleep(processes: Processes, sleep: str) -> bool:
    """Whether the step sleeps: the words stand alone, not within the script of the shell that starts it."""
    return sleep in processes(sleep)


@either_signal
@both
def test_signal_in_a_step_removes_everything(
    repository: Repository,
    held: Held,
    processes: Processes,
    started: list["subprocess.Popen[str]"],
    sleep: str,
    sandbox: str,
    number: int,
    code: int,
) -> None:
    path = repository.package(f"echo begun; {sleep}", timeout="100s")
    process = repository.start("run", path, "--sandbox", sandbox, "--report", "out")
    started.append(process)
    assert eventually(lambda: asleep(processes, sleep)), "the step never began"
    assert sandbox == "local" or held(repository.run_id), "a container is there to be removed"
    process.send_signal(number)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == code, said
    assert processes(sleep) == []
    assert processes(repository.run_id) == []
    assert folders_of(repository.run_id) == []
    assert sandbox == "local" or held(repository.run_id) == {}
    assert "Traceback" not in said
    assert_reports_are_whole(repository, said)


@pytest.mark.needs("bwrap")
def test_second_signal_does_not_stop_the_cleaning_up(
    repository: Repository, processes: Processes, started: list["subprocess.Popen[str]"], sleep: str
) -> None:
    path = repository.package(sleep, timeout="100s")
    process = repository.start("run", path, "--sandbox", "local")
    started.append(process)
    assert eventually(lambda: asleep(processes, sleep))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        process.send_signal(number)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert (processes(sleep), folders_of(repository.run_id)) == ([], [])


@pytest.mark.needs("kind")
@pytest.mark.parametrize("moment", ["boot", "step"])
def test_signal_removes_a_kind_cluster(
    repository: Repository,
    held: Held,
    processes: Processes,
    started: list["subprocess.Popen[str]"],
    sleep: str,
    moment: str,
) -> None:
    with (repository.root / ".wpk-sandbox.yaml").open("a") as settings:
        settings.write('kind: {node_image: "kindest/node:v1.34.4"}\n')
        settings.write(f"sandbox: {{network: {{gate_image: {gate_image()}}}}}\n")
    path = repository.package(f"kubectl get pods; {sleep}", timeout="100s", **_with_cluster())
    process = repository.start("run", path, "--sandbox", "kind", "--report", "out")
    started.append(process)
    began = (
        (lambda: "networks" in held(repository.run_id)) if moment == "boot" else (lambda: asleep(processes, sleep))
    )
    assert eventually(began, 240), f"the {moment} never began"
    assert len(held(repository.run_id)) > 0
    networks = held(repository.run_id)["networks"]
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=180)
    assert process.returncode == 143, said
    assert held(repository.run_id) == {}
    assert not set(networks) & set(_docker("network", "ls", "-q"))
    assert (processes(repository.run_id), folders_of(repository.run_id)) == ([], [])
    assert_reports_are_whole(repository, said)


@pytest.mark.needs("docker")
@both
def test_killed_run_is_cleaned_up_after_by_its_guard(
    repository: Repository,
    held: Held,
    processes: Processes,
    started: list["subprocess.Popen[str]"],
    sleep: str,
    bystander: str,
    sandbox: str,
) -> None:
    path = repository.package(sleep, timeout="100s")
    process = repository.start("run", path, "--sandbox", sandbox)
    started.append(process)
    assert eventually(lambda: asleep(processes, sleep))
    process.kill()
    process.communicate(timeout=30)
    assert eventually(lambda: processes(sleep) == [], 20)
    assert eventually(lambda: sandbox == "local" or held(repository.run_id) == {}, 20)
    assert folders_of(repository.run_id) == []
    assert sandbox == "local" or running(bystander), "another run's container is still there"


@pytest.mark.needs("docker")
def test_reap_removes_what_a_run_left_that_was_killed_with_its_guard(
    repository: Repository,
    held: Held,
    processes: Processes,
    started: list["subprocess.Popen[str]"],
    sleep: str,
    bystander: str,
) -> None:
    with (repository.root / ".wpk-sandbox.yaml").open("a") as settings:
        settings.write("sandbox: {cleanup: {reaper: off}}\n")
    path = repository.package(sleep, timeout="100s")
    process = repository.start("run", path, "--sandbox", "container")
    started.append(process)
    assert eventually(lambda: asleep(processes, sleep))
    process.kill()
    process.communicate(timeout=30)
    assert held(repository.run_id), "nobody removes what a killed run made"
    listed = repository.call("reap", "--run", repository.run_id, "--dry-run")
    assert repository.run_id in listed.stdout
    assert bystander not in listed.stdout
    assert held(repository.run_id), "a dry run removes nothing"
    reaped = repository.call("reap", "--run", repository.run_id)
    assert reaped.returncode == 0, reaped.stdout + reaped.stderr
    assert reaped.stdout.endswith("left 0\n")
    assert held(repository.run_id) == {}
    assert eventually(lambda: processes(sleep) == [], 10)
    assert folders_of(repository.run_id) == []
    assert running(bystander), "another run's container is still there"


@pytest.fixture
def bystander() -> Iterator[str]:
    """A container of another run, which has not expired."""
    name = f"wpk-bystander-{uuid.uuid4().hex[:8]}"
    labels = ["--label", f"{RUN_LABEL}={name}", "--label", "wpk-sandbox.expires=2999-01-01T00:00:00Z"]
    _docker("run", "-d", "--name", name, *labels, "--network", "none", "busybox:1.36", "sleep", "600")
    yield name
    _docker("rm", "-f", name)


def running(container: str) -> bool:
    """Whether a container runs."""
    return bool(_docker("ps", "-q", "--filter", f"name=^{container}$"))


def folders_of(run_id: str) -> list[Path]:
    """The folders on this host that a run marked as its own."""
    return [path for path, labels in marked_folders() if labels.get(RUN_LABEL) == run_id]


def assert_reports_are_whole(repository: Repository, said: str) -> None:
    """Either all files of a report, each complete, or none; never a temporary one."""
    out = repository.root / "out"
    names = sorted(path.name for path in out.iterdir()) if out.exists() else []
    assert names in ([], REPORTS), said
    if names:
        result = json.loads((out / "result.json").read_text())
        assert (result["run_id"], result["verdict"]) == (repository.run_id, "inconclusive")
        assert any("interrupted" in note for note in result["notes"])
        assert (out / "report.html").read_text().rstrip().endswith("</html>")


def _with_cluster() -> dict[str, Any]:
    return {"runtime": {"type": "k8s", "requirements": {"cpu": "100m", "memory": "64Mi", "storage": "10Mi"}}}


def _docker(*arguments: str) -> list[str]:
    return subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=60, check=True
    ).stdout.split()
