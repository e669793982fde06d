"""The doctor's examinations of what this kernel can hold a shell with."""

import ctypes
import platform
import re
from collections.abc import Iterator
from pathlib import Path

from wpk_sandbox import command
from wpk_sandbox.doctor.check import QUICK, Check, Host, from_reason
from wpk_sandbox.sandbox.seccomp.bpf import ARCHITECTURES
from wpk_sandbox.sandbox.seccomp.numbers import NUMBERS

# landlock(7): asks for the version of the interface instead of making rules.
_LANDLOCK_VERSION = 1


def system_calls(host: Host) -> Iterator[Check]:
    """Filters of system calls, and whether denied ones can be recorded."""
    yield system_calls_check(_read("/proc/sys/kernel/seccomp/actions_avail").split(), platform.machine())


def system_calls_check(actions: list[str], machine: str) -> Check:
    """`actions` are those of seccomp(2) that the kernel knows."""
    if machine not in ARCHITECTURES:
        found = f"no table of system calls for {machine}; container shells have the daemon's"
        return Check("system calls", None, found, f"run on {' or '.join(sorted(ARCHITECTURES))}")
    if "errno" not in actions:
        return Check("system calls", None, "no filters (seccomp)", "use a kernel with CONFIG_SECCOMP_FILTER")
    if "user_notif" not in actions:
        return Check("system calls", None, "filtered; denied ones are not recorded", "use Linux 5.0 or newer")
    return Check("system calls", True, "filtered by an own table, denied ones recorded in `local`")


def landlock(host: Host) -> Iterator[Check]:
    """Landlock closes files and network where namespaces are refused."""
    version = landlock_version()
    if version > 0:
        yield Check("Landlock", True, f"interface {version}")
    else:
        remedy = "only needed where namespaces are refused: Linux 5.13 or newer with `landlock` in `lsm=`"
        yield Check("Landlock", None, "not there, or not switched on", remedy)


def landlock_version() -> int:
    """The version of the kernel's interface; 0 where there is none."""
    number = NUMBERS.get(platform.machine(), {}).get("landlock_create_ruleset")
    if number is None:
        return 0
    library = ctypes.CDLL(None, use_errno=True)
    answer = library.syscall(ctypes.c_long(number), None, ctypes.c_size_t(0), ctypes.c_uint32(_LANDLOCK_VERSION))
    return max(0, int(answer))


def user_namespaces(host: Host) -> Iterator[Check]:
    """Whether an ordinary user may make namespaces, by the switches; `sandbox local` tries it."""
    yield user_namespaces_check(
        most=_read("/proc/sys/user/max_user_namespaces"),
        unprivileged=_read("/proc/sys/kernel/unprivileged_userns_clone"),
        restricted=_read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
    )


def user_namespaces_check(*, most: str, unprivileged: str, restricted: str) -> Check:
    """By the values of the three switches, of which a kernel may lack any (empty)."""
    if most in ("", "0"):
        remedy = "`sudo sysctl -w user.max_user_namespaces=10000`; only needed for `local`"
        return Check("user namespaces", None, "none may be made", remedy)
    if unprivileged == "0":
        remedy = "`sudo sysctl -w kernel.unprivileged_userns_clone=1`; only needed for `local`"
        return Check("user namespaces", None, "root alone may make them", remedy)
    if restricted == "1":
        remedy = "an AppArmor profile for bwrap, or `sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`"
        return Check("user namespaces", None, "AppArmor allows them to named programs alone", remedy)
    return Check("user namespaces", True, f"{most} may be made")


def control_groups(host: Host) -> Iterator[Check]:
    """The version that is mounted, and the controllers that bound a sandbox."""
    unified = Path("/sys/fs/cgroup/cgroup.controllers")
    if unified.exists():
        yield control_groups_check(2, set(unified.read_text().split()))
    else:
        rows = (line.split() for line in _read("/proc/cgroups").splitlines() if not line.startswith("#"))
        yield control_groups_check(1, {row[0] for row in rows if len(row) == 4 and row[3] == "1"})


def control_groups_check(version: int, controllers: set[str]) -> Check:
    """Which of the controllers that a sandbox is bounded by are there."""
    missing = sorted({"memory", "pids", "cpu"} - controllers)
    if missing:
        remedy = (
            "switch them on at the kernel's command line (`cgroup_enable=memory`), or let systemd delegate them"
        )
        return Check("control groups", None, f"version {version}, without {', '.join(missing)}", remedy)
    return Check("control groups", True, f"version {version}, with memory, processes and CPU")


def bubblewrap(host: Host) -> Iterator[Check]:
    """The program that makes the namespaces of `local`."""
    path = command.find("bwrap")
    if path is None:
        yield Check("bubblewrap", None, "not installed", "`apt install bubblewrap`; only needed for `local`")
        return
    asked = command.run(("bwrap", "--version"), timeout=QUICK)
    version = re.search(r"\d+\.\d+[\w.]*", asked.stdout)
    yield Check("bubblewrap", True, f"{version[0] if version else 'unknown version'} at {path}")


def local(host: Host) -> Iterator[Check]:
    """The sandbox that needs no daemon, and what this host does not give its shells."""
    from wpk_sandbox.sandbox.shells.local import LOCAL, shortcomings  # noqa: PLC0415 - asked for only here

    reason = LOCAL.why_not(host.spec)
    yield from_reason("sandbox local", reason, "shells can be made here; Kubernetes is simulated")
    for found, remedy in shortcomings(host.spec):
        yield Check("local shells", None, found, remedy)


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
