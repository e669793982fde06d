"""What the tests of every shell share: the shells, the processes that they leave, the things that they made."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wpk_sandbox.sandbox import daemon
from wpk_sandbox.sandbox.ledger import RUN_LABEL, Ledger
from wpk_sandbox.sandbox.sandbox import Completed, Limits, SandboxSpec, Shell, ShellProvider
from wpk_sandbox.sandbox.shells.bubblewrap import BUBBLEWRAP
from wpk_sandbox.sandbox.shells.docker import DOCKER
from wpk_sandbox.sandbox.shells.landlock import LANDLOCK
from wpk_sandbox.sandbox.shells.qemu.provider import QEMU

BUSYBOX, DEBIAN = "busybox:1.36", "debian:trixie-slim"
LIMITS = Limits(step_memory=128 * 1024**2, processes=60, tmp=20 * 1024**2, output=64 * 1024)

PROVIDERS = {provider.name: provider for provider in (BUBBLEWRAP, LANDLOCK, DOCKER, QEMU)}

OF_HOST = [
    pytest.param(("bubblewrap", ""), marks=pytest.mark.needs("bwrap"), id="bubblewrap"),
    pytest.param(("landlock", ""), marks=pytest.mark.needs("landlock"), id="landlock"),
]
IN_BUSYBOX = pytest.param(("docker", BUSYBOX), marks=pytest.mark.needs("docker"), id="docker-busybox")
IN_DEBIAN = pytest.param(("docker", DEBIAN), marks=pytest.mark.needs("docker"), id="docker-debian")
PARAMETERS = [*OF_HOST, IN_BUSYBOX, IN_DEBIAN]

# Machines run commands as root, and show the host none of their processes: their tests are those that ask for neither.
WITH_MACHINES = [*PARAMETERS, pytest.param(("qemu", BUSYBOX), marks=pytest.mark.needs("qemu"), id="qemu-busybox")]
# Perl is in every Debian image, and on every host with git.
WITH_PERL = [
    *OF_HOST,
    IN_DEBIAN,
    pytest.param(("qemu", DEBIAN), marks=pytest.mark.needs("qemu"), id="qemu-debian"),
]


@dataclass(frozen=True)
class Kind:
    """One way to have a shell, as a test wants it."""

    provider: ShellProvider
    spec: SandboxSpec

    def with_limits(self, **limits: float) -> "Kind":
        return replace(self, spec=replace(self.spec, limits=replace(LIMITS, **limits)))

    def ledger(self) -> Ledger:
        return Ledger(f"t{secrets.token_hex(4)}", datetime.now(UTC) + timedelta(minutes=30))

    def open(self, ledger: Ledger | None = None) -> AbstractContextManager[Shell]:
        return self.provider.open(self.spec, ledger or self.ledger())


@dataclass(frozen=True)
class Sleep:
    """A `sleep` that can be told from every other on this host by its odd number of seconds."""

    seconds: str

    def __str__(self) -> str:
        return f"sleep {self.seconds}"

    def processes(self) -> list[int]:
        """The host's ids of its processes, in whatever namespace or container they run."""
        wanted = f"sleep\0{self.seconds}\0".encode()
        return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/cmdline") if _read(path) == wanted]

    def is_gone(self) -> bool:
        return eventually(lambda: not self.processes())


@dataclass(frozen=True)
class SleepInside(Sleep):
    """The same where the host sees no processes: looked for by a command of the shell."""

    sh: Callable[..., Completed]

    def processes(self) -> list[int]:
        script = (
            "for file in /proc/[0-9]*/cmdline; do "
            f'[ "$(tr "\\0" " " <$file 2>/dev/null)" = "sleep {self.seconds} " ] && echo $file; done'
        )
        return [int(line.split("/")[2]) for line in self.sh(script).stdout.splitlines()]


def eventually(condition: Callable[[], bool], seconds: float = 5) -> bool:
    """True as soon as the condition holds; False when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def nothing_left(kind: Kind) -> Iterator[Ledger]:
    """Checks that all that a run made is gone when the block is left, whatever came out of it."""
    ledger = kind.ledger()
    try:
        yield ledger
    finally:
        tally = ledger.close()
        assert tally.made > 0
        assert (tally.removed, tally.left) == (tally.made, ())
        if kind.provider.name == "docker":
            assert containers_of(ledger.run_id) == []


def containers_of(run_id: str) -> list[str]:
    listed = daemon.client().api.containers(all=True, filters={"label": f"{RUN_LABEL}={run_id}"})
    return [container["Id"] for container in listed]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
