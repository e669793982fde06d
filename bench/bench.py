"""What wpk-sandbox costs, measured beside what it cannot do without: `make bench`, or `bench.py help check …`.

Absolute times say more about a machine than about a program, so where another program does the same work both are
run in turn, and the ratio counts. Everything that is made here has a name of its own and is removed again.
"""

import argparse
import compileall
import os
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

PROGRAM = Path(sys.executable).parent / "wpk-sandbox"
NODE_IMAGE = "kindest/node:v1.34.4"
SHELL_IMAGE = "debian:trixie-slim"
GATE_IMAGE = "wpk-sandbox-bench-gate"
PACKAGES = 1000

# An installed package comes with its bytecode; a checkout may be told to keep none.
SOURCE = Path(__file__).parents[1] / "src"
EXAMPLES = Path(__file__).parents[1] / "examples"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

SHELL_PACKAGE = """\
apiVersion: v1
kind: WorkflowPackage
metadata: {name: NAME, version: 1.0.0, description: One shell step., author: bench@example.com}
spec:
  runtime: {type: shell, requirements: {cpu: 100m, memory: 64Mi}}
  safety: {mode: manual, approval_required: true, dry_run_required: true, rollback_enabled: false}
  triggers: [{type: webhook, config: {path: /bench}}]
  handlers:
    - name: say
      type: shell
      timeout: 10s
      config: {command: "echo hello"}
"""
# Its rollback is rehearsed too. A package that rolls pods over takes longer by what its pods take to start, which
# is 1 to 2 s each time: a kubelet looks once a second what has become of its containers.
CLUSTER_PACKAGE = """\
apiVersion: v1
kind: WorkflowPackage
metadata: {name: NAME, version: 1.0.0, description: Scales a deployment., author: bench@example.com}
spec:
  runtime: {type: k8s, version: "1.28+", requirements: {cpu: 100m, memory: 64Mi}}
  safety: {mode: manual, approval_required: true, dry_run_required: true, rollback_enabled: true}
  triggers: [{type: webhook, config: {path: /bench}}]
  handlers:
    - name: grow
      type: k8s
      timeout: 60s
      config: {action: scale, resource_type: deployment, name: web, replicas: 3}
  rollback:
    enabled: true
    handlers:
      - name: return
        type: k8s
        timeout: 60s
        config: {action: scale, resource_type: deployment, name: web, replicas: original}
"""
# The hardening of sandbox/shells/docker.py in the words of `docker run`.
HARDENED = (
    *("--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--user=65532:65532"),
    *("--pids-limit=100", "--memory=1g", "--memory-swap=1g", "--cpus=1", "--ipc=private", "--cgroupns=private"),
    *("--tmpfs=/tmp:rw,noexec,nosuid,nodev,size=100m", "--tmpfs=/workspace:rw,exec,nosuid,nodev,size=512m"),
    *("--ulimit=nofile=1024", "--ulimit=core=0", "--log-driver=none", "--no-healthcheck"),
)


@dataclass(frozen=True)
class Row:
    """One line of the table: seconds, the goal in seconds, and how the goal came about."""

    what: str
    seconds: Sequence[float]
    goal: float
    why: str

    @property
    def holds(self) -> bool:
        """True when the median is within the goal."""
        return statistics.median(self.seconds) <= self.goal

    def __str__(self) -> str:
        median, verdict = statistics.median(self.seconds), "holds" if self.holds else "MISSED"
        spread = f"{min(self.seconds):.2f} to {max(self.seconds):.2f}"
        return f"{self.what:34} {median:8.2f} s  {spread:18} goal {self.goal:6.2f} s  {verdict:6}  {self.why}"


