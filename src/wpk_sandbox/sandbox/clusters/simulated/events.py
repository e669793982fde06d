"""Kubernetes events: what controllers say about an object."""

from wpk_sandbox.sandbox.clusters.simulated.catalog import EVENT, NAMESPACE
from wpk_sandbox.sandbox.clusters.simulated.objects import Object, is_deleting, name_of, namespace_of
from wpk_sandbox.sandbox.clusters.simulated.store import Store


def record(
    store: Store,
    obj: Object,
    reason: str,
    message: str,
    *,
    component: str,
    warning: bool = False,
    once: bool = False,
) -> None:
    """Record an event about an object; the same words again count up the event that is there, or `once` do nothing.

    What is found anew in each pass of the controllers must be recorded `once`, or they never come to rest.
    """
    place = namespace_of(obj) or "default"
    namespace = store.find(NAMESPACE, "", place)
    if namespace is None or is_deleting(namespace):
        return
    same = _find(store, place, obj, reason, message)
    if same and once:
        return
    if same:
        store.write(EVENT, {**same, "count": same["count"] + 1, "lastTimestamp": store.now()})
        return
    store.write(
        EVENT,
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{name_of(obj)}.{store.version:016x}",
                "namespace": place,
                "uid": store.uid(),
                "creationTimestamp": store.now(),
            },
            "involvedObject": _reference(obj),
            "reason": reason,
            "message": message,
            "type": "Warning" if warning else "Normal",
            "source": {"component": component},
            "reportingComponent": component,
            "reportingInstance": "",
            "firstTimestamp": store.now(),
            "lastTimestamp": store.now(),
            "count": 1,
        },
    )


def _find(store: Store, place: str, obj: Object, reason: str, message: str) -> Object | None:
    for event in store.select(EVENT, place):
        about = event.get("involvedObject") or {}
        words = (event.get("reason"), gist(event.get("message") or ""))
        if about.get("uid") == obj["metadata"]["uid"] and words == (reason, gist(message)) and event.get("count"):
            return event
    return None


def gist(message: str) -> str:
    """A message without the name of the pod that was refused, which is another at each try."""
    return message.rpartition("is forbidden: ")[2]


def _reference(obj: Object) -> Object:
    reference = {
        "kind": obj["kind"],
        "namespace": namespace_of(obj),
        "name": name_of(obj),
        "uid": obj["metadata"]["uid"],
        "apiVersion": obj["apiVersion"],
        "resourceVersion": obj["metadata"]["resourceVersion"],
    }
    return {name: value for name, value in reference.items() if value}
