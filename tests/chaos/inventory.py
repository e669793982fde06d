"""What is on this host of one run, and canaries: things that no run may touch, watched from before to after."""

import json
import os
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wpk_sandbox.sandbox.shells.groups import hierarchies

RUN_LABEL, EXPIRES_LABEL = "wpk-sandbox.run", "wpk-sandbox.expires"
KIND_LABEL = "io.x-k8s.kind.cluster"
IMAGE = "busybox:1.36"

# Labels under which canaries live: none, those of runs that go on or cannot be read, those of a kind cluster that is
# somebody else's.
_LABELS: dict[str, dict[str, str]] = {
    "unlabelled": {},
    "valid": {RUN_LABEL: "canary", EXPIRES_LABEL: "2999-01-01T00:00:00Z"},
    "unreadable": {RUN_LABEL: "canary", EXPIRES_LABEL: "some day"},
    "foreign": {"com.example.owner": "somebody", EXPIRES_LABEL: "2001-01-01T00:00:00Z"},
    "kind": {KIND_LABEL: "canary"},
}


def docker(*arguments: str, host: str = "", timeout: float = 120) -> list[str]:
    """The lines that a docker command prints, of the daemon at `host`, or else of the usual one."""
    argv = ["docker", *(("-H", host) if host else ()), *arguments]
    return subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=True).stdout.splitlines()


def held(run_id: str, host: str = "") -> list[str]:
    """What a daemon holds of a run, the unlabelled nodes on its networks included."""
    label = ["--filter", f"label={RUN_LABEL}={run_id}"]
    networks = docker("network", "ls", "--format", "{{.Name}}", *label, host=host)
    nodes = [
        f"node {name}"
        for network in networks
        for name in docker("ps", "-a", "--format", "{{.Names}}", "--filter", f"network={network}", host=host)
    ]
    containers = docker("ps", "-a", "--format", "{{.Names}}", *label, host=host)
    volumes = docker("volume", "ls", "--format", "{{.Name}}", *label, host=host)
    return [
        *(f"container {name}" for name in containers),
        *(node for node in nodes if node.removeprefix("node ") not in containers),
        *(f"network {name}" for name in networks),
        *(f"volume {name}" for name in volumes),
    ]


def groups(run_id: str) -> list[str]:
    """The control groups of a run, wherever one like us may make them."""
    bases = (hierarchy.base for hierarchy in hierarchies())
    return [f"cgroup {path}" for base in bases for path in base.glob(f"wpk-sandbox-{run_id}-*")]


def processes(*words: str) -> list[str]:
    """This host's processes that hold one of the words in their command line or environment, with their numbers."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            line = (path / "cmdline").read_bytes()
            text = (line + b"\0" + (path / "environ").read_bytes()).decode(errors="replace")
        except OSError:
            continue
        if int(path.name) != os.getpid() and any(word in text for word in words):
            found.append(f"process {path.name} {line.replace(bytes(1), b' ').decode(errors='replace')[:80]}")
    return found


@dataclass(frozen=True)
class Canaries:
    """The names of what must stay as it is."""

    names: tuple[str, ...]
    folders: tuple[Path, ...]
    host: str = ""

    def harmed(self) -> list[str]:
        """Those that are gone, or no longer what they were."""
        running = docker("ps", "--format", "{{.Names}}", host=self.host)
        networks = docker("network", "ls", "--format", "{{.Name}}", host=self.host)
        volumes = docker("volume", "ls", "--format", "{{.Name}}", host=self.host)
        lost = [f"container {name}" for name in self.names if name not in running]
        lost += [f"network {name}" for name in self.names if name not in networks]
        lost += [f"volume {name}" for name in self.names if name not in volumes]
        return lost + [f"folder {path}" for path in self.folders if not (path / "content").exists()]

    def ledger(self, harmed: list[str]) -> list[str]:
        """How many there were of each kind, and how many of all are harmed."""
        kinds = ", ".join(f"{len(self.names)} {kind}s" for kind in ("container", "network", "volume"))
        return [f"foreign touched   {len(harmed)} of {kinds}, {len(self.folders)} folders that are somebody else's"]


@contextmanager
def canaries(host: str = "") -> Iterator[Canaries]:
    """Containers, networks, volumes and folders of our own that are nobody's to remove."""
    token = uuid.uuid4().hex[:8]
    names = {f"wpk-canary-{token}-{kind}": labels for kind, labels in _LABELS.items()}
    folders = []
    try:
        for name, labels in names.items():
            marks = [word for key, value in labels.items() for word in ("--label", f"{key}={value}")]
            docker("network", "create", *marks, name, host=host)
            docker("volume", "create", *marks, name, host=host)
            options = [*marks, "--name", name, "--network", name, "--volume", f"{name}:/data"]
            docker("run", "-d", *options, IMAGE, "sleep", "7200", host=host)
        for labels in ({}, _LABELS["valid"], _LABELS["unreadable"]):
            folders.append(Path(tempfile.mkdtemp(prefix="wpk-sandbox-canary-")))
            (folders[-1] / "content").write_text("precious")
            if labels:
                (folders[-1] / ".wpk-sandbox.json").write_text(json.dumps(labels))
        yield Canaries(tuple(names), tuple(folders), host)
    finally:
        for name in names:
            for argv in (["rm", "-f", "-v", name], ["network", "rm", name], ["volume", "rm", name]):
                subprocess.run(
                    ["docker", *(("-H", host) if host else ()), *argv], capture_output=True, timeout=60, check=False
                )
        for folder in folders:
            for name in ("content", ".wpk-sandbox.json"):
                (folder / name).unlink(missing_ok=True)
            if folder.exists():
                folder.rmdir()
