"""One run of the real command line that is killed at a random moment, and what became of what it made."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from contract.gate_image import gate_image

from . import inventory

PROGRAM = Path(sys.executable).with_name("wpk-sandbox")
SETTINGS = """\
shell: {{image: "debian:trixie-slim"}}
images: {{pull: false}}
kind: {{node_image: "kindest/node:v1.34.4"}}
sandbox: {{network: {{gate_image: "{gate}"}}, cleanup: {{reaper: {reaper}}}}}
"""
REPORTS = ("result.json", "junit.xml", "findings.sarif", "gl-code-quality-report.json", "summary.md", "report.html")

# Sandboxes with their weights, and about how long (seconds) each takes to open after its package was judged, and to
# be removed.
WEIGHTS = {"local": 40, "container": 40, "kind": 15, "vm": 5}
OPENING = {"local": 0.4, "container": 0.9, "kind": 16.0, "vm": 4.0}
REMOVING = {"local": 0.3, "container": 0.6, "kind": 2.5, "vm": 0.6}
MOMENTS = ("creation", "run", "rollback", "cleanup")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
STEP = 1.0
# What a host that is too busy makes of a run before it is killed.
INCONCLUSIVE = 3

# GitHub sends SIGTERM this long (seconds) after SIGINT, and kills this long after that.
TO_TERM, TO_KILL = 7.5, 2.5
ITSELF, GUARD, SWEEP = "itself", "guard", "sweep"
# How long a guard is waited for before somebody sweeps.
GUARD_TIMEOUT = 40.0


@dataclass(frozen=True)
class Case:
    """What is done to one run: `delay` is seconds after the moment's beginning."""

    number: int
    sandbox: str
    signal: int
    moment: str
    delay: float
    guarded: bool = True

    @property
    def signal_name(self) -> str:
        """Such as SIGTERM."""
        return signal.Signals(self.signal).name


@dataclass(frozen=True)
class Outcome:
    """How it ended: `seconds` from the signal to the exit, what its result says, and who removed the last of it.

    `found` is how much was there of it when it had ended; `left`, `half_written` and `wrong` should be empty.
    """

    case: Case
    exit_code: int
    seconds: float
    tally: str
    remover: str
    found: int
    left: tuple[str, ...] = ()
    half_written: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """All that is not as it should be."""
        left = (f"left {thing}" for thing in self.left)
        return (*left, *self.half_written, *self.wrong)

    def __str__(self) -> str:
        case = self.case
        when = f"{case.moment} +{case.delay:.2f} s"
        removed = (
            "all removed by itself" if self.remover == ITSELF else f"{self.found} removed by the {self.remover}"
        )
        wrong = f"  WRONG: {'; '.join(self.problems)}" if self.problems else ""
        return (
            f"{case.number:>4} {case.sandbox:<9} {case.signal_name:<7} {when:<16} exit {self.exit_code:>3} "
            f"after {self.seconds:5.2f} s  {self.tally:<26} {removed}{wrong}"
        )

    def as_json(self) -> str:
        """For the file from which a broken-off chaos goes on."""
        return json.dumps(asdict(self))


def case_of(number: int, seed: int, sandboxes: list[str]) -> Case:
    """The case of a number: the same for the same seed and sandboxes."""
    dice = random.Random(f"{seed}-{number}")
    sandbox = dice.choices(sandboxes, [WEIGHTS[name] for name in sandboxes])[0]
    moment = dice.choice(MOMENTS)
    longest = {"creation": OPENING[sandbox], "cleanup": REMOVING[sandbox]}.get(moment, STEP)
    number_of_signal = int(dice.choice(SIGNALS))
    return Case(number, sandbox, number_of_signal, moment, dice.uniform(0, longest), dice.random() < 0.8)


