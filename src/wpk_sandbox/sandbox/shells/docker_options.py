"""What a shell's container is made with: everything closed that the daemon can close."""

import functools
from collections.abc import Mapping
from typing import Any

from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.sandbox import SandboxSpec
from wpk_sandbox.sandbox.seccomp.profile import docker_profile
from wpk_sandbox.sandbox.shells import inside
from wpk_sandbox.sandbox.shells.docker_gate import network_options
from wpk_sandbox.sandbox.shells.docker_watch import PROCESS

# Runtimes that are worth naming, and where they come from.
_RUNTIMES = {
    "runsc": "https://gvisor.dev/docs/user_guide/install/",
    "kata": "https://github.com/kata-containers/kata-containers/tree/main/docs/install",
    "crun": "https://github.com/containers/crun",
}


def runtime_why_not(spec: SandboxSpec) -> str | None:
    """Why the daemon cannot run containers with the runtime that was asked for; None when it can.

    Raises `UnavailableError` when the daemon does not answer.
    """
    if not spec.runtime:
        return None
    known = sorted(facts().get("Runtimes") or {})
    if spec.runtime in known:
        return None
    where = _RUNTIMES.get(spec.runtime, "https://docs.docker.com/engine/daemon/alternative-runtimes/")
    return (
        f"the daemon has no runtime `{spec.runtime}`, only {', '.join(known) or 'its default'}; install it "
        f"({where}) and name it in the daemon's configuration, or leave the setting `shell.runtime` empty"
    )


def facts() -> Mapping[str, Any]:
    """What the daemon says of itself (GET /info), asked once. Raises `UnavailableError`."""
    return _facts(daemon.client())


@functools.cache
def _facts(client: Any) -> Mapping[str, Any]:
    with daemon.translated("ask the Docker daemon about itself"):
        info: Mapping[str, Any] = client.info()
    return info


def container_options(spec: SandboxSpec) -> dict[str, Any]:
    """What the container is created with, for the SDK's `create_container`."""
    return {
        **PROCESS,
        "hostname": inside.HOSTNAME,
        "working_dir": inside.WORKSPACE,
        "environment": inside.ENVIRONMENT,
        "healthcheck": {"test": ["NONE"]},
        "host_config": daemon.client().api.create_host_config(**host_options(spec)),
    }


def host_options(spec: SandboxSpec) -> dict[str, Any]:
    """The same for `create_host_config`.

    There is no limit of the user's processes (RLIMIT_NPROC): the kernel counts them over all containers, so that
    one sandbox would use up another's. AppArmor's profile is the daemon's own (docker-default) where the host has
    it, and user ids are mapped where the daemon maps them: both are its default, and measured afterwards.
    """
    limits = spec.limits
    workspace = inside.workspace_size(limits)
    ulimits = {
        "nofile": inside.OPEN_FILES,
        "core": 0,
        "fsize": max(workspace, limits.tmp),
        "memlock": inside.LOCKED_MEMORY,
    }
    options: dict[str, Any] = {
        "network_mode": "none",
        # Else a program with musl waits for five seconds before it believes that nobody answers.
        "dns_opt": ["timeout:1", "attempts:1"],
        "read_only": True,
        "cap_drop": list(spec.security.drop_capabilities),
        "cap_add": list(spec.security.add_capabilities),
        "security_opt": ["no-new-privileges", f"seccomp={docker_profile()}"],
        "tmpfs": file_systems(spec),
        "pids_limit": limits.processes,
        "mem_limit": limits.step_memory,
        "memswap_limit": limits.step_memory,
        "nano_cpus": int(limits.step_cpu * 1e9),
        "ulimits": [{"Name": name, "Soft": value, "Hard": value} for name, value in ulimits.items()],
        "shm_size": inside.SHARED_MEMORY,
        "ipc_mode": "private",
        "cgroupns": "private",
        "log_config": {"Type": "none"},
        "restart_policy": {"Name": "no"},
    }
    options |= network_options(spec)
    return {**options, "runtime": spec.runtime} if spec.runtime else options


def file_systems(spec: SandboxSpec) -> dict[str, str]:
    """All that can be written to, each in memory and bounded in bytes and in files: nothing reaches a disk."""
    declared = dict.fromkeys(_declared_volumes(spec.shell_image), (spec.limits.tmp, "noexec,mode=1777"))
    sizes = {
        inside.TEMPORARY: (spec.limits.tmp, "noexec,mode=1777"),
        inside.WORKSPACE: (
            inside.workspace_size(spec.limits),
            f"exec,mode=0755,uid={inside.USER},gid={inside.USER}",
        ),
        "/dev/shm": (inside.SHARED_MEMORY, "noexec,mode=1777"),  # noqa: S108 - the sandbox's own
    }
    return {
        path: f"rw,nosuid,nodev,size={size},nr_inodes={inside.most_files(size)},{more}"
        for path, (size, more) in {**declared, **sizes}.items()
    }


def _declared_volumes(image: str) -> list[str]:
    """The folders for which the daemon would make a volume on its disk, because the image says `VOLUME`."""
    with daemon.translated(f"look at the image {image}"):
        configured = daemon.client().images.get(image).attrs.get("Config") or {}
    return sorted(configured.get("Volumes") or ())
