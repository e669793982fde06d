"""The process's one connection to the Docker daemon, and what it says when there is none."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wpk_sandbox.errors import UnavailableError

if TYPE_CHECKING:
    from docker import DockerClient

# 20.10, the first engine with private cgroup namespaces.
OLDEST_API = (1, 41)
OLDEST_ENGINE = "20.10"


def why_not() -> str | None:
    """Why no Docker daemon can be used, with the remedy; None when one can."""
    try:
        version = client().api.api_version
    except UnavailableError as error:
        return f"{error}; {error.remedy}"
    if tuple(int(part) for part in version.split(".")) < OLDEST_API:
        return f"the Docker daemon speaks API {version} only; update it to {OLDEST_ENGINE} or newer"
    return None


@functools.cache
def client() -> "DockerClient":
    """The process's one connection. Raises `UnavailableError` when no daemon answers."""
    import docker  # noqa: PLC0415 - heavy, and a run without Docker must not pay for it

    with translated("reach the Docker daemon"):
        return docker.DockerClient(base_url=address(), version="auto", timeout=60, **_tls())


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn what the client library raises into `UnavailableError: could not <doing>: …`, with the remedy."""
    from docker.errors import DockerException  # noqa: PLC0415 - only runs that use Docker load it
    from requests.exceptions import ConnectionError as RequestsConnectionError  # noqa: PLC0415
    from requests.exceptions import RequestException  # noqa: PLC0415

    try:
        yield
    except RequestsConnectionError as error:
        words = "the Docker daemon has gone away" if client.cache_info().currsize else str(error)
        raise UnavailableError(f"could not {doing}: {words}", _remedy(str(error))) from error
    except (DockerException, RequestException) as error:
        raise UnavailableError(f"could not {doing}: {error}", _remedy(str(error))) from error


def address() -> str | None:
    """Where the daemon is; None is the library's default, the local socket."""
    from docker.context import ContextAPI  # noqa: PLC0415 - only runs that use Docker load it
    from docker.utils import kwargs_from_env  # noqa: PLC0415

    host = kwargs_from_env().get("base_url")
    if host:
        return str(host)
    context = ContextAPI.get_current_context()
    return str(context.Host) if context and context.Host else None


def _tls() -> dict[str, Any]:
    from docker.utils import kwargs_from_env  # noqa: PLC0415 - only runs that use Docker load it

    return {key: value for key, value in kwargs_from_env().items() if key == "tls"}


def _remedy(words: str) -> str:
    if "Permission denied" in words:
        return "add yourself to the group `docker` and log in again, or set DOCKER_HOST to a daemon of your own"
    if any(sign in words for sign in ("No such file", "FileNotFoundError", "Connection refused")):
        return "start Docker, or set DOCKER_HOST to where it listens"
    return "see `docker info` and the daemon's log"
