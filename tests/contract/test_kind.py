"""The real cluster, for what only it promises: nothing leaves it, shells reach its API alone, all of it goes.

Targets are containers of these tests on the cluster's own network; that a target can be reached at all is shown
each time by a container without rules.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from gate_image import gate_image
from kind_suite import (
    ADDRESS,
    BUSYBOX,
    NAMESPACE,
    PORT,
    SERVER,
    docker,
    fetch,
    in_a_pod,
    new_ledger,
)
from kubernetes.client import ApiException, CoreV1Api, RbacAuthorizationV1Api, VersionApi

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.clusters.kind import KIND, closing
from wpk_sandbox.sandbox.clusters.kind.boot import KIND_LABEL
from wpk_sandbox.sandbox.clusters.kind.calls import acting_as
from wpk_sandbox.sandbox.clusters.kind.cluster import KindCluster
from wpk_sandbox.sandbox.clusters.kind.connection import connected
from wpk_sandbox.sandbox.clusters.kind.images import Images
from wpk_sandbox.sandbox.clusters.kind.node import Node
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import Answer, Completed, Network, SandboxSpec, Shell
from wpk_sandbox.sandbox.shells.docker import DOCKER

pytestmark = pytest.mark.needs("kind")

SPEC = SandboxSpec(pull=False)

Sh = Callable[[str], Completed]


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return new_ledger()


@pytest.fixture(scope="module")
def cluster(ledger: Ledger) -> Iterator[KindCluster]:
    with KIND.open(SPEC, ledger) as opened:
        assert isinstance(opened, KindCluster)
        opened.prepare(NAMESPACE)
        assert opened.load_images([BUSYBOX]) == ()
        yield opened
    assert ledger.close().left == ()


@pytest.fixture(scope="module")
def node(cluster: KindCluster) -> Node:
    return cluster._booted.node


@pytest.fixture(scope="module")
def network(cluster: KindCluster) -> str:
    return cluster._booted.name


@pytest.fixture(scope="module")
def target(network: str, ledger: Ledger) -> Iterator[str]:
    """The address of a web server on the cluster's network, which nothing in the cluster may reach."""
    name = f"{network}-target"
    docker("run", "--detach", f"--name={name}", f"--network={network}", BUSYBOX, "sh", "-c", SERVER)
    yield docker("inspect", f"--format={ADDRESS}", name)
    docker("rm", "--force", "--volumes", name)


@pytest.fixture(scope="module")
def shell(cluster: KindCluster, ledger: Ledger) -> Iterator[Shell]:
    """A shell of the run, with the node image's own kubectl."""
    image, network = cluster._booted.image, Network(gate_image=gate_image())
    spec = SandboxSpec(shell_image=image, network=network, access=cluster.shell_access(), pull=False)
    with DOCKER.open(spec, ledger) as opened:
        yield opened


@pytest.fixture(scope="module")
def sh(shell: Shell) -> Sh:
    return lambda command: shell.run(command, environment={}, timeout=30)


def test_every_probe_holds(cluster: KindCluster) -> None:
    evidence = cluster.evidence()
    assert [each.held for each in evidence] == [True] * 5, evidence


def test_probe_notices_that_the_rules_are_gone(cluster: KindCluster, node: Node) -> None:
    node.run("nft", "delete", "table", "inet", "wpk_sandbox").require()
    try:
        opened = closing.network_evidence(node)
    finally:
        closing.close_node(node, SPEC.limits.bandwidth)
    assert not opened.held
    assert closing.network_evidence(node).held


def test_neither_node_nor_pod_reaches_a_container_beside_the_cluster(
    cluster: KindCluster, node: Node, network: str, target: str
) -> None:
    beside = docker("run", "--rm", f"--network={network}", BUSYBOX, "sh", "-c", fetch(target))
    assert beside == "reached"
    core = CoreV1Api(cluster.api)
    assert in_a_pod(core, node, NAMESPACE, "leaving", fetch(target)).endswith("stopped\n")
    from_node = node.run("curl", "--silent", "--show-error", "--max-time", "3", f"http://{target}:{PORT}/")
    assert not from_node.ok
    assert "refused" in from_node.stderr or "connect" in from_node.stderr, "it fails at once, not by a timeout"
    assert from_node.seconds < 3


