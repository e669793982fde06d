"""Calls to a cluster: what comes back, what a refusal looks like, and that no call outlasts its deadline."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes.client import ApiClient, Configuration
from running import HOME, FakeTime, deployment, manifest, objects_of, simulated

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.run.deadline import Deadline, OutOfTimeError
from wpk_sandbox.run.objects import ApiError, Objects
from wpk_sandbox.run.result import Limit


@pytest.fixture
def objects() -> Iterator[Objects]:
    with simulated() as cluster:
        cluster.prepare(HOME)
        yield objects_of(cluster)


@pytest.fixture
def silent_server() -> Iterator[str]:
    """Takes connections and never says a word."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        for connection in held:
            connection.close()


def client(host: str) -> Any:
    configuration = Configuration(host=host)
    configuration.proxy = None
    configuration.retries = 0
    return ApiClient(configuration)


def config_map(objects: Objects) -> Any:
    return objects.kind("v1", "ConfigMap")


def test_an_object_is_created_read_listed_and_deleted(objects: Objects) -> None:
    made = objects.create(manifest("ConfigMap", "app", labels=None, data={"a": "1"}))
    kind = config_map(objects)
    assert objects.get(kind, "app", HOME)["data"] == {"a": "1"}
    assert "app" in [one["metadata"]["name"] for one in objects.list(kind, HOME)]
    objects.delete(kind, "app", HOME)
    objects.await_gone(kind, "app", HOME, made["metadata"]["uid"])
    assert objects.find(kind, "app", HOME) is None


def test_listed_objects_say_what_they_are(objects: Objects) -> None:
    objects.create(manifest("ConfigMap", "app"))
    (found,) = [one for one in objects.list(config_map(objects), HOME) if one["metadata"]["name"] == "app"]
    assert (found["apiVersion"], found["kind"]) == ("v1", "ConfigMap")


def test_a_selector_chooses(objects: Objects) -> None:
    for name in ("web", "db"):
        one = manifest("ConfigMap", name)
        one["metadata"]["labels"] = {"app": name}
        objects.create(one)
    assert [one["metadata"]["name"] for one in objects.list(config_map(objects), HOME, "app=db")] == ["db"]


@pytest.mark.parametrize(
    ("how", "patch"),
    [
        ("merge", {"data": {"a": "2", "b": None}}),
        ("strategic", {"data": {"a": "2", "b": None}}),
        ("json", [{"op": "replace", "path": "/data/a", "value": "2"}, {"op": "remove", "path": "/data/b"}]),
    ],
)
def test_every_way_to_patch(objects: Objects, how: str, patch: Any) -> None:
    objects.create(manifest("ConfigMap", "app", data={"a": "1", "b": "1"}))
    assert objects.patch(config_map(objects), "app", HOME, patch, how=how)["data"] == {"a": "2"}


def test_apply_leaves_what_another_manager_wrote(objects: Objects) -> None:
    objects.apply(manifest("ConfigMap", "app", data={"theirs": "1", "both": "1"}), manager="somebody")
    after = objects.apply(manifest("ConfigMap", "app", data={"both": "2"}))
    assert after["data"] == {"theirs": "1", "both": "2"}


def test_replace_leaves_nothing_of_what_was_there(objects: Objects) -> None:
    made = objects.create(manifest("ConfigMap", "app", data={"a": "1"}))
    after = objects.replace({**manifest("ConfigMap", "app", data={"b": "2"}), "metadata": made["metadata"]})
    assert after["data"] == {"b": "2"}


def test_scale_sets_the_replicas(objects: Objects) -> None:
    objects.create(deployment(replicas=1))
    kind = objects.kind("apps/v1", "Deployment")
    objects.scale(kind, "web", HOME, 3)
    assert objects.get(kind, "web", HOME)["spec"]["replicas"] == 3


def test_a_dry_run_keeps_nothing_but_refuses_what_is_invalid(objects: Objects) -> None:
    dry = objects.within(objects.deadline, dry_run=True)
    dry.create(manifest("ConfigMap", "app"))
    assert objects.find(config_map(objects), "app", HOME) is None
    with pytest.raises(ApiError) as refusal:
        dry.create(manifest("ConfigMap", "Not A Name"))
    assert refusal.value.status == 422


def test_a_refusal_says_why(objects: Objects) -> None:
    with pytest.raises(ApiError, match='configmaps "nothing" not found') as refusal:
        objects.get(config_map(objects), "nothing", HOME)
    assert (refusal.value.status, refusal.value.reason, refusal.value.breakdown) == (404, "NotFound", False)


def test_an_unknown_kind_is_named(objects: Objects) -> None:
    with pytest.raises(ApiError, match=r"the cluster does not know Gadget of example\.com/v1"):
        objects.kind("example.com/v1", "Gadget")


def test_a_custom_kind_is_discovered(objects: Objects) -> None:
    names = {"plural": "gadgets", "singular": "gadget", "kind": "Gadget"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    objects.create(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "gadgets.example.com"},
            "spec": {"group": "example.com", "names": names, "scope": "Namespaced", "versions": [version]},
        }
    )
    kind = objects.kind("example.com/v1", "Gadget")
    assert (kind.plural, kind.namespaced) == ("gadgets", True)
    objects.create(
        {"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "one", "namespace": HOME}}
    )
    assert objects.get(kind, "one", HOME)["metadata"]["name"] == "one"


@pytest.mark.parametrize("name", ["..", "."])
def test_a_name_cannot_climb_out_of_its_collection(objects: Objects, name: str) -> None:
    with pytest.raises(ApiError, match="is not a name"):
        objects.delete(config_map(objects), name, HOME)


def test_a_name_with_a_slash_stays_one_name(objects: Objects) -> None:
    objects.create(manifest("ConfigMap", "app"))
    with pytest.raises(ApiError) as refusal:
        objects.delete(config_map(objects), "x/../app", HOME)
    assert refusal.value.status in (400, 404)
    assert objects.find(config_map(objects), "app", HOME) is not None


def test_no_call_is_made_when_the_time_is_over(objects: Objects) -> None:
    time = FakeTime()
    late = objects.within(Deadline.start(Limit.HANDLER, 1, time.clock))
    late.list(config_map(objects), HOME)
    time.now += 2
    with pytest.raises(OutOfTimeError) as error:
        late.list(config_map(objects), HOME)
    assert error.value.limit is Limit.HANDLER


def test_a_server_that_never_answers_is_left_at_the_deadline(silent_server: str) -> None:
    objects = Objects(client(silent_server), Deadline.start(Limit.STEP, 0.3))
    with pytest.raises(OutOfTimeError) as error:
        objects.list(config_map(objects))
    assert error.value.limit is Limit.STEP


def test_a_server_that_is_gone_is_the_sandbox_s_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    objects = Objects(client(f"http://127.0.0.1:{port}"), Deadline.start(Limit.STEP, 30))
    with pytest.raises(SandboxError, match="the cluster does not answer GET /api/v1/configmaps"):
        objects.list(config_map(objects))


@pytest.mark.parametrize(
    ("status", "message", "breakdown"),
    [
        (503, "", True),
        (504, "", True),
        (500, "etcdserver: request timed out", True),
        (500, "failed calling webhook", False),
        (422, "", False),
    ],
)
def test_what_counts_as_the_cluster_s_own_breakdown(status: int, message: str, breakdown: bool) -> None:
    assert ApiError(status, "", message).breakdown is breakdown
