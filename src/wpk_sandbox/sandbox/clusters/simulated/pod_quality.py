"""The quality of service of a pod: https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/"""

from wpk_sandbox.sandbox.clusters.simulated.objects import Object


def quality_of(pod: Object) -> str:
    """Guaranteed, Burstable or BestEffort."""
    resources = [container.get("resources") or {} for container in pod["spec"].get("containers") or ()]
    if not any(each.get("requests") or each.get("limits") for each in resources):
        return "BestEffort"
    exact = all(
        each.get("requests") == each.get("limits") and {"cpu", "memory"} <= set(each.get("limits") or ())
        for each in resources
    )
    return "Guaranteed" if exact else "Burstable"
