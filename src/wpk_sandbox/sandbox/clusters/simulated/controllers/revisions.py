"""ControllerRevisions: the history of the templates of a StatefulSet or DaemonSet."""

import hashlib
import json

from wpk_sandbox.sandbox.clusters.simulated.catalog import REVISION
from wpk_sandbox.sandbox.clusters.simulated.objects import (
    Object,
    controller_reference,
    is_controlled_by,
    labels_of,
    name_of,
    namespace_of,
)
from wpk_sandbox.sandbox.clusters.simulated.store import Store
from wpk_sandbox.sandbox.clusters.simulated.writes import change, create, delete

# The label of a pod that tells its revision: a StatefulSet writes the revision's name, a DaemonSet only its hash.
HASH_LABEL = "controller-revision-hash"
_OWN_LABEL = {"StatefulSet": "controller.kubernetes.io/hash", "DaemonSet": HASH_LABEL}
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def newest_revision(store: Store, owner: Object) -> Object:
    """The revision of the present template, made or brought to the end of the history."""
    data = {"spec": {"template": {**owner["spec"]["template"], "$patch": "replace"}}}
    history = revisions(store, owner)
    newest = history[-1]["revision"] if history else 0
    same = next((revision for revision in history if revision["data"] == data), None)
    if same is None:
        return _make(store, owner, data, newest + 1)
    if same["revision"] == newest:
        return same
    return change(store, REVISION, same, lambda edited: edited.update(revision=newest + 1))


def revisions(store: Store, owner: Object) -> list[Object]:
    """The revisions of a workload, oldest first."""
    found = [each for each in store.select(REVISION, namespace_of(owner)) if is_controlled_by(each, owner)]
    return sorted(found, key=lambda revision: int(revision["revision"]))


def revision_hash(revision: Object) -> str:
    """The last part of a revision's name."""
    return name_of(revision).rpartition("-")[2]


def forget_old(store: Store, owner: Object, in_use: set[str]) -> None:
    """Delete the oldest revisions over the limit that no pod uses."""
    unused = [revision for revision in revisions(store, owner) if name_of(revision) not in in_use]
    for revision in unused[: max(0, len(unused) - owner["spec"]["revisionHistoryLimit"])]:
        delete(store, REVISION, revision)


def _make(store: Store, owner: Object, data: Object, number: int) -> Object:
    digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).digest()
    hashed = "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:10])
    metadata = {
        "name": f"{name_of(owner)}-{hashed}",
        "namespace": namespace_of(owner),
        "labels": {**labels_of(owner["spec"]["template"]), _OWN_LABEL[owner["kind"]]: hashed},
        "ownerReferences": [controller_reference(owner)],
    }
    return create(store, REVISION, {"metadata": metadata, "data": store.edit(data), "revision": number})
