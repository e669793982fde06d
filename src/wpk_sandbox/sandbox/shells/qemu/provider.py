"""A shell in a virtual machine: its own kernel is the wall, so commands are root in there."""

from collections.abc import Iterator
from contextlib import contextmanager

from wpk_sandbox import command
from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.ledger import Ledger
from wpk_sandbox.sandbox.sandbox import SandboxSpec, Shell, ShellProvider
from wpk_sandbox.sandbox.shells import inside
from wpk_sandbox.sandbox.shells.given import given
from wpk_sandbox.sandbox.shells.qemu import image, machine
from wpk_sandbox.sandbox.shells.qemu.acceleration import Acceleration, acceleration
from wpk_sandbox.sandbox.shells.qemu.initramfs import busybox
from wpk_sandbox.sandbox.shells.qemu.kernel import find_kernel
from wpk_sandbox.sandbox.shells.qemu.shell import QemuShell

# Each program that a guest takes, and where it comes from.
_PROGRAMS = {
    machine.PROGRAM: machine.REMEDY,
    "setpriv": "`apt install util-linux`, or your system's equivalent",
    "prlimit": "`apt install util-linux`, or your system's equivalent",
}


class _Qemu:
    name = "qemu"

    def why_not(self, spec: SandboxSpec) -> str | None:
        for program, remedy in _PROGRAMS.items():
            if command.find(program) is None:
                return f"{program} is not installed; {remedy}"
        try:
            find_kernel(spec.vm_kernel)
            busybox()
        except SandboxError as error:
            return f"{error}; {error.remedy}"
        return image.why_not(spec)

    @contextmanager
    def open(self, spec: SandboxSpec, ledger: Ledger) -> Iterator[Shell]:
        placed = given(spec)
        inside.require_placeable(placed)
        kernel = find_kernel(spec.vm_kernel)
        accelerated = acceleration(kernel) is Acceleration.WORKS
        root = image.open_image(spec, ledger)
        with root.file:
            shell = QemuShell(spec, placed, kernel, root, accelerated=accelerated)
            entry = ledger.enter(
                "virtual machine", f"guest of run {ledger.run_id}", shell.close, lasts=False, alone=True
            )
            try:
                shell.start()
                yield shell
            finally:
                ledger.undo(entry)


QEMU: ShellProvider = _Qemu()
