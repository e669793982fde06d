"""The doctor's examinations that ask the Docker daemon."""

import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wpk_sandbox.doctor.check import Check, Host, from_reason, numbers
from wpk_sandbox.doctor.flaws import CONTAINERD, ENGINE, RUNC, version_check
from wpk_sandbox.package.units import human_bytes
from wpk_sandbox.sandbox import daemon

# Docker's engines before 24 get no more fixes.
KEPT_ENGINE = (24,)
_NO_DAEMON = "no Docker daemon to ask"
# What the daemon says it can enforce (GET /info), and the limit that needs it.
_ENFORCED = {"MemoryLimit": "memory", "CpuCfsQuota": "CPU", "PidsLimit": "processes"}


def daemon_checks(host: Host) -> Iterator[Check]:
    """The daemon, its runc, and how it separates containers; only the first where none answers."""
    reason = daemon.why_not()
    if reason:
        yield from_reason("Docker daemon", reason, "")
        return
    with daemon.translated("ask the Docker daemon about itself"):
        info, version = daemon.client().info(), daemon.client().version()
    yield engine_check(version, info)
    yield from component_checks(version, info)
    yield isolation_check(info)
    yield user_ids_check(info)


def engine_check(version: Mapping[str, Any], info: Mapping[str, Any]) -> Check:
    """The engine's version against the oldest that is still kept, and against known flaws."""
    name = str(version.get("Version", ""))
    found = f"{name or 'unknown version'} on {info.get('OperatingSystem', 'an unknown system')}"
    if numbers(name) < KEPT_ENGINE:
        remedy = "works, but gets no more fixes: get 28 or newer, https://docs.docker.com/engine/install/"
        return Check("Docker daemon", None, found, remedy)
    flawed = version_check("Docker daemon", name, ENGINE)
    return flawed if flawed.ok is None else Check("Docker daemon", True, found)


def component_checks(version: Mapping[str, Any], info: Mapping[str, Any]) -> Iterator[Check]:
    """What starts containers, by the daemon's components, else by its build."""
    listed = {part.get("Name"): str(part.get("Version", "")) for part in version.get("Components") or ()}
    for name, commit, flaws in (("containerd", "ContainerdCommit", CONTAINERD), ("runc", "RuncCommit", RUNC)):
        yield version_check(name, listed.get(name) or str((info.get(commit) or {}).get("ID", "")), flaws)


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


def user_ids_check(info: Mapping[str, Any]) -> Check:
    """Whether root in a container is root on the host, and what else stands between."""
    options = " ".join(info.get("SecurityOptions") or ())
    apparmor = "AppArmor" if "apparmor" in options else "SELinux" if "selinux" in options else ""
    guard = f"; {apparmor} guards too" if apparmor else "; neither AppArmor nor SELinux guards"
    if "rootless" in options:
        return Check("Docker users", True, f"the daemon runs without root{guard}")
    if "userns" in options:
        return Check("Docker users", True, f"user ids are mapped{guard}")
    remedy = "works: shells have a user without rights; to map ids too, https://docs.docker.com/engine/security/userns-remap/"
    return Check("Docker users", True if apparmor else None, f"user ids are the host's{guard}", remedy)


def gate(host: Host) -> Iterator[Check]:
    """What it takes to record what a container shell tries to reach."""
    from wpk_sandbox.sandbox.shells.docker_gate import PUBLISHED_IMAGE  # noqa: PLC0415 - asked for only here

    if daemon.why_not():
        yield Check("gate", None, _NO_DAEMON)
        return
    images = [host.spec.network.gate_image or daemon.own_image() or PUBLISHED_IMAGE, host.spec.shell_image]
    there = [image for image in images if image and daemon.has_image(image)]
    yield gate_check(tun=Path("/dev/net/tun").exists(), images=there, pull=host.spec.pull)


def gate_check(*, tun: bool, images: list[str], pull: bool) -> Check:
    """`tun` says that the device is there; `images` are those on the daemon that may hold a Python."""
    if not tun:
        remedy = "`sudo modprobe tun`; without it shells are as closed, but what they try to reach is not recorded"
        return Check("gate", None, "no /dev/net/tun", remedy)
    if images:
        return Check("gate", True, f"/dev/net/tun, with Python from {images[0]} if it holds one")
    if pull:
        return Check("gate", True, "/dev/net/tun, with an image that is pulled at the first run")
    remedy = "name an image with Python in `sandbox.network.gate_image`, or allow to pull"
    return Check("gate", None, "/dev/net/tun, but no image with Python is on the daemon", remedy)


def disk(host: Host) -> Iterator[Check]:
    """The room where the daemon keeps images and containers."""
    if daemon.why_not():
        yield Check("Docker disk", None, _NO_DAEMON)
        return
    with daemon.translated("ask the Docker daemon where it keeps its files"):
        folder = str(daemon.client().info().get("DockerRootDir", ""))
    yield disk_check(folder, _disk_left(Path(folder)) if folder else None, host.spec.limits.storage)


def disk_check(folder: str, left: int | None, wanted: int) -> Check:
    """Whether `left` bytes in the daemon's folder suffice for the `wanted` ones; None when it cannot be seen."""
    if left is None:
        remedy = "see `docker system df` and `df` on the daemon's machine"
        return Check("Docker disk", None, f"{folder or 'its folder'} cannot be seen from here", remedy)
    found = f"{human_bytes(left)} left in {folder}; a sandbox may use {human_bytes(wanted)}"
    if left >= wanted:
        return Check("Docker disk", True, found)
    return Check("Docker disk", None, found, "see `docker system df`; free some room, or lower `limits.storage`")


def container(host: Host) -> Iterator[Check]:
    """The sandbox of container shells, with the image that it would take."""
    from wpk_sandbox.sandbox.shells.docker import DOCKER  # noqa: PLC0415 - asked for only here
    from wpk_sandbox.sandbox.shells.docker_gate import shell_image  # noqa: PLC0415

    reason = DOCKER.why_not(host.spec)
    yield from_reason("sandbox container", reason, "" if reason else _image_state(shell_image(host.spec)))


def node_image(host: Host) -> Iterator[Check]:
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


def kind(host: Host) -> Iterator[Check]:
    """The sandbox of real clusters."""
    from wpk_sandbox.sandbox.clusters.kind.provider import KindProvider  # noqa: PLC0415 - asked for only here
    from wpk_sandbox.sandbox.shells.docker import DOCKER  # noqa: PLC0415

    reason = KindProvider().why_not(host.spec) or DOCKER.why_not(host.spec)
    yield from_reason("sandbox kind", reason, "a cluster of its own for each run, with container shells")


def _image_state(image: str) -> str:
    return f"{image} is on the daemon" if daemon.has_image(image) else f"{image} is pulled at the first run"


def _disk_left(folder: Path) -> int | None:
    """The bytes that are left where a folder is; None where this process cannot see it."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
