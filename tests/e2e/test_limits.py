"""Packages that never end, flood, multiply or eat memory fail with the limit named, and leave nothing."""

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

LOCAL = pytest.param("local", marks=pytest.mark.needs("bwrap"))
CONTAINER = pytest.param("container", marks=pytest.mark.needs("docker"))
both = pytest.mark.parametrize("sandbox", [LOCAL, CONTAINER])

FLOOD = "yes"
# It has an end: a loop without one is blocked before it starts.
FORKS = "for i in $(seq 400); do sleep 100 & done"
# A loop without an end would be found, and blocked, before it starts.
MEMORY = "text=x; n=0; while [ $n -lt 60 ]; do text=$text$text; n=$((n+1)); done"


@pytest.fixture
def nothing_left(repository: Any, held: Any) -> Any:
    """Whatever the sandbox, Docker holds nothing of the run afterwards."""
    yield
    if _docker_answers():
        assert held(repository.run_id) == {}


def _docker_answers() -> bool:
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


@both
@pytest.mark.parametrize(
    ("command", "timeout", "limit", "words"),
    [
        ("sleep 600", "2s", "step limit", "still running when the step limit of 2.0 s ran out"),
        (FLOOD, "60s", "output limit", "it wrote more than 1 MiB"),
        (FORKS, "60s", "process limit", "100 processes"),
        (MEMORY, "60s", "memory limit", "memory"),
    ],
    ids=["sleeps for ever", "floods", "forks", "eats memory"],
)
@pytest.mark.usefixtures("nothing_left")
def test_limit_fails_the_package_and_is_named(
    repository: Any, sandbox: str, command: str, timeout: str, limit: str, words: str
) -> None:
    path = repository.package(f"echo begun; {command}", "echo never", timeout=timeout)
    ended = repository.call("run", path, "--sandbox", sandbox, "--report", "out")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    result = repository.result
    (package,) = result["packages"]
    first, second = package["steps"]
    assert (result["run_id"], package["verdict"], package["sandbox"]["type"]) == (
        repository.run_id,
        "fail",
        sandbox,
    )
    assert (first["status"], first["limit"]) == ("failed", limit)
    assert first["stdout"].startswith("begun\n")
    assert words in package["reason"]
    assert (second["status"], second["stdout"]) == ("not reached", "")
    assert package["tally"]["made"] == package["tally"]["removed"] > 0
    assert package["tally"]["left"] == []
    assert f"({limit}, line 1)" in ended.stdout
    assert "left 0" in ended.stdout


@both
@pytest.mark.usefixtures("nothing_left")
def test_step_within_its_limits_passes(repository: Any, sandbox: str) -> None:
    path = repository.package("sleep 0.2", "head -c 500000 /dev/zero", "for i in 1 2 3; do sleep 0.2 & done; wait")
    ended = repository.call("run", path, "--sandbox", sandbox, "--report", "out")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert [step["limit"] for step in repository.result["packages"][0]["steps"]] == [None, None, None]


@both
@pytest.mark.usefixtures("nothing_left")
def test_flag_bounds_the_time_of_the_whole_package(repository: Any, sandbox: str) -> None:
    path = repository.package("sleep 600")
    ended = repository.call("run", path, "--sandbox", sandbox, "--timeout", "3s", "--report", "out")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert repository.result["packages"][0]["steps"][0]["limit"] == "package limit"


@both
@pytest.mark.usefixtures("nothing_left")
def test_background_processes_end_with_the_run(repository: Any, sandbox: str, processes: Any) -> None:
    seconds = f"4{int(repository.job[-5:], 16)}"
    path = repository.package(f"sleep {seconds} & echo started; sleep 600", timeout="2s")
    ended = repository.call("run", path, "--sandbox", sandbox)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "started" in ended.stdout
    assert processes(f"sleep {seconds}") == []


@both
@pytest.mark.usefixtures("nothing_left")
def test_walls_as_the_package_sees_them(repository: Any, sandbox: str) -> None:
    path = repository.package(
        "cat /proc/self/status",
        "cat /proc/self/mounts",
        "cat /proc/net/dev",
        "cat /proc/self/limits",
        "echo into >/etc/wpk-sandbox-was-here",
    )
    ended = repository.call("run", path, "--sandbox", sandbox, "--report", "out")
    assert ended.returncode == 1, "the last step writes to the root file system"
    steps = repository.result["packages"][0]["steps"]
    status, mounts, devices, limits, write = (step["stdout"] + step["stderr"] for step in steps)
    assert re.search(r"^Uid:\s+65532\s+65532\s+65532\s+65532$", status, re.M), status
    assert re.search(r"^CapEff:\s+0{16}$", status, re.M), status
    assert re.search(r"^CapBnd:\s+0{13}[04]00$", status, re.M), "none to be had but NET_BIND_SERVICE"
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.M), status
    assert re.search(r"^\S+ / \S+ ro[, ]", mounts, re.M), mounts
    assert set(re.findall(r"^\s*(\S+):", devices, re.M)) <= {"lo", "wpk0"}, "nothing but the gate's device"
    assert re.search(r"^Max core file size\s+0\s+0\s", limits, re.M), limits
    assert "Read-only file system" in write


@pytest.mark.needs("docker")
def test_control_group_of_a_container_holds_what_the_settings_say(repository: Any) -> None:
    (repository.root / ".wpk-sandbox.yaml").write_text(
        'shell: {image: "debian:trixie-slim"}\n'
        "sandbox: {limits: {step_memory: 200Mi, processes: 40, step_cpu: 500m, tmp: 7Mi}}\n"
    )
    read = "cat /sys/fs/cgroup/$1 2>/dev/null || cat /sys/fs/cgroup/$2"
    path = repository.package(
        f"set -- memory.max memory/memory.limit_in_bytes; {read}",
        f"set -- pids.max pids/pids.max; {read}",
        "df -Pk /tmp | tail -n 1",
    )
    ended = repository.call("run", path, "--sandbox", "container", "--report", "out")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    memory, processes, tmp = (step["stdout"].split() for step in repository.result["packages"][0]["steps"])
    assert (memory, processes, tmp[1]) == ([str(200 * 1024**2)], ["40"], str(7 * 1024))


@pytest.mark.needs("docker")
@pytest.mark.usefixtures("nothing_left")
def test_kept_sandbox_is_held_until_its_run_is_reaped(repository: Any, held: Any) -> None:
    path = repository.package("echo kept")
    ended = repository.call("run", path, "--sandbox", "container", "--keep", "--format", "json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    kept = json.loads(ended.stdout)["packages"][0]["tally"]["kept"]
    (kind, names), *_ = held(repository.run_id).items()
    assert (kind, len(names)) == ("containers", kept)
    assert kept > 0
    label = '{{index .Config.Labels "wpk-sandbox.expires"}}'
    argv = ["docker", "inspect", "--format", label, names[0]]
    expiry = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
    left = datetime.fromisoformat(expiry) - datetime.now(UTC)
    assert timedelta(hours=23) < left <= timedelta(hours=24)
    reaped = repository.call("reap", "--run", repository.run_id)
    assert (reaped.returncode, reaped.stdout) == (0, f"found {kept}, removed {kept}, left 0\n")
