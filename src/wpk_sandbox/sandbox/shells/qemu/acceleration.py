"""Whether KVM works here. A device that is there says nothing: on some hosts a guest under it never begins to run.

So a kernel is booted that finds no root and ends by itself. The answer holds until the host boots again.
"""

import os
from contextlib import ExitStack, suppress
from enum import StrEnum
from pathlib import Path

from wpk_sandbox import command
from wpk_sandbox.errors import WpkSandboxError
from wpk_sandbox.sandbox.shells.qemu import cache, machine
from wpk_sandbox.sandbox.shells.qemu.kernel import Kernel
from wpk_sandbox.sandbox.shells.qemu.ports import Ports

DEADLINE = 4.0
_MEMORY = 256 * 1024**2


class Acceleration(StrEnum):
    """What becomes of a guest that is started with KVM."""

    WORKS = "works"
    HANGS = "a guest under it does not run"
    ABSENT = "there is no /dev/kvm that we may use"


def acceleration(kernel: Kernel) -> Acceleration:
    """What KVM does here; tried once for each boot of the host, in at most `DEADLINE` seconds."""
    if not _may_use():
        return Acceleration.ABSENT
    note = cache.folder() / "vm" / f"kvm-{_boot()}-{os.geteuid()}"
    with suppress(OSError, ValueError):
        return Acceleration(note.read_text(encoding="utf-8"))
    found = Acceleration.WORKS if _boots(kernel) else Acceleration.HANGS
    with suppress(OSError):
        note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = note.with_name(f"{note.name}.{os.getpid()}.part")
        part.write_text(found, encoding="utf-8")
        part.replace(note)
    return found


def _may_use() -> bool:
    return machine.KVM_DEVICE.exists() and os.access(machine.KVM_DEVICE, os.R_OK | os.W_OK)


def _boots(kernel: Kernel) -> bool:
    ports = Ports()
    wanted = machine.Machine(kernel.path.read_bytes(), b"", _MEMORY, cores=1, accelerated=True)
    with ExitStack() as opened, suppress(WpkSandboxError, OSError):
        opened.callback(ports.close)
        process = machine.start(wanted, ports.descriptors(), opened)
        ports.start()
        with suppress(command.StillRunning):
            return process.wait(DEADLINE) == 0
    return False


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"
