"""Watches and the history that they read."""

import threading
from datetime import UTC, datetime

import pytest

from wpk_sandbox.package.kinds import resource_kind
from wpk_sandbox.sandbox.clusters.simulated import store as store_module
from wpk_sandbox.sandbox.clusters.simulated.request import Place, Request
from wpk_sandbox.sandbox.clusters.simulated.watch import watch

CONFIG_MAP = resource_kind("configmap")


def seen(api, place=None, **query):
    """What a watch tells that ends at once."""
    place = place or Place(CONFIG_MAP, "default")
    request = Request("GET", "/", {"timeoutSeconds": "0", **query})
    return [(e["type"], e["object"]["metadata"].get("name")) for e in watch(api.store, place, request)]


def config(api, name, **labels):
    return api.create("ConfigMap", {"metadata": {"name": name, "labels": labels}})


def live(api, first, **query):
    """The events of a watch from a version on, until the store is closed."""
    events = []
    request = Request("GET", "/", {"resourceVersion": str(first), **query})
    done = threading.Thread(target=lambda: events.extend(watch(api.store, Place(CONFIG_MAP, "default"), request)))
    done.start()
    return events, done


def test_a_watch_without_a_version_begins_with_what_is_there(api):
    config(api, "a")
    assert seen(api) == [("ADDED", "a"), ("ADDED", "kube-root-ca.crt")]
    assert seen(api, fieldSelector="metadata.name=a") == [("ADDED", "a")]
    assert seen(api, Place(CONFIG_MAP, "default", "a")) == [("ADDED", "a")]
    assert seen(api, sendInitialEvents="true")[-1] == ("BOOKMARK", None)


def test_a_watch_tells_each_change_as_its_selector_sees_it(api):
    first = api.store.version
    events, thread = live(api, first, labelSelector="tier=front")
    config(api, "a", tier="front")
    config(api, "b", tier="back")
    api.patch("ConfigMap", "a", {"data": {"x": "1"}})
    api.patch("ConfigMap", "b", {"metadata": {"labels": {"tier": "front"}}})
    api.patch("ConfigMap", "a", {"metadata": {"labels": {"tier": "back"}}})
    api.delete("ConfigMap", "b")
    while len(events) < 5 and thread.is_alive():
        thread.join(0.01)
    api.store.close()
    thread.join(5)
    assert [(e["type"], e["object"]["metadata"]["name"]) for e in events] == [
        ("ADDED", "a"),
        ("MODIFIED", "a"),
        ("ADDED", "b"),
        ("DELETED", "a"),
        ("DELETED", "b"),
    ]
    versions = [int(e["object"]["metadata"]["resourceVersion"]) for e in events]
    assert versions == sorted(versions)


def test_a_watch_does_not_tell_of_dry_runs(api):
    first = api.store.version
    events, thread = live(api, first)
    api.create("ConfigMap", {"metadata": {"name": "ghost"}}, dryRun="All")
    config(api, "real")
    while not events and thread.is_alive():
        thread.join(0.01)
    api.store.close()
    thread.join(5)
    assert [e["object"]["metadata"]["name"] for e in events] == ["real"]


def test_a_version_that_is_forgotten_is_expired(api, monkeypatch):
    monkeypatch.setattr(store_module, "_HISTORY", 3)
    first = config(api, "a")["metadata"]["resourceVersion"]
    for number in range(5):
        config(api, f"b{number}")
    request = Request("GET", "/", {"resourceVersion": first, "timeoutSeconds": "5"})
    (event,) = watch(api.store, Place(CONFIG_MAP, "default"), request)
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


def test_generated_names_follow_from_the_seed():
    stores = [store_module.Store(lambda: datetime.now(UTC), seed) for seed in ("a", "a", "b")]
    names = [(store.suffix(), store.uid()) for store in stores]
    assert names[0] == names[1] != names[2]


@pytest.mark.parametrize("fails", [False, True])
def test_what_is_discarded_never_was(api, fails):
    before = api.store.version, api.names("ConfigMap")
    try:
        with api.store.lock, api.store.discarding():
            api.store.write(CONFIG_MAP, {"metadata": {"name": "ghost", "namespace": "default"}})
            if fails:
                raise KeyError
    except KeyError:
        pass
    assert (api.store.version, api.names("ConfigMap")) == before
