"""Eight runs at once on one daemon, two of which are killed: the six others pass as if they were alone."""

import json
import signal
import subprocess
import time
import uuid
from pathlib import Path

from .runs import Run

SANDBOXES = ("container",) * 5 + ("local",) * 3
# The first is cancelled, the second killed outright; each shares its CI job with one that goes on.
KILLED = {0: signal.SIGTERM, 1: signal.SIGKILL}
TIMEOUT = 180.0
GUARD_TIMEOUT = 40.0


def problems(folder: Path) -> list[str]:
    """What went wrong, if anything."""
    jobs = [f"eight-{uuid.uuid4().hex[:10]}" for _ in range(6)]
    shared = [jobs[0], jobs[1], *jobs]
    runs = [
        Run(folder / str(number), job, sandbox)
        for number, (job, sandbox) in enumerate(zip(shared, SANDBOXES, strict=True))
    ]
    processes = [run.start() for run in runs]
    _until_said(runs, processes)
    for number, sent in KILLED.items():
        processes[number].send_signal(sent)
    for process in processes:
        process.wait(TIMEOUT)
    unharmed = [run for number, run in enumerate(runs) if number not in KILLED]
    wrong = [reason for run in unharmed for reason in _harm(run)]
    codes = [process.returncode for process in processes[:2]]
    wrong += [] if codes == [143, -9] else [f"those that were killed ended with {codes}"]
    until = time.monotonic() + GUARD_TIMEOUT
    while (left := [thing for run in runs for thing in run.leftovers()]) and time.monotonic() < until:
        time.sleep(0.5)
    return wrong + [f"left {thing}" for thing in left]


def _until_said(runs: list[Run], processes: "list[subprocess.Popen[str]]") -> None:
    """Wait until each of them is in the middle of its step, or has ended."""
    until = time.monotonic() + TIMEOUT
    while time.monotonic() < until:
        waiting = [run for run, process in zip(runs, processes, strict=True) if process.poll() is None]
        if all(run.said("run") for run in waiting[:2]):
            return
        time.sleep(0.01)


def _harm(run: Run) -> list[str]:
    """What shows that a run was not left alone."""
    path = run.folder / "out" / "result.json"
    if not path.exists():
        return [f"{run.run_id} has no result: {' / '.join(run.lines[-3:])}"]
    result = json.loads(path.read_text())
    if result["verdict"] != "pass" or result["tally"]["left"]:
        return [f"{run.run_id}: {result['verdict']}, {result['packages'][0]['reason']}, {result['tally']}"]
    return []
