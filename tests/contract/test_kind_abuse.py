"""A pod that fills the node's disk ends the node, and two clusters at once do not meet."""

import time

import pytest
from kind_suite import BUSYBOX, NAMESPACE, docker, in_a_pod, new_ledger
from kubernetes.client import CoreV1Api

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.clusters.kind import KIND
from wpk_sandbox.sandbox.clusters.kind.cluster import KindCluster
from wpk_sandbox.sandbox.sandbox import Limits, SandboxSpec, Security

pytestmark = pytest.mark.needs("kind")

MIB = 1024**2
SMALL = SandboxSpec(limits=Limits(storage=64 * MIB), pull=False)


def test_two_clusters_at_once_do_not_meet_and_one_that_fills_its_disk_is_ended() -> None:
    ledgers = new_ledger(), new_ledger()
    loose = SandboxSpec(security=Security(allow_host_network=True), pull=False)
    with KIND.open(SMALL, ledgers[0]) as one, KIND.open(loose, ledgers[1]) as other:
        assert isinstance(one, KindCluster)
        assert isinstance(other, KindCluster)
        do_not_meet(one, other)
        is_loosened_no_further(other)
        is_ended_when_its_disk_is_filled(one)
        assert CoreV1Api(other.api).list_node().items, "the other goes on"
    assert [ledger.close().left for ledger in ledgers] == [(), ()]


def do_not_meet(one: KindCluster, other: KindCluster) -> None:
    networks = [docker("network", "inspect", "--format={{.Id}}", each._booted.name) for each in (one, other)]
    assert networks[0] != networks[1]
    assert one._booted.name != other._booted.name
    reach = "timeout 3 bash -c 'exec 3<>/dev/tcp/{}/6443' 2>/dev/null && echo reached || echo stopped"
    own, theirs = (each._booted.node.address for each in (one, other))
    assert one._booted.node.run("sh", "-c", reach.format(own)).stdout == "reached\n"
    assert one._booted.node.run("sh", "-c", reach.format(theirs)).stdout == "stopped\n"


def is_loosened_no_further(cluster: KindCluster) -> None:
    cluster.prepare(NAMESPACE)
    core = CoreV1Api(cluster.api)
    main = {"name": "main", "image": BUSYBOX, "resources": {}}
    pod = {"metadata": {"name": "open"}, "spec": {"hostNetwork": True, "containers": [main]}}
    core.create_namespaced_pod(NAMESPACE, pod, dry_run="All")
    refused = {
        "host pid": {**pod["spec"], "hostPID": True},
        "host paths": {**pod["spec"], "volumes": [{"name": "root", "hostPath": {"path": "/"}}]},
        "privileged": {**pod["spec"], "containers": [{**main, "securityContext": {"privileged": True}}]},
    }
    for words, spec in refused.items():
        with pytest.raises(Exception, match=f"the settings do not allow {words}"):
            core.create_namespaced_pod(NAMESPACE, {**pod, "spec": spec}, dry_run="All")


def is_ended_when_its_disk_is_filled(cluster: KindCluster) -> None:
    cluster.prepare(NAMESPACE)
    assert cluster.load_images([BUSYBOX]) == ()
    core, node = CoreV1Api(cluster.api), cluster._booted.node
    in_a_pod(core, node, NAMESPACE, "modest", "head -c 1000000 /dev/zero >/tmp/a; sleep 3")
    assert cluster.observed().usage.stored_peak is not None
    fill = "head -c 200000000 /dev/zero >/tmp/a; sleep 60"
    with pytest.raises(Exception, match=r"."):
        in_a_pod(core, node, NAMESPACE, "filling", fill)
    until = time.monotonic() + 20
    while time.monotonic() < until and not cluster._abused:
        time.sleep(0.2)
    with pytest.raises(
        SandboxError, match=r"pods wrote .* to the node's disk, of which the sandbox may use 64 MiB"
    ):
        cluster.observed()
