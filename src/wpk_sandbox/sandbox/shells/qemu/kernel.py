"""The guest's kernel: where it is, which version it is, and the modules that the guest must load to come up."""

import gzip
import lzma
import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wpk_sandbox import command
from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.shells.qemu import cache

# What a guest needs to see its disk, its ports, the image and a layer above it.
REQUIRED = ("virtio_pci", "virtio_blk", "virtio_console", "squashfs", "overlay")
# For the record of what commands try to reach; done without where it is missing.
WANTED = ("tun",)

REMEDY = "`apt install linux-image-cloud-amd64`, or name a kernel with the setting `vm.kernel`"

# https://www.kernel.org/doc/html/latest/arch/x86/boot.html: where the header keeps the offset of the version.
_MAGIC_AT, _MAGIC, _VERSION_AT = 0x202, b"HdrS", 0x20E
_DEPENDS = re.compile(rb"\0depends=([^\0]*)\0")
_UNPACK_TIMEOUT = 20.0


@dataclass(frozen=True)
class Kernel:
    """A bootable kernel, and the folder of its modules, which may be missing when it has all built in."""

    path: Path
    version: str
    modules: Path


def find_kernel(asked: str = "") -> Kernel:
    """The kernel that was asked for, else the best on this host: one made for clouds before others, newest first.

    Raises `SandboxError` with the remedy when there is none that can be read.
    """
    if asked:
        return _kernel(Path(asked))
    unreadable = ""
    for path in _candidates():
        try:
            return _kernel(path)
        except SandboxError as error:
            unreadable = unreadable or f"; {error}"
    raise SandboxError(f"there is no Linux kernel for the guest in /boot{unreadable}", REMEDY)


def load_order(kernel: Kernel) -> list[tuple[str, bytes]]:
    """File names and contents of the modules to load, each after those that it depends on.

    Raises `SandboxError` when the kernel lacks one of `REQUIRED`.
    """
    files = {_plain(path.name): path for path in _module_files(kernel.modules)}
    built_in = {_plain(line) for line in _lines(kernel.modules / "modules.builtin")}
    ordered: dict[str, bytes] = {}
    for name in (*REQUIRED, *WANTED):
        if files and name not in files and name not in built_in and name in REQUIRED:
            raise SandboxError(f"the kernel {kernel.version} has no {name}", REMEDY)
        _add(name, files, ordered)
    return [(f"{name}.ko", content) for name, content in ordered.items()]


def _add(name: str, files: dict[str, Path], ordered: dict[str, bytes]) -> None:
    if name not in files or name in ordered:
        return
    content = _unpacked(files[name])
    found = _DEPENDS.search(content)
    for needed in found.group(1).decode("ascii", "replace").split(",") if found else ():
        _add(_plain(needed), files, ordered)
    ordered[name] = content


def _candidates() -> list[Path]:
    found = [
        path for folder in (cache.folder() / "kernel/boot", Path("/boot")) for path in folder.glob("vmlinuz-*")
    ]
    return sorted(found, key=lambda path: ("cloud" in path.name, _numbers(path.name)), reverse=True)


def _numbers(name: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", name)]


def _kernel(path: Path) -> Kernel:
    try:
        with path.open("rb") as file:
            header = file.read(0x8000)
    except OSError as error:
        raise SandboxError(f"the kernel {path} cannot be read: {error.strerror}", REMEDY) from None
    if header[_MAGIC_AT : _MAGIC_AT + 4] != _MAGIC:
        raise SandboxError(f"{path} is not a Linux kernel for x86", REMEDY)
    start = struct.unpack_from("<H", header, _VERSION_AT)[0] + 0x200
    version = header[start:].partition(b" ")[0].decode("ascii", "replace")
    beside = path.resolve().parents[1] / "lib/modules" / version
    return Kernel(path, version, beside if beside.is_dir() else Path("/lib/modules", version))


def _module_files(folder: Path) -> Iterator[Path]:
    for where, _, names in os.walk(folder / "kernel"):
        yield from (Path(where, name) for name in names if ".ko" in name)


def _plain(name: str) -> str:
    """A module's name: `kernel/x/virtio-rng.ko.xz` is `virtio_rng`."""
    return name.strip().rpartition("/")[2].partition(".ko")[0].replace("-", "_")


def _unpacked(path: Path) -> bytes:
    if path.suffix == ".xz":
        return lzma.decompress(path.read_bytes())
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix == ".zst":
        return _unzstd(path)
    return path.read_bytes()


def _unzstd(path: Path) -> bytes:
    """Python 3.11 does not know Zstandard, which Ubuntu packs its modules with."""
    with path.open("rb") as packed, command.start(["zstd", "-dc"], stdin=packed) as process:
        content, words = process.communicate(timeout=_UNPACK_TIMEOUT)
    if process.returncode != 0:
        raise SandboxError(f"could not unpack {path}: {words.decode('utf-8', 'replace').strip()}")
    return content


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
