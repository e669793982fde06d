"""One script that measures from inside how closed a shell is, and what its answers mean.

It needs no more than a POSIX shell with `id`, `cat`, `chmod` and `rm`, and tries things where it can: a write to
the root, a program started from /tmp. The files that it reads are described in proc(5), cgroups(7) and the
kernel's Documentation/admin-guide/cgroup-v1 and cgroup-v2.
"""

from collections.abc import Iterable

from wpk_sandbox.package.units import human_bytes
from wpk_sandbox.sandbox.sandbox import Evidence, Limits
from wpk_sandbox.sandbox.shells.inside import TEMPORARY, USER

# In the order of their numbers (linux/capability.h).
_CAPABILITIES = """
CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT
SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL
SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE
"""
CAPABILITIES = tuple(_CAPABILITIES.split())

GROUPS = "/sys/fs/cgroup"
SAY = 'say() { printf \'%s\\t%s\\n\' "$1" "$2"; }\n'

# Calls $1 with the words of each line of the files that follow: a shell's `read` asks the kernel for each byte.
_EACH = """
each() {
  visit=$1; shift
  IFS='
'
  for line in $(cat "$@"); do unset IFS; "$visit" $line; done
  unset IFS
}
"""

POSTURE = (
    SAY
    + _EACH
    + f"""
say uid "$(id -u)"
set -f
of_process() {{
  case "$1 $2" in
    CapEff:* | CapPrm:* | CapBnd:* | CapAmb:* | NoNewPrivs:* | Seccomp:*) say "$1" "$2" ;;
    "Max processes") say nproc "$3" ;;
    "Max data") say data "$4" ;;
  esac
}}
each of_process /proc/self/status /proc/self/limits
{{ read -r line </proc/self/uid_map; }} 2>/dev/null && say "user map" "$line"
{{ read -r line </proc/self/attr/current; }} 2>/dev/null && say apparmor "$line"
say "user namespaces" "$(cat /proc/sys/user/max_user_namespaces 2>/dev/null)"
of_mounts() {{
  case $2 in /) say root "$4" ;; /tmp) say tmp "$4" ;; esac
  case "$3 $4" in
    "proc "* | "sysfs "* | cgroup* | "dev"* | "mqueue "* | *" ro" | *" ro,"*) ;;
    "tmpfs "*) [ -d "$2" ] && [ -w "$2" ] && say "in memory" "$2" ;;
    *) say "on disk" "$2 $3" ;;
  esac
}}
each of_mounts /proc/mounts
of_network() {{
  case $1 in *:*) say interface "${{1%%:*}}" ;; esac
}}
each of_network /proc/net/dev
set +f
if {{ true >/.wpk-probe; }} 2>/dev/null; then say "root write" yes; else say "root write" no; fi
probe=/tmp/.wpk-probe.$$
printf '#!/bin/sh\\nexit 0\\n' >"$probe" && chmod 700 "$probe"
if "$probe" 2>/dev/null; then say "tmp program" yes; else say "tmp program" no; fi
rm -f "$probe"
for path in /var/run/docker.sock /run/docker.sock /run/containerd/containerd.sock /run/podman/podman.sock \\
    /run/crio/crio.sock /run/cri-dockerd.sock /host /rootfs; do
  [ -e "$path" ] && say socket "$path"
done
for path in /proc/keys /proc/timer_list /proc/sched_debug; do
  {{ read -r _ <"$path"; }} 2>/dev/null && say "host tells" "$path"
done
for path in /proc/kcore /dev/mem /dev/kmsg; do
  [ -r "$path" ] && [ "$path" != /proc/kcore -o -s "$path" ] && say "host tells" "$path"
done
for path in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /sys/kernel/uevent_helper {GROUPS}/release_agent \\
    {GROUPS}/memory/release_agent {GROUPS}/cgroup.procs {GROUPS}/memory/cgroup.procs; do
  {{ true >>"$path"; }} 2>/dev/null && say "kernel write" "$path"
done
for file in memory.max memory/memory.limit_in_bytes pids.max pids/pids.max; do
  [ -r "{GROUPS}/$file" ] && read -r line <"{GROUPS}/$file" && say "$file" "$line"
done
exit 0
"""
)


