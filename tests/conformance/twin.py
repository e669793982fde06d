"""The positive control: a container with nothing closed, where each attempt must succeed or it proves nothing.

It may do everything that this host's kernel lets root do, but it is connected to nothing, bounded in memory,
processes and files, and thrown away. What it reaches are stand-ins on its own loopback.
"""

import json
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from left import MINE
from model import Attempt, Told
from payload import packed

from wpk_sandbox.run.result import Limit

LABEL = "wpk-sandbox.test=conformance"
# More than any sandbox of these tests has, and little enough for this host.
BOUNDS = ("--memory=1200m", "--memory-swap=1200m", "--shm-size=1g", "--pids-limit=900", "--cpus=1")
NOBODY = "65532:65532"
# As root one has these anyway; that they can be gained shows only to those who lack them.
_AS_NOBODY = {"program-of-root", "program-with-capabilities"}
FLOOD = 8 * 1024**2
_TRIED = "WPK_TRIED=yes"


@dataclass(frozen=True)
class Twin:
    """An open twin, by its container's name."""

    name: str

    def tell(self, given: Mapping[str, Any], names: Iterable[str]) -> dict[str, Told]:
        """What becomes of functions of `probes` here."""
        names = list(names)
        told = self._probes(given, [name for name in names if name not in _AS_NOBODY], "0:0")
        return told | self._probes(given, [name for name in names if name in _AS_NOBODY], NOBODY)

    def command(self, attempt: Attempt) -> Told:
        """Whether a command gets here what a sandbox must keep from it."""
        if attempt.ends == (Limit.OUTPUT,):
            return self._flood(attempt.command)
        if Limit.STEP in attempt.ends:
            return self._endless(attempt.command)
        return self._many(attempt.command)

    def _probes(self, given: Mapping[str, Any], names: list[str], user: str) -> dict[str, Told]:
        # With a folder left open, as a careless runtime would leave one.
        start = ["sh", "-c", 'exec python3 /probes.pyz "$@" 9</', "sh"]
        argv = ["docker", "exec", "-u", user, self.name, *start, json.dumps(given), *names]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=240, check=False)
        return read(done.stdout)

    def _flood(self, command: str) -> Told:
        """Read more of it than any sandbox lets through."""
        argv = ["docker", "exec", f"--env={_TRIED}", self.name, "sh", "-c", f"exec 2>&1; {command}"]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            size = len(process.stdout.read(FLOOD))
            process.kill()
        self._end()
        return Told("open" if size == FLOOD else "blocked", f"{size} bytes were read")

    def _endless(self, command: str) -> Told:
        argv = ["docker", "exec", f"--env={_TRIED}", self.name, "sh", "-c", command]
        with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(3)
            runs = process.poll() is None
            self._end()
            process.kill()
        return Told("open" if runs else "blocked", "still ran after 3 s" if runs else "ended by itself")

    def _many(self, command: str) -> Told:
        """Count its processes; what they ask for is bounded by the twin, which gives more than a sandbox."""
        argv = ["docker", "exec", "--detach", self.name, "sh", "-c", command]
        subprocess.run(argv, check=True, timeout=30)
        most, until = 0, time.monotonic() + 8
        while time.monotonic() < until and most < 200:
            time.sleep(0.2)
            top = subprocess.run(
                ["docker", "top", self.name, "-eo", "pid"], capture_output=True, text=True, check=False
            )
            most = max(most, len(top.stdout.splitlines()))
        subprocess.run(["docker", "restart", "--time=0", self.name], capture_output=True, check=True, timeout=60)
        return Told("open" if most >= 200 else "blocked", f"{most} processes")

    def _end(self) -> None:
        """End what is left of a command: all in here that has its mark in its environment."""
        script = (
            "import os, pathlib\n"
            "for path in pathlib.Path('/proc').glob('[0-9]*/environ'):\n"
            f"    if {_TRIED!r}.encode() in path.read_bytes():\n"
            "        os.kill(int(path.parent.name), 9)\n"
        )
        argv = ["docker", "exec", self.name, "python3", "-c", script]
        subprocess.run(argv, capture_output=True, check=False, timeout=30)


@contextmanager
def opened(image: str, given: Mapping[str, Any], canary: str, host_file: Path) -> Iterator[Twin]:
    """A twin whose world is served, removed when the block is left."""
    name = f"wpk-{MINE}-twin"
    argv = ["docker", "run", "--detach", "--init", "--privileged", f"--label={LABEL}", f"--name={name}"]
    argv += ["--network=none", "--uts=host", "--cgroupns=private", "--dns=203.0.113.53", *BOUNDS]
    argv += [f"--env=SECRET={canary}", f"--volume={host_file.parent}:{host_file.parent}"]
    argv += [f"--volume={host_file.parent}:/workspace"]
    argv += [image, "sh", "-c", f": {canary}; sleep 1800 & exec sleep {given['host_process']}"]
    try:
        subprocess.run(argv, check=True, capture_output=True, timeout=60)
        copy = ["docker", "exec", "--interactive", name, "sh", "-c", "cat >/probes.pyz; chmod 644 /probes.pyz"]
        subprocess.run(copy, input=packed(), check=True, timeout=60)
        serve = ["docker", "exec", "--env=PYTHONPATH=/probes.pyz", name, "python3", "-m", "probes.serving"]
        with subprocess.Popen([*serve, json.dumps(given)], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", "the twin's world could not be made"
            yield Twin(name)
            process.kill()
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", name], capture_output=True, check=False, timeout=60)


def read(stdout: str) -> dict[str, Told]:
    """What attempts told, by their names; a line that is none of theirs is passed over."""
    told = {}
    for line in stdout.splitlines():
        if line.startswith('{"attempt"'):
            one = json.loads(line)
            told[one["attempt"]] = Told(one["outcome"], one.get("seen", ""), one.get("errno", ""))
    return told
