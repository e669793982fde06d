"""The provider of simulated clusters; what it opens is imported when it is opened."""

from collections.abc import Iterator
from contextlib import contextmanager

from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import Cluster, SandboxSpec


class SimulatedProvider:
    """Opens simulated clusters; every host can."""

    name = "simulated"

    def why_not(self, spec: SandboxSpec) -> str | None:
        """None: it needs nothing of the host."""
        return None

    @contextmanager
    def open(self, spec: SandboxSpec, ledger: Ledger) -> Iterator[Cluster]:
        """Serve a new cluster; leaving the context ends it."""
        from wpk_sandbox.sandbox.clusters.simulated.cluster import open_cluster  # noqa: PLC0415 - see above

        with open_cluster(spec, ledger) as cluster:
            yield cluster