class Answers:
    """What the script said: each key with its values, in order."""

    def __init__(self, stdout: str) -> None:
        self._values: dict[str, list[str]] = {}
        for line in stdout.splitlines():
            key, _, value = line.partition("\t")
            self._values.setdefault(key, []).append(value)

    def all(self, key: str) -> list[str]:
        """Every value of a key."""
        return self._values.get(key, [])

    def one(self, *keys: str) -> str:
        """The first value of the first key that has one; empty when none has."""
        return next((values[0] for key in keys if (values := self.all(key))), "")

    def counter(self, name: str, *keys: str) -> int | None:
        """The number in the line `name <number>` of the first of the files that has such a line."""
        rows = (line.split() for key in keys for line in self.all(key))
        return next((int(row[1]) for row in rows if len(row) == 2 and row[0] == name and row[1].isdigit()), None)

    def number(self, *keys: str) -> int | None:
        """The first of the values that is a number."""
        return next((int(value) for key in keys for value in self.all(key) if value.isdigit()), None)


def common_evidence(answers: Answers, *, user: int = USER, allowed: Iterable[str] = ()) -> list[Evidence]:
    """What every shell promises. `allowed` names capabilities that may stay in the bounding set."""
    effective = {key: answers.one(f"{key}:") for key in ("CapEff", "CapPrm", "CapAmb")}
    bounding = capabilities(answers.one("CapBnd:"))
    none_held = all(value and int(value, 16) == 0 for value in effective.values())
    return [
        Evidence("user", answers.one("uid") == str(user), f"uid {answers.one('uid') or 'unknown'}"),
        Evidence(
            "capabilities",
            none_held and bounding is not None and bounding <= set(allowed),
            f"held {'none' if none_held else effective}, obtainable {_names(bounding)}",
        ),
        Evidence("new privileges", answers.one("NoNewPrivs:") == "1", f"NoNewPrivs {answers.one('NoNewPrivs:')}"),
        Evidence(
            "root file system",
            answers.one("root write") == "no" and "ro" in answers.one("root").split(","),
            f"mounted {answers.one('root').split(',')[0] or 'unknown'}, a write to it "
            + ("was refused" if answers.one("root write") == "no" else "succeeded"),
        ),
        Evidence(
            TEMPORARY,
            answers.one("tmp program") == "no" and _options(answers) >= {"noexec", "nosuid", "nodev"},
            f"{answers.one('tmp') or 'not mounted'}; a program in it "
            + ("did not start" if answers.one("tmp program") == "no" else "started"),
        ),
        Evidence(
            "kernel's switches",
            bool(answers.one("uid")) and not answers.all("kernel write"),
            f"can be written: {', '.join(answers.all('kernel write'))}"
            if answers.all("kernel write")
            else "none can be written",
        ),
        Evidence("daemon sockets", not answers.all("socket"), ", ".join(answers.all("socket")) or "none in reach"),
    ]


def storage_evidence(answers: Answers) -> Evidence:
    """Nothing that a command can write to lies on a disk."""
    disks, memory = answers.all("on disk"), answers.all("in memory")
    if disks:
        return Evidence("storage", False, f"on a disk: {', '.join(disks)}")
    return Evidence("storage", bool(memory), f"in memory alone: {', '.join(memory) or 'unknown'}")


def host_files_evidence(answers: Answers) -> Evidence:
    """Files of the kernel that tell of the whole machine."""
    told = answers.all("host tells")
    return Evidence("host's files", bool(answers.one("uid")) and not told, ", ".join(told) or "none can be read")


def network_evidence(answers: Answers, device: str = "") -> Evidence:
    """No interface but the loopback and the gate's `device`."""
    interfaces = answers.all("interface")
    seen = f"interfaces: {', '.join(interfaces) or 'none'}"
    return Evidence("network", bool(answers.one("uid")) and set(interfaces) <= {"lo", device}, seen)


def group_limits_evidence(answers: Answers, limits: Limits) -> list[Evidence]:
    """The limits of memory and processes that the control group says it enforces."""
    memory = answers.number("memory.max", "memory/memory.limit_in_bytes")
    processes = answers.number("pids.max", "pids/pids.max")
    return [
        Evidence(
            "memory limit",
            memory is not None and memory <= limits.step_memory,
            human_bytes(memory) if memory is not None else "no limit to be seen",
        ),
        Evidence(
            "process limit",
            processes is not None and processes <= limits.processes,
            f"{processes} processes" if processes is not None else "no limit to be seen",
        ),
    ]


def capabilities(mask: str) -> set[str] | None:
    """The names in a hexadecimal mask of /proc/self/status; None when it is not one."""
    try:
        bits = int(mask, 16)
    except ValueError:
        return None
    known = {name for number, name in enumerate(CAPABILITIES) if bits >> number & 1}
    return known | ({"unknown"} if bits >> len(CAPABILITIES) else set())


def _names(found: set[str] | None) -> str:
    return "unknown" if found is None else ", ".join(sorted(found)) or "none"


def _options(answers: Answers) -> set[str]:
    return set(answers.one("tmp").split(","))
