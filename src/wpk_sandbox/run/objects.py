"""Kubernetes objects as plain dicts, over the client of whichever cluster is open."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.package.kinds import RESOURCE_KINDS, ResourceKind
from wpk_sandbox.run.deadline import Deadline, Pace
from wpk_sandbox.run.result import Limit

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

Object = dict[str, Any]

FIELD_MANAGER = "wpk-sandbox"
REQUEST_TIMEOUT = 30.0
LOG_BYTES = 1024**2
LATE = 5.0

_PATCH_TYPES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}


class ApiError(Exception):
    """The API server's refusal: HTTP status, Kubernetes' reason (`NotFound`) and its message."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message

    @property
    def breakdown(self) -> bool:
        """True when the server could not answer, which says nothing about what it was asked."""
        return self.status in (503, 504) or "etcdserver" in self.message


@dataclass(frozen=True)
class Objects:
    """Calls to one cluster's API, none of which lasts beyond the deadline; `acting_api` has the package's rights.

    With `dry_run` the server checks each change and keeps none. Every method raises `ApiError` for an answer
    that is a refusal, `OutOfTimeError` at the deadline, and `SandboxError` when the server does not answer.
    """

    api: "ApiClient" = field(repr=False)
    deadline: Deadline
    dry_run: bool = False
    pace: Pace = Pace()
    acting_api: "ApiClient | None" = field(default=None, repr=False)
    _discovered: dict[tuple[str, str], ResourceKind] = field(default_factory=dict, repr=False)

    def within(self, deadline: Deadline, *, dry_run: bool = False) -> "Objects":
        """The same cluster under another deadline."""
        return replace(self, deadline=deadline, dry_run=dry_run)

    @property
    def acting(self) -> "Objects":
        """The cluster as the package may use it: for what its steps ask, and not for what we look at ourselves."""
        return self if self.acting_api is None else replace(self, api=self.acting_api)

    def late(self) -> "Objects":
        """The cluster for a moment more than the deadline, for finding out why it was missed."""
        return replace(self, deadline=Deadline.start(Limit.RUN, LATE, self.deadline.clock))

    def kind(self, api_version: str, kind: str) -> ResourceKind:
        """The place of a kind: from the table, else asked of the server, which may know custom ones."""
        for known in RESOURCE_KINDS:
            if (known.api_version, known.kind) == (api_version, kind):
                return known
        if (api_version, kind) not in self._discovered:
            self._discovered[api_version, kind] = self._discover(api_version, kind)
        return self._discovered[api_version, kind]

    def get(self, kind: ResourceKind, name: str, namespace: str | None = None) -> Object:
        """One object."""
        return self._call("GET", _path(kind, namespace, name))

    def find(self, kind: ResourceKind, name: str, namespace: str | None = None) -> Object | None:
        """One object, or None where there is none."""
        try:
            return self.get(kind, name, namespace)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def list(self, kind: ResourceKind, namespace: str | None = None, selector: str = "") -> tuple[Object, ...]:
        """All objects of a kind, in one namespace or in all; `selector` is a label selector."""
        query = {"labelSelector": selector} if selector else {}
        answer = self._call("GET", _path(kind, namespace), query)
        return tuple(
            {"apiVersion": kind.api_version, "kind": kind.kind, **item} for item in answer.get("items") or ()
        )

    def create(self, manifest: Mapping[str, Any], namespace: str | None = None) -> Object:
        """Make an object; `namespace` is for manifests that name none."""
        kind, namespace, _ = self.place(manifest, namespace)
        return self._call("POST", _path(kind, namespace), self._change(), manifest)

    def apply(
        self, manifest: Mapping[str, Any], namespace: str | None = None, *, manager: str = FIELD_MANAGER
    ) -> Object:
        """Server-side apply, taking fields over from whoever had them."""
        kind, namespace, name = self.place(manifest, namespace)
        query = {**self._change(), "fieldManager": manager, "force": "true"}
        return self._call("PATCH", _path(kind, namespace, name), query, manifest, _PATCH_TYPES["apply"])

    def patch(
        self, kind: ResourceKind, name: str, namespace: str | None, patch: Any, *, how: str = "merge"
    ) -> Object:
        """Change some fields; `how` is `merge`, `strategic` or `json`."""
        return self._call("PATCH", _path(kind, namespace, name), self._change(), patch, _PATCH_TYPES[how])

    def replace(self, manifest: Mapping[str, Any], namespace: str | None = None) -> Object:
        """Put this in the place of what is there."""
        kind, namespace, name = self.place(manifest, namespace)
        return self._call("PUT", _path(kind, namespace, name), self._change(), manifest)

    def delete(
        self,
        kind: ResourceKind,
        name: str,
        namespace: str | None = None,
        *,
        propagation: str = "Background",
        grace: float | None = None,
    ) -> None:
        """Ask for an object to go; `await_gone` waits until it is. `grace` is in seconds."""
        body: Object = {"propagationPolicy": propagation}
        if grace is not None:
            body["gracePeriodSeconds"] = int(grace)
        self._call("DELETE", _path(kind, namespace, name), self._dry(), body)

    def await_gone(self, kind: ResourceKind, name: str, namespace: str | None, uid: str) -> None:
        """Wait until the object with this uid is gone; a successor of the same name does not count."""
        if self.dry_run:
            return

        def look() -> bool | None:
            found = self.find(kind, name, namespace)
            return True if found is None or found["metadata"].get("uid") != uid else None

        self.deadline.until(look, self.pace)

    def scale(self, kind: ResourceKind, name: str, namespace: str | None, replicas: int) -> None:
        """Set the number of replicas through the `scale` subresource."""
        path = _path(kind, namespace, name, "scale")
        self._call("PATCH", path, self._change(), {"spec": {"replicas": replicas}}, _PATCH_TYPES["merge"])

    def logs(
        self,
        name: str,
        namespace: str | None,
        *,
        container: str = "",
        lines: int | None = None,
        previous: bool = False,
        limit: int = LOG_BYTES,
    ) -> str:
        """The log of a container, at most `limit` bytes of it."""
        query: dict[str, Any] = {"limitBytes": limit}
        query |= {"container": container} if container else {}
        query |= {"tailLines": lines} if lines is not None else {}
        query |= {"previous": "true"} if previous else {}
        pod = self.kind("v1", "Pod")
        return self._send("GET", _path(pod, namespace, name, "log"), query, None, "").decode("utf-8", "replace")

    def evict(self, name: str, namespace: str | None) -> None:
        """Ask for a pod to go as a drain does, which a PodDisruptionBudget may refuse (status 429)."""
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": namespace},
        }
        self._call("POST", _path(self.kind("v1", "Pod"), namespace, name, "eviction"), self._dry(), body)

    def place(
        self, manifest: Mapping[str, Any], namespace: str | None = None
    ) -> tuple[ResourceKind, str | None, str]:
        """Where a manifest belongs: its kind, its namespace (None for the cluster) and its name."""
        kind = self.kind(str(manifest.get("apiVersion") or ""), str(manifest.get("kind") or ""))
        given = manifest.get("metadata")
        metadata = given if isinstance(given, Mapping) else {}
        where = str(metadata.get("namespace") or namespace or "default") if kind.namespaced else None
        return kind, where, str(metadata.get("name") or "")

    def _dry(self) -> dict[str, Any]:
        return {"dryRun": "All"} if self.dry_run else {}

    def _change(self) -> dict[str, Any]:
        return {"fieldManager": FIELD_MANAGER, **self._dry()}

    def _discover(self, api_version: str, kind: str) -> ResourceKind:
        root = "/apis/" if "/" in api_version else "/api/"
        try:
            resources = self._call("GET", root + quote(api_version)).get("resources") or ()
        except ApiError as error:
            if error.status != 404:
                raise
            resources = ()
        for resource in resources:
            if resource["kind"] == kind and "/" not in resource["name"]:
                return ResourceKind(api_version, kind, resource["name"], bool(resource["namespaced"]))
        wanted = f"{kind or 'an object without kind'} of {api_version or 'no apiVersion'}"
        raise ApiError(404, "NotFound", f"the cluster does not know {wanted}")

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> Object:
        answer: Object = json.loads(self._send(method, path, query or {}, body, content_type) or b"{}")
        return answer

    def _send(self, method: str, path: str, query: Mapping[str, Any], body: Any, content_type: str) -> bytes:
        import urllib3  # noqa: PLC0415 - heavy, and only needed with a cluster

        self.deadline.check()
        headers = {"Accept": "application/json, */*"} | ({"Content-Type": content_type} if body else {})
        request = self.api.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        timeout = min(REQUEST_TIMEOUT, self.deadline.remaining())
        try:
            response: Any = self.api.call_api(*request, _request_timeout=max(timeout, 0.001))
            data: bytes = response.read()
        except urllib3.exceptions.HTTPError as error:
            self.deadline.check()
            raise SandboxError(f"the cluster does not answer {method} {path}: {error}") from error
        if response.status >= 400:
            raise _api_error(response.status, data)
        return data


def _path(kind: ResourceKind, namespace: str | None, name: str | None = None, subresource: str = "") -> str:
    # Two dots would climb to another object once the URL is normalised.
    if name in (".", "..") or namespace in (".", ".."):
        raise ApiError(422, "Invalid", f"{name or namespace!r} is not a name")
    quoted = [None if part is None else quote(part, safe="") for part in (namespace, name)]
    return kind.path(quoted[0], quoted[1], subresource)


def _api_error(status: int, data: bytes) -> ApiError:
    try:
        answer = json.loads(data)
        return ApiError(status, answer.get("reason") or "", answer.get("message") or f"status {status}")
    except (ValueError, AttributeError):
        text = data.decode("utf-8", "replace").strip()[:500]
        return ApiError(status, "", text or f"status {status}")
