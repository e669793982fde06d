"""The shell of `local`: bubblewrap where this host lets it make namespaces, else Landlock, which is weaker."""

from collections.abc import Iterator
from contextlib import contextmanager

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import SandboxSpec, Shell, ShellProvider
from wpk_sandbox.sandbox.shells.bubblewrap import BUBBLEWRAP
from wpk_sandbox.sandbox.shells.landlock import LANDLOCK


class _Local:
    name = "local"

    def why_not(self, spec: SandboxSpec) -> str | None:
        first = BUBBLEWRAP.why_not(spec)
        if first is None or LANDLOCK.why_not(spec) is None:
            return None
        # What makes the stronger one possible is the remedy to give.
        return first

    @contextmanager
    def open(self, spec: SandboxSpec, ledger: Ledger) -> Iterator[Shell]:
        reason = BUBBLEWRAP.why_not(spec)
        if reason and (further := LANDLOCK.why_not(spec)):
            raise SandboxError(f"no shell on this host: {reason}; {further}", "see `wpk-sandbox doctor`")
        with (LANDLOCK if reason else BUBBLEWRAP).open(spec, ledger) as shell:
            if reason:
                shell.details += f"; taken because {reason}"
            yield shell


LOCAL: ShellProvider = _Local()
