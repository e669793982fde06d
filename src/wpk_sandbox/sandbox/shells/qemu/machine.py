"""The process of QEMU: what machine it is asked for, and the walls around it.

The machine has a disk that it can only read, ports to us, a serial console and nothing else: no network device, no
display, no USB, no monitor. QEMU itself gives up what its own filter of system calls can take from it, has limits,
is an unprivileged user, and lives in namespaces of bubblewrap's where there is one.
"""

import functools
import os
import stat
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from wpk_sandbox import command
from wpk_sandbox.sandbox.shells import inside
from wpk_sandbox.sandbox.shells.qemu.ports import NAMES

PROGRAM = "qemu-system-x86_64"
REMEDY = "`apt install qemu-system-x86`, or your system's equivalent"
KVM_DEVICE = Path("/dev/kvm")

# Memory of the machine beside what commands may use: the kernel, the agent, and files of the image that were read.
OVERHEAD = 128 * 1024**2
# Memory of QEMU's process beside the machine's: its own code, and the code that it translates to.
_OWN_ADDRESSES = 3 * 1024**3
_TRANSLATED = 128

# `panic=-1` ends the machine when its kernel fails. The kernel's defences against programs of its own are left out
# (they cost time, and the guest is one sandbox), its own choice of timers needs no trial.
_KERNEL_WORDS = (
    "quiet console=ttyS0 panic=-1 mitigations=off nokaslr random.trust_cpu=on tsc=reliable no_timer_check"
)

_KERNEL, _INITRAMFS = "/vm/kernel", "/vm/initramfs"
_PROBE_TIMEOUT = 5.0
_USR_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")


@dataclass(frozen=True)
class Machine:
    """What to start: contents of the kernel and the first file system, the disk, bytes of memory, cores."""

    kernel: bytes
    initramfs: bytes
    memory: int
    cores: int
    accelerated: bool
    disk: IO[bytes] | None = None


def start(machine: Machine, ports: Iterable[int], opened: ExitStack) -> command.Process:
    """Start it; leaving `opened` ends it. Raises `errors.ProgramMissingError`."""
    with ExitStack() as files:
        kernel = _memory_file(machine.kernel, files)
        initramfs = _memory_file(machine.initramfs, files)
        ports = list(ports)
        disk = machine.disk.fileno() if machine.disk else None
        passed = [kernel, initramfs, *ports, *([] if disk is None else [disk])]
        wall = _bubblewrap(kernel, initramfs, accelerated=machine.accelerated)
        places = (_KERNEL, _INITRAMFS) if wall else (f"/dev/fd/{kernel}", f"/dev/fd/{initramfs}")
        argv = [
            *_identity(accelerated=machine.accelerated),
            *(wall or ["setpriv", "--pdeathsig", "KILL", "--"]),
            *_limits(machine),
            *_qemu(machine, places, ports, disk),
        ]
        return opened.enter_context(command.start(argv, cwd="/", pass_fds=passed))


def walls() -> str:
    """What is around QEMU here, for a reader."""
    user = f"user {inside.USER}" if os.geteuid() == 0 else "our own user"
    return f"QEMU as {user}" + (", in bubblewrap" if _namespaces_may_be_made() else "")


def _qemu(machine: Machine, places: tuple[str, str], ports: list[int], disk: int | None) -> list[str]:
    acceleration = "kvm" if machine.accelerated else f"tcg,thread=multi,tb-size={_TRANSLATED}"
    kernel, initramfs = places
    return [
        command.find(PROGRAM) or PROGRAM,
        *("-machine", "q35,sata=off,smbus=off,usb=off,i8042=off,hpet=off,vmport=off,graphics=off"),
        *("-accel", acceleration, "-cpu", "host" if machine.accelerated else "max"),
        *("-smp", str(machine.cores), "-m", f"{machine.memory >> 20}M"),
        *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-monitor", "none", "-nic", "none"),
        *("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"),
        *("-kernel", kernel, "-initrd", initramfs, "-append", _KERNEL_WORDS),
        *_disk(disk),
        *_ports(ports),
    ]


def _disk(disk: int | None) -> list[str]:
    if disk is None:
        return []
    return [
        *("-add-fd", f"fd={disk},set=1"),
        *("-drive", "if=none,id=image,format=raw,readonly=on,file=/dev/fdset/1"),
        *("-device", "virtio-blk-pci,drive=image,disable-legacy=on"),
    ]


def _ports(descriptors: list[int]) -> list[str]:
    arguments = ["-device", "virtio-serial-pci,disable-legacy=on"]
    for number, (name, descriptor) in enumerate(zip(NAMES, descriptors, strict=False), 1):
        arguments += ["-chardev", f"socket,id=port{number},fd={descriptor}"]
        if number == len(NAMES):
            arguments += ["-serial", f"chardev:port{number}"]
        else:
            arguments += ["-device", f"virtserialport,chardev=port{number},nr={number},name=wpk.{name}"]
    return arguments


def _limits(machine: Machine) -> list[str]:
    """No files of its own, no core dump, and addresses for the machine's memory and its own."""
    addresses = machine.memory + _OWN_ADDRESSES
    # `env -i` because whatever is in our own environment is nobody's business in there.
    return ["env", "-i", "prlimit", "--core=0", "--fsize=0", "--nofile=256", f"--as={addresses}", "--"]


def _identity(*, accelerated: bool) -> list[str]:
    """Whom to become when we are root; the group that may use KVM comes along where it is needed."""
    if os.geteuid() != 0:
        return []
    group = inside.USER
    if accelerated and (state := KVM_DEVICE.stat()).st_mode & stat.S_IWGRP:
        group = state.st_gid
    return ["setpriv", f"--reuid={inside.USER}", f"--regid={group}", "--clear-groups", "--"]


def _bubblewrap(kernel: int, initramfs: int, *, accelerated: bool) -> list[str]:
    """Namespaces that hold programs, the two files and what KVM needs; nothing where they cannot be had."""
    if not _namespaces_may_be_made():
        return []
    return [
        *_namespaces(),
        *(("--dev-bind", str(KVM_DEVICE), str(KVM_DEVICE)) if accelerated else ()),
        *("--file", str(kernel), _KERNEL, "--file", str(initramfs), _INITRAMFS),
        *("--remount-ro", "/", "--chdir", "/", "--"),
    ]


def _namespaces() -> list[str]:
    links = [Path("/", name) for name in _USR_LINKS]
    folders = [path for path in links if path.is_dir() and not path.is_symlink()]
    return [
        *("bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"),
        *("--ro-bind", "/usr", "/usr", "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"),
        *(part for path in links if path.is_symlink() for part in ("--symlink", str(path.readlink()), str(path))),
        *(part for path in folders for part in ("--ro-bind", str(path), str(path))),
        *("--dev", "/dev"),
    ]


@functools.cache
def _namespaces_may_be_made() -> bool:
    """False without bubblewrap, and where a host refuses it namespaces, as Ubuntu does to ordinary users."""
    if command.find("bwrap") is None:
        return False
    argv = [*_identity(accelerated=False), *_namespaces(), "--", "true"]
    return command.run(argv, timeout=_PROBE_TIMEOUT, cwd="/").ok


def _memory_file(content: bytes, files: ExitStack) -> int:
    """A file without a name, ready to be read from its start."""
    file = files.enter_context(os.fdopen(os.memfd_create("wpk"), "wb", buffering=0))
    view = memoryview(content)
    while view:
        view = view[file.write(view) :]
    file.seek(0)
    return file.fileno()