def timed(*argv: str, folder: Path | None = None, blocked: bool = False) -> float:
    """Seconds that a command takes. Ends the measurement, with its words, when the command fails.

    `blocked` is for commands that are to end with 1, because a package among theirs is unsafe.
    """
    began = time.perf_counter()
    done = subprocess.run(argv, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode != blocked:
        raise SystemExit(f"{' '.join(argv)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return seconds


def help_is_quick(folder: Path) -> list[Row]:
    """`--help` answers at once."""
    return [Row("--help", [timed(str(PROGRAM), "--help", folder=folder) for _ in range(9)], 0.15, "150 ms")]


def check_is_quick(folder: Path) -> list[Row]:
    """One package is checked before one looks up, a thousand while one waits."""
    texts = [SHELL_PACKAGE, CLUSTER_PACKAGE, *map(_unnamed, sorted(EXAMPLES.glob("*.wpk.yaml")))]
    (folder / "one.wpk.yaml").write_text(texts[-1].replace("NAME", "one"))
    one = [timed(str(PROGRAM), "check", "one.wpk.yaml", folder=folder) for _ in range(9)]
    for number in range(PACKAGES):
        package = texts[number % len(texts)].replace("NAME", f"package-{number}")
        (folder / f"package-{number}.wpk.yaml").write_text(package)
    many = [timed(str(PROGRAM), "check", ".", folder=folder, blocked=True) for _ in range(3)]
    return [
        Row("check of one package", one, 0.4, "0.4 s"),
        Row(f"check of {PACKAGES} mixed packages", many, 4.0, "4 s"),
    ]


def _unnamed(example: Path) -> str:
    """An example as a template: a thousand packages need a thousand names."""
    return re.sub(r"(?m)^  name: .*$", "  name: NAME", example.read_text(), count=1)


def local_is_quick(folder: Path) -> list[Row]:
    """One shell package with bubblewrap, from the call to the report."""
    run = _one_package(folder, SHELL_PACKAGE, "local")
    return [Row("one shell package in local", [run() for _ in range(7)], 0.5, "0.5 s")]


def container_is_near_docker_run(folder: Path) -> list[Row]:
    """One shell package in a container, beside the same command by `docker run`."""
    run = _one_package(folder, SHELL_PACKAGE, "container")
    plain, ours = _in_turn(_plain_container, run, pairs=7)
    alone = statistics.median(plain)
    return [Row("one shell package in container", ours, 2 * alone + 0.3, f"2 × docker run ({alone:.2f} s) + 0.3 s")]


def step_is_near_docker_run(_: Path) -> list[Row]:
    """One step in a shell with a gate, measured and removed again, beside the same command by `docker run`.

    The program's own start and the rules are not in it: they are the rows above.
    """
    from wpk_sandbox.sandbox.ledger import Ledger  # noqa: PLC0415 - the other measurements need nothing of it
    from wpk_sandbox.sandbox.sandbox import Network, SandboxSpec  # noqa: PLC0415
    from wpk_sandbox.sandbox.shells.docker import DOCKER  # noqa: PLC0415

    spec = SandboxSpec(shell_image=SHELL_IMAGE, pull=False, network=Network(gate_image=gate_image()))

    def ours() -> float:
        ledger = Ledger(f"bench{secrets.token_hex(4)}", datetime.now(UTC) + timedelta(minutes=10))
        began = time.perf_counter()
        with DOCKER.open(spec, ledger) as shell:
            shell.evidence()
            shell.run("echo hello", environment={}, timeout=60)
            shell.observed()
        return time.perf_counter() - began

    ours()
    plain, gated = _in_turn(_plain_container, ours, pairs=7)
    alone = statistics.median(plain)
    return [Row("one shell step, with its gate", gated, alone + 0.5, f"docker run ({alone:.2f} s) + 0.5 s")]


def kind_is_near_kind(folder: Path) -> list[Row]:
    """One package in a real cluster, beside making and deleting the cluster alone."""
    run = _one_package(folder, CLUSTER_PACKAGE, "kind")
    plain, ours = _in_turn(lambda: _plain_cluster(folder), run, pairs=3)
    alone = statistics.median(plain)
    return [Row("one package in kind", ours, 1.25 * alone, f"1.25 × kind create and delete ({alone:.2f} s)")]


def machine_is_quick(folder: Path) -> list[Row]:
    """A virtual machine until its first command has ended; its file system was made before."""
    from wpk_sandbox.sandbox.ledger import Ledger  # noqa: PLC0415 - the other measurements need nothing of it
    from wpk_sandbox.sandbox.sandbox import Network, SandboxSpec  # noqa: PLC0415
    from wpk_sandbox.sandbox.shells.qemu.provider import QEMU  # noqa: PLC0415

    spec = SandboxSpec(shell_image=SHELL_IMAGE, pull=False, network=Network(record=False))
    seconds, details = [], ""
    for _ in range(6):
        ledger = Ledger(f"bench{secrets.token_hex(4)}", datetime.now(UTC) + timedelta(minutes=10))
        began = time.perf_counter()
        with QEMU.open(spec, ledger) as shell:
            shell.run("true", environment={}, timeout=60)
            seconds.append(time.perf_counter() - began)
            details = shell.details
    how, goal = ("KVM", 2.0) if " KVM," in details else ("emulated", 6.0)
    return [Row(f"vm ready for its first command, {how}", seconds[1:], goal, f"{goal:g} s, {how}")]


def _one_package(folder: Path, package: str, sandbox: str) -> Callable[[], float]:
    (folder / "one.wpk.yaml").write_text(package.replace("NAME", "one"))
    settings = f"kind: {{node_image: '{NODE_IMAGE}'}}\nshell: {{image: '{SHELL_IMAGE}'}}\nimages: {{pull: false}}\n"
    if sandbox == "container":
        settings += f"sandbox: {{network: {{gate_image: '{gate_image()}'}}}}\n"
    (folder / ".wpk-sandbox.yaml").write_text(settings)
    return lambda: timed(str(PROGRAM), "run", "one.wpk.yaml", "--sandbox", sandbox, folder=folder)


def _in_turn(
    first: Callable[[], float], second: Callable[[], float], *, pairs: int
) -> tuple[list[float], list[float]]:
    """A, B, B, A, A, B: what else the machine does falls on both alike."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for pair in range(pairs):
        for which in (0, 1) if pair % 2 == 0 else (1, 0):
            seconds[which].append((first, second)[which]())
    return seconds


def gate_image() -> str:
    """An image with a Python, which is built where it is missing."""
    if subprocess.run(["docker", "image", "inspect", GATE_IMAGE], capture_output=True, check=False).returncode:
        lines = f"FROM {SHELL_IMAGE}\nRUN apt-get update && apt-get install --yes python3-minimal\n"
        environment = {**os.environ, "DOCKER_BUILDKIT": "0"}
        argv = ["docker", "build", "--tag", GATE_IMAGE, "-"]
        subprocess.run(argv, input=lines, text=True, capture_output=True, env=environment, check=True)
    return GATE_IMAGE


def _plain_container() -> float:
    name = f"wpk-bench-{secrets.token_hex(4)}"
    return timed("docker", "run", "--rm", f"--name={name}", *HARDENED, SHELL_IMAGE, "sh", "-c", "echo hello")


def _plain_cluster(folder: Path) -> float:
    name = f"wpk-bench-{secrets.token_hex(4)}"
    where = (f"--name={name}", f"--kubeconfig={folder / name}")
    try:
        return timed("kind", "create", "cluster", *where, f"--image={NODE_IMAGE}", "--wait=5m") + timed(
            "kind", "delete", "cluster", *where
        )
    finally:  # deleting what is gone already is no error to kind
        subprocess.run(["kind", "delete", "cluster", *where], capture_output=True, check=False)


MEASUREMENTS: dict[str, Callable[[Path], list[Row]]] = {
    "help": help_is_quick,
    "check": check_is_quick,
    "local": local_is_quick,
    "container": container_is_near_docker_run,
    "step": step_is_near_docker_run,
    "kind": kind_is_near_kind,
    "vm": machine_is_quick,
}


def main() -> int:
    """Measure what is named, or everything; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("which", nargs="*", metavar="|".join(MEASUREMENTS), help="what to measure; default: all")
    chosen = parser.parse_args().which or list(MEASUREMENTS)
    if unknown := set(chosen) - set(MEASUREMENTS):
        parser.error(f"there is no measurement {', '.join(sorted(unknown))}")
    compileall.compile_dir(SOURCE, quiet=1)
    missed = 0
    for name in chosen:
        with tempfile.TemporaryDirectory(prefix="wpk-bench-") as folder:
            for row in MEASUREMENTS[name](Path(folder)):
                sys.stdout.write(f"{row}\n")
                sys.stdout.flush()
                missed += not row.holds
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
