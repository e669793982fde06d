"""Folders need no daemon; what needs one is made with labels of its own, and nothing else is ever named."""

import json
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.folder import MARKER, temporary_folder
from wpk_sandbox.sandbox.ledger import EXPIRES_LABEL, RUN_LABEL, Ledger
from wpk_sandbox.sandbox.reap import KIND_LABEL, Leftover, leftovers, made_by, reap
from wpk_sandbox.sandbox.shells.groups import hierarchies

# Long ago, so that what other runs have on this host has not expired then.
NOW = datetime(2001, 1, 1, 12, tzinfo=UTC)
# What has expired on the daemon is taken away by any run there, so that what is made there expires in some days.
# What others have has expired then too: it is looked at, and never touched.
LATER = datetime.now(UTC) + timedelta(days=3)
HOUR = timedelta(hours=1)
IMAGE = "busybox:1.36"


@pytest.fixture(autouse=True)
def _own_temporary_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def make_folder(tmp_path: Path, name: str, run_id: str, expires: str) -> Path:
    path = tmp_path / f"wpk-sandbox-{name}"
    path.mkdir()
    (path / MARKER).write_text(json.dumps({RUN_LABEL: run_id, EXPIRES_LABEL: expires}))
    return path


def test_expired_folder_is_removed_and_others_stay(tmp_path: Path) -> None:
    expired = make_folder(tmp_path, "expired", "one", "2001-01-01T11:59:59Z")
    valid = make_folder(tmp_path, "valid", "two", "2001-01-01T12:00:01Z")
    unreadable = make_folder(tmp_path, "unreadable", "three", "one day")
    assert [thing.name for thing in leftovers(now=NOW)] == [str(expired)]
    assert expired.exists(), "looking removes nothing"
    assert str(reap(now=NOW)) == "made 1, removed 1, left 0"
    assert [path.exists() for path in (expired, valid, unreadable)] == [False, True, True]


def test_named_run_is_removed_whether_it_has_expired_or_not(tmp_path: Path) -> None:
    valid = make_folder(tmp_path, "valid", "mine", "2001-01-01T13:00:00Z")
    unreadable = make_folder(tmp_path, "unreadable", "mine", "one day")
    other = make_folder(tmp_path, "other", "minetoo", "2001-01-01T13:00:00Z")
    assert reap(now=NOW, everything_of_run="mine").removed == 2
    assert [path.exists() for path in (valid, unreadable, other)] == [False, False, True]


def test_what_remains_is_told_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_folder(tmp_path, "stuck", "one", "2001-01-01T11:00:00Z")

    def refuse(_: Path) -> None:
        raise OSError("device is busy")

    monkeypatch.setattr("wpk_sandbox.sandbox.folder.empty", refuse)
    tally = reap(now=NOW)
    assert (tally.made, tally.removed) == (1, 0)
    (left,) = tally.left
    assert (left.kind, left.name, left.reason) == ("folder", str(path), "device is busy")


@pytest.fixture
def expired() -> Iterator[Ledger]:
    ledger = Ledger(f"t{secrets.token_hex(4)}", LATER - HOUR)
    yield ledger
    assert ledger.close().left == ()


@pytest.fixture
def valid() -> Iterator[Ledger]:
    ledger = Ledger(f"t{secrets.token_hex(4)}", LATER + HOUR)
    yield ledger
    assert ledger.close().left == ()


def due(*ledgers: Ledger, now: datetime = LATER) -> list[Leftover]:
    """What `reap` would remove of some runs."""
    runs = [ledger.run_id for ledger in ledgers]
    return [thing for thing in leftovers(now=now) if thing.run_id in runs]


@pytest.mark.needs("docker")
def test_expired_containers_networks_and_volumes_are_removed_and_others_stay(
    expired: Ledger, valid: Ledger
) -> None:
    for ledger in (expired, valid):
        name = daemon.resource_name(ledger, "reap")
        daemon.create_network(ledger, name)
        host = daemon.client().api.create_host_config(network_mode=name)
        container, _ = daemon.create_container(ledger, name, IMAGE, command=["sleep", "600"], host_config=host)
        daemon.client().api.start(container)
        ledger.enter("volume", name, lambda name=name: daemon.remove_volume(name))
        daemon.client().api.create_volume(name, labels=ledger.labels)
    assert due(expired, valid, now=datetime.now(UTC)) == []
    found = due(expired, valid)
    name = daemon.resource_name(expired, "reap")
    assert [(thing.kind, thing.name) for thing in found] == [
        (kind, name) for kind in ("container", "network", "volume")
    ]
    for thing in found:
        thing.remove()
    assert due(expired, valid) == []
    assert str(reap(now=NOW, everything_of_run=valid.run_id)) == "made 3, removed 3, left 0"


