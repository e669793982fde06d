import secrets
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from wpk_sandbox.errors import UnavailableError
from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.ledger import Ledger

# Any run on this daemon takes away what has expired.
EXPIRES = datetime.now(UTC) + timedelta(hours=1)
ID, OTHER = "a" * 64, "b" * 64


@pytest.fixture(autouse=True)
def _fresh_client() -> Iterator[None]:
    daemon.client.cache_clear()
    yield
    daemon.client.cache_clear()


def test_missing_daemon_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    reason = daemon.why_not()
    assert reason is not None
    assert "DOCKER_HOST" in reason


def test_nobody_listening_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(UnavailableError, match="could not reach the Docker daemon") as raised:
        daemon.client()
    assert "start Docker" in raised.value.remedy


@pytest.mark.needs("docker")
def test_daemon_of_this_host_answers() -> None:
    assert daemon.why_not() is None


@pytest.mark.needs("docker")
def test_too_old_a_daemon_is_told_to_be_updated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "OLDEST_API", (99, 0))
    reason = daemon.why_not()
    assert reason is not None
    assert "update" in reason


@pytest.mark.needs("docker")
def test_image_that_is_missing_may_not_be_pulled() -> None:
    reason = daemon.ensure_image("wpk-sandbox.invalid/none:1", pull=False)
    assert reason is not None
    assert "wpk-sandbox.invalid/none:1" in reason


def test_own_container_is_known_by_the_files_that_docker_mounts() -> None:
    mounts = f"""\
700 650 0:50 / / rw,relatime - overlay overlay rw
712 700 254:1 /var/lib/docker/containers/{ID}/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda1 rw
713 700 254:1 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw - ext4 /dev/vda1 rw
"""
    assert daemon.container_ids_of_mounts(mounts) == [ID]


def test_mounts_that_a_host_has_for_its_containers_are_not_its_own() -> None:
    mounts = f"90 80 0:60 / /var/lib/docker/containers/{OTHER}/mounts/shm rw - tmpfs shm rw\n"
    assert daemon.container_ids_of_mounts(mounts) == []


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (f"12:pids:/docker/{ID}", [ID]),
        (f"0::/system.slice/docker-{ID}.scope", [ID]),
        (f"0::/docker/{OTHER}/kubelet/pods/{ID}", [ID]),
        ("0::/user.slice/user-1000.slice", []),
        ("0::/", []),
        ("", []),
    ],
)
def test_own_container_is_the_innermost_of_the_control_group(path: str, found: list[str]) -> None:
    assert daemon.container_ids_of_cgroups(path) == found


@pytest.mark.needs("docker")
def test_container_finds_its_own_id_in_what_docker_mounted() -> None:
    ledger = Ledger(f"t{secrets.token_hex(4)}", EXPIRES)
    name = daemon.resource_name(ledger, "self")
    with daemon.container(ledger, name, "busybox:1.36", command=["sleep", "60"]) as container:
        api = daemon.client().api
        api.start(container)
        created = api.exec_create(container, ["cat", "/proc/self/mountinfo"])
        assert daemon.container_ids_of_mounts(api.exec_start(created["Id"]).decode()) == [container]
        assert daemon.container_ids_of_mounts(Path("/proc/self/mountinfo").read_text()) != [container]
    assert str(ledger.close()) == "made 1, removed 1, left 0"


@pytest.mark.needs("docker")
def test_thing_that_never_came_to_be_is_undone_without_failure() -> None:
    ledger = Ledger(f"t{secrets.token_hex(4)}", EXPIRES)
    with pytest.raises(UnavailableError, match="could not create the container"):
        daemon.create_container(ledger, daemon.resource_name(ledger, "none"), "wpk-sandbox.invalid/none:1")
    assert str(ledger.close()) == "made 1, removed 1, left 0"


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
    monkeypatch.setattr(daemon, "BACK_TIMEOUT", 60.0)
    monkeypatch.setattr(daemon, "_away_since", [])
    asked: list[str] = []

    def away() -> None:
        asked.append("away")
        raise requests.exceptions.ConnectionError("Connection refused")

    def back_again() -> None:
        if len(asked) < 2:
            away()

    daemon._when_back("remove it", back_again)
    assert asked == ["away", "away"], "it came back in time"
    monkeypatch.setattr(daemon, "_away_since", [time.monotonic() - 60.0])
    asked.clear()
    with pytest.raises(UnavailableError, match="could not remove it"):
        daemon._when_back("remove it", away)
    assert asked == ["away"], "its time was over before"