@pytest.mark.parametrize("address", ["10.96.255.1", "10.244.77.1"], ids=["of services", "of pods"])
def test_address_of_the_clusters_ranges_is_closed_where_it_leads_outside(
    cluster: KindCluster, node: Node, network: str, address: str
) -> None:
    # What no service and no pod has is somewhere else: a company's network may well use the same range.
    name, way = f"{network}-elsewhere", f"ip address add {address}/32 dev lo"
    docker(
        *f"run --detach --name={name} --cap-add=NET_ADMIN --network={network} {BUSYBOX} sh -c".split(),
        f"{way}; {SERVER}",
    )
    try:
        there = docker("inspect", f"--format={ADDRESS}", name)
        beside = f"run --rm --cap-add=NET_ADMIN --network={network} {BUSYBOX} sh -c".split()
        assert docker(*beside, f"ip route add {address} via {there}; {fetch(address)}") == "reached"
        node.run("ip", "route", "add", address, "via", there).require()
        from_node = node.run("curl", "--silent", "--show-error", "--max-time", "3", f"http://{address}:{PORT}/")
        assert not from_node.ok
        assert from_node.seconds < 3, "it fails at once, not by a timeout"
        from_pod = in_a_pod(CoreV1Api(cluster.api), node, NAMESPACE, f"to-{address}", fetch(address))
        assert from_pod.endswith("stopped\n")
        assert {each.process for each in cluster.observed().attempts if each.address == address} == {
            "the node itself (kubelet, containerd)",
            f"{NAMESPACE}/to-{address}",
        }
    finally:
        node.run("ip", "route", "del", address)
        docker("rm", "--force", "--volumes", name)


def test_pods_run_only_where_the_sandbox_has_closed_the_namespace(cluster: KindCluster, node: Node) -> None:
    core = CoreV1Api(cluster.api)
    core.create_namespace({"metadata": {"name": "bare"}})
    for _ in range(100):
        with pytest.raises(ApiException) as refused:
            in_a_pod(core, node, "bare", "anywhere", "true")
        if "service account" not in str(refused.value.body):
            break
        time.sleep(0.1)
    assert "'wpk-sandbox-pods-places'" in str(refused.value.body)
    # Nor where the pods of volumes run, whoever was given rights over the whole cluster.
    with suppress(ApiException):
        core.create_namespace({"metadata": {"name": "local-path-storage"}})
    rights = RbacAuthorizationV1Api(cluster.api)
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]}
    rights.create_cluster_role({"metadata": {"name": "makers"}, "rules": [rule]})
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": "bare"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "makers"}
    rights.create_cluster_role_binding({"metadata": {"name": "makers"}, "roleRef": role, "subjects": [subject]})
    maker = CoreV1Api(acting_as(cluster.api, "system:serviceaccount:bare:default"))
    with pytest.raises(ApiException) as refused:
        in_a_pod(maker, node, "local-path-storage", "there", "true")
    assert "'wpk-sandbox-system'" in str(refused.value.body)
    assert in_a_pod(core, node, NAMESPACE, "closed", "echo here") == "here\n"
    core.delete_namespace("bare")


def test_cluster_resolves_its_own_names_and_no_others(
    cluster: KindCluster, node: Node, network: str, target: str
) -> None:
    outside = f"{network}-target"
    beside = docker("run", "--rm", f"--network={network}", BUSYBOX, "nslookup", outside, "127.0.0.11", check=False)
    assert target in beside
    node.run(
        *(
            "kubectl",
            "--kubeconfig=/etc/kubernetes/admin.conf",
            "--namespace=kube-system",
            "wait",
            "--timeout=120s",
        ),
        *("--for=condition=Available", "deployment/coredns"),
        timeout=130,
    ).require()
    ask = f"nslookup kubernetes.default.svc.cluster.local 10.96.0.10; nslookup {outside} 10.96.0.10; true"
    answers = in_a_pod(CoreV1Api(cluster.api), node, NAMESPACE, "asking", ask)
    assert "Address: 10.96.0.1\n" in answers
    assert target not in answers


