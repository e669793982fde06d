"""Ways out of a container to the node below it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.issue import Issue
from wpk_sandbox.rules.shell.options import Options, names, parse
from wpk_sandbox.rules.shell.printed import printed_words
from wpk_sandbox.rules.shell.words import Word
from wpk_sandbox.rules.shell.written import written_paths

CONTAINER_ESCAPE = Rule(
    "shell-container-escape",
    Severity.CRITICAL,
    "A command leaves its container",
    "Whoever is on the node has every pod on it, their secrets and the kubelet's credentials. What a runbook does"
    " there is seen by no admission check and by no audit of the cluster.",
    "Do it through the Kubernetes API, with a role that allows just that. What must happen on nodes is the work of"
    " a reviewed DaemonSet.",
    cwe=250,
    points=POINTS[Severity.CRITICAL],
)

RULES = (CONTAINER_ESCAPE,)

_SOCKET = re.compile(r"(?:^|/)(?:docker|containerd|crio|cri-dockerd|podman)\.sock$")
_HOST_ROOT = re.compile(r"^/(?:host|hostfs|rootfs|host-root|node-root|mnt/host|mnt/root)/?$")
# The root of another process, seen through /proc; with the host's process table that of the host.
_PROCESS_ROOT = re.compile(r"^(?:/host)?/proc/(?:\d+|\*)/root(?:/|$)")
_HOST_NAMESPACE = re.compile(r"^/(?:host|hostfs|rootfs)?/?proc/1/ns/")
_DISK = re.compile(r"^/dev/(?:(?:sd|hd|vd|xvd)[a-z*]|nvme|mmcblk|dm-|md\d|mapper/|disk/by-|root$|\*)")
_CALLED_BY_KERNEL = re.compile(
    r"/(?:release_agent|notify_on_release|uevent_helper)$|^/proc/sys/kernel/modprobe$|/binfmt_misc/register$"
)
_CORE_PATTERN = re.compile(r"/kernel/core_pattern$")
# Folders of the node that give it away when a container sees them; `/` gives all.
_HOST_FOLDERS = names(
    "/ /etc /root /proc /sys /dev /boot /var /var/lib /var/run /run /home /usr /usr/bin /bin /sbin /lib"
    " /var/lib/kubelet /var/lib/docker /var/lib/containerd /etc/kubernetes /run/containerd /var/lib/etcd"
)
_CAPABILITIES = names(
    "ALL SYS_ADMIN SYS_MODULE SYS_PTRACE SYS_RAWIO DAC_READ_SEARCH SYS_BOOT BPF MAC_ADMIN NET_ADMIN"
)
# What the node itself runs, where its root is mounted into a container.
_HOST_PROGRAMS = re.compile(
    r"^/(?:host|hostfs|rootfs|host-root|node-root|mnt/host)/(?:etc|usr|s?bin|lib(?:64)?|root|boot|opt/cni|home/[^/]+/\.ssh"
    r"|var/spool/cron)/"
)
_CONTAINER_PROGRAMS = frozenset({"docker", "podman", "nerdctl", "ctr"})
_RUN_TAKES = names(
    "v volume mount e env name p publish network net u user w workdir entrypoint cap-add cap-drop device pid ipc"
    " uts userns security-opt l label m memory cpus restart add-host h hostname env-file tmpfs cgroupns platform"
    " pull"
)
_GLOBAL_TAKES = names("H host context c config l log-level namespace n address a")
_LOOKS = names("ls stat test [ [[ find file echo printf du readlink")


def check(commands: Sequence[Command]) -> Iterator[Issue]:
    """Which commands of a script lead out of their container."""
    for command in commands:
        if does := _leaves(command):
            shown = f"`{command.shown}`" if command.words else "this"
            yield Issue(CONTAINER_ESCAPE, command.span, f"{shown} {does}")


def _leaves(command: Command) -> str:
    """How a command leaves its container, for the message; empty if it does not."""
    if command.name in _CHECKS and (does := _CHECKS[command.name](command)):
        return does
    if command.name in _CONTAINER_PROGRAMS and (does := _container(command)):
        return does
    if does := _kernel_calls(command):
        return does
    return _other_root(command)


# What the kernel calls back, outside of every container


def _kernel_calls(command: Command) -> str:
    for word in written_paths(command):
        path = word.template("*")
        if _CALLED_BY_KERNEL.search(path):
            return f"sets the program that the kernel starts on the node ({word.shown})"
        if _HOST_PROGRAMS.match(path):
            return f"changes what the node runs ({word.shown})"
        if _CORE_PATTERN.search(path) and _is_piped(_printed(command)):
            return "lets the kernel start a program on the node when a process crashes"
    return ""


def _printed(command: Command) -> tuple[Word, ...]:
    """The text that a command writes: an `echo`'s own, or that of the one before a `tee`."""
    return printed_words(command) or (printed_words(command.upstream[-1]) if command.upstream else ())


