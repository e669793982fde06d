"""The doctor's examinations of what virtual machines need."""

from collections.abc import Iterator

from wpk_sandbox.doctor.check import Check, Host, from_reason
from wpk_sandbox.errors import SandboxError


def kvm(host: Host) -> Iterator[Check]:
    """Whether KVM works: a guest is started once for each boot of this host, for a few seconds at most."""
    # Asked for only here: a shell in a container or in namespaces needs nothing of it.
    from wpk_sandbox.sandbox.shells.qemu.acceleration import acceleration  # noqa: PLC0415 - only this look needs it
    from wpk_sandbox.sandbox.shells.qemu.kernel import find_kernel  # noqa: PLC0415

    if _reason(host):
        yield Check("KVM", None, "not tried: `sandbox vm` says what is missing to start a guest")
        return
    try:
        kernel = find_kernel(host.spec.vm_kernel)
    except SandboxError as error:
        yield Check("KVM", None, f"not tried: {error}", error.remedy)
        return
    yield kvm_check(str(acceleration(kernel)))


def kvm_check(found: str) -> Check:
    """By what became of a guest under it."""
    if found == "works":
        return Check("KVM", True, "a guest runs under it")
    remedy = "only for speed: without it guests are emulated; let this user read and write /dev/kvm where it works"
    return Check("KVM", None, found, remedy)


def vm(host: Host) -> Iterator[Check]:
    """The sandbox of virtual machines."""
    found = "QEMU can start guests; Kubernetes is simulated"
    yield from_reason("sandbox vm", _reason(host), found)


def _reason(host: Host) -> str | None:
    from wpk_sandbox.sandbox.shells.qemu.provider import QEMU  # noqa: PLC0415 - as above

    return QEMU.why_not(host.spec)
