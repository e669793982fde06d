"""A Docker daemon that is killed in the middle of a run: a daemon of our own, beside the host's.

The run must end in bounded time, say why, and blame nobody; what it made goes when the daemon is back.
"""

import json
import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from contract.gate_image import gate_image

from .inventory import docker, held
from .runs import INCONCLUSIVE, Run

IMAGE, NODE_IMAGE = "debian:trixie-slim", "kindest/node:v1.34.4"
START_TIMEOUT = 60.0
# Until a run is at its moment: a cluster boots in a quarter of a minute, and this host may be busy.
MOMENT_TIMEOUT = 120.0
ATTEMPTS = 3
# From the daemon's end to the run's: what waits for it to come back waits for 20 s each time.
END_TIMEOUT = 120.0
GUARD_TIMEOUT = 60.0


@dataclass(frozen=True)
class Killing:
    """When the daemon of a run is killed: `delay` seconds after the moment's beginning. `back_after` is how many
    seconds it is away; None is until the run is over.
    """

    sandbox: str
    moment: str
    delay: float
    back_after: float | None
    codes: tuple[int, ...] = (INCONCLUSIVE,)

    def __str__(self) -> str:
        away = "away until it is over" if self.back_after is None else f"away for {self.back_after:.0f} s"
        return f"{self.sandbox}, {self.moment} +{self.delay:.1f} s, {away}"


KILLINGS = (
    Killing("container", "run", 0.3, 3.0),
    Killing("container", "run", 0.3, None),
    # While a node boots, which is tried once more, and may be in time; then while the shell talks with the cluster.
    Killing("kind", "creation", 7.0, 3.0, codes=(0, INCONCLUSIVE)),
    Killing("kind", "run", 0.3, 3.0),
    Killing("kind", "run", 0.3, None),
)


