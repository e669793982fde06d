"""The one place that talks to the Docker daemon: whether it is there, its images, and what we make on it.

The daemon is the one that the `docker` program would use: `DOCKER_HOST`, else the current context, else the
local socket. Everything made here is entered in the ledger first and carries its labels.
"""

from wpk_sandbox.sandbox.daemon.connection import address, client, translated, why_not
from wpk_sandbox.sandbox.daemon.images import PULL_REMEDY, ensure_image, has_image
from wpk_sandbox.sandbox.daemon.making import (
    container,
    create_container,
    create_network,
    name_is_free,
    resource_name,
)
from wpk_sandbox.sandbox.daemon.own import own_container, own_container_id, own_image
from wpk_sandbox.sandbox.daemon.removing import (
    containers_with,
    is_running,
    remove_container,
    remove_network,
    remove_volume,
)

__all__ = [
    "PULL_REMEDY",
    "address",
    "client",
    "container",
    "containers_with",
    "create_container",
    "create_network",
    "ensure_image",
    "has_image",
    "is_running",
    "name_is_free",
    "own_container",
    "own_container_id",
    "own_image",
    "remove_container",
    "remove_network",
    "remove_volume",
    "resource_name",
    "translated",
    "why_not",
]
