"""The shell of `local`: bubblewrap where this host lets it make namespaces, else Landlock, which is weaker."""

from collections.abc import Iterator
from contextlib import contextmanager

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import SandboxSpec, Shell, ShellProvider
from wpk_sandbox.sandbox.shells.bubblewrap import BUBBLEWRAP
from wpk_sandbox.sandbox.shells.groups import hierarchies

_WANTED = {"memory": "memory", "pids": "processes", "cpu": "CPU"}


class _Local:
    name = "local"

    def why_not(self, spec: SandboxSpec) -> str | None:
        first = BUBBLEWRAP.why_not(spec)
        if first is None or _landlock().why_not(spec) is None:
            return None
        # What makes the stronger one possible is the remedy to give.
        return first

    @contextmanager
    def open(self, spec: SandboxSpec, ledger: Ledger) -> Iterator[Shell]:
        reason = BUBBLEWRAP.why_not(spec)
        if reason and (further := _landlock().why_not(spec)):
            raise SandboxError(f"no shell on this host: {reason}; {further}", "see `wpk-sandbox doctor`")
        with (_landlock() if reason else BUBBLEWRAP).open(spec, ledger) as shell:
            if reason:
                shell.details += f"; taken because {reason}"
            yield shell


LOCAL: ShellProvider = _Local()


def _landlock() -> ShellProvider:
    from wpk_sandbox.sandbox.shells.landlock import LANDLOCK  # noqa: PLC0415 -- few hosts need it

    return LANDLOCK


def shortcomings(spec: SandboxSpec) -> tuple[tuple[str, str], ...]:
    """What this host does not give a shell of `local`, each with its remedy; makes nothing.

    Empty where there is no such shell at all, which `why_not` explains.
    """
    if LOCAL.why_not(spec):
        return ()
    found = []
    if reason := BUBBLEWRAP.why_not(spec):
        what, _, remedy = reason.partition("; ")
        found.append((f"commands run under Landlock, which is weaker than namespaces, because {what}", remedy))
    held = {controller for hierarchy in hierarchies() for controller in hierarchy.controllers}
    if watched := [limit for controller, limit in _WANTED.items() if controller not in held]:
        words = f"{', '.join(watched)} bounded by resource limits and a look every 50 ms, not by control groups"
        # A scope of the user's own systemd lies where that user may make groups beside it, as a login's does not.
        remedy = "start it by `systemd-run --user --scope -p Delegate=yes wpk-sandbox …`, or run as root"
        found.append((words, remedy))
    return tuple(found)
