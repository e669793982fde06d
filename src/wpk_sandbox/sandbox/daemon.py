"""The one place that talks to the Docker daemon: whether it is there, its images, and what we make on it.

The daemon is the one that the `docker` program would use: `DOCKER_HOST`, else the current context, else the
local socket. Everything made here is entered in the ledger first and carries its labels.
"""

import functools
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wpk_sandbox.errors import UnavailableError
from wpk_sandbox.sandbox.ledger import Entry, Ledger

if TYPE_CHECKING:
    from docker import DockerClient

# 20.10, the first engine with private cgroup namespaces.
OLDEST_API = (1, 41)
OLDEST_ENGINE = "20.10"
PULL_REMEDY = "pull it, or allow wpk-sandbox to (`pull: true`)"

MAKING_TIMEOUT = 60.0
# How long a removal waits (seconds) for a daemon that went away, and for a network's last container to be let go.
BACK_TIMEOUT = 20.0
ENDPOINTS_TIMEOUT = 5.0
_CONFLICT = 409

# When the daemon was found away, until it is back; the first time counts.
_away_since: list[float] = []

_DOCKER_FILES = ("/etc/hostname", "/etc/hosts", "/etc/resolv.conf")
_FULL_ID = re.compile(r"[0-9a-f]{64}")


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
    from docker.errors import DockerException  # noqa: PLC0415
    from requests.exceptions import ConnectionError as RequestsConnectionError  # noqa: PLC0415
    from requests.exceptions import RequestException  # noqa: PLC0415

    try:
        yield
    except RequestsConnectionError as error:
        words = "the Docker daemon has gone away" if client.cache_info().currsize else str(error)
        raise UnavailableError(f"could not {doing}: {words}", _remedy(str(error))) from error
    except (DockerException, RequestException) as error:
        raise UnavailableError(f"could not {doing}: {error}", _remedy(str(error))) from error


def ensure_image(name: str, *, pull: bool) -> str | None:
    """Have an image on the daemon: None when it is there or was pulled, else why it is not.

    Raises `UnavailableError` when the daemon does not answer.
    """
    if has_image(name):
        return None
    if not pull:
        return f"the image {name} is not on this daemon; {PULL_REMEDY}"
    # A name without a tag would pull every tag that there is.
    plain = "@" in name or ":" in name.rpartition("/")[2]
    try:
        with translated(f"pull {name}"):
            client().api.pull(name if plain else f"{name}:latest")
    except UnavailableError as error:
        return f"{error}; check the name and that this host may read it"
    return None if has_image(name) else f"the registry sent no image for {name}"


def has_image(name: str) -> bool:
    """True when the daemon holds the image."""
    from docker.errors import ImageNotFound  # noqa: PLC0415

    with translated(f"look for the image {name}"):
        try:
            client().images.get(name)
        except ImageNotFound:
            return False
    return True


def own_container() -> dict[str, Any] | None:
    """What the daemon says of the container that this process runs in, when it is one of this same daemon."""
    for candidate in _own_candidates():
        with suppress(UnavailableError), translated("look at this container"):
            found = client().api.inspect_container(candidate)
            if found["State"]["Running"] and str(found["Id"]).startswith(candidate):
                return dict(found)
    return None


def own_container_id() -> str | None:
    """The id of that container."""
    own = own_container()
    return str(own["Id"]) if own else None


def own_image() -> str | None:
    """The image of the container that this process runs in, as in the Action: the daemon has it already."""
    own = own_container()
    return str(own["Image"]) if own else None


def is_running(container: str) -> bool:
    """Whether a container is there and runs. Raises `UnavailableError` when the daemon does not answer."""
    from docker.errors import NotFound  # noqa: PLC0415

    with translated(f"look at the container {container[:12]}"):
        try:
            return bool(client().api.inspect_container(container)["State"]["Running"])
        except NotFound:
            return False


def resource_name(ledger: Ledger, what: str) -> str:
    """The name of a container or network of this run; `what` tells it from the run's others."""
    return f"wpk-sandbox-{ledger.run_id}-{what}"


def create_container(ledger: Ledger, name: str, image: str, **options: Any) -> tuple[str, Entry]:
    """Create, but do not start, a labelled container; returns its id and its ledger entry.

    `options` are those of the SDK's `create_container`. Raises `UnavailableError`.
    """
    made = _Making(
        f"create the container {name}",
        lambda: client().api.create_container(image, name=name, labels=ledger.labels, **options)["Id"],
    )
    undo = partial(made.then, lambda: remove_container(name, grace=ledger.grace))
    entry = ledger.enter("container", name, undo, alone=True)
    return made.result(), entry


@contextmanager
def container(ledger: Ledger, name: str, image: str, **options: Any) -> Iterator[str]:
    """A labelled container, created and not started, that is removed when the block is left; gives its id.

    Raises `UnavailableError`.
    """
    identifier, entry = create_container(ledger, name, image, **options)
    try:
        yield identifier
    finally:
        ledger.undo(entry)


def name_is_free(ledger: Ledger, name: str, image: str) -> bool:
    """False while there is a container of that name, or the daemon is still making one: it takes the name first.

    Raises `UnavailableError`.
    """
    from docker.errors import APIError  # noqa: PLC0415

    with translated(f"ask for the name {name}"):
        try:
            placeholder = client().api.create_container(image, name=name, labels=ledger.labels)["Id"]
        except APIError as error:
            if error.status_code == _CONFLICT:
                return False
            raise
    remove_container(placeholder)
    return True