def _is_piped(words: Sequence[Word]) -> bool:
    """True for `|program` as the pattern of core files, and for one that is not known."""
    return not words or words[0].template("|").lstrip().startswith("|")


def _sysctl(command: Command) -> str:
    for word in command.arguments:
        name, equals, value = word.when_empty.partition("=")
        if (
            equals
            and name.strip().replace("/", ".") == "kernel.core_pattern"
            and value.strip(" '\"").startswith("|")
        ):
            return "lets the kernel start a program on the node when a process crashes"
    return ""


# Namespaces, roots and disks of the host


def _nsenter(command: Command) -> str:
    options = parse(command.arguments, names("t target S setuid G setgid"), first_operand_ends=True)
    target = options.value("t", "target")
    if target is not None and target.value == "1":
        return "enters the namespaces of the node's first process"
    for values in options.values.values():
        if any(_HOST_NAMESPACE.match(word.when_empty) for word in values):
            return "enters the namespaces of the node's first process"
    return ""


def _chroot(command: Command) -> str:
    folders = parse(command.arguments, names("userspec groups"), first_operand_ends=True).operands[:1]
    path = folders[0].template("*") if folders else ""
    if _HOST_ROOT.match(path) or _PROCESS_ROOT.match(path):
        return f"makes the node's file system its own ({path})"
    return ""


def _other_root(command: Command) -> str:
    """A path through `/proc/1/root`, which is the node's file system where the process table is the node's."""
    targets = [redirect.target for redirect in command.redirects if not redirect.operator.startswith("<<")]
    words = () if command.name in _LOOKS else command.words
    for word in (*words, *targets):
        path = word.template("*")
        if _PROCESS_ROOT.match(path):
            return f"reaches into the file system of another process ({path})"
    return ""


def _mount(command: Command) -> str:
    options = parse(command.arguments, names("t o O L U types options label uuid source target"))
    kind = options.value("t", "types")
    sources = [*options.operands[:1], *options.values.get("source", ())]
    if kind is not None and kind.value == "cgroup":
        return "mounts the control groups, whose release agent runs on the node"
    if options.has("L", "U", "label", "uuid") or any(_DISK.match(word.template("*")) for word in sources):
        return "mounts a disk of the node"
    ends = [word.template("*") for word in options.operands]
    binds = options.has("bind", "rbind", "B", "R") or _is_bind(options)
    if len(ends) > 1 and ((binds and _is_host(ends[0])) or (kind is not None and _is_host(ends[-1]))):
        return "mounts over the node's file system, or a part of it elsewhere"
    if len(options.operands) > 1 and any(_PROCESS_ROOT.match(word.template("*")) for word in sources):
        return "mounts the file system of another process"
    return ""


def _is_bind(options: Options) -> bool:
    return any("bind" in word.when_empty for name in ("o", "options") for word in options.values.get(name, ()))


def _is_host(path: str) -> bool:
    return (
        path == "/" or _HOST_ROOT.match(path) is not None or re.match(r"/(?:host|hostfs|rootfs)/", path) is not None
    )


def _debugfs(command: Command) -> str:
    reads = any(_DISK.match(word.template("*")) for word in command.arguments)
    return "reads a disk of the node below its file system" if reads else ""


def _mknod(command: Command) -> str:
    operands = parse(command.arguments, names("m mode")).operands
    block = len(operands) > 3 and operands[1].value in ("b", "c", "u") and operands[2].value != "1"
    return "makes a device of the node" if block and operands[1].value == "b" else ""


# Container engines


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
    options = parse(outer.operands[start + 1 :], _RUN_TAKES, first_operand_ends=True)
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
        if capability in _CAPABILITIES - {"NET_ADMIN"}:
            return f"runs a container with the capability {capability}"
    if any(_DISK.match(word.template("*")) for word in options.values.get("device", ())):
        return "gives a disk of the node to a container"
    return ""


def _volumes(options: Options) -> str:
    sources = [
        word.template("*").partition(":")[0] for name in ("v", "volume") for word in options.values.get(name, ())
    ]
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
    if verb != "run":
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


_CHECKS = {
    "nsenter": _nsenter,
    "chroot": _chroot,
    "pivot_root": _chroot,
    "mount": _mount,
    "debugfs": _debugfs,
    "mknod": _mknod,
    "sysctl": _sysctl,
    **dict.fromkeys(("curl", "socat", "nc", "ncat", "wget"), _socket_client),
    **dict.fromkeys(("chmod", "chown", "chgrp"), _changes_rights),
    **dict.fromkeys(("kubectl", "oc"), _kubectl),
}
