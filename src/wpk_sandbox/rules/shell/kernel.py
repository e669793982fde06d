"""Commands that change the kernel, which every container of the node shares."""

from collections.abc import Iterator, Sequence

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.issue import Issue
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.written import written_paths

KERNEL_CHANGE = Rule(
    "shell-kernel-change",
    Severity.HIGH,
    "A command changes the kernel of the node",
    "A module, a parameter or another kernel holds for the whole machine: for every pod on it, and beyond the end"
    " of the runbook. No rollback of the package undoes it.",
    "Let whoever provisions the nodes change it (a DaemonSet of the platform, `kubeletConfig`); a pod can ask for a"
    " safe parameter of its own by `securityContext.sysctls`.",
    cwe=250,
    points=POINTS[Severity.HIGH],
)

RULES = (KERNEL_CHANGE,)

# Files whose writing changes the kernel: parameters, modules' own, the magic SysRq key; and those that the next
# start reads.
_KERNEL_FILE = Pattern(
    r"/proc/sys(?:/|$)|/proc/sysrq-trigger$|/proc/(?:irq|mtrr|acpi)/|/sys/module/|/sys/kernel/"
    r"|/sys/power/(?:state|disk)$|/etc/(?:sysctl\.conf$|sysctl\.d/|modules-load\.d/|modprobe\.d/|modules$)"
)
_HOST = Pattern(r"^/(?:host|hostfs|rootfs|host-root)(?=/)")
_MODULE_ASKS = names("n dry-run show c showconfig show-config D show-depends dump-modversions V version h help")
_SYSCTL_TAKES = names("r pattern")
_KEXEC_ACTS = names("l load e exec p load-panic u unload f force s kexec-file-syscall a kexec-syscall-auto")


def check(commands: Sequence[Command]) -> Iterator[Issue]:
    """What the commands of a script would change in the kernel."""
    said: set[int] = set()
    for command in commands:
        if does := _changes(command):
            yield Issue(KERNEL_CHANGE, command.span, f"`{command.shown}` {does}")
        for word in written_paths(command):
            path = word.template("*")
            if id(word) not in said and _KERNEL_FILE.match(_HOST.sub("", path)):
                said.add(id(word))
                shown = f"`{command.shown}`" if command.words else "this"
                yield Issue(KERNEL_CHANGE, command.span, f"{shown} writes to the kernel's {word.shown}")


def _changes(command: Command) -> str:
    """What a command changes by itself, for the message; empty if nothing."""
    match command.name:
        case "insmod" | "rmmod":
            return "changes the modules of the kernel" if parse(command.arguments).operands else ""
        case "modprobe":
            options = parse(command.arguments, names("C d S config dirname set-version"))
            acts = options.operands and not options.has(*_MODULE_ASKS)
            return "changes the modules of the kernel" if acts else ""
        case "sysctl":
            return "sets a parameter of the kernel" if _sets(command) else ""
        case "kexec":
            return "starts another kernel" if parse(command.arguments).has(*_KEXEC_ACTS) else ""
        case "bpftool":
            words = [word.value for word in command.arguments]
            return "loads a program into the kernel" if words[:2] in (["prog", "load"], ["prog", "loadall"]) else ""
    return ""


def _sets(command: Command) -> bool:
    """`sysctl -w name=value`, `sysctl name=value`, `sysctl -p file`; but not `sysctl -n name`, which only asks."""
    options = parse(command.arguments, _SYSCTL_TAKES)
    if options.has("w", "write", "p", "load", "f", "system"):
        return True
    return any("=" in word.when_empty for word in options.operands) and not options.has("a", "all", "A", "X")
