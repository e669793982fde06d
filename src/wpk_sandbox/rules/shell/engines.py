"""What container engines and `kubectl` are told to give to a container: the node's folders, devices and rights."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import Options, names, parse
from wpk_sandbox.rules.shell.words import Word

DISK = Pattern(r"^/dev/(?:(?:sd|hd|vd|xvd)[a-z*]|nvme|mmcblk|dm-|md\d|mapper/|disk/by-|root$|\*)")
_SOCKET = Pattern(r"(?:^|/)(?:docker|containerd|crio|cri-dockerd|podman)\.sock$")
# Folders of the node that give it away when a container sees them; `/` gives all.
_HOST_FOLDERS = names(
    "/ /etc /root /proc /sys /dev /boot /var /var/lib /var/run /run /home /usr /usr/bin /bin /sbin /lib"
    " /var/lib/kubelet /var/lib/docker /var/lib/containerd /etc/kubernetes /run/containerd /var/lib/etcd"
)
_CAPABILITIES = names("ALL SYS_ADMIN SYS_MODULE SYS_PTRACE SYS_RAWIO DAC_READ_SEARCH SYS_BOOT BPF MAC_ADMIN")
RUN_TAKES = names(
    "v volume mount e env name p publish network net u user w workdir entrypoint cap-add cap-drop device pid ipc"
    " uts userns security-opt l label m memory cpus restart add-host h hostname env-file tmpfs cgroupns platform"
    " pull pids-limit memory-swap cpu-shares cpuset-cpus shm-size ulimit log-driver log-opt network-alias ip"
    " dns expose gpus group-add health-cmd"
    " init-path runtime stop-signal stop-timeout sysctl volumes-from cidfile annotation link"
)
_GLOBAL_TAKES = names("H host context c config l log-level namespace n address a")


def given_away(command: Command) -> str:
    """How a command gives the node to a container, or the engine to anybody; empty if it does not."""
    check = _CHECKS.get(command.name)
    return check(command) if check is not None else ""


def _socket_client(command: Command) -> str:
    """A program that is told to speak to the engine's socket."""
    for word in command.arguments:
        path = word.when_empty.rpartition("=")[2].removeprefix("unix://").partition(",")[0]
        path = re.sub(r"^(?:unix-connect|unix|gopen):", "", path, flags=re.IGNORECASE)
        if _SOCKET.search(path):
            return f"speaks to the container engine of the node ({path})"
    return ""


def _changes_rights(command: Command) -> str:
    opens = any(_SOCKET.search(word.when_empty) for word in command.arguments)
    return "opens the container engine's socket to others" if opens else ""


def _container(command: Command) -> str:
    """`docker run` with the node's folders, devices, namespaces or rights; any of it over a mounted socket."""
    outer = parse(command.arguments, _GLOBAL_TAKES, first_operand_ends=True)
    words = [word.value for word in outer.operands[:2]]
    if words[:1] == ["container"]:
        words = words[1:]
    verb = words[0] if words else None
    if verb not in ("run", "create", "exec"):
        return ""
    host = outer.value("H", "host", "address", "a")
    if host is not None and _SOCKET.search(host.when_empty):
        return "starts a program through the node's container engine"
    start = next(at for at, word in enumerate(outer.operands) if word.value == verb)
    options = parse(outer.operands[start + 1 :], RUN_TAKES, first_operand_ends=True)
    return _privileges(options) or _volumes(options)


def _privileges(options: Options) -> str:
    privileged = options.value("privileged")
    if "privileged" in options.flags or (privileged is not None and privileged.value != "false"):
        return "runs a container that is privileged"
    for name in ("pid", "ipc", "uts", "userns", "cgroupns"):
        value = options.value(name)
        if value is not None and value.value == "host":
            return f"runs a container in the node's own {name} namespace"
    for word in options.values.get("cap-add", ()):
        capability = (word.value or "").upper().removeprefix("CAP_")
        if capability in _CAPABILITIES:
            return f"runs a container with the capability {capability}"
    if any(DISK.match(word.template("*")) for word in options.values.get("device", ())):
        return "gives a disk of the node to a container"
    return ""


def _volumes(options: Options) -> str:
    volumes = [word.template("*") for name in ("v", "volume") for word in options.values.get(name, ())]
    # Without a colon it is a new volume, not a folder of the node.
    sources = [volume.partition(":")[0] for volume in volumes if ":" in volume]
    for word in options.values.get("mount", ()):
        fields = dict(part.partition("=")[::2] for part in word.template("*").split(","))
        sources.append(fields.get("source") or fields.get("src") or "")
    for source in sources:
        path = source.rstrip("/") or source[:1]
        if path in _HOST_FOLDERS:
            return f"gives the node's {path} to a container"
        if _SOCKET.search(path):
            return "gives the container engine's socket to a container"
    return ""


# Kubernetes


def _kubectl(command: Command) -> str:
    takes = names("n namespace context kubeconfig cluster user image overrides c container target profile")
    options = parse(command.arguments, takes)
    operands = [word.when_empty for word in options.operands]
    verb = operands[0] if operands else ""
    if verb == "debug" and any(word.startswith(("node/", "nodes/", "no/")) for word in operands[1:]):
        return "starts a pod on a node with the node's file system"
    rehearsed = options.value("dry-run")
    if verb != "run" or "dry-run" in options.flags or (rehearsed is not None and rehearsed.value != "none"):
        return ""
    privileged = options.value("privileged")
    if "privileged" in options.flags or (privileged is not None and privileged.value == "true"):
        return "starts a privileged pod"
    override = options.value("overrides")
    return "starts a pod with the rights of the node" if override is not None and _is_host_pod(override) else ""


def _is_host_pod(word: Word) -> bool:
    """True for JSON of a pod with a host namespace, a host folder or a privileged container."""
    try:
        data = json.loads(word.template("x"))
    except (ValueError, RecursionError):
        return False
    return _asks_for_host(data)


def _asks_for_host(data: Any) -> bool:
    if isinstance(data, Mapping):
        if any(data.get(key) is True for key in ("hostPID", "hostIPC", "hostNetwork", "privileged")):
            return True
        return "hostPath" in data or any(map(_asks_for_host, data.values()))
    return isinstance(data, list) and any(map(_asks_for_host, data))


_CHECKS: dict[str, Callable[[Command], str]] = {
    **dict.fromkeys(("curl", "socat", "nc", "ncat", "wget"), _socket_client),
    **dict.fromkeys(("chmod", "chown", "chgrp"), _changes_rights),
    **dict.fromkeys(("docker", "podman", "nerdctl", "ctr"), _container),
    **dict.fromkeys(("kubectl", "oc"), _kubectl),
}
