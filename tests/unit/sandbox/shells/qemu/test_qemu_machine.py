"""What QEMU is asked for: nothing that leads out."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from wpk_sandbox.sandbox.shells.qemu import machine
from wpk_sandbox.sandbox.shells.qemu.machine import Machine
from wpk_sandbox.sandbox.shells.qemu.ports import NAMES, Ports

# Says each of its arguments, and what its descriptors and its environment are.
_TELLS = (
    '#!/bin/sh\nfor word; do echo "$word"; done\necho "environment $(env | grep -c SECRET)"\nulimit -c\nulimit -f\n'
)


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a program in QEMU's place is started with; bubblewrap would not see this folder."""
    program = tmp_path / machine.PROGRAM
    program.write_text(_TELLS)
    program.chmod(0o755)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.is_relative_to("/tmp/pytest-of-root"):
            folder.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/sbin:/usr/bin:/bin")
    monkeypatch.setenv("SECRET", "canary-4711")
    monkeypatch.setattr(machine, "_bubblewrap", lambda *_, **__: [])
    ports = Ports()
    wanted = Machine(b"kernel", b"initramfs", 256 * 1024**2, cores=1, accelerated=False)
    with ExitStack() as opened:
        opened.callback(ports.close)
        process = machine.start(wanted, ports.descriptors(), opened)
        words, complaints = process.communicate(timeout=20)
    assert process.returncode == 0, complaints
    return words.decode().splitlines()


def test_there_is_no_device_that_leads_out(told: list[str]) -> None:
    assert told[told.index("-nic") + 1] == "none"
    assert told[told.index("-monitor") + 1] == "none"
    assert told[told.index("-display") + 1] == "none"
    assert "-nodefaults" in told
    devices = {told[at + 1].split(",")[0] for at, word in enumerate(told) if word == "-device"}
    assert devices == {"virtio-serial-pci", "virtserialport"}
    assert not [word for word in told if word.startswith(("-net", "-fsdev", "-virtfs", "-usb", "-vnc"))]


def test_filter_denies_all_that_can_be_denied(told: list[str]) -> None:
    words = told[told.index("-sandbox") + 1].split(",")
    assert words == [
        "on",
        *(f"{group}=deny" for group in ("obsolete", "elevateprivileges", "spawn", "resourcecontrol")),
    ]


def test_each_port_has_a_descriptor_of_its_own(told: list[str]) -> None:
    descriptors = {word.rpartition("fd=")[2] for word in told if word.startswith("socket,id=port")}
    assert len(descriptors) == len(NAMES)


def test_our_environment_stays_with_us(told: list[str]) -> None:
    assert "environment 0" in told


def test_neither_files_nor_core_dumps_can_be_written(told: list[str]) -> None:
    assert told[-2:] == ["0", "0"]
