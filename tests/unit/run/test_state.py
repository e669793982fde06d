"""A snapshot holds what a person wrote, and nothing that the cluster or the sandbox made for itself."""

from collections.abc import Iterator

import pytest
from running import HOME, deployment, manifest, objects_of, simulated, workload

from wpk_sandbox.run.admission import admissible
from wpk_sandbox.run.objects import Objects
from wpk_sandbox.run.state import ObjectKey, snapshot


@pytest.fixture
def objects() -> Iterator[Objects]:
    with simulated() as cluster:
        cluster.prepare(HOME)
        cluster.prepare("other")
        yield objects_of(cluster)


def names(objects: Objects, *namespaces: str) -> list[str]:
    return sorted(map(str, snapshot(objects, namespaces or (HOME,)).objects))


def test_an_empty_sandbox_namespace_holds_nothing(objects: Objects) -> None:
    assert names(objects) == []


def test_a_workload_is_there_and_what_it_controls_is_not(objects: Objects) -> None:
    objects.create(admissible(deployment()))
    objects.create(admissible(workload("StatefulSet", "db")))
    objects.create(manifest("Secret", "keys"))
    assert objects.list(objects.kind("v1", "Pod"), HOME)
    assert names(objects) == ["Deployment/web", "Secret/keys", "StatefulSet/db"]


def test_a_pod_of_nobody_is_there(objects: Objects) -> None:
    objects.create(admissible(manifest("Pod", "lone", spec=deployment()["spec"]["template"]["spec"])))
    assert names(objects) == ["Pod/lone"]


def test_each_object_is_in_its_own_namespace(objects: Objects) -> None:
    objects.create(manifest("ConfigMap", "app", "other"))
    assert names(objects) == []
    found = snapshot(objects, (HOME, "other")).objects
    assert list(found) == [ObjectKey("ConfigMap", "other", "app")]


def test_the_same_object_made_again_looks_the_same(objects: Objects) -> None:
    kind = objects.kind("apps/v1", "Deployment")
    first = objects.create(deployment())
    before = snapshot(objects, (HOME,))
    objects.delete(kind, "web", HOME)
    objects.await_gone(kind, "web", HOME, first["metadata"]["uid"])
    assert snapshot(objects, (HOME,)) != before
    objects.create(deployment())
    assert snapshot(objects, (HOME,)) == before


def test_cluster_wide_kinds_are_there_when_they_are_asked_for(objects: Objects) -> None:
    node = objects.kind("v1", "Node")
    assert not any(key.kind == "Node" for key in snapshot(objects, (HOME,)).objects)
    before = snapshot(objects, (HOME,), (node,))
    (key,) = [key for key in before.objects if key.kind == "Node"]
    objects.patch(node, key.name, None, {"spec": {"unschedulable": True}})
    after = snapshot(objects, (HOME,), (node,))
    assert after.objects[key]["spec"]["unschedulable"] is True
    objects.patch(node, key.name, None, {"spec": {"unschedulable": False}})
    assert snapshot(objects, (HOME,), (node,)) == before


def test_what_was_before_the_run_can_be_looked_up(objects: Objects) -> None:
    objects.create(deployment(replicas=3))
    state = snapshot(objects, (HOME,))
    found = state.find("Deployment", HOME, "web")
    assert found is not None
    assert found["spec"]["replicas"] == 3
    assert state.find("Deployment", HOME, "db") is None
