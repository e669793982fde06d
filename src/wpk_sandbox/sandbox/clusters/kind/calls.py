"""Calling the API server as plain JSON, waiting for its controllers, and what its errors become."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from wpk_sandbox.errors import SandboxError

if TYPE_CHECKING:
    from kubernetes.client import ApiClient, ApiException

INTERVAL = 0.1
REQUEST_TIMEOUT = 30.0
_LONGEST_WORDS = 200
WAIT_REMEDY = "a slow host needs more time: raise the setting boot_timeout, or give the host more CPU"


def call(
    api: "ApiClient", method: str, path: str, body: Any = None, *, query: tuple[tuple[str, str], ...] = ()
) -> dict[str, Any]:
    """Make one call; the answer as JSON. Raises the client library's `ApiException`."""
    answer: dict[str, Any] = json.loads(_send(api, method, path, body, query, REQUEST_TIMEOUT).read())
    return answer


def stream(api: "ApiClient", path: str, query: tuple[tuple[str, str], ...] = ()) -> Any:
    """The lines of an answer that goes on, as they come; to be closed. Raises `ApiException`."""
    return _send(api, "GET", path, None, query, None).response


def _send(
    api: "ApiClient", method: str, path: str, body: Any, query: tuple[tuple[str, str], ...], timeout: float | None
) -> Any:
    from kubernetes.client import ApiException  # noqa: PLC0415 - heavy

    content = "application/merge-patch+json" if method == "PATCH" else "application/json"
    request = api.param_serialize(
        method,
        path,
        query_params=list(query),
        header_params={"Accept": "application/json", "Content-Type": content},
        body=body,
        auth_settings=["BearerToken"],
    )
    response: Any = api.call_api(*request, _request_timeout=timeout)
    if not 200 <= response.status < 300:
        raise ApiException(http_resp=response, body=response.read().decode(errors="replace"))
    return response


def acting_as(api: "ApiClient", user: str) -> "ApiClient":
    """A client of the same API that acts as somebody else, with that one's rights.

    https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
    """
    from kubernetes.client import ApiClient  # noqa: PLC0415 - heavy

    return ApiClient(api.configuration, header_name="Impersonate-User", header_value=user)


def wait_until(what: str, is_so: Callable[[], bool], *, timeout: float) -> None:
    """Ask until it is so; an error of the client means not yet. Raises `SandboxError` after `timeout` seconds."""
    until = time.monotonic() + timeout
    last = "it is not so yet"
    while True:
        try:
            with translated("ask the cluster"):
                if is_so():
                    return
        except SandboxError as error:
            last = str(error)
        if time.monotonic() >= until:
            raise SandboxError(f"waited {timeout:.0f} s until {what}: {last}", WAIT_REMEDY)
        time.sleep(INTERVAL)


def refusal(error: "ApiException") -> str:
    """Why the API server refused; it may say so in other words than JSON, before it is quite up."""
    words = str(error.body or error.reason)
    with suppress(ValueError, KeyError, TypeError):
        words = str(json.loads(words)["message"])
    return words[:_LONGEST_WORDS]


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn what the client library raises into `SandboxError: could not <doing>: …`."""
    from kubernetes.client import ApiException  # noqa: PLC0415 - heavy
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 - heavy

    try:
        yield
    except ApiException as error:
        raise SandboxError(f"could not {doing}: {error.status} {error.reason}: {error.body}") from error
    except HTTPError as error:
        raise SandboxError(f"could not {doing}: the cluster does not answer: {error}") from error
