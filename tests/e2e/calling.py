"""The real command line, called as its users call it, with what it cost; and what Docker holds afterwards."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).parent / "wpk-sandbox"

# Run by a small process of its own: a child's peak of memory counts that of the process which forked it, and
# pytest is large.
_MEASURE = """
import json, resource, subprocess, sys
code = subprocess.run(sys.argv[2:], check=False).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    json.dump([code, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024], file)
"""

# Variables by which a CI system, or the person who runs the tests, would change what is tested.
_FOREIGN = ("WPK_SANDBOX_", "INPUT_", "GITHUB_", "CI", "GITLAB_")


@dataclass(frozen=True)
class Called:
    """What a call came to. `cpu` is in seconds, `memory` the peak in bytes, both of the program and its children."""

    code: int
    out: str
    err: str
    cpu: float
    memory: int

    @property
    def text(self) -> str:
        """Everything that the caller read."""
        return self.out + self.err


def wpk(*arguments: str | Path, folder: Path, timeout: float = 120) -> Called:
    """Call `wpk-sandbox ARGUMENTS` in a folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    with tempfile.TemporaryDirectory() as place:
        cost = Path(place) / "cost.json"
        command = [sys.executable, "-S", "-c", _MEASURE, str(cost), str(PROGRAM), *map(str, arguments)]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, timeout=timeout, check=False
        )
        code, cpu, memory = json.loads(cost.read_text())
    out, err = (stream.decode(errors="replace") for stream in (done.stdout, done.stderr))
    return Called(code, out, err, cpu, memory)


def labelled(run_id: str) -> list[str]:
    """What Docker still holds of a run: its containers, networks and volumes."""
    found = []
    for kind, listing in (
        ("container", ["ps", "-a"]),
        ("network", ["network", "ls"]),
        ("volume", ["volume", "ls"]),
    ):
        name = "{{.Names}}" if kind == "container" else "{{.Name}}"
        names = docker(*listing, "--filter", f"label=wpk-sandbox.run={run_id}", "--format", name)
        found += [f"{kind} {name}" for name in names]
    return found


def nodes() -> set[str]:
    """The kind clusters that have a node on this daemon, running or not."""
    listed = docker("ps", "-a", "--filter", "label=io.x-k8s.kind.cluster", "--format", "{{.Names}}")
    return {name.removesuffix("-control-plane") for name in listed}


def docker(*arguments: str) -> list[str]:
    """The lines that a docker command prints."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.splitlines()


def read_result(folder: Path) -> dict[str, Any]:
    """The `result.json` of a report folder."""
    result: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return result
