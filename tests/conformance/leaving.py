"""Attempts whose success shows on the host: processes that outlive their sandbox, and those that end others'."""

import secrets
import subprocess
import time
from pathlib import Path

from host import Host
from model import Attempt, Told
from sandboxes import Sandbox, Tried
from twin import LABEL, Twin

from wpk_sandbox.run.result import StepStatus

OUTLIVES = Attempt(20, "outlives-its-step")
HOLDS = Attempt(20, "holds-its-output")
KILLS_ALL = Attempt(21, "kill-all")
KILLS_FIRST = Attempt(21, "kill-first")
DEEP = Attempt(23, "folders-deep")

_OUTLIVES = "setsid nohup sleep {0} >/dev/null 2>&1 & sleep 0.2"
_HOLDS = "sleep {0} & echo done"
_ALL = "kill -9 -1; sleep 1"
_FIRST = "kill -9 1; kill -TERM 1; kill -STOP 1; sleep 0.2; echo still here"


class Leaving:
    """What is tried while a sandbox is open, and looked at once it is closed."""

    def __init__(self) -> None:
        self._left: list[tuple[Attempt, str, Tried]] = []

    def leave(self, sandbox: Sandbox) -> None:
        """Leave processes behind, each with an argument that nothing else on this host has."""
        for attempt, command in ((OUTLIVES, _OUTLIVES), (HOLDS, _HOLDS)):
            number = _odd()
            (step,) = sandbox.run([(attempt.name, command.format(number), 20)])
            self._left.append((attempt, number, Tried(Told("blocked", step.message), step)))

    def afterwards(self) -> list[tuple[Attempt, Tried]]:
        """Whether they are gone with the sandbox."""
        found = []
        for attempt, number, tried in self._left:
            gone = _gone(number)
            seen = (
                "its step ended in time, and the process with the sandbox"
                if gone
                else f"sleep {number} is still there"
            )
            found.append((attempt, Tried(Told("blocked" if gone else "open", seen), tried.step)))
        return found


def kill(sandbox: Sandbox, host: Host) -> list[tuple[Attempt, Tried]]:
    """End everything that can be; the host's process lives on, and the sandbox answers the next step."""
    found = []
    for attempt, command in ((KILLS_FIRST, _FIRST), (KILLS_ALL, _ALL)):
        (step,) = sandbox.run([(attempt.name, command, 20)])
        (after,) = sandbox.run([("after", "echo usable", 40)])
        held = host.process_lives and after.status is StepStatus.OK
        seen = f"{step.message}; the next step: {after.message}; the host's process {'lives' if host.process_lives else 'is gone'}"
        found.append((attempt, Tried(Told("blocked" if held else "open", seen), step)))
    return found


def controls(twin: Twin) -> dict[str, Told]:
    """The same in a twin that nobody closes; it is of no use afterwards."""
    told = {}
    for attempt, command in ((OUTLIVES, _OUTLIVES), (HOLDS, _HOLDS)):
        number = _odd()
        _in(twin, command.format(number), wait=False)
        time.sleep(1)
        told[attempt.name] = _as_told(bool(_processes(number)), "the process goes on")
    number = _odd()
    _in(twin, f"exec sleep {number}", wait=False)
    time.sleep(1)
    before = len(_processes(number))
    _in(twin, _ALL, wait=True)
    told[KILLS_ALL.name] = _as_told(before > 0 and _gone(number), "another's process was ended")
    told[KILLS_FIRST.name] = _ended_first(twin)
    return told


def _ended_first(twin: Twin) -> Told:
    """What sees the processes of the host, as no sandbox does, ends the first one of another container."""
    first = subprocess.run(
        ["docker", "inspect", "--format", "{{.State.Pid}}", twin.name], capture_output=True, text=True, check=True
    ).stdout.strip()
    argv = ["docker", "run", "--rm", f"--label={LABEL}", "--pid=host", "busybox:1.36", "kill", "-9", first]
    subprocess.run(argv, capture_output=True, check=False, timeout=60)
    return _as_told(_gone_of(int(first)), "the first process of another container was ended")


def _as_told(succeeded: bool, seen: str) -> Told:
    return Told("open" if succeeded else "blocked", seen if succeeded else f"not so: {seen}")


def _in(twin: Twin, command: str, *, wait: bool) -> None:
    argv = ["docker", "exec", *([] if wait else ["--detach"]), twin.name, "sh", "-c", command]
    subprocess.run(argv, capture_output=True, check=False, timeout=30)


def _odd() -> str:
    return f"{secrets.randbelow(10**8) + 10**8}"


def _gone(number: str, seconds: float = 5) -> bool:
    until = time.monotonic() + seconds
    while _processes(number):
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def _gone_of(process: int, seconds: float = 5) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until and Path(f"/proc/{process}/status").exists():
        time.sleep(0.1)
    return not Path(f"/proc/{process}/status").exists()


def _processes(number: str) -> list[str]:
    wanted = f"sleep\0{number}\0".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes() == wanted:
                found.append(path.parent.name)
        except OSError:
            continue
    return found
