import secrets
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import requests

from wpk_sandbox.errors import UnavailableError
from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.daemon import removing
from wpk_sandbox.sandbox.ledger import Ledger

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
