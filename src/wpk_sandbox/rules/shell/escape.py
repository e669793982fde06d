"""Ways out of a container to the node below it."""

import re
from collections.abc import Iterator, Sequence

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell import programs
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.engines import DISK, given_away
from wpk_sandbox.rules.shell.issue import Issue
from wpk_sandbox.rules.shell.options import Options, names, parse
from wpk_sandbox.rules.shell.phrases import meaning, table
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

_HOST_ROOT = Pattern(r"^/(?:host|hostfs|rootfs|host-root|node-root|mnt/host|mnt/root)/?$")
# The root of another process, seen through /proc; with the host's process table that of the host.
_PROCESS_ROOT = Pattern(r"^(?:/host)?/proc/(?:\d+|\*)/root(?:/|$)")
_HOST_NAMESPACE = Pattern(r"^/(?:host|hostfs|rootfs)?/?proc/1/ns/")
_CALLED_BY_KERNEL = Pattern(
    r"/(?:release_agent|notify_on_release|uevent_helper)$|^/proc/sys/kernel/modprobe$|/binfmt_misc/register$"
)
_CORE_PATTERN = Pattern(r"/kernel/core_pattern$")
# What the node itself runs, where its root is mounted into a container.
_HOST_PROGRAMS = Pattern(
    r"^/(?:host|hostfs|rootfs|host-root|node-root|mnt/host)/(?:etc|usr|s?bin|lib(?:64)?|root|boot|opt/cni|home/[^/]+/\.ssh"
    r"|var/spool/cron)/"
)
_STATIC_POD = Pattern(r"^(?:/\w+)?/etc/kubernetes/manifests/.+")
# Addresses of the kubelet and of container engines, which ask for no rights of the API server.
_NODE_API = Pattern(
    r":10250/(?:run|exec|attach|cri|portForward)\b|:(?:2375|2376|4243)/(?:v[\d.]+/)?(?:containers|exec|images|build)\b"
)
_LISTS_DISKS = names("lsblk blkid findfs fdisk sfdisk parted findmnt df")
_HOST_ENDPOINT = Pattern(
    r"unix://(?:/host|/hostfs|/rootfs|/node|/mnt/\w+)/\S*\.sock|^-H=?tcp://|DOCKER_HOST=tcp://\S+:237[56]$"
)
_IN_PROGRAM = Pattern(
    r"/proc/1/(?:root|ns|cwd)\b|\bsetns\s*\(|release_agent|privileged\s*=\s*True|\"?Privileged\"?\s*:\s*[Tt]rue|pid_mode\s*=\s*['\"]host"
    r"|volumes\s*=\s*\{\s*['\"]/['\"]|/sysrq-trigger|docker\.sock|containerd\.sock"
)
_KNOWN = table(
    (
        "gives the node to a container",
        """
        lxc|incus config set security.privileged true
        lxc|incus launch|init --config|-c=security.privileged=true
        lxc|incus config device add source=/
        lxc|incus config device add disk source=/*
        helm install|upgrade --set=*privileged=true*|*hostNetwork=true*|*hostPID=true*|*hostIPC=true*
        kubectl|oc patch \
            --patch|-p=*"privileged":?true*|*"privileged":true*|*"hostPID":?true*|*"hostPID":true*|*"hostNetwork":true*|*"hostPath"*
        kubectl|oc node-shell|node_shell *
        kubectl-node_shell|kubectl-node-shell *
        """,
    ),
    (
        "starts a program in another pod, past the API server",
        """
        crictl exec|run|runp|create|attach *
        runc exec|run *
        ctr task|tasks exec
        """,
    ),
    (
        "reads a disk of the node below its file system",
        """
        fuse2fs|ext4fuse|guestmount|xfs_db|debugfs.ext4|e2ls|e2cp|photorec /dev/*
        strings|grep /dev/sd*|/dev/nvme*|/dev/vd*|/dev/xvd*|/dev/mapper/*
        """,
    ),
    (
        "opens what the container keeps read-only",
        """
        mount -o=*remount*rw* /sys*|/proc*
        mount --types|-t=devtmpfs|debugfs|securityfs|tracefs|bpf
        """,
    ),
    (
        "calls into another process",
        """
        gdb -p=1
        gdb -p=* -ex|--eval-command=*system(*
        """,
    ),
)
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
    return (
        given_away(command)
        or meaning(command, _KNOWN)
        or _other_api(command)
        or _kernel_calls(command)
        or _other_root(command)
    )


# What the kernel calls back, outside of every container


def _kernel_calls(command: Command) -> str:
    for word in written_paths(command):
        path = word.template("*")
        if _CALLED_BY_KERNEL.search(path):
            return f"sets the program that the kernel starts on the node ({word.shown})"
        if _HOST_PROGRAMS.match(path):
            return f"changes what the node runs ({word.shown})"
        if _STATIC_POD.match(path):
            return f"puts a pod before the kubelet that no admission sees ({word.shown})"
        if _CORE_PATTERN.search(path) and _is_piped(_printed(command)):
            return "lets the kernel start a program on the node when a process crashes"
    return ""


def _other_api(command: Command) -> str:
    """The kubelet's and the engine's own interfaces, by an address, a variable or a program in another language."""
    texts = [word.when_empty for word in (*command.assigns, *command.arguments)]
    if command.name not in _LOOKS and any(_NODE_API.search(text) or _HOST_ENDPOINT.search(text) for text in texts):
        return "speaks to the node past the API server"
    return "reaches the node by a program" if _IN_PROGRAM.search(programs.text(command)) else ""


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
    made = [inner.name for word in sources for piece in word.unknown for inner in piece.commands[:8]]
    if not _LISTS_DISKS.isdisjoint(made):
        return "mounts a disk of the node"
    if options.has("L", "U", "label", "uuid") or any(DISK.match(word.template("*")) for word in sources):
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
    reads = any(DISK.match(word.template("*")) for word in command.arguments)
    return "reads a disk of the node below its file system" if reads else ""


def _mknod(command: Command) -> str:
    operands = parse(command.arguments, names("m mode")).operands
    block = len(operands) > 3 and operands[1].value == "b"
    return "makes a disk of the node appear in the container" if block else ""


_CHECKS = {
    "nsenter": _nsenter,
    "chroot": _chroot,
    "pivot_root": _chroot,
    "mount": _mount,
    "debugfs": _debugfs,
    "mknod": _mknod,
    "sysctl": _sysctl,
}
