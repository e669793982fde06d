"""Says what this host can do, what is missing, and how to get it; `wpk-sandbox doctor` prints it.

Each topic is a small examination of its own. What fails in one never hides the others: it becomes a line that says
so. Nothing is made, pulled or changed.
"""

import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from wpk_sandbox import command
from wpk_sandbox.errors import WpkSandboxError
from wpk_sandbox.package.units import human_bytes
from wpk_sandbox.sandbox.sandbox import SandboxSpec

QUICK = 10.0
SANDBOXES = ("local", "container", "kind")
_WORDS = {True: "ok", False: "missing", None: "warn"}
_GIT_HINT = "`apt install git`, or your system's equivalent; without it changed packages cannot be found"
_KUBECTL_HINT = "only needed to look into a kind cluster by hand; https://kubernetes.io/docs/tasks/tools/"
_KIND_HINT = "https://kind.sigs.k8s.io/docs/user/quick-start/#installation"
_REAP_HINT = "`wpk-sandbox reap` removes them"


@dataclass(frozen=True)
class Check:
    """One examined topic: `ok` is None for a warning; `found` says what is there, `remedy` what to do about it."""

    topic: str
    ok: bool | None
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Host:
    """What an examination looks at: what a sandbox would be asked for, the checkout, and the environment."""

    spec: SandboxSpec
    root: Path
    environment: Mapping[str, str]


def examine(
    spec: SandboxSpec, *, root: Path | None = None, environment: Mapping[str, str] | None = None
) -> tuple[Check, ...]:
    """Every topic in the order of a reader's questions; never raises for what is missing.

    `root` is the checkout (the working folder if None), `environment` the variables (our own if None).
    """
    host = Host(spec, root or Path(), os.environ if environment is None else environment)
    return tuple(check for topic, look in _topics() for check in _examined(topic, look, host))


def usable(checks: tuple[Check, ...]) -> str:
    """The sandboxes in one line: `local yes · container yes · kind no: kind is not installed`."""
    found = {check.topic: check for check in checks}
    return " · ".join(_usable(name, found[_sandbox(name)]) for name in SANDBOXES if _sandbox(name) in found)


def doctor_lines(checks: tuple[Check, ...]) -> str:
    """What a person reads: the usable sandboxes, then a line for each topic, its remedy below it."""
    width = max((len(check.topic) for check in checks), default=0)
    lines = [usable(checks), ""]
    for check in checks:
        lines.append(f"{_WORDS[check.ok]:<7}  {check.topic:<{width}}  {_plain(check.found)}".rstrip())
        if check.remedy and check.ok is not True:
            lines.append(f"{'':<7}  {'':<{width}}  → {_plain(check.remedy)}")
    return "\n".join(lines)


def _topics() -> tuple[tuple[str, Callable[[Host], Iterator[Check]]], ...]:
    # Imported here because this module's own caller must not pay for Docker's client before it is asked for.
    from wpk_sandbox import doctor_docker  # noqa: PLC0415

    return (
        ("Python", _python),
        ("git", _git),
        (_sandbox("local"), _local),
        ("Docker daemon", doctor_docker.daemon_checks),
        ("Docker disk", doctor_docker.disk),
        ("memory", _memory),
        (_sandbox("container"), doctor_docker.container),
        ("kind program", _kind_program),
        ("node image", doctor_docker.node_image),
        ("inotify limits", _inotify),
        (_sandbox("kind"), doctor_docker.kind),
        ("kubectl", _kubectl),
        ("CI", _ci),
        ("leftovers", _leftovers),
    )


def _examined(topic: str, look: Callable[[Host], Iterator[Check]], host: Host) -> list[Check]:
    """What one examination found; its failure is a line too, and then a sandbox does not count as usable."""
    ok = False if topic.startswith("sandbox ") else None
    try:
        return list(look(host))
    except WpkSandboxError as error:
        return [Check(topic, ok, str(error), error.remedy)]
    except (OSError, ValueError, KeyError, ImportError) as error:
        return [Check(topic, ok, f"could not be examined: {type(error).__name__}: {error}", "see the message")]


def from_reason(topic: str, reason: str | None, found: str) -> Check:
    """A check of a provider's `why_not`, which puts its remedy behind the first semicolon."""
    if reason is None:
        return Check(topic, True, found)
    what, _, remedy = reason.partition("; ")
    return Check(topic, False, what, remedy)


