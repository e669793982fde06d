import secrets
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from wpk_sandbox.errors import UnavailableError
from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.daemon import removing
from wpk_sandbox.sandbox.ledger import RUN_LABEL, Ledger

# Any run on this daemon takes away what has expired.
EXPIRES = datetime.now(UTC) + timedelta(hours=1)


@pytest.mark.needs("docker")
@pytest.mark.parametrize(("grace", "code"), [(0.0, "137"), (10.0, "7")])
def test_container_is_asked_to_end_only_where_there_is_time_for_it(grace: float, code: str) -> None:
    ledger = Ledger(f"t{secrets.token_hex(4)}", EXPIRES, grace=grace)
    name = daemon.resource_name(ledger, "asked")
    script = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.1; done"
    identifier, entry = daemon.create_container(ledger, name, "busybox:1.36", command=["sh", "-c", script])
    api = daemon.client().api
    began = int(time.time()) - 1
    api.start(identifier)
    while b"ready" not in api.logs(identifier):
        time.sleep(0.05)
    ledger.undo(entry)
    assert str(ledger.close()) == "made 1, removed 1, left 0"
    events = api.events(since=began, until=int(time.time()) + 1, decode=True, filters={"container": identifier})
    assert [each["Actor"]["Attributes"]["exitCode"] for each in events if each["Action"] == "die"] == [code]


@pytest.mark.needs("docker")
def test_container_that_somebody_else_removes_is_waited_for() -> None:
    ledger = Ledger(f"t{secrets.token_hex(4)}", EXPIRES)
    name = daemon.resource_name(ledger, "twice")
    identifier, _ = daemon.create_container(ledger, name, "busybox:1.36", command=["sleep", "600"])
    daemon.client().api.start(identifier)
    removing = [threading.Thread(target=daemon.remove_container, args=(name,)) for _ in range(4)]
    for each in removing:
        each.start()
    daemon.remove_container(name)
    assert not daemon.is_running(identifier)
    assert daemon.client().api.containers(all=True, filters={"id": identifier}) == []
    for each in removing:
        each.join(60)
    assert str(ledger.close()) == "made 1, removed 1, left 0"


@pytest.mark.needs("docker")
def test_network_is_removed_when_its_last_container_has_left_it() -> None:
    ledger = Ledger(f"t{secrets.token_hex(4)}", EXPIRES)
    name = daemon.resource_name(ledger, "busy")
    daemon.create_network(ledger, name)
    host = daemon.client().api.create_host_config(network_mode=name)
    identifier, container = daemon.create_container(
        ledger, name, "busybox:1.36", command=["sleep", "600"], host_config=host
    )
    daemon.client().api.start(identifier)
    leaving = threading.Timer(0.5, ledger.undo, [container])
    leaving.start()
    daemon.remove_network(name)
    leaving.join(60)
    assert str(ledger.close()) == "made 2, removed 2, left 0"


def test_daemon_that_is_away_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removing, "BACK_TIMEOUT", 60.0)
    monkeypatch.setattr(removing, "_away_since", [])
    asked: list[str] = []

    def away() -> None:
        asked.append("away")
        raise requests.exceptions.ConnectionError("Connection refused")

    def back_again() -> None:
        if len(asked) < 2:
            away()

    removing._when_back("remove it", back_again)
    assert asked == ["away", "away"], "it came back in time"
    monkeypatch.setattr(removing, "_away_since", [time.monotonic() - 60.0])
    asked.clear()
    with pytest.raises(UnavailableError, match="could not remove it"):
        removing._when_back("remove it", away)
    assert asked == ["away"], "its time was over before"


class Relay:
    """A way to the host's daemon that can be cut, as when the daemon is killed, and be there again."""

    def __init__(self, path: Path, daemon_address: str) -> None:
        self._path, self._daemon = path, daemon_address
        self._open: list[socket.socket] = []

    def begin(self) -> None:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self._path))
        listener.listen()
        self._open = [listener]
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        self._path.unlink()
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                ours, _ = listener.accept()
                theirs = socket.socket(socket.AF_UNIX)
                theirs.connect(self._daemon)
                self._open += [ours, theirs]
                for pair in ((ours, theirs), (theirs, ours)):
                    threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while words := source.recv(65536):
                target.sendall(words)
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    address = str(daemon.address() or "unix:///var/run/docker.sock")
    if not address.startswith("unix://"):
        pytest.skip("the daemon is not on this host")
    folder = Path(tempfile.mkdtemp())  # the names of sockets are short
    monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/docker.sock")
    daemon.client.cache_clear()
    made = Relay(folder / "docker.sock", address.removeprefix("unix://"))
    made.begin()
    yield made
    made.cut()
    daemon.client.cache_clear()
    shutil.rmtree(folder)


@pytest.mark.needs("docker")
def test_what_is_to_be_removed_is_looked_for_until_the_daemon_is_back(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(f"t{secrets.token_hex(4)}", EXPIRES)
    name = daemon.resource_name(ledger, "late")
    label = f"{RUN_LABEL}={ledger.run_id}"
    identifier, _ = daemon.create_container(ledger, name, "busybox:1.36")
    assert daemon.containers_with(label) == [identifier]
    relay.cut()
    with monkeypatch.context() as impatient:
        impatient.setattr(removing, "BACK_TIMEOUT", 0.0)
        with pytest.raises(UnavailableError, match="gone away"):
            daemon.containers_with(label)
    monkeypatch.setattr(removing, "_away_since", [])
    back = threading.Timer(1.0, relay.begin)
    back.start()
    assert daemon.containers_with(label) == [identifier]
    back.join(60)
    assert str(ledger.close()) == "made 1, removed 1, left 0"
