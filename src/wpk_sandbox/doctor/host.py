"""The doctor's examinations of this machine: its programs and its room."""

import platform
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from wpk_sandbox import command
from wpk_sandbox.doctor.check import QUICK, Check, Host
from wpk_sandbox.errors import UnavailableError
from wpk_sandbox.package.units import human_bytes

_GIT_HINT = "`apt install git`, or your system's equivalent; without it changed packages cannot be found"
_KUBECTL_HINT = "only needed to look into a kind cluster by hand; https://kubernetes.io/docs/tasks/tools/"
_KIND_HINT = "https://kind.sigs.k8s.io/docs/user/quick-start/#installation"
_REAP_HINT = "`wpk-sandbox reap` removes them"


def python(host: Host) -> Iterator[Check]:
    """Our own interpreter, and the system that it runs on."""
    linux = sys.platform == "linux"
    found = f"{platform.python_version()} at {sys.executable}, {platform.system()} {platform.release()}"
    yield Check("Python", linux, found, "" if linux else "sandboxes need Linux: use a Linux host, VM or container")


def git(host: Host) -> Iterator[Check]:
    """What finds the changed packages."""
    yield _program("git", ("git", "--version"), missing=False, remedy=_GIT_HINT)


def kind_program(host: Host) -> Iterator[Check]:
    """What boots clusters."""
    yield _program("kind program", ("kind", "version"), missing=False, remedy=_KIND_HINT)


def kubectl(host: Host) -> Iterator[Check]:
    """What a person looks into a cluster with."""
    yield _program("kubectl", ("kubectl", "version", "--client"), missing=None, remedy=_KUBECTL_HINT)


def _program(topic: str, argv: tuple[str, ...], *, missing: bool | None, remedy: str) -> Check:
    """A program by what it answers when it is asked for its version."""
    path = command.find(argv[0])
    if path is None:
        return Check(topic, missing, "not installed", remedy)
    asked = command.run(argv, timeout=QUICK)
    if not asked.ok:
        words = (asked.stderr or asked.stdout).strip()[:200]
        return Check(topic, missing, f"{path} does not work: {words or 'it says nothing'}", remedy)
    version = re.search(r"v?\d+\.\d+[\w.+~-]*", asked.stdout)
    return Check(topic, True, f"{version[0] if version else 'unknown version'} at {path}")


def memory(host: Host) -> Iterator[Check]:
    """Whether a cluster finds its room."""
    rows = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    available = int(rows["MemAvailable"].split()[0]) * 1024
    wanted = host.spec.limits.memory
    found = f"{human_bytes(available)} available; a kind cluster may use {human_bytes(wanted)}"
    remedy = f"free some memory, or lower `limits.memory` below {human_bytes(available)}"
    yield Check("memory", True, found) if available >= wanted else Check("memory", None, found, remedy)


def inotify(host: Host) -> Iterator[Check]:
    """The kernel's watches, which a node needs many of."""
    from wpk_sandbox.sandbox.clusters.kind import host as kind_host  # noqa: PLC0415 - it imports Docker's part

    folder = Path("/proc/sys/fs/inotify")
    values = {name: int((folder / name).read_text()) for name in kind_host.INOTIFY}
    found = ", ".join(f"{name} {value}" for name, value in values.items())
    low = [name for name, (_, advised) in kind_host.INOTIFY.items() if values[name] < advised]
    if kind_host.inotify_why_not(folder):
        yield Check("inotify limits", False, f"{found}: too low for a node", f"run `{kind_host.INOTIFY_REMEDY}`")
    elif low:
        remedy = f"enough for one cluster; for several run `{kind_host.INOTIFY_REMEDY}`"
        yield Check("inotify limits", None, found, remedy)
    else:
        yield Check("inotify limits", True, found)


def guard(host: Host) -> Iterator[Check]:
    """Who removes what a run made when it is killed."""
    from wpk_sandbox.sandbox import daemon, reaper  # noqa: PLC0415 - it imports Docker's part

    found = "a process waits beside each run"
    try:
        own = daemon.own_container()
    except UnavailableError:
        own = None
    if own is None:
        yield Check("guard", True, found)
    elif reason := reaper.why_not(own):
        remedy = "let the job's last step call `wpk-sandbox reap --ci`"
        yield Check("guard", None, f"{found}, but no container beside this one: {reason}", remedy)
    else:
        yield Check("guard", True, f"{found}, and a container beside this one")


def leftovers(host: Host) -> Iterator[Check]:
    """What earlier runs left behind."""
    from wpk_sandbox.sandbox.reap import leftovers  # noqa: PLC0415 - it imports Docker's part

    found = leftovers(now=datetime.now(UTC))
    if not found:
        yield Check("leftovers", True, "none of earlier runs")
        return
    names = ", ".join(f"{thing.kind} {thing.name}" for thing in found[:3])
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    yield Check("leftovers", None, f"{names}{more}", _REAP_HINT)
