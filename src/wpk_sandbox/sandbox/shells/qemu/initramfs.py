"""The guest's first file system: busybox, the agent, the modules and the settings, as one archive in memory.

Its form is the "new ASCII" one of cpio,
https://www.kernel.org/doc/html/latest/driver-api/early-userspace/buffer-format.html.
"""

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

from wpk_sandbox import command
from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.shells.qemu.kernel import Kernel, load_order

REMEDY = "`apt install busybox-static`, or your system's equivalent"

_FOLDER, _PROGRAM, _FILE, _LINK = 0o040755, 0o100755, 0o100644, 0o120777
_FOLDERS = ("bin", "dev", "modules", "proc", "sys")
# What the agent calls of busybox. To let it make all of its links itself takes a tenth of a second, emulated.
_APPLETS = """
cat chroot env head hostname insmod ip kill ln mkdir mkfifo mount mv nsenter poweroff rm sh sleep stat uname unshare
usleep
"""
_INTERPRETER = 3  # PT_INTERP of elf(5): a program that needs a loader beside it


def initramfs(kernel: Kernel, settings: Mapping[str, object]) -> bytes:
    """The archive. `settings` become variables of the agent. Raises `SandboxError` when something is missing."""
    modules = load_order(kernel)
    order = "".join(f"{name}\n" for name, _ in modules)
    words = "".join(f"{name}={value}\n" for name, value in settings.items())
    entries = [
        *((name, _FOLDER, b"") for name in _FOLDERS),
        ("bin/busybox", _PROGRAM, busybox().read_bytes()),
        *((f"bin/{name}", _LINK, b"busybox") for name in _APPLETS.split()),
        ("init", _PROGRAM, Path(__file__).with_name("agent.sh").read_bytes()),
        ("settings", _FILE, words.encode()),
        ("modules/order", _FILE, order.encode()),
        *((f"modules/{name}", _FILE, content) for name, content in modules),
        ("TRAILER!!!", 0, b""),
    ]
    return b"".join(part for number, entry in enumerate(entries, 1) for part in _entry(number, *entry))


def busybox() -> Path:
    """The host's busybox, if it stands alone. Raises `SandboxError` with the remedy."""
    found = command.find("busybox")
    if found is None:
        raise SandboxError("busybox is not installed", REMEDY)
    try:
        alone = _stands_alone(Path(found))
    except (OSError, struct.error) as error:
        raise SandboxError(f"{found} cannot be read: {error}", REMEDY) from error
    if not alone:
        raise SandboxError(f"{found} needs libraries, which the guest does not have", REMEDY)
    return Path(found)


def _stands_alone(path: Path) -> bool:
    """True for a program of 64 bits without a loader, by its program headers (elf(5))."""
    with path.open("rb") as file:
        head = file.read(4096)
    if head[:5] != b"\x7fELF\x02":
        return False
    (table,) = struct.unpack_from("<Q", head, 32)
    size, count = struct.unpack_from("<HH", head, 54)
    kinds = [struct.unpack_from("<I", head, table + number * size)[0] for number in range(count)]
    return _INTERPRETER not in kinds


def _entry(number: int, name: str, mode: int, content: bytes) -> Iterator[bytes]:
    path = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(path), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + path
    yield head + bytes(-len(head) % 4)
    yield content + bytes(-len(content) % 4)
