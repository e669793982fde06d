"""The kind cluster as a `Cluster`: booted, connected, closed and bounded, in this order, before anyone sees it."""

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from wpk_sandbox.errors import SandboxError, UnavailableError
from wpk_sandbox.package.units import human_bytes
from wpk_sandbox.sandbox.clusters.kind import access, admission, closing, namespaces
from wpk_sandbox.sandbox.clusters.kind.attempts import Refusals
from wpk_sandbox.sandbox.clusters.kind.boot import Booted, booted_cluster
from wpk_sandbox.sandbox.clusters.kind.calls import acting_as, call, wait_until
from wpk_sandbox.sandbox.clusters.kind.connection import Connection, connected
from wpk_sandbox.sandbox.clusters.kind.images import Images
from wpk_sandbox.sandbox.clusters.kind.names import close_names
from wpk_sandbox.sandbox.clusters.kind.node import Node, processes
from wpk_sandbox.sandbox.clusters.kind.pods import Pods
from wpk_sandbox.sandbox.clusters.kind.watcher import Notes, Watcher, watching
from wpk_sandbox.sandbox.clusters.rights import STEPS, user_name
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import Evidence, Limits, Observed, SandboxSpec, ShellAccess, Usage

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

log = logging.getLogger(__name__)

# Where the shells' account lives when no namespace was prepared before one is asked for.
DEFAULT_NAMESPACE = "atom-sandbox"


class KindCluster:
    """A real cluster in one container, closed to the outside."""

    name = "kind"
    simulated = False

    def __init__(
        self, booted: Booted, connection: Connection, images: Images, spec: SandboxSpec, ledger: Ledger
    ) -> None:
        self.api = connection.api
        self.acting_api = acting_as(connection.api, user_name(STEPS))
        self.details = ""
        self.seconds_to_ready = 0.0
        self.guarded = False
        self._booted, self._connection, self._images = booted, connection, images
        self._spec, self._ledger = spec, ledger
        self._prepared: list[str] = []
        self._pods = Pods(self.api)
        self._refusals = Refusals(booted.node, self._pods.name_of)
        self._notes = Notes(self._pods)
        self._watcher: Watcher | None = None
        self._abused = ""
        self._opened = ExitStack()

    def guard(self) -> None:
        """Hold every request to the sandbox's policies, and make the accounts that act for the package."""
        self.guarded = admission.has_policies(self.api)
        if self.guarded:
            admission.install(self.api, self._spec.security)
        namespaces.make_accounts(self.api, self._spec.permissions)

    def prepare(self, namespace: str) -> None:
        """Make a namespace that is closed and limited as the specification asks; again does nothing."""
        if namespace in self._prepared:
            return
        spec = self._spec
        with _broken(f"prepare the namespace {namespace}", self._booted.node):
            if self.guarded and not self._prepared:
                admission.await_policies(self.api)
            namespaces.prepare_namespace(self.api, namespace, spec.limits, spec.security, spec.permissions)
        self._prepared.append(namespace)

    def load_images(self, images: Iterable[str]) -> tuple[str, ...]:
        """Bring images in from the host's daemon; returns a note for each that could not be had."""
        with _broken("load images", self._booted.node), self._notes.loading():
            return self._images.load(self._booted.node, images)

    def shell_access(self) -> ShellAccess | None:
        """A route to the API server, and a kubeconfig for the shells' account."""
        if not self._prepared:
            self.prepare(DEFAULT_NAMESPACE)
        with _broken("let a shell reach the API", self._booted.node):
            token = namespaces.token(self.api, self._spec.limits.execution_time)
        return access.access(self._connection, token, self._prepared[0])

    def observed(self) -> Observed:
        """What pods tried to reach outside and what they used since this was last asked.

        Raises `SandboxError` when the node was ended because its disk was being filled.
        """
        if self._abused:
            raise SandboxError(self._abused, "write less, or raise the limit `storage`")
        if self._watcher:
            self._watcher.ask()
        attempts = (*self._notes.questions(), *self._refusals.attempts())
        return Observed(attempts, samples=self._notes.samples(), usage=self.usage())

    def watch(self) -> None:
        """Begin to watch what pods use and ask for."""
        self._watcher = self._opened.enter_context(watching(self._booted.node, self._notes, self._look_at_disk))

    def _look_at_disk(self) -> None:
        """End the node when its pods have written more than the sandbox may: the disk is the host's."""
        stored, limit = self._notes.stored, self._spec.limits.storage
        if stored > limit and not self._abused:
            self._abused = (
                f"pods wrote {human_bytes(stored)} to the node's disk, of which the sandbox may use "
                f"{human_bytes(limit)}, so the node was ended"
            )
            self._booted.node.end()

    def usage(self) -> Usage:
        """The most that the package's pods used so far."""
        return self._notes.usage()

    def evidence(self) -> tuple[Evidence, ...]:
        """Measure that the cluster is closed: network, admission and quota of each namespace, the API."""
        with _broken("measure the cluster", self._booted.node):
            return (
                closing.network_evidence(self._booted.node),
                *(closing.admission_evidence(self.api, namespace) for namespace in self._prepared),
                *(closing.quota_evidence(self.api, namespace) for namespace in self._prepared),
                *((admission.evidence(self.api),) if self.guarded else ()),
                access.evidence(self._connection),
            )

    def close(self) -> None:
        """Remove what was made beside the node."""
        self._opened.close()
        self._pods.close()
        self.acting_api.rest_client.pool_manager.clear()


