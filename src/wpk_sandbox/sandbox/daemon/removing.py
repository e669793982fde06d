"""Removing containers, networks and volumes, whatever state they and the daemon are in."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from wpk_sandbox.errors import UnavailableError
from wpk_sandbox.sandbox.daemon.connection import client, translated

# How long a removal waits (seconds) for a daemon that went away, for a network's last container to be let go, and
# for what somebody else is removing.
BACK_TIMEOUT = 20.0
ENDPOINTS_TIMEOUT = 5.0
ENDING_TIMEOUT = 60.0

T = TypeVar("T")

# When the daemon was found away, until it is back; the first time counts.
_away_since: list[float] = []


def is_running(container: str) -> bool:
    """Whether a container is there and runs. Raises `UnavailableError` when the daemon does not answer."""
    from docker.errors import NotFound  # noqa: PLC0415 - only runs that use Docker load it

    with translated(f"look at the container {container[:12]}"):
        try:
            return bool(client().api.inspect_container(container)["State"]["Running"])
        except NotFound:
            return False


def containers_with(label: str) -> list[str]:
    """The ids of the containers with a label, running or not, that are to be removed.

    Raises `UnavailableError` when the daemon does not answer.
    """

    def listed() -> list[str]:
        found = client().api.containers(all=True, filters={"label": label})
        return [str(container["Id"]) for container in found]

    return _when_back(f"list the containers with the label {label}", listed)


def remove_container(name: str, *, grace: float = 0.0) -> None:
    """Kill and remove a container with its anonymous volumes; nothing happens when there is none.

    With `grace` (seconds) it is asked to end before. Raises `UnavailableError` when it remains.
    """
    from docker.errors import APIError, NotFound  # noqa: PLC0415 - only runs that use Docker load it

    def remove() -> None:
        api = client().api
        with suppress(NotFound):
            if grace:
                api.stop(name, timeout=int(grace))
            try:
                api.remove_container(name, v=True, force=True)
            except APIError as error:
                if "already in progress" not in str(error):
                    raise
                _await_end_of(name)

    _when_back(f"remove the container {name}", remove)


def remove_network(name: str) -> None:
    """Remove a network; nothing happens when there is none. Raises `UnavailableError` when it remains."""
    from docker.errors import APIError, NotFound  # noqa: PLC0415 - only runs that use Docker load it

    def remove() -> None:
        until = time.monotonic() + ENDPOINTS_TIMEOUT
        while True:
            try:
                client().api.remove_network(name)
            except NotFound:
                return
            except APIError as error:
                if "active endpoints" not in str(error) or time.monotonic() >= until:
                    raise
                time.sleep(0.2)
            else:
                return

    _when_back(f"remove the network {name}", remove)


def remove_volume(name: str) -> None:
    """Remove a volume; nothing happens when there is none. Raises `UnavailableError` when it remains."""
    from docker.errors import NotFound  # noqa: PLC0415 - only runs that use Docker load it

    def remove() -> None:
        with suppress(NotFound):
            client().api.remove_volume(name, force=True)

    _when_back(f"remove the volume {name}", remove)


def _await_end_of(container: str) -> None:
    """Return when a container that somebody else removes is gone, by raising what the library says then."""
    until = time.monotonic() + ENDING_TIMEOUT
    while time.monotonic() < until:
        client().api.inspect_container(container)
        time.sleep(0.1)
    raise UnavailableError(f"the container {container} is still being removed after {ENDING_TIMEOUT:.0f} s")


def _when_back(doing: str, request: Callable[[], T]) -> T:
    """Ask; while the daemon is away, as when it is restarted, wait for it, all callers together for one time.

    Raises `UnavailableError`.
    """
    from requests.exceptions import ConnectionError as AwayError  # noqa: PLC0415 - only runs that use Docker load it

    with translated(doing):
        while True:
            try:
                answer = request()
            except AwayError:
                _away_since.append(time.monotonic())
                if time.monotonic() >= _away_since[0] + BACK_TIMEOUT:
                    raise
                time.sleep(0.5)
            else:
                _away_since.clear()
                return answer
