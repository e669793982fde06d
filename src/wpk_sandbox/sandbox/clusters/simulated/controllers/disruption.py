"""PodDisruptionBudgets: how many pods may be evicted now."""

from wpk_sandbox.sandbox.clusters.simulated.catalog import DISRUPTION_BUDGET, POD
from wpk_sandbox.sandbox.clusters.simulated.controllers.deployments import share
from wpk_sandbox.sandbox.clusters.simulated.objects import (
    Object,
    is_deleting,
    is_pod_finished,
    is_pod_ready,
    keep_times,
    labels_of,
    make_condition,
    namespace_of,
)
from wpk_sandbox.sandbox.clusters.simulated.selectors import selects
from wpk_sandbox.sandbox.clusters.simulated.store import Store


def run_disruption_budgets(store: Store) -> None:
    """Count the pods of every budget."""
    for budget in store.select(DISRUPTION_BUDGET):
        if not is_deleting(budget):
            store.write_status(DISRUPTION_BUDGET, budget, budget_status(store, budget))


def budget_status(store: Store, budget: Object) -> Object:
    """What a budget allows at this moment."""
    pods = [pod for pod in store.select(POD, namespace_of(budget)) if protects(budget, pod)]
    expected, healthy = len(pods), sum(map(is_pod_ready, pods))
    spec = budget["spec"]
    if spec.get("maxUnavailable") is not None:
        desired = max(0, expected - share(spec["maxUnavailable"], expected, up=True))
    else:
        desired = share(spec.get("minAvailable", 1), expected, up=True)
    allowed = max(0, healthy - desired)
    reason = "SufficientPods" if allowed else "InsufficientPods"
    condition = {**make_condition("DisruptionAllowed", bool(allowed), reason), "message": ""}
    return {
        "expectedPods": expected,
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "disruptionsAllowed": allowed,
        "observedGeneration": budget["metadata"]["generation"],
        "conditions": keep_times(budget, [condition], store.now()),
    }


def protects(budget: Object, pod: Object) -> bool:
    """True when a budget counts a pod."""
    counted = not is_pod_finished(pod) and namespace_of(pod) == namespace_of(budget)
    return counted and selects(budget["spec"].get("selector"), labels_of(pod))
