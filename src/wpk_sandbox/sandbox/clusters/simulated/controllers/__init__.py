"""What controllers do on a real cluster, done at once: `settle` runs them until nothing changes any more."""

import logging

from wpk_sandbox.sandbox.clusters.simulated.controllers.claims import run_claims
from wpk_sandbox.sandbox.clusters.simulated.controllers.collector import run_collector
from wpk_sandbox.sandbox.clusters.simulated.controllers.daemon_sets import run_daemon_sets
from wpk_sandbox.sandbox.clusters.simulated.controllers.definitions import run_definitions
from wpk_sandbox.sandbox.clusters.simulated.controllers.deployments import run_deployments
from wpk_sandbox.sandbox.clusters.simulated.controllers.disruption import run_disruption_budgets
from wpk_sandbox.sandbox.clusters.simulated.controllers.jobs import run_jobs
from wpk_sandbox.sandbox.clusters.simulated.controllers.kubelet import run_kubelet
from wpk_sandbox.sandbox.clusters.simulated.controllers.namespaces import run_namespaces, run_quotas
from wpk_sandbox.sandbox.clusters.simulated.controllers.replica_sets import run_replica_sets
from wpk_sandbox.sandbox.clusters.simulated.controllers.scheduler import run_nodes, run_scheduler
from wpk_sandbox.sandbox.clusters.simulated.controllers.services import run_services
from wpk_sandbox.sandbox.clusters.simulated.controllers.stateful_sets import run_stateful_sets
from wpk_sandbox.sandbox.clusters.simulated.store import Store

log = logging.getLogger(__name__)

# A rollout takes a few passes for each pod; whatever takes more than this goes round in a circle.
_MOST_PASSES = 1000

_CONTROLLERS = (
    run_namespaces,
    run_definitions,
    run_nodes,
    run_claims,
    run_deployments,
    run_replica_sets,
    run_stateful_sets,
    run_daemon_sets,
    run_jobs,
    run_collector,
    run_scheduler,
    run_kubelet,
    run_services,
    run_disruption_budgets,
    run_quotas,
)


def settle(store: Store) -> None:
    """Let every controller act, again and again, until a whole pass changes nothing."""
    for _ in range(_MOST_PASSES):
        before = store.version
        for controller in _CONTROLLERS:
            controller(store)
        if store.version == before:
            return
    log.warning("the simulated controllers did not come to rest in %d passes", _MOST_PASSES)
