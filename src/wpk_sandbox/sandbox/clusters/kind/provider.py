"""The provider of kind clusters; what it opens is imported when it is opened."""

from collections.abc import Iterator
from contextlib import contextmanager

from wpk_sandbox.sandbox.clusters.kind import host
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import Cluster, SandboxSpec


class KindProvider:
    """Opens kind clusters, on hosts with Docker and kind."""

    name = "kind"

    def why_not(self, spec: SandboxSpec) -> str | None:
        """Why this host cannot, with the remedy; None when it can. Makes nothing."""
        return host.why_not(spec)

    @contextmanager
    def open(self, spec: SandboxSpec, ledger: Ledger) -> Iterator[Cluster]:
        """Boot a cluster; leaving the context removes it. Raises `errors.SandboxError`."""
        from wpk_sandbox.sandbox.clusters.kind.cluster import open_cluster  # noqa: PLC0415 - see above

        with open_cluster(spec, ledger) as cluster:
            yield cluster
