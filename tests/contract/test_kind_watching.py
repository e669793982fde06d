"""The real cluster writes down what it refused, and what its pods used; and two clusters do not meet."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from kind_suite import ADDRESS, BUSYBOX, DEBIAN, NAMESPACE, PORT, SERVER, docker, fetch, in_a_pod, new_ledger
from kubernetes.client import CoreV1Api

from wpk_sandbox.sandbox.clusters.kind import KIND, closing
from wpk_sandbox.sandbox.clusters.kind.cluster import KindCluster
from wpk_sandbox.sandbox.clusters.kind.node import Node
from wpk_sandbox.sandbox.sandbox import Answer, Attempt, SandboxSpec

pytestmark = pytest.mark.needs("kind")

# The daemon's networks have no IPv6, so the node is given a device that has.
IPV6 = (
    "ip link add probe6 type veth peer name probe7 && echo 0 >/proc/sys/net/ipv6/conf/probe6/disable_ipv6 && "
    "ip link set probe6 up && ip link set probe7 up && ip -6 address add 2001:db8::2/64 dev probe6 nodad"
)
SPEC = SandboxSpec(pull=False)

AGREES = 0.10
BURNT, HELD = 2.0, 200 * 1024**2
ROOMY = {"cpu": "1", "memory": "512Mi"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[KindCluster]:
    ledger = new_ledger()
    with KIND.open(SPEC, ledger) as opened:
        assert isinstance(opened, KindCluster)
        opened.prepare(NAMESPACE)
        assert opened.load_images([BUSYBOX, DEBIAN]) == ()
        yield opened
    assert ledger.close().left == ()


@pytest.fixture(scope="module")
def node(cluster: KindCluster) -> Node:
    return cluster._booted.node


@pytest.fixture(scope="module")
def core(cluster: KindCluster) -> CoreV1Api:
    return CoreV1Api(cluster.api)


@pytest.fixture(scope="module")
def target(cluster: KindCluster) -> Iterator[str]:
    """The address of a web server on the cluster's network, which nothing in the cluster may reach."""
    name = f"{cluster._booted.name}-target"
    docker("run", "--detach", f"--name={name}", f"--network={cluster._booted.name}", BUSYBOX, "sh", "-c", SERVER)
    yield docker("inspect", f"--format={ADDRESS}", name)
    docker("rm", "--force", "--volumes", name)


def by(cluster: KindCluster, process: str) -> list[Attempt]:
    return [one for one in cluster.observed().attempts if one.process == process]


def test_what_a_pod_tries_is_refused_and_written_down_with_its_name(
    cluster: KindCluster, node: Node, core: CoreV1Api, target: str
) -> None:
    node.run("nft", "delete", "table", "inet", "wpk_sandbox").require()
    try:
        opened = in_a_pod(core, node, NAMESPACE, "before", fetch(target))
    finally:
        closing.close_node(node, SPEC.limits.bandwidth)
    assert opened.endswith("reached\n"), "without the rules it is reached"
    assert by(cluster, f"{NAMESPACE}/before") == []
    assert in_a_pod(core, node, NAMESPACE, "after", f"{fetch(target)}; {fetch(target)}").endswith("stopped\n")
    (attempt,) = by(cluster, f"{NAMESPACE}/after")
    assert (attempt.protocol, attempt.address, attempt.port) == ("tcp", target, PORT)
    assert (attempt.answer, attempt.count) == (Answer.REFUSED, 2)
    assert by(cluster, f"{NAMESPACE}/after") == [], "each attempt is told once"


def test_a_datagram_is_written_down_too(cluster: KindCluster, node: Node, core: CoreV1Api, target: str) -> None:
    in_a_pod(core, node, NAMESPACE, "others", f"nslookup example.invalid {target}; true")
    seen = {(one.protocol, one.address or one.name, one.port) for one in by(cluster, f"{NAMESPACE}/others")}
    assert seen == {("udp", target, 53), ("dns", "example.invalid", None)}


def test_what_the_node_tries_is_written_down_as_its_own(cluster: KindCluster, node: Node, target: str) -> None:
    node.run("sh", "-c", IPV6).require()
    cluster.observed()
    for address in (target, "[2001:db8::9]"):
        assert not node.run("curl", "--silent", "--max-time", "3", f"http://{address}:{PORT}/").ok
    seen = {one.address for one in cluster.observed().attempts if one.process.startswith("the node itself")}
    assert {target, "2001:db8::9"} <= seen


def test_a_name_that_the_cluster_does_not_have_is_unknown_at_once_and_written_down(
    cluster: KindCluster, node: Node, core: CoreV1Api
) -> None:
    name = "exfiltrated.example.invalid"
    ask = f"time nslookup {name}; nslookup kubernetes.default.svc.cluster.local; true"
    answers = in_a_pod(core, node, NAMESPACE, "asking", f"({ask}) 2>&1")
    assert "NXDOMAIN" in answers
    assert "Address: 10.96.0.1\n" in answers
    (attempt,) = by(cluster, f"{NAMESPACE}/asking")
    assert (attempt.protocol, attempt.name, attempt.answer) == ("dns", name, Answer.REFUSED)
    assert by(cluster, f"{NAMESPACE}/asking") == []


# Perl burns seconds of CPU, then fills memory and is gone at once. It tells what it used, as the kernel counts it.
BURN_AND_FILL = (
    f"perl -e 'do {{ @t = times }} while ($t[0] + $t[1] < {BURNT}); "
    f"$n = {HELD}; $x = q(a); $x x= $n; @t = times; printf qq{{%d %.3f}}, length $x, $t[0] + $t[1]'"
)


def test_what_a_pod_uses_is_what_it_knows_of_itself_though_it_is_gone(
    cluster: KindCluster, node: Node, core: CoreV1Api
) -> None:
    before = cluster.observed().usage
    said = in_a_pod(core, node, NAMESPACE, "using", BURN_AND_FILL, DEBIAN, limits=ROOMY)
    core.delete_namespaced_pod("using", NAMESPACE, grace_period_seconds=0)
    observed = cluster.observed()
    usage = observed.usage

    filled, own = said.split()
    assert float(own) >= BURNT
    assert (usage.cpu_seconds or 0) - (before.cpu_seconds or 0) == pytest.approx(float(own), rel=AGREES)
    assert int(filled) == HELD
    assert usage.memory_peak == pytest.approx(HELD, rel=AGREES)
    assert max(sample.memory for sample in observed.samples) == usage.memory_peak
    assert 1 <= (usage.processes_peak or 0) < 20
    assert (usage.stored_peak or 0) < HELD / 4, "images that were loaded are not the pod's"
    times = [sample.at for sample in observed.samples]
    assert max(late - early for early, late in pairwise(times)) < 2.5


def test_idle_time_is_no_cpu(cluster: KindCluster, node: Node, core: CoreV1Api) -> None:
    before = cluster.observed().usage.cpu_seconds or 0
    in_a_pod(core, node, NAMESPACE, "idle", "sleep 5")
    assert (cluster.observed().usage.cpu_seconds or 0) - before < 0.5