class Daemon:
    """A second dockerd, which shares nothing with the host's but the programs and the image."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = f"unix://{folder}/docker.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or start it again, with the runtimes of the host's own daemon."""
        info = json.loads(docker("info", "--format", "{{json .}}")[0])
        named = {
            name: runtime["path"] for name, runtime in info["Runtimes"].items() if "/" in runtime.get("path", "")
        }
        runtimes = [word for name, path in named.items() for word in ("--add-runtime", f"{name}={path}")]
        places = {"data-root": "data", "exec-root": "exec", "pidfile": "docker.pid"}
        # In a network namespace of its own: a daemon without a bridge removes the one of the host's daemon. Its
        # loopback is down at first, and then the port of a cluster's API could not be published.
        argv = ["unshare", "--net", "sh", "-ec", 'ip link set lo up; exec "$@"', "sh", "dockerd", "-H", self.host]
        argv += ["--bridge=none", "--iptables=false", "--ip6tables=false"]
        argv += [*runtimes, f"--default-runtime={info['DefaultRuntime']}"]
        argv += [f"--{option}={self.folder / name}" for option, name in places.items()]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True)
        until = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if time.monotonic() > until:
                raise TimeoutError(f"no answer, but: {(self.folder / 'log').read_text().splitlines()[-1]}")
            time.sleep(0.2)

    def kill(self) -> None:
        """Kill it; its containerd dies with it, and nothing else."""
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(30)
        # A host whose init is slow to collect the dead lets the next daemon take that containerd for a living one.
        (self.folder / "exec" / "containerd" / "containerd.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """End it with what it started, whatever became of it: containers outlive a daemon that does not come back."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(60)
        for shim in _processes_with(f"-address {self.folder}/"):
            for pid in [*_children(shim), shim]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
        for mount in reversed([mount for mount in mounts if mount.startswith(f"{self.folder}/")]):
            subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def load(self, image: str) -> None:
        """Bring an image over from the host's daemon."""
        with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saving:
            subprocess.run(
                ["docker", "-H", self.host, "load"], stdin=saving.stdout, capture_output=True, check=True
            )

    def _answers(self) -> bool:
        argv = ["docker", "-H", self.host, "info"]
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def problems(folder: Path, sandboxes: Collection[str] = ("container", "kind")) -> list[str]:
    """What went wrong, if anything; nothing is tried where we may not start a daemon."""
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        print("daemon killed: it takes root and dockerd; not tried")
        return []
    if "kind" not in sandboxes:
        print("daemon killed: not under a kind run, which this host cannot have, or which was not asked for")
    folder.mkdir(parents=True)
    daemon = Daemon(folder / "daemon")
    daemon.folder.mkdir()
    killings = [each for each in KILLINGS if each.sandbox in sandboxes]
    images = [IMAGE, gate_image(), *([NODE_IMAGE] if "kind" in sandboxes else [])]
    try:
        daemon.start()
        for image in images:
            daemon.load(image)
        return [
            f"{killing}: {reason}"
            for number, killing in enumerate(killings)
            for reason in _killed(daemon, folder / str(number), killing)
        ]
    finally:
        daemon.stop()


def _killed(daemon: Daemon, folder: Path, killing: Killing) -> list[str]:
    """Kill it at its moment, bring it back, and see what became of the run and of what it made."""
    for attempt in range(ATTEMPTS):
        run = Run(
            folder / str(attempt), f"daemon-{uuid.uuid4().hex[:10]}", killing.sandbox, DOCKER_HOST=daemon.host
        )
        process = run.start()
        if _is_at(killing.moment, run, process):
            break
        print(f"daemon killed ({killing}): not yet, as the run did not come so far: {_reason(run)}", flush=True)
        process.terminate()
        process.wait(END_TIMEOUT)
    else:
        return [f"none of {ATTEMPTS} runs came to its moment"]
    time.sleep(killing.delay)
    wrong = [] if held(run.run_id, daemon.host) else [f"the run made nothing: {' / '.join(run.lines[-3:])}"]
    daemon.kill()
    began = time.monotonic()
    if killing.back_after is not None:
        time.sleep(killing.back_after)
        daemon.start()
    try:
        code = process.wait(END_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        wrong.append(f"the run did not end within {END_TIMEOUT:.0f} s")
        code = process.wait()
    seconds = time.monotonic() - began
    if killing.back_after is None:
        daemon.start()
    print(f"daemon killed ({killing}): ended {seconds:.1f} s later with {code}: {_reason(run)}", flush=True)
    if code not in killing.codes:
        wrong.append(f"exit code {code} is not that of an inconclusive run")
    if code == INCONCLUSIVE and not any(word in _reason(run) for word in ("Docker", "daemon")):
        wrong.append(f"it does not say why: {_reason(run)}")
    until = time.monotonic() + GUARD_TIMEOUT
    while (left := held(run.run_id, daemon.host)) and time.monotonic() < until:
        time.sleep(0.5)
    return wrong + run.broken_reports() + [f"left {thing}" for thing in left]


def _is_at(moment: str, run: Run, process: "subprocess.Popen[str]") -> bool:
    """Whether a run comes to a moment, in some minutes."""
    until = time.monotonic() + MOMENT_TIMEOUT
    while not run.said(moment) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    return run.said(moment) and process.poll() is None


def _processes_with(words: str) -> list[int]:
    """This host's processes that have the words in their command line."""
    return [int(line.split()[0]) for line in _ps("-e", "-o", "pid=,args=") if words in line]


def _children(pid: int) -> list[int]:
    return [int(line) for line in _ps("--ppid", str(pid), "-o", "pid=")]


def _ps(*options: str) -> list[str]:
    return subprocess.run(["ps", *options], capture_output=True, text=True, check=False).stdout.splitlines()


def _reason(run: Run) -> str:
    """Why it ended so, in its result's words, or else its last."""
    path = run.folder / "out" / "result.json"
    if not path.exists():
        return " / ".join(run.lines[-3:])
    result = json.loads(path.read_text())
    return str(result["packages"][0]["reason"] or result["verdict"])
