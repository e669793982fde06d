"""What a report says was used agrees with what the programs of a package know of themselves, in every sandbox."""

import re
from typing import Any

import pytest

IMAGE = "debian:trixie-slim"
MEBI = 1024**2
BURNT, HELD = 2.0, 200 * MEBI
AGREES = 0.10

# Perl burns seconds of its own CPU, as the kernel counts them; another fills memory, and is gone at once.
BURN = f"do {{ @t = times }} while ($t[0] + $t[1] < {BURNT}); printf qq{{%.3f}}, $t[0] + $t[1]"
FILL = f"$n = {HELD}; $x = q(a); $x x= $n; print length $x"
FILL_HALF = f"$n = {HELD // 2}; $x = q(a); $x x= $n; select undef, undef, undef, 0.3; print length $x"

SANDBOXES = [
    pytest.param("local", marks=pytest.mark.needs("bwrap")),
    pytest.param("container", marks=pytest.mark.needs("docker")),
    pytest.param("vm", marks=pytest.mark.needs("qemu")),
    pytest.param("kind", marks=pytest.mark.needs("docker", "kind")),
]
IN_KIND = [sandbox for sandbox in SANDBOXES if sandbox.values == ("kind",)]

CLOSED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}
NEEDS = {"cpu": "1", "memory": "512Mi"}
RESOURCES = {"requests": NEEDS, "limits": NEEDS}


def agree(repository: Any, steps: list[dict[str, Any]]) -> None:
    """The first step burnt CPU, the second filled memory: so say the result and the page."""
    burning, filling = steps
    own = float(burning["stdout"])
    assert own >= BURNT
    assert burning["usage"]["cpu_seconds"] == pytest.approx(own, rel=AGREES)
    assert int(filling["stdout"]) == HELD
    assert filling["usage"]["memory_peak"] == pytest.approx(HELD, rel=AGREES)
    assert burning["usage"]["memory_peak"] < HELD / 2
    assert max(sample["memory"] for sample in burning["samples"]) < HELD / 2
    page = (repository.root / "out/report.html").read_text()
    (cpu, _), (_, memory), *_ = re.findall(r"Used ([\d.]+) s of CPU · ([\d.]+) [KM]iB of memory at most", page)
    assert float(cpu) == pytest.approx(own, rel=AGREES)
    assert float(memory) * MEBI == pytest.approx(HELD, rel=AGREES)


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_commands(repository: Any, sandbox: str) -> None:
    package = repository.package(*(f"perl -e '{program}'" for program in (BURN, FILL, FILL_HALF)))
    done = repository.call("run", package, "--sandbox", sandbox, "--report", "out", timeout=480)
    assert done.returncode == 0, done.stdout + done.stderr
    (tried,) = repository.result["packages"]
    assert tried["sandbox"]["type"] == sandbox
    *first, last = tried["steps"]
    agree(repository, first)
    assert last["usage"]["memory_peak"] == pytest.approx(HELD / 2, rel=AGREES), "its own, not the one before"
    assert tried["usage"]["memory_peak"] == pytest.approx(HELD, rel=AGREES)


@pytest.mark.parametrize("sandbox", IN_KIND)
def test_pods(repository: Any, sandbox: str) -> None:
    burn = {"name": "burn", "container": container(BURN)}
    fill = {"action": "run", "namespace": "shop", "manifest": job(FILL)}
    package = repository.package(
        handlers=[
            {"name": "burn", "timeout": "60s", "steps": [burn]},
            {"name": "fill", "timeout": "60s", "type": "k8s", "config": fill},
        ],
        validation={
            "schema_version": "1.0",
            "required_permissions": ["pods/create", "pods/get", "pods/log", "jobs/create", "jobs/get"],
            "resource_limits": {},
        },
    )
    done = repository.call("run", package, "--sandbox", sandbox, "--report", "out", timeout=480)
    assert done.returncode == 0, done.stdout + done.stderr
    (tried,) = repository.result["packages"]
    agree(repository, tried["steps"])


def container(program: str) -> dict[str, Any]:
    return {
        "name": "perl",
        "image": IMAGE,
        "command": ["perl", "-e", program],
        "securityContext": CLOSED,
        "resources": RESOURCES,
    }


def job(program: str) -> dict[str, Any]:
    pod = {"restartPolicy": "Never", "containers": [container(program)]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "filling", "namespace": "shop"},
        "spec": {"backoffLimit": 0, "template": {"spec": pod}},
    }
