"""CustomResourceDefinitions: an accepted one is served at once; with it go its objects."""

from wpk_sandbox.sandbox.clusters.simulated.catalog import DEFINITION, kinds
from wpk_sandbox.sandbox.clusters.simulated.objects import (
    Object,
    dig,
    is_deleting,
    keep_times,
    make_condition,
    name_of,
)
from wpk_sandbox.sandbox.clusters.simulated.refused import resource_name
from wpk_sandbox.sandbox.clusters.simulated.store import Store
from wpk_sandbox.sandbox.clusters.simulated.writes import delete, remove_finalizer

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"


def run_definitions(store: Store) -> None:
    """Establish new definitions and empty deleted ones."""
    for definition in store.select(DEFINITION):
        if is_deleting(definition):
            _empty(store, definition)
        else:
            _establish(store, definition)


def _establish(store: Store, definition: Object) -> None:
    if CLEANUP not in definition["metadata"].get("finalizers", []):
        finalizers = [*definition["metadata"].get("finalizers", []), CLEANUP]
        definition = {**definition, "metadata": {**definition["metadata"], "finalizers": finalizers}}
        definition = store.write(DEFINITION, definition)
    conditions = [
        make_condition("NamesAccepted", True, "NoConflicts", "no conflicts found"),
        make_condition("Established", True, "InitialNamesAccepted", "the initial names have been accepted"),
    ]
    versions = definition["spec"]["versions"]
    status = {
        "acceptedNames": dict(definition["spec"]["names"]),
        "storedVersions": [version["name"] for version in versions if version.get("storage")]
        or dig(definition, "status", "storedVersions", default=[]),
        "conditions": keep_times(definition, conditions, store.now()),
    }
    store.write_status(DEFINITION, definition, status)


def _empty(store: Store, definition: Object) -> None:
    left = 0
    for kind in [kind for kind in kinds(store) if resource_name(kind) == name_of(definition)]:
        for obj in store.select(kind):
            if not is_deleting(obj):
                delete(store, kind, obj)
        left += len(store.select(kind))
    if not left:
        remove_finalizer(store, DEFINITION, definition, CLEANUP)
