"""Which gate a container shell gets, and how the shell's container is made so that the gate sees everything."""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.gate.container import ContainerGate
from wpk_sandbox.sandbox.gate.device import RESOLVER
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import SandboxSpec
from wpk_sandbox.sandbox.shells import inside
from wpk_sandbox.sandbox.shells.given import routes

PUBLISHED_IMAGE = "ghcr.io/org/wpk-sandbox:v1"

# Runtimes whose containers share the host's kernel, so that another one can join their namespaces.
_JOINABLE = {"", "runc", "crun", "io.containerd.runc.v2"}


def shell_image(spec: SandboxSpec) -> str:
    """The image that was named; else our own: the one that we run from, or the published one."""
    return spec.shell_image or daemon.own_image() or PUBLISHED_IMAGE


def has_gate(spec: SandboxSpec) -> bool:
    """True when a gate is to be opened: to record, or because there is something to reach."""
    return spec.network.record or bool(routes(spec))


def gate(spec: SandboxSpec, ledger: Ledger, shell: str) -> ContainerGate | None:
    """The gate for the shell's container of that name, not yet begun; None where none is wanted."""
    if not has_gate(spec):
        return None
    opened = ContainerGate(ledger, shell, _images(spec), routes(spec), inside.USER)
    if spec.runtime not in _JOINABLE:
        opened.forbid(f"no container can join one of the runtime `{spec.runtime}`")
    return opened


def network_options(spec: SandboxSpec) -> dict[str, Any]:
    """For `create_host_config`: the gate as the only resolver, IPv6 too, and pings, so that they are seen."""
    if not has_gate(spec):
        return {}
    sysctls = {"net.ipv4.ping_group_range": f"{inside.USER} {inside.USER}"}
    # A kernel without IPv6 has no such switch, and the container would not start.
    if Path("/proc/sys/net/ipv6").exists():
        sysctls["net.ipv6.conf.all.disable_ipv6"] = "0"
    return {
        "dns": [RESOLVER],
        "dns_search": ["."],
        "extra_hosts": {inside.HOSTNAME: "127.0.0.1"},
        "sysctls": sysctls,
    }


def _images(spec: SandboxSpec) -> Iterator[str]:
    """Images that may hold a Python, the likeliest first; pulled only when nothing on the daemon does."""
    if named := spec.network.gate_image:
        if daemon.ensure_image(named, pull=spec.pull) is None:
            yield named
        return
    own = daemon.own_image()
    if own:
        yield own
    elif daemon.has_image(PUBLISHED_IMAGE):
        yield PUBLISHED_IMAGE
    if spec.shell_image not in (own, PUBLISHED_IMAGE):
        yield spec.shell_image
    if spec.pull and _pulled(PUBLISHED_IMAGE):
        yield PUBLISHED_IMAGE


@functools.cache
def _pulled(image: str) -> bool:
    """True when the image is there now; asked once, for a registry that does not answer is slow to say so."""
    return daemon.ensure_image(image, pull=True) is None