@contextmanager
def open_cluster(spec: SandboxSpec, ledger: Ledger) -> Iterator[KindCluster]:
    """Boot a cluster; leaving the context removes it. Raises `errors.SandboxError`."""
    began = time.monotonic()
    images = Images(spec.images, pull=spec.pull)
    with ExitStack() as opened:
        opened.callback(images.node_ends)
        with _broken("boot a kind cluster"):
            booted = opened.enter_context(booted_cluster(spec, ledger, images.node_begins))
        with _broken("close the kind cluster", booted.node):
            connection = opened.enter_context(connected(booted.node, booted.kubeconfig))
            close_names(connection.api)
            wait_until("its node is ready", lambda: _is_ready(connection.api), timeout=_left(spec, began))
            shaped = closing.close_node(booted.node, spec.limits.bandwidth)
            booted.node.limit(spec.limits)
            cluster = KindCluster(booted, connection, images, spec, ledger)
            opened.callback(cluster.close)
            cluster.guard()
            cluster.watch()
            cluster.details = _details(booted, spec.limits, connection.way, shaped, cluster.guarded)
        cluster.seconds_to_ready = time.monotonic() - began
        yield cluster


def _left(spec: SandboxSpec, began: float) -> float:
    return max(1.0, spec.boot_timeout - (time.monotonic() - began))


def _is_ready(api: "ApiClient") -> bool:
    nodes = call(api, "GET", "/api/v1/nodes")["items"]
    conditions = [condition for node in nodes for condition in node["status"].get("conditions", ())]
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _details(booted: Booted, limits: Limits, way: str, shaped: bool, guarded: bool) -> str:
    bandwidth = f"{limits.bandwidth / 1e6:g} Mbit/s" if shaped else "bandwidth not bounded by this kernel"
    policies = "" if guarded else f"; {admission.WITHOUT}"
    return (
        f"{booted.image} as {booted.name}, {limits.cpu:g} CPU, {human_bytes(limits.memory)}, "
        f"{processes(limits)} processes, {bandwidth}, {human_bytes(limits.storage)} of disk; "
        f"closed to the outside, API reached {way}{policies}"
    )


@contextmanager
def _broken(doing: str, node: Node | None = None) -> Iterator[None]:
    """Turn a failure into `SandboxError`; with a node, tell too what it says of itself, while it is there."""
    try:
        yield
    except UnavailableError as error:
        told = str(error) if isinstance(error, SandboxError) else f"could not {doing}: {error}"
        diagnostics = f"\n{node.diagnostics()}" if node else ""
        raise SandboxError(f"{told}{diagnostics}".rstrip(), error.remedy) from error