@pytest.mark.needs("docker")
def test_nodes_of_a_kind_cluster_go_with_its_network(expired: Ledger, valid: Ledger) -> None:
    nodes = {}
    for ledger in (expired, valid):
        name = daemon.resource_name(ledger, "kind")
        daemon.create_network(ledger, name)
        host = daemon.client().api.create_host_config(network_mode=name)
        nodes[ledger.run_id] = name
        ledger.enter("container", name, lambda name=name: daemon.remove_container(name))
        # As kind does it: with a label of its own, and none of ours.
        daemon.client().api.create_container(IMAGE, name=name, labels={KIND_LABEL: name}, host_config=host)
    found = due(expired, valid)
    assert [(thing.kind, thing.name) for thing in found] == [
        ("kind node", nodes[expired.run_id]),
        ("network", nodes[expired.run_id]),
    ]
    for thing in found:
        thing.remove()
    assert due(expired) == []
    assert daemon.client().api.inspect_container(nodes[valid.run_id])["Name"] == f"/{nodes[valid.run_id]}"


@pytest.mark.needs("docker")
def test_what_one_process_made_is_found_by_its_token_and_what_the_job_s_other_calls_made_is_not() -> None:
    run_id = f"t{secrets.token_hex(4)}"
    ours, others = (Ledger(run_id, LATER, owner=secrets.token_hex(4)) for _ in range(2))
    try:
        for number, ledger in enumerate((ours, others)):
            name = f"{daemon.resource_name(ledger, 'token')}-{number}"
            daemon.create_network(ledger, name)
            host = daemon.client().api.create_host_config(network_mode=name)
            daemon.create_container(ledger, name, IMAGE, host_config=host)
            # A node that was made late, when its network was gone.
            node = f"{name}-control-plane"
            ledger.enter("container", node, lambda node=node: daemon.remove_container(node))
            daemon.client().api.create_container(IMAGE, name=node, labels={KIND_LABEL: name})
        name = f"{daemon.resource_name(ours, 'token')}-0"
        found = made_by(ours.owner, [name])
        assert [(thing.kind, thing.name) for thing in found] == [
            ("kind node", f"{name}-control-plane"),
            ("container", name),
            ("network", name),
        ]
        for thing in found:
            thing.remove()
        assert made_by(ours.owner, [name]) == ()
        assert len(made_by(others.owner)) == 2
    finally:
        assert (ours.close().left, others.close().left) == ((), ())


def test_process_that_made_nothing_on_the_daemon_asks_it_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    ledger = Ledger("unit", NOW + HOUR, owner="token")
    with temporary_folder(ledger) as folder:
        (found,) = made_by("token", on_daemon=False)
        assert (found.kind, found.name) == ("folder", str(folder))
    assert made_by("token", on_daemon=False) == ()


@pytest.mark.skipif(not hierarchies(), reason="this user may make no control groups")
def test_control_group_of_a_run_is_removed_with_what_is_in_it() -> None:
    base = hierarchies()[0].base
    mine, other = (base / f"wpk-sandbox-{run_id}-{secrets.token_hex(4)}" for run_id in ("unit-mine", "unit-other"))
    sleeping = subprocess.Popen(["sleep", "600"])
    try:
        for group in (mine, other):
            group.mkdir()
        (mine / "cgroup.procs").write_text(str(sleeping.pid))
        found = [thing for thing in leftovers(now=NOW, everything_of_run="unit-mine") if thing.kind == "cgroup"]
        assert [thing.name for thing in found] == [str(mine)]
        found[0].remove()
        assert sleeping.wait(10) == -9
        assert (mine.exists(), other.exists()) == (False, True)
    finally:
        sleeping.kill()
        sleeping.wait()
        for group in (mine, other):
            if group.exists():
                group.rmdir()
