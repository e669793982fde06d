"""Says what this host can do, what is missing, and how to get it; `wpk-sandbox doctor` prints it.

Each topic is a small examination of its own. What fails in one never hides the others: it becomes a line that says
so. Nothing is made, pulled or changed.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from wpk_sandbox.doctor import ci, docker, host, kernel, vm
from wpk_sandbox.doctor.check import Check, Host
from wpk_sandbox.errors import WpkSandboxError
from wpk_sandbox.sandbox.sandbox import SandboxSpec

__all__ = ["Check", "Host", "doctor_lines", "examine", "usable"]

SANDBOXES = ("local", "container", "kind", "vm")
_WORDS = {True: "ok", False: "missing", None: "warn"}

Look = Callable[[Host], Iterator[Check]]
# In the order of a reader's questions.
_TOPICS: tuple[tuple[str, Look], ...] = (
    ("Python", host.python),
    ("git", host.git),
    ("system calls", kernel.system_calls),
    ("Landlock", kernel.landlock),
    ("user namespaces", kernel.user_namespaces),
    ("control groups", kernel.control_groups),
    ("bubblewrap", kernel.bubblewrap),
    ("sandbox local", kernel.local),
    ("Docker daemon", docker.daemon_checks),
    ("gate", docker.gate),
    ("Docker disk", docker.disk),
    ("memory", host.memory),
    ("sandbox container", docker.container),
    ("kind program", host.kind_program),
    ("node image", docker.node_image),
    ("inotify limits", host.inotify),
    ("sandbox kind", docker.kind),
    ("KVM", vm.kvm),
    ("sandbox vm", vm.vm),
    ("kubectl", host.kubectl),
    ("CI", ci.ci),
    ("guard", host.guard),
    ("leftovers", host.leftovers),
)


def examine(
    spec: SandboxSpec, *, root: Path | None = None, environment: Mapping[str, str] | None = None
) -> tuple[Check, ...]:
    """Every topic in the order of a reader's questions; never raises for what is missing.

    `root` is the checkout (the working folder if None), `environment` the variables (our own if None).
    """
    asked = Host(spec, root or Path(), os.environ if environment is None else environment)
    return tuple(check for topic, look in _TOPICS for check in _examined(topic, look, asked))


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


def _examined(topic: str, look: Look, asked: Host) -> list[Check]:
    """What one examination found; its failure is a line too, and then a sandbox does not count as usable."""
    ok = False if topic.startswith("sandbox ") else None
    try:
        return list(look(asked))
    except WpkSandboxError as error:
        return [Check(topic, ok, str(error), error.remedy)]
    except (OSError, ValueError, KeyError, ImportError) as error:
        return [Check(topic, ok, f"could not be examined: {type(error).__name__}: {error}", "see the message")]


def _sandbox(name: str) -> str:
    return f"sandbox {name}"


def _usable(name: str, check: Check) -> str:
    # What follows a colon is the words of a library or program; the topic's own line shows them.
    return f"{name} yes" if check.ok else f"{name} no: {_plain(check.found.partition(': ')[0])}"


def _plain(text: str) -> str:
    """Programs and environments may say anything; here it is one line of printable characters."""
    return "".join(char if char.isprintable() else "?" for char in " ".join(text.split()))
