"""Every attempt that is made inside a sandbox's shell, numbers 1 to 30."""

from model import Attempt

from wpk_sandbox.run.result import Limit

_OWN_KERNEL = "root of a guest may: the kernel is the guest's own, and goes with it"
_NO_NAMESPACE = (
    "without namespaces the names and command lines of others are seen, as the shell says of itself; "
    "nothing is reached by them"
)
_OWN_KEYS = "nothing can be masked in /proc without namespaces; it lists keys that the shell's own user may see"
_OWN_MEMORY = "files lie in the guest's memory, which is bounded; the host has no file of them"
_SMALL = (Limit.MEMORY, Limit.PROCESSES)
_ENDLESS = (Limit.STEP,)


def _each(number: int, names: str, *attempts: str, **more: dict[str, str]) -> tuple[Attempt, ...]:
    return tuple(Attempt(number, name, names, **more) for name in attempts)


def _in_own_kernel(number: int, names: str, *attempts: str) -> tuple[Attempt, ...]:
    """What is no harm where the kernel is nobody else's."""
    return tuple(Attempt(number, name, names, not_for={"vm": _OWN_KERNEL}) for name in attempts)


KERNEL = (
    *_each(1, r"\.sock|daemon", "daemon-socket"),
    *_in_own_kernel(2, r"core_pattern", "core-pattern"),
    *_in_own_kernel(2, r"modprobe", "module-helper"),
    *_in_own_kernel(2, r"sysrq", "sysrq"),
    *_in_own_kernel(2, r"uevent", "device-helper"),
    *_in_own_kernel(2, r"release_agent", "release-agent"),
    *_in_own_kernel(2, r"cgroup", "group-own"),
    *_in_own_kernel(2, r"/proc/sys", "write-settings-of-kernel"),
    *_in_own_kernel(3, r"mknod|device", "make-block-device", "make-memory-device"),
    *_in_own_kernel(3, r"/dev/(loop|[svx]d|nvme|mapper)", "block-device"),
    *_in_own_kernel(3, r"/dev/(mem|kmem|port)", "memory-device"),
    *_in_own_kernel(3, r"/dev/kmsg", "log-device"),
    *_in_own_kernel(3, r"/dev/fuse", "file-system-device"),
    *_each(3, r"/dev/kvm", "machine-device"),
    *_in_own_kernel(4, r"ptrace|seize|trace", "ptrace-child", "ptrace-first"),
    *_in_own_kernel(4, r"process_vm_readv", "read-memory-first"),
    *_in_own_kernel(4, r"/proc/1/mem|/mem", "write-memory-first"),
    *_in_own_kernel(4, r"pidfd_getfd", "take-descriptor-first"),
    *_in_own_kernel(5, r"unshare", "unshare-user", "unshare-mount", "unshare-network", "unshare-processes"),
    *_in_own_kernel(5, r"clone\b", "clone-user"),
    *_in_own_kernel(5, r"clone3", "clone3-user"),
    *_in_own_kernel(5, r"/proc/1/ns", "setns-first"),
    *_in_own_kernel(5, r"setns", "setns-own"),
    *_in_own_kernel(6, r"\bmount\b", "mount-tmpfs", "mount-bind", "mount-proc", "mount-cgroup", "remount-root"),
    *_in_own_kernel(6, r"umount", "unmount"),
    *_in_own_kernel(6, r"fsopen", "fsopen"),
    *_in_own_kernel(6, r"open_tree", "open-tree"),
    *_in_own_kernel(6, r"move_mount", "move-mount"),
    *_in_own_kernel(6, r"mount_setattr", "mount-setattr"),
    *_in_own_kernel(6, r"pivot_root", "pivot-root"),
    *_in_own_kernel(6, r"chroot", "chroot"),
    *_in_own_kernel(7, r"keyctl", "keyctl"),
    *_in_own_kernel(7, r"add_key", "add-key"),
    *_in_own_kernel(7, r"request_key", "request-key"),
    *_in_own_kernel(8, r"bpf", "bpf"),
    *_in_own_kernel(8, r"perf_event_open", "perf"),
    *_in_own_kernel(8, r"userfaultfd", "userfaultfd"),
    *_in_own_kernel(8, r"io_uring", "io-uring"),
    *_in_own_kernel(8, r"ALG", "socket-alg"),
    *_in_own_kernel(8, r"VSOCK", "socket-vsock"),
    *_in_own_kernel(8, r"32|x32|unshare", "calls-of-32-bits", "calls-of-x32"),
    *_in_own_kernel(9, r"privilege|set-user-ID|setuid", "program-of-root", "program-with-capabilities"),
    *_in_own_kernel(9, r"setresuid|setuid", "become-root"),
    *_in_own_kernel(9, r"setgroups", "become-another"),
    *_in_own_kernel(10, r"capab", "capabilities-held", "capabilities-raised"),
    *_in_own_kernel(10, r"privileges|filter", "new-privileges", "unfiltered-calls"),
    *_in_own_kernel(11, r"/exe|descriptor", "runtime-overwritten", "folder-left-open"),
    *_in_own_kernel(12, r"/proc|/sys", "kernel-memory", "kernel-timers", "kernel-addresses", "firmware"),
    Attempt(12, "kernel-keys", r"/proc/keys", {"vm": _OWN_KERNEL, "landlock": _OWN_KEYS}),
    Attempt(12, "host-name", r"host name", {"landlock": _NO_NAMESPACE}),
    *_each(12, r"host's disk", "host-mounts"),
    *_each(12, r"secret|host.s file", "host-file"),
    *_in_own_kernel(12, r"shadow", "host-passwords"),
    *_each(12, r"environ|cmdline", "variables-of-others"),
    Attempt(12, "words-of-others", r"cmdline", {"landlock": _NO_NAMESPACE}),
    Attempt(12, "processes-of-host", r"cmdline", {"landlock": _NO_NAMESPACE}),
    *_in_own_kernel(13, r"syslog", "kernel-log"),
    *_in_own_kernel(13, r"adjtimex|clock", "set-clock"),
    *_in_own_kernel(13, r"reboot", "reboot"),
    *_in_own_kernel(13, r"module", "load-module", "load-module-file", "remove-module"),
    *_in_own_kernel(13, r"kexec", "load-kernel"),
    *_in_own_kernel(13, r"iopl", "ports"),
    *_in_own_kernel(13, r"swapon", "swap"),
    *_in_own_kernel(13, r"\bacct", "accounting"),
    *_in_own_kernel(13, r"sethostname", "host-name-set"),
    *_in_own_kernel(13, r"open_by_handle", "open-by-handle"),
    *_in_own_kernel(13, r"fanotify", "watch-all-files"),
    *_in_own_kernel(13, r"priority", "priority"),
)

