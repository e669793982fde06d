"""Making a cluster with `kind create cluster`, and removing it whatever has become of it."""

import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from wpk_sandbox import command
from wpk_sandbox.command import CommandResult
from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.clusters.kind import host
from wpk_sandbox.sandbox.clusters.kind.node import Node
from wpk_sandbox.sandbox.folder import temporary_folder
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import SandboxSpec

# What kind puts on each of its nodes; it cannot put ours there, but the network carries them.
KIND_LABEL = "io.x-k8s.kind.cluster"

# After a creation that was cut off, the daemon may still bring a node into being for this long, in seconds.
LATE = 3.0

# With less time left than this (seconds), a second try is not worth beginning.
SHORTEST_BOOT = 20.0

ERROR_LINES = 15

BOOT_REMEDY = (
    "look at the lines above; often it is memory, disk space or "
    f"too few file watches (`{host.INOTIFY_REMEDY}`); the setting boot_timeout gives a slow host more time"
)

# A cluster of one node that is thrown away: its keys need not be RSA, which takes 2 s to make; its database need
# not survive a power cut; its controllers have nobody to elect a leader against (4 s, for want of permissions that
# are still being made); and 20 requests a second, meant to spare a busy API server, would space their start over
# 5 s more. kind applies a patch that names a version to that version alone; the gate lives as long as this one.
_BRISK = {
    "apiVersion": "kubeadm.k8s.io/v1beta3",
    "kind": "ClusterConfiguration",
    "featureGates": {"PublicKeysECDSA": True},
    "etcd": {"local": {"extraArgs": {"unsafe-no-fsync": "true"}}},
    "controllerManager": {
        "extraArgs": {"leader-elect": "false", "kube-api-qps": "200", "kube-api-burst": "400"},
    },
    "scheduler": {"extraArgs": {"leader-elect": "false"}},
}
# The second try boots as kind always does, in case it is our haste that a version does not bear.
_PLAIN: dict[str, object] = {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4"}
BRISK = {**_PLAIN, "kubeadmConfigPatches": [json.dumps(_BRISK)]}

# Our own proxy settings may hold credentials, and kind would hand them to the node.
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


@dataclass(frozen=True)
class Booted:
    """A cluster whose control plane answers: its name, which is its network's too, and how to reach it."""

    name: str
    node: Node
    image: str
    kubeconfig: Path


@contextmanager
def booted_cluster(spec: SandboxSpec, ledger: Ledger) -> Iterator[Booted]:
    """Boot a cluster, the second time under a new name, and remove it when the block is left.

    The boot timeout bounds both tries together. Raises `errors.UnavailableError`.
    """
    deadline = time.monotonic() + spec.boot_timeout
    image = host.node_image(spec)
    missing = daemon.ensure_image(image, pull=spec.pull) if image else None
    if missing:
        raise SandboxError(missing)
    with ExitStack() as made:
        try:
            cluster = _boot(image, BRISK, ledger, deadline, made)
        except SandboxError as first:
            made.close()
            if deadline - time.monotonic() < SHORTEST_BOOT:
                raise
            cluster = _boot_again(image, ledger, deadline, made, first)
        yield cluster


def cluster_name() -> str:
    """A new name, as the specification has it, that two clusters made in the same second do not share."""
    return f"atom-dryrun-{int(time.time())}-{secrets.token_hex(3)}"


def _boot_again(image: str | None, ledger: Ledger, deadline: float, made: ExitStack, first: SandboxError) -> Booted:
    try:
        return _boot(image, _PLAIN, ledger, deadline, made)
    except SandboxError as second:
        raise SandboxError(f"{second}\nThe try before it: {str(first).splitlines()[0]}", second.remedy) from first


def _boot(
    image: str | None, configuration: Mapping[str, object], ledger: Ledger, deadline: float, made: ExitStack
) -> Booted:
    """One try. What it makes is undone by `made`, newest first."""
    name = cluster_name()
    folder = made.enter_context(temporary_folder(ledger))
    _, network = daemon.create_network(ledger, name, driver="bridge")
    made.callback(ledger.undo, network)
    ended = threading.Event()
    cluster = ledger.enter("kind cluster", name, lambda: _remove_nodes(name, 0 if ended.is_set() else LATE))
    made.callback(ledger.undo, cluster)
    result = _kind_create(name, image, configuration, folder / "kubeconfig", timeout=deadline - time.monotonic())
    if not result.timed_out:
        ended.set()
    if not result.ok:
        raise SandboxError(_failure(name, result), BOOT_REMEDY)
    node = _find_node(name)
    return Booted(name, node, _image_of(node), folder / "kubeconfig")


def _kind_create(
    name: str, image: str | None, configuration: Mapping[str, object], kubeconfig: Path, *, timeout: float
) -> CommandResult:
    """`--retain`, because we remove what failed ourselves, after looking at it. Nor do we wait as kind would."""
    argv = ["kind", "create", "cluster", f"--name={name}", f"--kubeconfig={kubeconfig}", "--config=-", "--retain"]
    chosen = [f"--image={image}"] if image else []
    environment = {
        "KIND_EXPERIMENTAL_PROVIDER": "docker",
        "KIND_EXPERIMENTAL_DOCKER_NETWORK": name,
        **dict.fromkeys(_PROXIES, ""),
    }
    return command.run([*argv, *chosen], timeout=timeout, env=environment, stdin=json.dumps(configuration).encode())


def _failure(name: str, result: CommandResult) -> str:
    how = "was not done in time" if result.timed_out else f"ended with status {result.returncode}"
    lines = f"{result.stdout}{result.stderr}".strip().splitlines()[-ERROR_LINES:]
    diagnostics = Node(_node_name(name), "").diagnostics()
    return "\n".join([f"kind create cluster {how} after {result.seconds:.0f} s", *lines, diagnostics]).rstrip()


def _node_name(cluster: str) -> str:
    return f"{cluster}-control-plane"


def _find_node(cluster: str) -> Node:
    name = _node_name(cluster)
    with daemon.translated(f"look at the node {name}"):
        networks = daemon.client().api.inspect_container(name)["NetworkSettings"]["Networks"]
    return Node(name, str(networks[cluster]["IPAddress"]))


def _image_of(node: Node) -> str:
    with daemon.translated(f"look at the node {node.name}"):
        return str(daemon.client().api.inspect_container(node.name)["Config"]["Image"])


def _remove_nodes(cluster: str, watch: float) -> None:
    """Remove whatever nodes there are, and those that come into being within `watch` seconds."""
    until = time.monotonic() + watch
    find = partial(_node_ids, cluster)
    while True:
        for identifier in find():
            daemon.remove_container(identifier)
        if time.monotonic() >= until:
            return
        time.sleep(0.25)


def _node_ids(cluster: str) -> list[str]:
    with daemon.translated(f"list the nodes of {cluster}"):
        listed = daemon.client().api.containers(all=True, filters={"label": f"{KIND_LABEL}={cluster}"})
    return [str(container["Id"]) for container in listed]
