"""A shell in namespaces of its own, made by bubblewrap: no daemon, no image, and no right that the user lacks.

The host's `/usr` is seen read-only; of everything else only what is made here exists. A supervisor lives inside
as process 1 and runs the commands, so they share `/tmp` and the working folder. Where wpk-sandbox itself runs as
root, the sandbox is made as the unprivileged user 65532.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from wpk_sandbox import command
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import SandboxSpec, Shell, ShellProvider
from wpk_sandbox.sandbox.shells import inside
from wpk_sandbox.sandbox.shells.bubblewrap_root import NAMESPACES, usr
from wpk_sandbox.sandbox.shells.bubblewrap_shell import BubblewrapShell
from wpk_sandbox.sandbox.shells.delivery import interpreter
from wpk_sandbox.sandbox.shells.supervised import opened

PROBE_TIMEOUT = 5.0

# Each switch by which a host forbids namespaces to ordinary users, the value that forbids, and how to allow it.
_SWITCHES = (
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor forbids it (Ubuntu 23.10 and newer); allow it with "
        "`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0` or an AppArmor profile for bwrap",
    ),
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "allow it with `sudo sysctl -w kernel.unprivileged_userns_clone=1`",
    ),
    ("/proc/sys/user/max_user_namespaces", "0", "allow it with `sudo sysctl -w user.max_user_namespaces=10000`"),
)


class _Bubblewrap:
    name = "bubblewrap"

    def why_not(self, spec: SandboxSpec) -> str | None:
        if (bwrap := command.find("bwrap")) is None:
            return "bubblewrap is not installed; `apt install bubblewrap`, or your system's equivalent"
        if interpreter(_user()) is None:
            return f"user {inside.USER} cannot read this Python; install python3 in /usr, or do not run as root"
        refusal = _try_namespaces(bwrap, _user())
        return f"this host refuses namespaces to bubblewrap ({refusal}); {_remedy()}" if refusal else None

    @contextmanager
    def open(self, spec: SandboxSpec, ledger: Ledger) -> Iterator[Shell]:
        with opened(lambda groups: BubblewrapShell(spec, groups, _user()), spec.limits, ledger) as shell:
            yield shell


BUBBLEWRAP: ShellProvider = _Bubblewrap()


def _user() -> int | None:
    """Whom to become before the sandbox is made; None to stay who we are."""
    return inside.USER if os.geteuid() == 0 else None


@cache
def _try_namespaces(bwrap: str, user: int | None) -> str:
    """Make the namespaces once with nothing in them; what bubblewrap said when it could not.

    Not with all of the host's `/`: below it mounts of others come and go, and one that goes meanwhile is an error.
    """
    argv = [bwrap, *NAMESPACES, *usr(), "--proc", "/proc", "true"]
    try:
        with command.start(argv, user=user, cwd="/") as process:
            _, words = process.communicate(timeout=PROBE_TIMEOUT)
    except command.StillRunning:
        return f"no answer in {PROBE_TIMEOUT:.0f} s"
    except OSError as error:
        return str(error)
    return "" if process.returncode == 0 else words.decode("utf-8", "replace").strip() or "it says nothing"


def _remedy() -> str:
    for path, forbids, remedy in _SWITCHES:
        try:
            if Path(path).read_text(encoding="ascii").strip() == forbids:
                return remedy
        except OSError:
            continue
    return "inside a container, start that one with `--security-opt seccomp=unconfined`, or take a container shell"
