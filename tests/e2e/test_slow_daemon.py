"""A Docker daemon that is slow, or hangs: a run that is interrupted is over before a CI system kills it."""

import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from .conftest import Repository, held_by_docker
from .test_signals import assert_reports_are_whole, eventually

pytestmark = pytest.mark.needs("docker")
SOCKET = "/var/run/docker.sock"

# GitHub sends SIGTERM 7.5 s after the first signal, and kills 2.5 s after that.
TERMINATE, KILL = 7.5, 10.0


class Relay:
    """A socket that hands everything on to the daemon, each piece of a request after `delay` seconds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.delay = 0.0
        self.flows = threading.Event()
        self.flows.set()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more."""
        self.flows.set()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                daemon = socket.socket(socket.AF_UNIX)
                daemon.connect(SOCKET)
                for source, sink, slow in ((client, daemon, True), (daemon, client, False)):
                    threading.Thread(target=self._pump, args=(source, sink, slow), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, slow: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if slow:
                    time.sleep(self.delay)
                    self.flows.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    """The daemon by another door."""
    relay = Relay(tmp_path / "docker.sock")
    yield relay
    relay.close()


@pytest.fixture
def behind(repository: Repository, relay: Relay) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """`behind()`: a run in `container` that talks with the daemon through the relay, in the middle of its step."""
    through = replace(repository, variables={"DOCKER_HOST": f"unix://{relay.path}"})
    processes: list[subprocess.Popen[str]] = []

    def start() -> "subprocess.Popen[str]":
        path = through.package("sleep 50", timeout="100s")
        processes.append(through.start("run", path, "--sandbox", "container", "--report", "out"))
        assert eventually(lambda: running(through.run_id)), "the shell never ran"
        time.sleep(1)
        return processes[-1]

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_slow_daemon_leaves_time_for_everything(
    repository: Repository, relay: Relay, behind: Callable[[], "subprocess.Popen[str]"]
) -> None:
    process = behind()
    relay.delay = 1.0
    seconds, said = interrupted(process)
    assert seconds < KILL, said
    assert eventually(lambda: not any(held_by_docker(repository.run_id).values()), 30)
    assert_reports_are_whole(repository, said)


def test_daemon_that_hangs_is_told_and_what_is_left_goes_later(
    repository: Repository, relay: Relay, behind: Callable[[], "subprocess.Popen[str]"]
) -> None:
    process = behind()
    relay.flows.clear()
    seconds, said = interrupted(process)
    assert seconds < KILL, said
    assert any(held_by_docker(repository.run_id).values()), "nothing can be removed meanwhile"
    assert_reports_are_whole(repository, said)
    left = json.loads((repository.root / "out/result.json").read_text())["tally"]["left"]
    assert left, said
    assert "was not removed within" in left[0]["reason"]
    relay.flows.set()
    assert eventually(lambda: not any(held_by_docker(repository.run_id).values()), 60), "the guard goes on"


def running(run_id: str) -> bool:
    argv = ["docker", "ps", "-q", "--filter", f"label=wpk-sandbox.run={run_id}"]
    return bool(subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout.strip())


def interrupted(process: "subprocess.Popen[str]") -> tuple[float, str]:
    """Interrupt a run as GitHub does; the seconds until its end, and what it said."""
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    try:
        said, _ = process.communicate(timeout=TERMINATE)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    return time.monotonic() - began, said