NETWORK = (
    *_each(24, r"169\.254\.169\.254", "metadata"),
    *_each(24, r"fd00:ec2::254", "metadata-ipv6"),
    *_each(24, r"168\.63\.129\.16", "metadata-azure"),
    *_each(24, r"metadata\.google", "metadata-name"),
    *_each(25, r"203\.0\.113\.53|leak", "name-over-tcp"),
    *_each(25, r"203\.0\.113\.53|leak", "name-over-udp"),
    *_each(25, r"127\.0\.0\.11|leak", "name-of-docker"),
    *_each(25, r"203\.0\.113\.54", "name-over-tls", "name-over-https"),
    *_each(25, r"leak", "name-of-system"),
    *_each(26, r"203\.0\.113\.10|icmp|socket|raw", "echo-raw", "echo-plain"),
    *_in_own_kernel(26, r"packet", "packets", "packets-plain"),
    *_in_own_kernel(26, r"raw", "raw-ip"),
    *_each(27, r"203\.0\.113\.10", "address", "address-mapped", "datagram"),
    *_each(27, r"GATEWAY", "gateway"),
    *_each(27, r"NEIGHBOUR", "neighbour"),
    *_each(27, r"127\.0\.0\.1|::1", "host-loopback", "host-loopback-ipv6"),
    *_each(27, r"host\.docker\.internal", "host-name-of-docker"),
    *_each(28, r"abstract", "abstract-socket"),
    *_each(29, r"2001:db8::10", "address-ipv6", "datagram-ipv6"),
    *_each(29, r"224\.0\.0\.251", "multicast"),
    *_each(29, r"ff02::fb", "multicast-ipv6"),
    *_each(29, r"255\.255\.255\.255", "broadcast"),
    *_each(29, r"interface", "interfaces"),
    Attempt(29, "link-neighbours", r"arp", {"landlock": _NO_NAMESPACE}),
)

FILLING = (
    Attempt(14, "processes-many", "process limit|fork", alone=True),
    Attempt(15, "memory-many", "memory limit|memory", alone=True),
    Attempt(15, "memory-shared", "memory limit|/dev/shm|full", alone=True),
    Attempt(15, "memory-nameless", "memory limit|memory", alone=True),
    Attempt(16, "temporary-many", "/tmp|full|memory limit", alone=True),
    Attempt(16, "files-many", "/tmp|full|files|memory limit", {"vm": _OWN_MEMORY}, alone=True),
    Attempt(16, "root-written", "read-only", {"vm": _OWN_KERNEL}),
    Attempt(17, "workspace-many", "/workspace|full|memory limit", alone=True),
    Attempt(22, "descriptors-many", "descriptors|open files", {"vm": _OWN_KERNEL}, alone=True),
    Attempt(22, "sockets-many", "descriptors|open files|socket", {"vm": _OWN_KERNEL}, alone=True),
    Attempt(22, "core", "core|dump", {"vm": _OWN_KERNEL}, alone=True),
    Attempt(22, "limits-raised", "limit", {"vm": _OWN_KERNEL}),
    Attempt(23, "file-giant", "file|fsize", {"vm": _OWN_KERNEL}, alone=True),
)

# Shell commands rather than functions: what they write or leave behind is the attempt.
COMMANDS = (
    Attempt(14, "fork-bomb", command="bomb() { bomb | bomb & }; bomb; sleep 3", ends=_SMALL, alone=True),
    Attempt(18, "lines", command="yes", ends=(Limit.OUTPUT,), alone=True),
    Attempt(18, "one-line", command="head -c 1000000000 /dev/zero | tr '\\0' x", ends=(Limit.OUTPUT,), alone=True),
    Attempt(18, "binary", command="head -c 1000000000 /dev/urandom", ends=(Limit.OUTPUT,), alone=True),
    Attempt(18, "errors", command="yes >&2", ends=(Limit.OUTPUT,), alone=True),
    Attempt(19, "spin", command="while :; do :; done", ends=_ENDLESS, timeout=2, alone=True),
    Attempt(19, "sleep", command="sleep 100000", ends=_ENDLESS, timeout=2, alone=True),
    Attempt(
        19,
        "trap-all",
        command="trap '' TERM INT HUP QUIT USR1 USR2 PIPE; while :; do sleep 0.2; done",
        ends=_ENDLESS,
        timeout=2,
        alone=True,
    ),
    Attempt(19, "stop-itself", command="kill -STOP $$; sleep 100000", ends=_ENDLESS, timeout=2, alone=True),
)

ATTEMPTS: tuple[Attempt, ...] = (*KERNEL, *NETWORK, *FILLING, *COMMANDS)
