"""A container beside the one that we run in, which removes what we made when that one is gone.

A CI job's container may be killed with everything in it, our own guard included. The reaper runs our own code from
the image that we run from, and holds the daemon's socket for it; so it has nothing else: no network, no right, no
folder of the host, nothing that a package could reach. It ends with its work, or when what we made has expired.
"""

import os
import sys
from datetime import UTC, datetime
from functools import partial
from typing import Any

from wpk_sandbox.errors import UnavailableError
from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.orphans import reaper_of

SOCKET = "/var/run/docker.sock"
MEMORY = 256 * 1024**2
PROCESSES = 64


def why_not(own: dict[str, Any]) -> str | None:
    """Why a container cannot wait beside `own`, the one that we run in; None when it can."""
    if _socket_on_host(own) is None:
        return f"the daemon is not reached by a socket that is mounted here from its host ({daemon.address()})"
    return None


def start(ledger: Ledger, *, timeout: float) -> str | None:
    """Start one beside the container that we run in, entered in the ledger; why there is none where one is needed.

    Outside of a container of the same daemon none is: the process that waits is enough there.
    """
    try:
        own = daemon.own_container()
        if own is None:
            return None
        if reason := why_not(own):
            return reason
        seconds = max(0.0, (ledger.expires - datetime.now(UTC)).total_seconds())
        name = daemon.resource_name(ledger, reaper_of(ledger.owner))
        options = container_options(own, [own["Id"], ledger.owner, f"{timeout:.0f}", f"{seconds:.0f}"])
        identifier, _ = daemon.create_container(ledger, name, own["Image"], **options)
        with daemon.translated("start the container that waits beside this one"):
            daemon.client().api.start(identifier)
    except UnavailableError as error:
        return str(error)
    return None


def container_options(own: dict[str, Any], words: list[str]) -> dict[str, Any]:
    """What it is created with, for the SDK's `create_container`."""
    from docker.types import LogConfig  # noqa: PLC0415 - heavy

    source = _socket_on_host(own) or SOCKET
    host = partial(daemon.client().api.create_host_config, network_mode="none", read_only=True, auto_remove=True)
    return {
        "entrypoint": [sys.executable, "-P", "-m", "wpk_sandbox.sandbox.orphans", "--container"],
        "command": words,
        "environment": {"DOCKER_HOST": f"unix://{SOCKET}"},
        "user": "0:0",
        "healthcheck": {"test": ["NONE"]},
        "host_config": host(
            binds={source: {"bind": SOCKET, "mode": "rw"}},
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            pids_limit=PROCESSES,
            mem_limit=MEMORY,
            restart_policy={"Name": "no"},
            log_config=LogConfig(type=LogConfig.types.NONE),
        ),
    }


def _socket_on_host(own: dict[str, Any]) -> str | None:
    """Where the daemon's host has the socket that we use; None where we use none, or it is not mounted."""
    kind, _, path = (daemon.address() or f"unix://{SOCKET}").partition("://")
    if kind not in ("unix", "http+unix"):
        return None
    real = os.path.realpath(path)
    for mount in own["Mounts"]:
        target = os.path.realpath(mount["Destination"])
        if f"{real}/".startswith(f"{target}/"):
            return str(mount["Source"]) + real.removeprefix(target)
    return None