class Run:
    """The real command line in a folder of its own, with its own folder for temporary files."""

    def __init__(self, folder: Path, job: str, sandbox: str, *, guarded: bool = True, **variables: str) -> None:
        self.run_id = f"gl-{job}"
        self.temporary = folder / "temporary"
        self.sleep = f"{STEP + random.SystemRandom().random() / 10:.12f}"
        self.folder = folder
        self._kind = sandbox
        self._variables = variables
        self.temporary.mkdir(parents=True)
        (folder / ".wpk-sandbox.yaml").write_text(
            SETTINGS.format(gate=gate_image(), reaper="auto" if guarded else "off")
        )
        (folder / "killed.wpk.yaml").write_text(json.dumps(package(self.sleep, cluster=sandbox == "kind")))
        self.lines: list[str] = []
        self.reader: threading.Thread | None = None

    def start(self) -> "subprocess.Popen[str]":
        """Start it; its words go to `lines` as they come."""
        argv = [str(PROGRAM), "run", "killed.wpk.yaml", "--sandbox", self._kind, "--report", "out"]
        process = subprocess.Popen(
            argv,
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.reader = threading.Thread(target=self._read, args=(process,), daemon=True)
        self.reader.start()
        return process

    def sweep(self) -> str:
        """`reap` of this run; what it said."""
        argv = [str(PROGRAM), "reap", "--run", self.run_id]
        done = subprocess.run(
            argv, env=self.environment(), capture_output=True, text=True, timeout=300, check=False
        )
        return (done.stdout + done.stderr).strip()

    def leftovers(self, host: str = "") -> list[str]:
        """What is there of it now, in Docker, as folders and as processes."""
        # What is quick to see comes first, because a guard may be at work already.
        folders = [f"folder {path.name}" for path in self.temporary.iterdir()]
        here = [*inventory.groups(self.run_id), *inventory.processes(f"TMPDIR={self.temporary}", self.sleep)]
        return [*folders, *here, *inventory.held(self.run_id, host)]

    def said(self, moment: str) -> bool:
        """Whether its words show that a moment has begun."""
        text = "\n".join(self.lines)
        steps = text.count("exit code")
        judged = "risk" in text
        return {"creation": judged, "run": "ready in" in text, "rollback": steps > 0, "cleanup": steps > 1}[moment]

    def tally(self) -> str:
        """What its result says that it made and removed."""
        path = self.folder / "out" / "result.json"
        if not path.exists():
            return "no result"
        tally = json.loads(path.read_text())["tally"]
        return f"made {tally['made']}, removed {tally['removed']}, left {len(tally['left'])}"

    def broken_reports(self) -> list[str]:
        """Reports that are there by half: some of the files, or one that is not whole."""
        folder = self.folder / "out"
        names = (
            sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
            if folder.exists()
            else []
        )
        if not names:
            return []
        wrong = [] if names == sorted(REPORTS) else [f"reports {', '.join(names)}"]
        for name in names:
            text = (folder / name).read_text()
            whole = text.rstrip().endswith({".html": "</html>", ".xml": "</testsuites>"}.get(Path(name).suffix, ""))
            if not whole or (name.endswith((".json", ".sarif")) and not _is_json(text)):
                wrong.append(f"half of {name}")
        return wrong

    def environment(self) -> dict[str, str]:
        """Ours without a CI system's variables; with a job whose number is the run's id."""
        foreign = ("GITHUB_", "INPUT_", "WPK_SANDBOX_", "CI_")
        ours = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        own = {"CI_JOB_ID": self.run_id.removeprefix("gl-"), "TMPDIR": str(self.temporary), "PYTHONUNBUFFERED": "1"}
        return ours | own | self._variables

    def _read(self, process: "subprocess.Popen[str]") -> None:
        for line in process.stdout or ():
            self.lines.append(line.rstrip("\n"))


def kill(case: Case, folder: Path, job: str, host: str = "") -> Outcome:
    """Start a run, kill it at its moment as a CI system would, and see to what is left."""
    run = Run(folder, job, case.sandbox, guarded=case.guarded, **({"DOCKER_HOST": host} if host else {}))
    process = run.start()
    until = time.monotonic() + 240
    while not run.said(case.moment) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    wrong = [] if run.said(case.moment) or process.poll() is not None else ["it never came to its moment"]
    time.sleep(case.delay)
    began = time.monotonic()
    _end(process, case.signal)
    seconds = time.monotonic() - began
    found = [thing for thing in run.leftovers(host) if "sandbox.orphans" not in thing]
    remover, left = _removed(run, case, bool(found), host)
    if process.returncode not in _codes(case.signal):
        wrong.append(f"exit code {process.returncode}: {' / '.join(run.lines[-3:])}")
    if seconds > TO_TERM + TO_KILL:
        wrong.append("not done before a CI system kills")
    halves = tuple(run.broken_reports())
    code = process.returncode
    return Outcome(case, code, seconds, run.tally(), remover, len(found), tuple(left), halves, tuple(wrong))


def _end(process: "subprocess.Popen[str]", number: int) -> None:
    """Send the signal, and what GitHub sends after it to what does not end."""
    following = {signal.SIGINT: ((signal.SIGTERM, TO_TERM), (signal.SIGKILL, TO_KILL))}
    process.send_signal(number)
    for after, seconds in following.get(signal.Signals(number), ((signal.SIGKILL, TO_TERM + TO_KILL),)):
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(after)
    process.wait(30)


def _removed(run: Run, case: Case, found: bool, host: str) -> tuple[str, list[str]]:
    """Who removed the last of it, and what is left after the sweep."""
    if case.guarded:
        _until(lambda: not run.leftovers(host), GUARD_TIMEOUT)
    if not run.leftovers(host):
        return GUARD if found and case.guarded else ITSELF, []
    run.sweep()
    _until(lambda: not run.leftovers(host), 5)
    return SWEEP, run.leftovers(host)


def _until(condition: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.3)


def _codes(number: int) -> tuple[int, ...]:
    """What a run may end with: its verdict if it was faster, ours for the signal, the kernel's outside of the run."""
    ours = {signal.SIGINT: (130, -signal.SIGINT), signal.SIGTERM: (143, -signal.SIGTERM)}
    return (0, INCONCLUSIVE, *ours.get(signal.Signals(number), ()), -signal.SIGKILL)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def package(sleep: str, *, cluster: bool = False) -> dict[str, Any]:
    """A package with one step and its rollback, each of which sleeps so long."""

    def handler(name: str) -> dict[str, Any]:
        command = f"echo begun; {'kubectl get pods; ' if cluster else ''}sleep {sleep}"
        return {"name": name, "timeout": "60s", "steps": [{"name": name, "shell": {"command": command}}]}

    return {
        "apiVersion": "v1",
        "kind": "WorkflowPackage",
        "metadata": {
            "name": "killed",
            "version": "1.0.0",
            "description": "Sleeps, so that it can be killed meanwhile.",
            "author": "platform-team@example.com",
            "created": "2025-03-28T16:20:00Z",
            "tags": ["shell"],
        },
        "spec": {
            "runtime": {
                "type": "k8s" if cluster else "shell",
                "requirements": {"cpu": "100m", "memory": "64Mi", "storage": "10Mi"},
            },
            "safety": {
                "mode": "manual",
                "approval_required": True,
                "dry_run_required": True,
                "rollback_enabled": True,
            },
            "triggers": [{"type": "webhook", "config": {"path": "/try"}}],
            "handlers": [handler("sleep")],
            "rollback": {"enabled": True, "handlers": [handler("sleep-again")]},
            "validation": {"schema_version": "1.0", "required_permissions": [], "resource_limits": {}},
            "monitoring": {"metrics_enabled": False, "logging_level": "info", "alerts": []},
        },
    }
