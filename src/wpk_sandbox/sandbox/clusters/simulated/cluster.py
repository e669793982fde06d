"""The simulated cluster as a `Cluster`."""

import functools
import http.client
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wpk_sandbox.sandbox.clusters.policies import policies
from wpk_sandbox.sandbox.clusters.rights import STEPS, account_objects, binding_objects, user_name
from wpk_sandbox.sandbox.clusters.simulated.bootstrap import furnish
from wpk_sandbox.sandbox.clusters.simulated.catalog import builtin
from wpk_sandbox.sandbox.clusters.simulated.controllers import settle
from wpk_sandbox.sandbox.clusters.simulated.discovery import VERSION
from wpk_sandbox.sandbox.clusters.simulated.objects import Object
from wpk_sandbox.sandbox.clusters.simulated.patch import merge_patch
from wpk_sandbox.sandbox.clusters.simulated.server import ApiServer
from wpk_sandbox.sandbox.clusters.simulated.store import Store
from wpk_sandbox.sandbox.clusters.simulated.writes import create, replace
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.namespace import namespace_objects
from wpk_sandbox.sandbox.sandbox import Evidence, Observed, SandboxSpec, ShellAccess, Usage

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

_PROBE_TIMEOUT = 5.0


class SimulatedCluster:
    """A model of a cluster that answers on 127.0.0.1 until its context is left."""

    name = "simulated"
    details = (
        f"Kubernetes API {VERSION}, in process: objects and controllers are modelled, no process runs in a pod"
    )
    simulated = True

    def __init__(self, spec: SandboxSpec, store: Store, server: ApiServer, seconds_to_ready: float) -> None:
        self.seconds_to_ready = seconds_to_ready
        self._spec, self._store, self._server = spec, store, server

    @functools.cached_property
    def api(self) -> "ApiClient":
        """A client of the API. The library takes a while to import, so it is done when somebody asks."""
        return self._client_of(None)

    @functools.cached_property
    def acting_api(self) -> "ApiClient":
        """A client that acts as the account of the package's steps."""
        return self._client_of(user_name(STEPS))

    def _client_of(self, user: str | None) -> "ApiClient":
        from kubernetes.client import ApiClient, Configuration  # noqa: PLC0415 - half a second that shell-only runs are spared

        configuration = Configuration(host=self._server.url)
        configuration.api_key = {"authorization": f"Bearer {self._server.token}"}
        # The library takes a proxy from the environment; the way to loopback leads through none.
        configuration.proxy = None
        if user is None:
            return ApiClient(configuration)
        return ApiClient(configuration, header_name="Impersonate-User", header_value=user)

    def close_client(self) -> None:
        """Close the clients' connections, where they were ever asked for."""
        for name in {"api", "acting_api"} & set(vars(self)):
            getattr(self, name).rest_client.pool_manager.clear()

    def prepare(self, namespace: str) -> None:
        """Make a namespace that is closed and limited as the specification asks; again does nothing."""
        with self._store.lock:
            for manifest in (
                *namespace_objects(namespace, self._spec.limits, self._spec.security),
                *(() if namespace.startswith("kube-") else binding_objects(namespace, self._spec.permissions)),
            ):
                self._ensure(manifest)
                settle(self._store)

    def make_accounts(self) -> None:
        """Make the accounts that act for the package."""
        with self._store.lock:
            for manifest in account_objects(self._spec.permissions):
                self._ensure(manifest)
                settle(self._store)

    def _ensure(self, manifest: Object) -> None:
        """Create an object, or give the one that is there the labels and the spec that it must have."""
        kind, metadata = builtin(manifest["kind"]), manifest["metadata"]
        present = self._store.find(kind, metadata.get("namespace", ""), metadata["name"])
        if present is None:
            create(self._store, kind, manifest)
        else:
            replace(self._store, kind, present, merge_patch(self._store.edit(present), manifest))

    def load_images(self, images: Iterable[str]) -> tuple[str, ...]:
        """Nothing to do: no image is ever run."""
        return ()

    def shell_access(self) -> ShellAccess | None:
        """None: a shell has no network, and so no way to our loopback."""
        return None

    def observed(self) -> Observed:
        return Observed(usage=self.usage())

    def usage(self) -> Usage:
        """Nothing to tell: what the model uses is ours."""
        return Usage()

    def evidence(self) -> tuple[Evidence, ...]:
        """Ask the API without its token; say what kind of cluster it is."""
        parts = urlsplit(self._server.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_PROBE_TIMEOUT)
        try:
            connection.request("GET", "/api/v1/secrets")
            status = connection.getresponse().status
        finally:
            connection.close()
        seen = f"{status} from {parts.netloc}; the API is an in-process model, which reaches no network"
        return (Evidence("ask the cluster's API without its token", status == 401, seen),)


@contextmanager
def open_cluster(spec: SandboxSpec, ledger: Ledger) -> Iterator[SimulatedCluster]:
    """Serve a new cluster; leaving the context ends it."""
    began = time.monotonic()
    store = Store(lambda: datetime.now(UTC), seed=ledger.run_id)
    furnish(store, spec.limits)
    store.policies = policies(spec.security)
    server = ApiServer(store)
    entry = ledger.enter("simulated cluster", server.url, server.close, lasts=False)
    server.start()
    cluster = SimulatedCluster(spec, store, server, time.monotonic() - began)
    cluster.make_accounts()
    try:
        yield cluster
    finally:
        cluster.close_client()
        ledger.undo(entry)
