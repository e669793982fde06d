"""Kernels are found by their header, and modules are loaded after those that they need."""

import gzip
import lzma
import struct
from pathlib import Path

import pytest

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.shells.qemu.kernel import REQUIRED, find_kernel, load_order

VERSION = "6.1.0-56-cloud-amd64"


def header(version: str = VERSION) -> bytes:
    """The first bytes of a kernel that says this version of itself."""
    start = 0x3000
    words = f"{version} (builder) #1 SMP".encode()
    content = bytearray(0x8000)
    content[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", content, 0x20E, start - 0x200)
    content[start : start + len(words)] = words
    return bytes(content)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot/vmlinuz").write_bytes(header())
    (tmp_path / "lib/modules" / VERSION / "kernel/drivers").mkdir(parents=True)
    return tmp_path


def module(root: Path, name: str, *needed: str, packed: str = "") -> None:
    content = b"\x7fELF\0license=GPL\0depends=" + ",".join(needed).encode() + b"\0name=" + name.encode() + b"\0"
    if packed == ".xz":
        content = lzma.compress(content)
    elif packed == ".gz":
        content = gzip.compress(content)
    (root / "lib/modules" / VERSION / "kernel/drivers" / f"{name}.ko{packed}").write_bytes(content)


def found(root: Path) -> list[str]:
    return [name for name, _ in load_order(find_kernel(str(root / "boot/vmlinuz")))]


def test_version_and_modules_are_found_beside_the_kernel(root: Path) -> None:
    kernel = find_kernel(str(root / "boot/vmlinuz"))
    assert (kernel.version, kernel.modules) == (VERSION, root / "lib/modules" / VERSION)


def test_modules_come_after_what_they_need_and_once(root: Path) -> None:
    module(root, "virtio_pci", "virtio-ring", "virtio")
    module(root, "virtio-ring", "virtio", packed=".xz")
    module(root, "virtio", packed=".gz")
    for name in REQUIRED[1:]:
        module(root, name, "virtio")
    names = found(root)
    assert sorted(names) == sorted({f"{name}.ko" for name in (*REQUIRED, "virtio", "virtio_ring")})
    assert names.index("virtio.ko") < names.index("virtio_ring.ko") < names.index("virtio_pci.ko")


def test_content_is_unpacked(root: Path) -> None:
    for name in REQUIRED:
        module(root, name, packed=".xz")
    contents = [content for _, content in load_order(find_kernel(str(root / "boot/vmlinuz")))]
    assert all(content.startswith(b"\x7fELF") for content in contents)


def test_kernel_without_a_disk_driver_is_refused_by_its_name(root: Path) -> None:
    for name in set(REQUIRED) - {"virtio_blk"}:
        module(root, name)
    with pytest.raises(SandboxError, match=r"6\.1\.0-56-cloud-amd64 has no virtio_blk"):
        found(root)


def test_what_is_built_in_needs_no_module(root: Path) -> None:
    for name in set(REQUIRED) - {"virtio_blk"}:
        module(root, name)
    (root / "lib/modules" / VERSION / "modules.builtin").write_text("kernel/drivers/block/virtio_blk.ko\n")
    assert "virtio_blk.ko" not in found(root)


@pytest.mark.parametrize("content", [b"", b"not a kernel" * 1000], ids=["empty", "text"])
def test_another_file_is_no_kernel(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "vmlinuz").write_bytes(content)
    with pytest.raises(SandboxError, match="is not a Linux kernel"):
        find_kernel(str(tmp_path / "vmlinuz"))


def test_missing_kernel_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="No such file") as raised:
        find_kernel(str(tmp_path / "vmlinuz"))
    assert "vm.kernel" in raised.value.remedy
