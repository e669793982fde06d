"""Folders need no daemon; what needs one is made with labels of its own, and nothing else is ever named."""

import json
import secrets
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.folder import MARKER
from wpk_sandbox.sandbox.ledger import EXPIRES_LABEL, RUN_LABEL, Ledger
from wpk_sandbox.sandbox.reap import KIND_LABEL, leftovers, reap

# Long ago, so that what other runs have on this host has not expired then.
NOW = datetime(2001, 1, 1, 12, tzinfo=UTC)
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

    monkeypatch.setattr("shutil.rmtree", refuse)
    tally = reap(now=NOW)
    assert (tally.made, tally.removed) == (1, 0)
    (left,) = tally.left
    assert (left.kind, left.name, left.reason) == ("folder", str(path), "device is busy")


@pytest.fixture
def expired() -> Iterator[Ledger]:
    ledger = Ledger(f"t{secrets.token_hex(4)}", NOW - HOUR)
    yield ledger
    assert ledger.close().left == ()


@pytest.fixture
def valid() -> Iterator[Ledger]:
    ledger = Ledger(f"t{secrets.token_hex(4)}", NOW + HOUR)
    yield ledger
    assert ledger.close().left == ()


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
    found = [(thing.kind, thing.name, thing.run_id) for thing in leftovers(now=NOW)]
    name = daemon.resource_name(expired, "reap")
    assert found == [(kind, name, expired.run_id) for kind in ("container", "network", "volume")]
    assert str(reap(now=NOW)) == "made 3, removed 3, left 0"
    assert leftovers(now=NOW) == ()
    assert len(leftovers(now=NOW, everything_of_run=valid.run_id)) == 3


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
    found = [(thing.kind, thing.name) for thing in leftovers(now=NOW)]
    assert found == [("kind node", nodes[expired.run_id]), ("network", nodes[expired.run_id])]
    assert str(reap(now=NOW)) == "made 2, removed 2, left 0"
    assert daemon.client().api.inspect_container(nodes[valid.run_id])["Name"] == f"/{nodes[valid.run_id]}"
