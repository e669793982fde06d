"""The guest's first files, as a cpio archive; and a busybox that stands alone."""

import re
import struct
from pathlib import Path

import pytest

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.shells.qemu.initramfs import busybox, initramfs
from wpk_sandbox.sandbox.shells.qemu.kernel import Kernel

# Of a shell, whichever it is.
BUILT_IN = {
    "cd",
    "case",
    "do",
    "done",
    "echo",
    "exec",
    "exit",
    "export",
    "fi",
    "for",
    "if",
    "printf",
    "read",
    "set",
}
BUILT_IN |= {"shift", "then", "else", "until", "wait", "while"}


def program(folder: Path, *kinds: int) -> Path:
    """A program of 64 bits with program headers of these kinds."""
    head = bytearray(b"\x7fELF\x02\x01\x01".ljust(64, b"\0"))
    struct.pack_into("<Q", head, 32, 64)
    struct.pack_into("<HH", head, 54, 56, len(kinds))
    path = folder / "busybox"
    path.write_bytes(bytes(head) + b"".join(struct.pack("<I", kind).ljust(56, b"\0") for kind in kinds))
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def own_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def entries(archive: bytes) -> dict[str, tuple[int, bytes]]:
    """Read as the kernel reads it: each entry padded to four bytes, up to the trailer."""
    found: dict[str, tuple[int, bytes]] = {}
    at = 0
    while True:
        assert archive[at : at + 6] == b"070701"
        fields = [int(archive[at + 6 + 8 * number : at + 14 + 8 * number], 16) for number in range(13)]
        mode, size, length = fields[1], fields[6], fields[11]
        name = archive[at + 110 : at + 110 + length - 1].decode()
        at += 110 + length + -(110 + length) % 4
        if name == "TRAILER!!!":
            return found
        found[name] = (mode, archive[at : at + size])
        at += size + -size % 4


def test_archive_holds_the_agent_busybox_and_the_settings(tmp_path: Path) -> None:
    path = program(tmp_path, 1, 2)
    found = entries(initramfs(Kernel(tmp_path, "6.1", tmp_path), {"TMP": 5, "HOST": "wpk"}))
    assert found["bin/busybox"] == (0o100755, path.read_bytes())
    assert found["settings"] == (0o100644, b"TMP=5\nHOST=wpk\n")
    assert found["init"][1].startswith(b"#!/bin/busybox sh\n")
    assert found["modules/order"] == (0o100644, b"")
    assert found["proc"][0] == 0o040755
    assert found["bin/sh"] == (0o120777, b"busybox")


def test_every_program_that_the_agent_calls_is_there(tmp_path: Path) -> None:
    program(tmp_path, 1, 2)
    found = entries(initramfs(Kernel(tmp_path, "6.1", tmp_path), {}))
    known = {name.removeprefix("bin/") for name in found if name.startswith("bin/")}
    called = set(re.findall(r"(?m)^\s*(?:until |exec |\()?([a-z]+) (?!\(\))", found["init"][1].decode()))
    functions = set(re.findall(r"(?m)^(\w+)\(\) ", found["init"][1].decode()))
    assert called - functions - BUILT_IN <= known
    assert "mount" in called, "the control is called"


def test_busybox_that_stands_alone_is_taken(tmp_path: Path) -> None:
    path = program(tmp_path, 1, 2)
    assert busybox() == path


def test_busybox_with_a_loader_is_refused_with_the_remedy(tmp_path: Path) -> None:
    program(tmp_path, 1, 3)
    with pytest.raises(SandboxError, match="needs libraries") as raised:
        busybox()
    assert "busybox-static" in raised.value.remedy


def test_missing_busybox_is_said() -> None:
    with pytest.raises(SandboxError, match="busybox is not installed"):
        busybox()
