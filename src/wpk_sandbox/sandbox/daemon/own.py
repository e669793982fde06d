"""The container that this process itself runs in, as in the Action: found by what Docker mounted into it."""

import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from wpk_sandbox.errors import UnavailableError
from wpk_sandbox.sandbox.daemon.connection import client, translated

_DOCKER_FILES = ("/etc/hostname", "/etc/hosts", "/etc/resolv.conf")
_FULL_ID = re.compile(r"[0-9a-f]{64}")


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