def test_cluster_goes_on_working_when_it_is_closed(cluster: KindCluster, node: Node) -> None:
    renewals = "get", "leases", "--namespace=kube-node-lease", "--output=jsonpath={.items[*].spec.renewTime}"
    asked = node.run("kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", *renewals).require()
    renewed = datetime.fromisoformat(asked.stdout.strip())
    assert datetime.now(UTC) - renewed < timedelta(seconds=40)


def test_shell_uses_kubectl_where_it_may(sh: Sh) -> None:
    made = sh(
        "kubectl create configmap made --from-literal=a=1 && kubectl get configmap made -o jsonpath={.data.a}"
    )
    assert made.exit_code == 0, made.stderr
    assert made.stdout.endswith("1")


@pytest.mark.parametrize(
    "command",
    [
        "kubectl get nodes",
        "kubectl --namespace kube-system get secrets",
        "kubectl delete resourcequota sandbox-quota",
        "kubectl label namespace atom-sandbox pod-security.kubernetes.io/enforce=privileged --overwrite",
        "kubectl create clusterrolebinding mine --clusterrole=cluster-admin --user=me",
    ],
)
def test_shell_may_not_open_the_cluster(sh: Sh, command: str) -> None:
    refused = sh(command)
    assert refused.exit_code != 0
    assert "orbidden" in refused.stderr


def test_shell_reaches_the_api_and_nothing_else(
    sh: Sh, shell: Shell, node: Node, network: str, target: str
) -> None:
    def connect(address: str, port: int) -> str:
        return f"timeout 5 bash -c 'exec 3<>/dev/tcp/{address}/{port}' && echo reached || echo stopped"

    image = docker("inspect", "--format={{.Config.Image}}", node.name)
    beside = ("run", "--rm", f"--network={network}", "--entrypoint=bash", image, "-c")
    assert docker(*beside, connect(target, PORT)) == "reached"
    assert docker(*beside, connect(node.address, 6443)) == "reached"
    shell.observed()
    assert sh(connect("kubernetes.default.svc", 443)).stdout == "reached\n"
    assert sh(connect("kubernetes.default.svc", 6443)).stdout == "stopped\n"
    assert sh(connect(target, PORT)).stdout == "stopped\n"
    assert sh(connect(node.address, 6443)).stdout == "stopped\n"
    seen = {(each.address, each.port): each.answer for each in shell.observed().attempts if each.protocol == "tcp"}
    assert seen.pop((target, PORT)) is Answer.REFUSED
    assert seen.pop((node.address, 6443)) is Answer.REFUSED
    assert {port: answer for (_, port), answer in seen.items()} == {443: Answer.CLUSTER, 6443: Answer.REFUSED}


def test_calls_of_the_api_are_seen_and_no_event(sh: Sh, shell: Shell) -> None:
    shell.observed()
    assert sh("kubectl get configmaps").exit_code == 0
    observed = shell.observed()
    assert observed.events == ()
    assert {(each.name, each.answer) for each in observed.attempts} == {("kubernetes.default.svc", Answer.CLUSTER)}
    assert [each.process.partition(" ")[0] for each in observed.attempts if each.protocol == "tcp"] == ["kubectl"]


def test_shell_resolves_no_other_name(sh: Sh, shell: Shell, network: str, node: Node) -> None:
    image = docker("inspect", "--format={{.Config.Image}}", node.name)
    ask = ("run", "--rm", f"--network={network}", "--entrypoint=getent", image, "hosts", node.name)
    assert node.address in docker(*ask)
    shell.observed()
    assert sh(f"getent hosts {node.name} || echo unknown").stdout == "unknown\n"
    (attempt,) = shell.observed().attempts
    assert (attempt.protocol, attempt.name, attempt.answer) == ("dns", node.name, Answer.REFUSED)


