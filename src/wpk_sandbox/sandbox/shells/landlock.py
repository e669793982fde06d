"""A shell for hosts that refuse even namespaces: Landlock closes files, a filter of system calls closes the rest.

An ordinary container, as many CI services give one to a job, is such a host. This is weaker than namespaces, and
says so; `local` takes it only where bubblewrap cannot be had. Where wpk-sandbox runs as root, commands run as the
unprivileged user 65532.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from wpk_sandbox import command
from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.emptying import empty
from wpk_sandbox.sandbox.folder import temporary_folder
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import SandboxSpec, Shell, ShellProvider
from wpk_sandbox.sandbox.shells import delivery, inside
from wpk_sandbox.sandbox.shells.landlock_shell import LandlockShell
from wpk_sandbox.sandbox.shells.supervised import opened
from wpk_sandbox.sandbox.shells.supervisor import landlock as kernel

_NO_ROUTES = "a shell under Landlock has no sockets at all, so nothing answers in it; take a container shell"


class _Landlock:
    name = "landlock"

    def why_not(self, spec: SandboxSpec) -> str | None:
        if kernel.version() < 1:
            return "this kernel has no Landlock, or the container's seccomp profile denies it; Linux 5.13 has it"
        if command.find("env") is None:
            return "the program `env` is not on PATH; put the folder of the system's programs there"
        if delivery.interpreter(_user()) is None:
            return f"user {inside.USER} cannot read this Python; install python3 in /usr, or do not run as root"
        return _NO_ROUTES if _wants_a_network(spec) else None

    @contextmanager
    def open(self, spec: SandboxSpec, ledger: Ledger) -> Iterator[Shell]:
        if _wants_a_network(spec):
            raise SandboxError(*_NO_ROUTES.split("; "))
        user = _user()
        with temporary_folder(ledger) as base:
            try:
                with opened(lambda groups: LandlockShell(spec, groups, user, base), spec.limits, ledger) as shell:
                    yield shell
            finally:
                empty(base)


LANDLOCK: ShellProvider = _Landlock()


def _user() -> int | None:
    """Whom to become before the first command; None to stay who we are."""
    return inside.USER if os.geteuid() == 0 else None


def _wants_a_network(spec: SandboxSpec) -> bool:
    return bool(spec.network.routes or (spec.access and spec.access.routes))
