"""What does not end, or never begins, is explained at once and by name."""

import pytest
from running import FakeTime, k8s, manifest, perform, planned, simulated, tried

from wpk_sandbox.package.package import ManifestAction
from wpk_sandbox.run.lingering import owners, why_it_stays
from wpk_sandbox.run.result import Verdict


def held(kind: str, *finalizers: str, **more: object) -> dict[str, object]:
    metadata = {"name": "a", "deletionTimestamp": "now", "finalizers": list(finalizers)}
    return {"kind": kind, "metadata": metadata, **more}


@pytest.mark.parametrize(
    ("finalizer", "owner"),
    [
        ("foregroundDeletion", "the garbage collector"),
        ("kubernetes.io/pvc-protection", "once no pod uses the claim"),
        ("service.kubernetes.io/load-balancer-cleanup", "the sandbox has none"),
        ("example.com/archive", "whoever set it"),
    ],
)
def test_a_finalizer_is_told_with_who_removes_it(finalizer: str, owner: str) -> None:
    (line,) = owners(held("ConfigMap", finalizer))
    assert line.startswith(f"{finalizer}: ")
    assert owner in line
    assert finalizer in why_it_stays(held("ConfigMap", finalizer))


def test_what_nothing_holds_has_no_owner() -> None:
    assert owners(held("Pod")) == ()
    assert why_it_stays(held("Pod")) == "its pod has not ended yet"
    assert why_it_stays({"kind": "Pod", "metadata": {"name": "a"}}) == "nobody has deleted it"


def test_a_namespace_that_does_not_become_empty_says_what_is_in_it() -> None:
    stuck = manifest("ConfigMap", "app", "shop")
    stuck["metadata"]["finalizers"] = ["example.com/archive"]
    space = manifest("Namespace", "shop", None)
    made = planned(k8s("delete", "namespace", "shop"), objects=(space, stuck), handler_timeout=5)
    step = perform(made, clock=FakeTime().clock).steps[0]
    assert step.message == "Namespace/shop is still there after 5.0 s: objects in it are not gone"
    assert any("example.com/archive in 1 resource instances" in line for line in step.details)


def claim(**spec: object) -> dict[str, object]:
    size = {"requests": {"storage": "16Mi"}}
    return manifest(
        "PersistentVolumeClaim", "data", spec={"accessModes": ["ReadWriteOnce"], "resources": size, **spec}
    )


WAIT = k8s("wait", "persistentvolumeclaim", "data", condition="bound")


def test_a_claim_that_can_be_bound_is_waited_for() -> None:
    assert tried(WAIT, objects=(claim(),)).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"storageClassName": "fast"}, "the cluster has no storage class fast"),
        ({"storageClassName": ""}, "it takes no storage class, and the cluster has no free volume"),
        ({"storageClassName": "none"}, "the storage class none of this cluster makes no volumes"),
    ],
)
def test_a_claim_that_nothing_binds_is_told_at_once(spec: dict[str, str], why: str) -> None:
    none = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "none"},
        "provisioner": "kubernetes.io/no-provisioner",
    }
    time = FakeTime()
    made = planned(ManifestAction(none), ManifestAction(claim(**spec)), WAIT, handler_timeout=60)
    with simulated() as cluster:
        step = perform(made, cluster=cluster, clock=time.clock).steps[2]
    assert step.message == f"waited for bound: phase Pending: {why}"
    assert sum(time.slept) < 30
