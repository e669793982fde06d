"""Watches: what matched when it began, if that was asked for, then each change for as long as the caller stays.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

import time
from collections.abc import Iterator

from wpk_sandbox.sandbox.clusters.simulated.objects import Object, namespace_of
from wpk_sandbox.sandbox.clusters.simulated.refused import Refused
from wpk_sandbox.sandbox.clusters.simulated.request import Place, Request
from wpk_sandbox.sandbox.clusters.simulated.selectors import Predicate, query_filter
from wpk_sandbox.sandbox.clusters.simulated.store import Change, Store

_LONGEST = 1800.0
# How long a watch sleeps before it looks whether its time is over.
_TICK = 5.0


def chosen_by(place: Place, request: Request) -> Predicate:
    """What the place, name and selectors of a request choose."""
    chosen = query_filter(
        place.kind, request.query.get("labelSelector", ""), request.query.get("fieldSelector", "")
    )

    def matches(obj: Object) -> bool:
        here = place.namespace in ("", namespace_of(obj))
        return here and place.name in ("", obj["metadata"]["name"]) and chosen(obj)

    return matches


def watch(store: Store, place: Place, request: Request) -> Iterator[Object]:
    """The events of a watch. Raises `Refused` at once for a selector that cannot be read."""
    chosen = chosen_by(place, request)
    text = request.query.get("timeoutSeconds", "")
    seconds = min(float(text), _LONGEST) if text.isdigit() else _LONGEST
    return _events(store, place, request, chosen, time.monotonic() + seconds)


def _events(store: Store, place: Place, request: Request, chosen: Predicate, end: float) -> Iterator[Object]:
    wanted = request.query.get("resourceVersion", "")
    initial = request.flag("sendInitialEvents")
    with store.lock:
        present = [obj for obj in store.select(place.kind, place.namespace) if chosen(obj)]
        now = store.version
    version = int(wanted) if wanted.isdigit() and wanted != "0" and not initial else now
    if version == now and (initial or wanted in ("", "0")):
        yield from (_event("ADDED", obj) for obj in present)
    if initial:
        yield _bookmark(place, now)
    while time.monotonic() < end and not store.closed:
        with store.changed:
            changes = store.changes_after(version)
            if changes == []:
                store.changed.wait(max(0.0, min(_TICK, end - time.monotonic())))
                continue
        if changes is None:
            yield _event("ERROR", Refused(410, "Expired", f"too old resource version: {version}").body)
            return
        version = changes[-1].version
        yield from (event for change in changes if (event := _seen(change, place, chosen)))


def _seen(change: Change, place: Place, chosen: Predicate) -> Object | None:
    """How a change looks to a watch that sees only what it has chosen."""
    if (change.kind.group, change.kind.plural) != (place.kind.group, place.kind.plural):
        return None
    before = change.before is not None and chosen(change.before)
    after = change.after is not None and chosen(change.after)
    if after and change.after is not None:
        return _event("MODIFIED" if before else "ADDED", change.after)
    if before and change.before is not None:
        return _event("DELETED", change.after or change.before)
    return None


def _event(type_: str, obj: Object) -> Object:
    return {"type": type_, "object": obj}


def _bookmark(place: Place, version: int) -> Object:
    metadata = {"resourceVersion": str(version), "annotations": {"k8s.io/initial-events-end": "true"}}
    return _event("BOOKMARK", {"kind": place.kind.kind, "apiVersion": place.kind.api_version, "metadata": metadata})
