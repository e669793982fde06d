"""The API's refusals, with the codes, reasons and wording of a real API server.

https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#response-status-kind
"""

import json
from dataclasses import dataclass
from typing import Any

from wpk_sandbox.package.kinds import ResourceKind
from wpk_sandbox.sandbox.clusters.simulated.objects import Object


@dataclass(frozen=True)
class Cause:
    """What is wrong with one field; `reason` is a name such as `FieldValueInvalid`."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class Refused(Exception):  # noqa: N818 - it is an answer to the caller, not an error of ours
    """The request cannot be done; `body` is the Status that the caller gets."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.body: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            **({"details": details} if details else {}),
            "code": code,
        }


def resource_name(kind: ResourceKind) -> str:
    """`deployments.apps`, or `pods` for the core group."""
    return f"{kind.plural}.{kind.group}" if kind.group else kind.plural


def kind_name(kind: ResourceKind) -> str:
    """`Deployment.apps`, or `Pod` for the core group."""
    return f"{kind.kind}.{kind.group}" if kind.group else kind.kind


def _details(kind: ResourceKind, name: str, kind_text: str = "") -> Object:
    details = {"name": name, "group": kind.group, "kind": kind_text or kind.plural}
    return {key: value for key, value in details.items() if value}


def not_found(kind: ResourceKind, name: str) -> Refused:
    """404: there is no such object."""
    message = f'{resource_name(kind)} "{name}" not found'
    return Refused(404, "NotFound", message, _details(kind, name))


def no_such_path() -> Refused:
    """404: the API serves nothing at this path."""
    return Refused(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(kind: ResourceKind, name: str) -> Refused:
    """409: the name is taken."""
    message = f'{resource_name(kind)} "{name}" already exists'
    return Refused(409, "AlreadyExists", message, _details(kind, name))


def conflict(kind: ResourceKind, name: str, why: str = "") -> Refused:
    """409: somebody else wrote the object in the meantime."""
    why = why or ("the object has been modified; please apply your changes to the latest version and try again")
    message = f'Operation cannot be fulfilled on {resource_name(kind)} "{name}": {why}'
    return Refused(409, "Conflict", message, _details(kind, name))


def forbidden(kind: ResourceKind, name: str, why: str) -> Refused:
    """403: an admission plugin says no."""
    message = f'{resource_name(kind)} "{name}" is forbidden: {why}'
    return Refused(403, "Forbidden", message, _details(kind, name))


def invalid(kind: ResourceKind, name: str, causes: list[Cause]) -> Refused:
    """422: the object's fields are wrong."""
    listed = ", ".join(map(str, causes))
    message = f'{kind_name(kind)} "{name}" is invalid: {listed if len(causes) == 1 else f"[{listed}]"}'
    details = _details(kind, name, kind.kind)
    details["causes"] = [
        {"reason": cause.reason, "message": cause.message, "field": cause.field} for cause in causes
    ]
    return Refused(422, "Invalid", message, details)


def bad_request(message: str) -> Refused:
    """400: the request cannot be understood."""
    return Refused(400, "BadRequest", message)


def cannot_handle(kind: ResourceKind, why: str) -> Refused:
    """400: the body cannot be decoded as this kind."""
    version = kind.api_version.rpartition("/")[2]
    return bad_request(f'{kind.kind} in version "{version}" cannot be handled as a {kind.kind}: {why}')


def not_allowed() -> Refused:
    """405: the path is there, but not for this method."""
    return Refused(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def compact(value: Any) -> str:
    """A value as messages of the API show it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