def test_shell_cannot_change_its_network(sh: Sh) -> None:
    assert sh("ip link show wpk0").exit_code == 0, "the program is there"
    assert sh("ip link set wpk0 down").exit_code != 0
    assert sh("ip link add dummy0 type dummy").exit_code != 0
    assert sh("ip route add 192.0.2.0/24 dev lo").exit_code != 0


def test_api_is_reached_through_the_node_as_well(cluster: KindCluster, node: Node) -> None:
    assert "API reached by its published port" in cluster.details
    with connected(node, cluster._booted.kubeconfig, direct=False) as connection:
        assert connection.way == "through the node"
        assert VersionApi(connection.api).get_code().major == "1"
        names = [item.metadata.name for item in CoreV1Api(connection.api).list_node().items]
        assert names == [node.name]


def test_node_is_bounded(node: Node, cluster: KindCluster) -> None:
    bounds = json.loads(docker("inspect", "--format={{json .HostConfig}}", node.name))
    limits = SPEC.limits
    assert (bounds["Memory"], bounds["MemorySwap"]) == (limits.memory, limits.memory)
    assert bounds["NanoCpus"] == limits.cpu * 1e9 or bounds["CpuQuota"] == limits.cpu * bounds["CpuPeriod"]
    assert bounds["PidsLimit"] == 1024 + 10 * limits.processes
    assert "100 Mbit/s" in cluster.details or "bandwidth not bounded" in cluster.details


def test_images_are_loaded_once_and_missing_ones_are_noted(cluster: KindCluster, node: Node) -> None:
    (note,) = cluster.load_images([BUSYBOX, "missing.invalid/tool:1"])
    assert note.startswith("missing.invalid/tool:1: the image missing.invalid/tool:1 is not on this daemon")
    listed = node.run("ctr", "--namespace=k8s.io", "images", "ls", "-q").stdout.split()
    assert listed.count("docker.io/library/busybox:1.36") == 1


def test_failure_shows_what_the_cluster_said(cluster: KindCluster) -> None:
    with pytest.raises(SandboxError) as caught:
        cluster.prepare("Not_A_Name")
    first, *tail = str(caught.value).splitlines()
    assert first.startswith("could not make the Namespace Not_A_Name: 422")
    assert [line for line in tail if line.startswith("---")] == [
        "--- the node's log",
        "--- the kubelet's log",
        "--- events",
    ]


def test_image_asked_for_by_its_digest_has_that_name_in_the_node(
    node: Node, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # No image here came from a registry, so the daemon knows none by a digest: this `docker` saves another's bytes.
    reference = f"busybox@sha256:{'1' * 64}"
    real = shutil.which("docker")
    program = tmp_path / "docker"
    program.write_text(
        f'#!/bin/sh\n[ "$2" = "{reference}" ] && set -- save "$({real} images -q {BUSYBOX})"\nexec {real} "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("wpk_sandbox.sandbox.daemon.images.has_image", lambda name: name == reference)
    assert Images((), pull=False).load(node, [reference]) == ()
    listed = node.run("ctr", "--namespace=k8s.io", "images", "ls", "-q").stdout.split()
    assert f"docker.io/library/{reference}" in listed


def test_everything_is_removed() -> None:
    ledger = new_ledger()
    with KIND.open(SPEC, ledger) as opened:
        assert isinstance(opened, KindCluster)
        opened.prepare(NAMESPACE)
        opened.shell_access()
        name, folder = opened._booted.name, opened._booted.kubeconfig.parent
        assert nodes(name)
        assert folder.stat().st_mode & 0o777 == 0o700
    tally = ledger.tally()
    assert (tally.made, tally.removed, tally.left) == (3, 3, ())
    assert nodes(name) == []
    assert docker("network", "ls", "--quiet", f"--filter=name={name}") == ""
    assert docker("ps", "--all", "--quiet", f"--filter=name={name}") == ""
    assert not Path(folder).exists()


def nodes(cluster_name: str) -> list[str]:
    listed = daemon.client().api.containers(all=True, filters={"label": f"{KIND_LABEL}={cluster_name}"})
    return [container["Id"] for container in listed]
