"""A repository in a temporary folder, the real command line in a process of its own, and what Docker holds of a run."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

RUN_LABEL = "wpk-sandbox.run"
SETTINGS = 'shell: {image: "debian:trixie-slim"}\nimages: {pull: false}\n'


@dataclass(frozen=True)
class Repository:
    """A folder with packages and settings; every run in it is of the CI job `job`, so its id is known before."""

    root: Path
    job: str
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def run_id(self) -> str:
        """The id that the run gives to all that it makes."""
        return f"gl-{self.job}"

    @property
    def result(self) -> dict[str, Any]:
        """The `result.json` of a run with `--report out`."""
        document: dict[str, Any] = json.loads((self.root / "out/result.json").read_text())
        return document

    def package(self, *commands: str, name: str = "tried", timeout: str = "60s", **spec: Any) -> str:
        """Write a package of shell steps; `spec` replaces parts of it. Gives its path."""
        path = self.root / f"{name}.wpk.yaml"
        path.write_text(json.dumps(shell_package(name, commands, timeout)))
        if spec:
            document = json.loads(path.read_text())
            document["spec"] |= spec
            path.write_text(json.dumps(document))
        return path.name

    def call(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """The command line, to its end."""
        return subprocess.run(
            [*command_line(), *arguments],
            cwd=self.root,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """The command line, going on; in a process group of its own, as a CI job is."""
        return subprocess.Popen(
            [*command_line(), *arguments],
            cwd=self.root,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def environment(self) -> dict[str, str]:
        """Ours, without what a CI system or a developer may have set."""
        ours = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GITHUB_", "INPUT_", "WPK_SANDBOX_", "CI_"))
        }
        return ours | {"CI_JOB_ID": self.job, "PYTHONUNBUFFERED": "1"} | self.variables


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """An empty repository whose settings ask for images that are at hand."""
    root = tmp_path / "repository"
    root.mkdir()
    (root / ".wpk-sandbox.yaml").write_text(SETTINGS)
    return Repository(root, f"e2e-{uuid.uuid4().hex[:12]}")


def command_line() -> list[str]:
    """The program as it is installed beside the Python that runs the tests."""
    return [str(Path(sys.executable).with_name("wpk-sandbox"))]


def shell_package(name: str, commands: Sequence[str], timeout: str) -> dict[str, Any]:
    """A complete package whose steps are these commands, each with this timeout."""
    steps = [
        {"name": f"step-{number}", "timeout": timeout, "shell": {"command": command}}
        for number, command in enumerate(commands, 1)
    ]
    return {
        "apiVersion": "v1",
        "kind": "WorkflowPackage",
        "metadata": {
            "name": name,
            "version": "1.0.0",
            "description": "Shell steps that are tried from end to end.",
            "author": "platform-team@example.com",
            "created": "2025-03-28T16:20:00Z",
            "tags": ["shell"],
        },
        "spec": {
            "runtime": {
                "type": "shell",
                "requirements": {"cpu": "100m", "memory": "64Mi", "storage": "10Mi"},
            },
            "safety": {
                "mode": "manual",
                "approval_required": True,
                "dry_run_required": True,
                "rollback_enabled": False,
            },
            "triggers": [{"type": "webhook", "config": {"path": "/try"}}],
            "handlers": [{"name": "try", "timeout": "120s", "steps": steps}],
            "rollback": {"enabled": False},
            "validation": {"schema_version": "1.0", "required_permissions": [], "resource_limits": {}},
            "monitoring": {"metrics_enabled": False, "logging_level": "info", "alerts": []},
        },
    }


def held_by_docker(run_id: str) -> dict[str, list[str]]:
    """What Docker and kind hold of one run. Other runs share the daemon, so only what is labelled so counts."""
    label = ["--filter", f"label={RUN_LABEL}={run_id}"]
    networks = _lines("docker", "network", "ls", "-q", *label)
    on_networks = [
        node
        for network in networks
        for node in _lines("docker", "ps", "-a", "-q", "--filter", f"network={network}")
    ]
    return {
        "containers": sorted({*_lines("docker", "ps", "-a", "-q", *label), *on_networks}),
        "networks": networks,
        "volumes": _lines("docker", "volume", "ls", "-q", *label),
    }


def _lines(*argv: str) -> list[str]:
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout.split()


@pytest.fixture
def held() -> Any:
    """`held(run_id)`: what Docker holds of that run, `{}` when nothing."""

    def of_run(run_id: str) -> dict[str, list[str]]:
        return {kind: names for kind, names in held_by_docker(run_id).items() if names}

    return of_run


def processes_with(word: str) -> list[str]:
    """The command lines of this host's processes that hold a word, those in containers included."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        if word in words:
            found.append(words)
    return found


@pytest.fixture
def processes() -> Any:
    """`processes(word)`: the command lines on this host that hold the word."""
    return processes_with
