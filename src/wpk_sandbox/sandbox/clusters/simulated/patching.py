"""Which of the four kinds of patch a request brings, and what it makes of an object."""

from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.sandbox.clusters.simulated.apply import apply_merge
from wpk_sandbox.sandbox.clusters.simulated.catalog import is_builtin
from wpk_sandbox.sandbox.clusters.simulated.objects import Object
from wpk_sandbox.sandbox.clusters.simulated.patch import PatchError, json_patch, merge_patch
from wpk_sandbox.sandbox.clusters.simulated.refused import Cause, Refused, bad_request, invalid
from wpk_sandbox.sandbox.clusters.simulated.request import Request
from wpk_sandbox.sandbox.clusters.simulated.store import Store
from wpk_sandbox.sandbox.clusters.simulated.strategic import strategic_merge


def patched(store: Store, kind: ResourceKind, before: Object, request: Request, content_type: str) -> Object:
    """The object after the patch of a request; not stored. Raises `Refused` (400, 415, 422)."""
    patch = request.parsed()
    current = store.edit(before)
    match content_type:
        case "application/json-patch+json":
            try:
                return _an_object(json_patch(current, patch))
            except PatchError as error:
                why = f"the server rejected our request due to an error in our request: {error}"
                raise Refused(422, "Invalid", why) from None
        case "application/merge-patch+json":
            return _an_object(merge_patch(current, _a_mapping(patch)))
        case "application/strategic-merge-patch+json" if is_builtin(kind):
            return strategic_merge(current, _a_mapping(patch))
        case "application/apply-patch+yaml":
            return _applied(store, kind, current, _a_mapping(patch), request.query.get("fieldManager", ""))
    accepted = ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"]
    raise Refused(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: " + ", ".join(accepted),
    )


def _a_mapping(patch: object) -> Object:
    if not isinstance(patch, dict):
        raise bad_request("the patch of this content type is an object")
    return patch


def _an_object(result: object) -> Object:
    if not isinstance(result, dict) or not isinstance(result.get("metadata"), dict):
        raise bad_request("the patch leaves no object")
    return result


def _applied(store: Store, kind: ResourceKind, current: Object, wanted: Object, manager: str) -> Object:
    if not manager:
        cause = Cause("fieldManager", "Required value: is required for apply patch", "FieldValueRequired")
        raise invalid(ResourceKind("meta.k8s.io/v1", "PatchOptions", "patchoptions"), "", [cause])
    if (wanted.get("apiVersion"), wanted.get("kind")) != (kind.api_version, kind.kind):
        raise bad_request(f"invalid object type: {wanted.get('apiVersion')}, Kind={wanted.get('kind')}")
    others = dict(store.applied.get(store.identity(kind, current), {}))
    last = others.pop(manager, {})
    return apply_merge(current, last, wanted, others=tuple(others.values()), keyed=is_builtin(kind))
