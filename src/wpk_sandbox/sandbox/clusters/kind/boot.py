"""Making a cluster with `kind create cluster`, and removing it whatever has become of it."""

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
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

# After a creation that was cut off, the daemon may still bring a node into being: seconds that are always waited,
# and the most while it holds the node's name.
LATE, LATEST = 3.0, 45.0

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
# 5 s more. No further node joins it, and its certificates outlive it: what kubeadm does for that takes a second,
# and a restart of the kubelet. kind applies a patch that names a version to that version alone, which the gate and
# the phases belong to. https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-init/#init-workflow
_VERSION = "kubeadm.k8s.io/v1beta3"
_CLUSTER = {
    "apiVersion": _VERSION,
    "kind": "ClusterConfiguration",
    "featureGates": {"PublicKeysECDSA": True},
    "etcd": {"local": {"extraArgs": {"unsafe-no-fsync": "true"}}},
    "controllerManager": {
        "extraArgs": {"leader-elect": "false", "kube-api-qps": "200", "kube-api-burst": "400"},
    },
    "scheduler": {"extraArgs": {"leader-elect": "false"}},
}
_INIT = {
    "apiVersion": _VERSION,
    "kind": "InitConfiguration",
    # The first is kind's own wish.
    "skipPhases": ["preflight", "upload-config", "bootstrap-token", "kubelet-finalize", "show-join-command"],
}
# The second try boots as kind always does, in case it is our haste that a version does not bear.
_PLAIN: dict[str, object] = {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4"}
BRISK = {**_PLAIN, "kubeadmConfigPatches": [json.dumps(_CLUSTER), json.dumps(_INIT)]}

# Our own proxy settings may hold credentials, and kind would hand them to the node.
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


@dataclass(frozen=True)
class Booted:
    """A cluster whose control plane answers: its name, which is its network's too, and how to reach it."""

    name: str
    node: Node
    image: str
    kubeconfig: Path


@dataclass(frozen=True)
class _Boot:
    """What both tries share: the image of the node, when they must be over, and who is told that one begins."""

    image: str | None
    deadline: float
    ledger: Ledger
    begins: Callable[[Node], None]


@contextmanager
def booted_cluster(spec: SandboxSpec, ledger: Ledger, begins: Callable[[Node], None]) -> Iterator[Booted]:
    """Boot a cluster, the second time under a new name, and remove it when the block is left.

    `begins` is called with each node that is about to be made. The boot timeout bounds both tries together.
    Raises `errors.UnavailableError`.
    """
    deadline = time.monotonic() + spec.boot_timeout
    image = host.node_image(spec)
    missing = daemon.ensure_image(image, pull=spec.pull) if image else None
    if missing:
        raise SandboxError(missing)
    boot = _Boot(image, deadline, ledger, begins)
    with ExitStack() as made:
        try:
            cluster = _try(boot, BRISK, made)
        except SandboxError as first:
            made.close()
            if deadline - time.monotonic() < SHORTEST_BOOT:
                raise
            cluster = _try_again(boot, made, first)
        yield cluster


def cluster_name() -> str:
    """A new name, as the specification has it, that two clusters made in the same second do not share."""
    return f"atom-dryrun-{int(time.time())}-{secrets.token_hex(3)}"


def _try_again(boot: _Boot, made: ExitStack, first: SandboxError) -> Booted:
    try:
        return _try(boot, _PLAIN, made)
    except SandboxError as second:
        raise SandboxError(f"{second}\nThe try before it: {str(first).splitlines()[0]}", second.remedy) from first


def _try(boot: _Boot, configuration: Mapping[str, object], made: ExitStack) -> Booted:
    """One try. What it makes is undone by `made`, newest first."""
    name, ledger = cluster_name(), boot.ledger
    folder = made.enter_context(temporary_folder(ledger))
    _, network = daemon.create_network(ledger, name, driver="bridge")
    made.callback(ledger.undo, network)
    ended = threading.Event()
    remove = partial(_remove_nodes, boot, name, ended)
    cluster = ledger.enter("kind cluster", name, remove, alone=True)
    made.callback(ledger.undo, cluster)
    boot.begins(Node(_node_name(name), ""))
    left = boot.deadline - time.monotonic()
    result = _kind_create(name, boot.image, configuration, folder / "kubeconfig", timeout=left)
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


def _remove_nodes(boot: _Boot, cluster: str, ended: threading.Event) -> None:
    """Remove whatever nodes there are; where the creation has not ended by itself, also what it still makes."""
    began = time.monotonic()
    while True:
        for identifier in daemon.containers_with(f"{KIND_LABEL}={cluster}"):
            daemon.remove_container(identifier, grace=boot.ledger.grace)
        waited = time.monotonic() - began
        if ended.is_set() or waited >= LATEST or (waited >= LATE and _none_comes(boot, cluster)):
            return
        time.sleep(0.25)


def _none_comes(boot: _Boot, cluster: str) -> bool:
    return boot.image is None or daemon.name_is_free(boot.ledger, _node_name(cluster), boot.image)