def create_network(ledger: Ledger, name: str, **options: Any) -> tuple[str, Entry]:
    """Create a labelled network; returns its id and its ledger entry.

    `options` are those of the SDK's `create_network`. Raises `UnavailableError`.
    """
    made = _Making(
        f"create the network {name}",
        lambda: client().api.create_network(name, labels=ledger.labels, **options)["Id"],
    )
    entry = ledger.enter("network", name, partial(made.then, partial(remove_network, name)))
    return made.result(), entry


def remove_container(name: str, *, grace: float = 0.0) -> None:
    """Kill and remove a container with its anonymous volumes; nothing happens when there is none.

    With `grace` (seconds) it is asked to end before. Raises `UnavailableError` when it remains.
    """
    from docker.errors import APIError, NotFound  # noqa: PLC0415

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
    from docker.errors import APIError, NotFound  # noqa: PLC0415

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
    from docker.errors import NotFound  # noqa: PLC0415

    def remove() -> None:
        with suppress(NotFound):
            client().api.remove_volume(name, force=True)

    _when_back(f"remove the volume {name}", remove)


def _await_end_of(container: str) -> None:
    """Return when a container that somebody else removes is gone, by raising what the library says then."""
    until = time.monotonic() + MAKING_TIMEOUT
    while time.monotonic() < until:
        client().api.inspect_container(container)
        time.sleep(0.1)
    raise UnavailableError(f"the container {container} is still being removed after {MAKING_TIMEOUT:.0f} s")


def _when_back(doing: str, request: Callable[[], None]) -> None:
    """Do it; while the daemon is away, as when it is restarted, wait for it, all callers together for one time.

    Raises `UnavailableError`.
    """
    from requests.exceptions import ConnectionError as AwayError  # noqa: PLC0415

    with translated(doing):
        while True:
            try:
                request()
            except AwayError:
                _away_since.append(time.monotonic())
                if time.monotonic() >= _away_since[0] + BACK_TIMEOUT:
                    raise
                time.sleep(0.5)
            else:
                return _away_since.clear()


class _Making:
    """A request that makes something, out of the reach of an interrupt.

    A signal that arrives while the daemon still works on it must not lead to an undo that finds nothing yet,
    and then a thing that nobody removes: the request goes on in a thread of its own, and the undo waits for it.
    """

    def __init__(self, doing: str, request: Callable[[], Any]) -> None:
        self._doing, self._request = doing, request
        self._answer: Any = None
        self._error: Exception | None = None
        self._begun = self._cancelled = False
        self._lock = threading.Lock()
        # Not the thread's own state, which says "not alive" to a caller that was interrupted while starting it.
        self._answered = threading.Event()

    def _make(self) -> None:
        with self._lock:
            self._begun = not self._cancelled
        if not self._begun:
            self._error = UnavailableError(f"did not {self._doing}: the run is over")
            self._answered.set()
            return
        try:
            self._answer = self._request()
        except Exception as error:  # raised again, and translated, by result()
            self._error = error
        finally:
            self._answered.set()

    def result(self) -> str:
        """Make it; the answer. Raises `UnavailableError`."""
        threading.Thread(target=self._make, daemon=True).start()
        self._answered.wait()
        with translated(self._doing):
            if self._error:
                raise self._error
        return str(self._answer)

    def then(self, undo: Callable[[], None]) -> None:
        """Undo it when the daemon has answered; what has not begun never will."""
        with self._lock:
            self._cancelled = True
        if self._begun:
            self._answered.wait(MAKING_TIMEOUT)
        undo()


def address() -> str | None:
    """Where the daemon is; None is the library's default, the local socket."""
    from docker.context import ContextAPI  # noqa: PLC0415
    from docker.utils import kwargs_from_env  # noqa: PLC0415

    host = kwargs_from_env().get("base_url")
    if host:
        return str(host)
    context = ContextAPI.get_current_context()
    return str(context.Host) if context and context.Host else None


def _tls() -> dict[str, Any]:
    from docker.utils import kwargs_from_env  # noqa: PLC0415

    return {key: value for key, value in kwargs_from_env().items() if key == "tls"}


def _remedy(words: str) -> str:
    if "Permission denied" in words:
        return "add yourself to the group `docker` and log in again, or set DOCKER_HOST to a daemon of your own"
    if any(sign in words for sign in ("No such file", "FileNotFoundError", "Connection refused")):
        return "start Docker, or set DOCKER_HOST to where it listens"
    return "see `docker info` and the daemon's log"


def _own_candidates() -> Iterator[str]:
    """Ids that this process's container may have: by its host name, its own mounts, its control group."""
    name = socket.gethostname()
    if re.fullmatch(r"[0-9a-f]{12}", name):
        yield name
    yield from container_ids_of_mounts(_read("/proc/self/mountinfo"))
    yield from container_ids_of_cgroups(_read("/proc/self/cgroup"))


def container_ids_of_mounts(mountinfo: str) -> list[str]:
    """The ids in the sources of the files that Docker mounts into each container (proc_pid_mountinfo(5)).

    The mount points that a host shows below /var/lib/docker belong to others, and are not looked at.
    """
    rows = (line.split() for line in mountinfo.splitlines())
    sources = (row[3] for row in rows if len(row) > 4 and row[4] in _DOCKER_FILES)
    return list(dict.fromkeys(found for source in sources for found in _FULL_ID.findall(source)[-1:]))


def container_ids_of_cgroups(cgroup: str) -> list[str]:
    """The innermost id of each control group path (cgroups(7))."""
    return list(dict.fromkeys(found for line in cgroup.splitlines() for found in _FULL_ID.findall(line)[-1:]))


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
