"""The doctor's examinations that ask the Docker daemon."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wpk_sandbox.doctor import Check, disk_left, from_reason
from wpk_sandbox.package.units import human_bytes
from wpk_sandbox.sandbox import daemon

if TYPE_CHECKING:
    from wpk_sandbox.doctor import Host

# The first runc without CVE-2024-21626, by which a container reached the host's files.
# https://github.com/opencontainers/runc/security/advisories/GHSA-xr7r-f8xq-vfvv
SAFE_RUNC = (1, 1, 12)
# Docker's engines before 24 get no more fixes.
KEPT_ENGINE = (24,)
_NO_DAEMON = "no Docker daemon to ask"
# What the daemon says it can enforce (GET /info), and the limit that needs it.
_ENFORCED = {"MemoryLimit": "memory", "CpuCfsQuota": "CPU", "PidsLimit": "processes"}


def daemon_checks(host: "Host") -> Iterator[Check]:
    """The daemon, its runc, and how it separates containers; only the first where none answers."""
    reason = daemon.why_not()
    if reason:
        yield from_reason("Docker daemon", reason, "")
        return
    with daemon.translated("ask the Docker daemon about itself"):
        info, version = daemon.client().info(), daemon.client().version()
    yield engine_check(version, info)
    yield runc_check(version, info)
    yield isolation_check(info)


def engine_check(version: Mapping[str, Any], info: Mapping[str, Any]) -> Check:
    """The engine's version against the oldest that is still kept."""
    name = str(version.get("Version", ""))
    found = f"{name or 'unknown version'} on {info.get('OperatingSystem', 'an unknown system')}"
    if numbers(name) >= KEPT_ENGINE:
        return Check("Docker daemon", True, found)
    remedy = "works, but get 24 or newer: https://docs.docker.com/engine/install/"
    return Check("Docker daemon", None, found, remedy)


def runc_check(version: Mapping[str, Any], info: Mapping[str, Any]) -> Check:
    """The version of what starts containers, from the daemon's components, else from its build."""
    listed = {part.get("Name"): part.get("Version", "") for part in version.get("Components") or ()}
    name = str(listed.get("runc") or (info.get("RuncCommit") or {}).get("ID", ""))
    found = numbers(name)
    if found >= SAFE_RUNC:
        return Check("runc", True, name)
    if not found:
        return Check("runc", None, f"version unknown ({name or 'not told'})", "see that it is 1.1.12 or newer")
    remedy = "update it to 1.1.12 or newer, unless your distribution fixed CVE-2024-21626 in this one"
    return Check("runc", None, name, remedy)


def isolation_check(info: Mapping[str, Any]) -> Check:
    """Storage driver, control groups, security options, and the limits that the daemon says it cannot enforce."""
    options = [re.sub(r"^name=|,.*$", "", option) for option in info.get("SecurityOptions") or ()]
    found = (
        f"storage {info.get('Driver', 'unknown')}, cgroup v{info.get('CgroupVersion', '?')}, "
        f"security {', '.join(options) or 'none'}"
    )
    lost = [limit for key, limit in _ENFORCED.items() if info.get(key) is False]
    if lost:
        remedy = "give Docker the cgroup controllers: https://docs.docker.com/engine/security/rootless/tips/"
        return Check("Docker isolation", None, f"{found}; cannot limit {', '.join(lost)}", remedy)
    if "seccomp" not in options:
        return Check("Docker isolation", None, found, "use a kernel and a daemon with seccomp")
    return Check("Docker isolation", True, found)


def disk(host: "Host") -> Iterator[Check]:
    """The room where the daemon keeps images and containers."""
    if daemon.why_not():
        yield Check("Docker disk", None, _NO_DAEMON)
        return
    with daemon.translated("ask the Docker daemon where it keeps its files"):
        folder = str(daemon.client().info().get("DockerRootDir", ""))
    yield disk_check(folder, disk_left(Path(folder)) if folder else None, host.spec.limits.storage)


def disk_check(folder: str, left: int | None, wanted: int) -> Check:
    """Whether `left` bytes in the daemon's folder suffice for the `wanted` ones; None when it cannot be seen."""
    if left is None:
        remedy = "see `docker system df` and `df` on the daemon's machine"
        return Check("Docker disk", None, f"{folder or 'its folder'} cannot be seen from here", remedy)
    found = f"{human_bytes(left)} left in {folder}; a sandbox may use {human_bytes(wanted)}"
    if left >= wanted:
        return Check("Docker disk", True, found)
    return Check("Docker disk", None, found, "see `docker system df`; free some room, or lower `limits.storage`")


def container(host: "Host") -> Iterator[Check]:
    """The sandbox of container shells, with the image that it would take."""
    from wpk_sandbox.sandbox.shells.docker import DOCKER  # noqa: PLC0415 - asked for only here
    from wpk_sandbox.sandbox.shells.docker_gate import shell_image  # noqa: PLC0415

    reason = DOCKER.why_not(host.spec)
    yield from_reason("sandbox container", reason, "" if reason else _image_state(shell_image(host.spec)))


def node_image(host: "Host") -> Iterator[Check]:
    """The image of a kind node that would be booted."""
    from wpk_sandbox.sandbox.clusters.kind import host as kind_host  # noqa: PLC0415 - asked for only here

    if daemon.why_not():
        yield Check("node image", None, _NO_DAEMON)
        return
    image = kind_host.node_image(host.spec)
    if image and daemon.has_image(image):
        yield Check("node image", True, f"{image} is on the daemon")
        return
    name = image or f"{kind_host.NODE_REPOSITORY}, kind's default,"
    remedy = f"the first run pulls about 1 GB; `docker pull {image or kind_host.NODE_REPOSITORY + ':<version>'}`"
    if host.spec.pull:
        yield Check("node image", None, f"{name} is not on the daemon", f"{remedy} beforehand saves that wait")
    else:
        yield Check("node image", False, f"{name} is not on the daemon", daemon.PULL_REMEDY)


def kind(host: "Host") -> Iterator[Check]:
    """The sandbox of real clusters."""
    from wpk_sandbox.sandbox.clusters.kind.provider import KindProvider  # noqa: PLC0415 - asked for only here
    from wpk_sandbox.sandbox.shells.docker import DOCKER  # noqa: PLC0415

    reason = KindProvider().why_not(host.spec) or DOCKER.why_not(host.spec)
    yield from_reason("sandbox kind", reason, "a cluster of its own for each run, with container shells")


def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version: `v1.1.12-0-g51d5e946` is (1, 1, 12); empty where there are none."""
    match = re.match(r"v?(\d+(?:\.\d+)+)", version)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def _image_state(image: str) -> str:
    return f"{image} is on the daemon" if daemon.has_image(image) else f"{image} is pulled at the first run"
