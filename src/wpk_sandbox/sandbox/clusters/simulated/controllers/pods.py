"""The pods of a controller: which it has, and making and removing them."""

from collections.abc import Mapping

from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.sandbox.clusters.simulated.catalog import POD
from wpk_sandbox.sandbox.clusters.simulated.events import record
from wpk_sandbox.sandbox.clusters.simulated.objects import (
    Object,
    annotations_of,
    controller_of,
    controller_reference,
    is_controlled_by,
    is_deleting,
    is_pod_ready,
    labels_of,
    name_of,
    namespace_of,
)
from wpk_sandbox.sandbox.clusters.simulated.refused import Refused
from wpk_sandbox.sandbox.clusters.simulated.selectors import selects
from wpk_sandbox.sandbox.clusters.simulated.store import Store
from wpk_sandbox.sandbox.clusters.simulated.writes import change, create, delete


def claim(store: Store, kind: ResourceKind, owner: Object, selector: Object | None) -> list[Object]:
    """The objects of a kind that `owner` controls; those that its selector meets and nobody controls become its."""
    found = []
    for obj in store.select(kind, namespace_of(owner)):
        if is_controlled_by(obj, owner):
            found.append(obj)
        elif controller_of(obj) is None and not is_deleting(obj) and selects(selector, labels_of(obj)):
            found.append(change(store, kind, obj, lambda orphan: _adopt(orphan, owner)))
    return found


def _adopt(orphan: Object, owner: Object) -> None:
    orphan["metadata"].setdefault("ownerReferences", []).append(controller_reference(owner))


def make_pod(
    store: Store,
    owner: Object,
    template: Object,
    *,
    name: str = "",
    labels: Mapping[str, str] | None = None,
    component: str,
) -> Refused | None:
    """Make a pod of a template under `name`, or under a generated one; returns why the API refused it."""
    copied = store.edit(template)
    metadata: Object = {
        "namespace": namespace_of(owner),
        "labels": {**labels_of(copied), **(labels or {})},
        "annotations": dict(annotations_of(copied)),
        "ownerReferences": [controller_reference(owner)],
        **({"name": name} if name else {"generateName": f"{name_of(owner)}-"}),
    }
    try:
        pod = create(store, POD, {"metadata": metadata, "spec": copied["spec"]})
    except Refused as refused:
        return refused
    record(store, owner, "SuccessfulCreate", f"Created pod: {name_of(pod)}", component=component)
    return None


def remove_pod(store: Store, owner: Object, pod: Object, *, component: str) -> None:
    """Delete a pod that its controller does not want any more."""
    if not is_deleting(pod):
        delete(store, POD, pod)
        record(store, owner, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}", component=component)


def report_failure(store: Store, owner: Object, refused: Refused, *, component: str) -> None:
    """Record that a pod, or what it needs, could not be made."""
    message = f"Error creating: {refused}"
    record(store, owner, "FailedCreate", message, component=component, warning=True, once=True)


def by_usefulness(pods: list[Object]) -> list[Object]:
    """The pods that a scale-down removes first, first: those that do not serve, then the youngest."""
    youngest_first = sorted(pods, key=lambda pod: int(pod["metadata"]["resourceVersion"]), reverse=True)
    return sorted(youngest_first, key=is_pod_ready)