def _sandbox(name: str) -> str:
    return f"sandbox {name}"


def _usable(name: str, check: Check) -> str:
    # What follows a colon is the words of a library or program; the topic's own line shows them.
    return f"{name} yes" if check.ok else f"{name} no: {_plain(check.found.partition(': ')[0])}"


def _plain(text: str) -> str:
    """Programs and environments may say anything; here it is one line of printable characters."""
    return "".join(char if char.isprintable() else "?" for char in " ".join(text.split()))


def _python(host: Host) -> Iterator[Check]:
    linux = sys.platform == "linux"
    found = f"{platform.python_version()} at {sys.executable}, {platform.system()} {platform.release()}"
    yield Check("Python", linux, found, "" if linux else "sandboxes need Linux: use a Linux host, VM or container")


def _git(host: Host) -> Iterator[Check]:
    yield _program("git", ("git", "--version"), missing=False, remedy=_GIT_HINT)


def _kind_program(host: Host) -> Iterator[Check]:
    yield _program("kind program", ("kind", "version"), missing=False, remedy=_KIND_HINT)


def _kubectl(host: Host) -> Iterator[Check]:
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


def _local(host: Host) -> Iterator[Check]:
    from wpk_sandbox.sandbox.shells.bubblewrap import BUBBLEWRAP  # noqa: PLC0415 - asked for only here

    found = "bubblewrap can make its namespaces; Kubernetes is simulated"
    yield from_reason(_sandbox("local"), BUBBLEWRAP.why_not(host.spec), found)


def _memory(host: Host) -> Iterator[Check]:
    rows = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    available = int(rows["MemAvailable"].split()[0]) * 1024
    wanted = host.spec.limits.memory
    found = f"{human_bytes(available)} available; a kind cluster may use {human_bytes(wanted)}"
    remedy = f"free some memory, or lower `limits.memory` below {human_bytes(available)}"
    yield Check("memory", True, found) if available >= wanted else Check("memory", None, found, remedy)


def _inotify(host: Host) -> Iterator[Check]:
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


def _ci(host: Host) -> Iterator[Check]:
    from wpk_sandbox.package.repository import Repository  # noqa: PLC0415 - asked for only here

    name, remedy = _service(host.environment)
    event = host.environment.get("GITHUB_EVENT_NAME", "")
    if event in ("pull_request_target", "workflow_run"):
        found = f"{name}, event {event}: packages would run with the repository's own rights"
        yield Check("CI", False, found, "use `on: pull_request`")
        return
    repository = Repository(host.root)
    if command.find("git") is None or not repository.git("rev-parse", "--git-dir", timeout=QUICK).ok:
        yield Check("CI", None, f"{name}, no git checkout here", "run in the repository, or name the packages")
    elif repository.shallow():
        depth = repository.git("rev-list", "--count", "HEAD", timeout=QUICK).stdout.strip()
        yield Check("CI", None, f"{name}, shallow checkout of {depth} commits; more is fetched if needed", remedy)
    else:
        yield Check("CI", True, f"{name}, checkout with its whole history")


def _service(environment: Mapping[str, str]) -> tuple[str, str]:
    """The CI service that runs us, and how to have the whole history there."""
    if environment.get("GITHUB_ACTIONS") == "true":
        return "GitHub Actions", "set `fetch-depth: 0` on actions/checkout"
    if environment.get("GITLAB_CI") == "true":
        return "GitLab CI", 'set the variable `GIT_DEPTH: "0"`'
    return "none detected", "`git fetch --unshallow`"


def _leftovers(host: Host) -> Iterator[Check]:
    from wpk_sandbox.sandbox.reap import leftovers  # noqa: PLC0415 - it imports Docker's part

    found = leftovers(now=datetime.now(UTC))
    if not found:
        yield Check("leftovers", True, "none of earlier runs")
        return
    names = ", ".join(f"{thing.kind} {thing.name}" for thing in found[:3])
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    yield Check("leftovers", None, f"{names}{more}", _REAP_HINT)


def disk_left(folder: Path) -> int | None:
    """The bytes that are left where a folder is; None where this process cannot see it."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
