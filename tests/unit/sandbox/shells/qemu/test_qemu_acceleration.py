"""Whether KVM works is told by a guest that is started, in bounded time, and once for each boot of the host."""

import secrets
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from wpk_sandbox.sandbox.shells.qemu import acceleration, machine
from wpk_sandbox.sandbox.shells.qemu.acceleration import Acceleration
from wpk_sandbox.sandbox.shells.qemu.kernel import Kernel

Guest = Callable[[str], Kernel]


@pytest.fixture
def guest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Guest:
    """Puts a script in the place of a guest, on a host that has a device; bubblewrap would not see this folder."""
    device, kernel, programs = tmp_path / "kvm", tmp_path / "vmlinuz", tmp_path / "programs"
    device.touch()
    kernel.write_bytes(b"kernel")
    programs.mkdir()
    for folder in (tmp_path, *tmp_path.parents):
        if folder.is_relative_to("/tmp/pytest-of-root"):
            folder.chmod(0o755)
    monkeypatch.setattr(machine, "KVM_DEVICE", device)
    monkeypatch.setattr(machine, "_bubblewrap", lambda *_, **__: [])
    monkeypatch.setattr(acceleration, "DEADLINE", 0.5)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{programs}:/usr/sbin:/usr/bin:/bin")

    def put(script: str) -> Kernel:
        program = programs / machine.PROGRAM
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return Kernel(kernel, "6.1.0", tmp_path)

    return put


def sleeping(seconds: int) -> bool:
    wanted = f"sleep\0{seconds}\0".encode()
    return any(_read(path) == wanted for path in Path("/proc").glob("[0-9]*/cmdline"))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_guest_that_ends_by_itself_works(guest: Guest) -> None:
    assert acceleration.acceleration(guest("exit 0")) is Acceleration.WORKS


def test_guest_that_never_begins_to_run_is_given_up_and_ended(guest: Guest) -> None:
    seconds = 10**8 + secrets.randbelow(10**8)
    assert acceleration.acceleration(guest(f"exec sleep {seconds}")) is Acceleration.HANGS
    until = time.monotonic() + 5
    while sleeping(seconds) and time.monotonic() < until:
        time.sleep(0.02)
    assert not sleeping(seconds)


def test_guest_that_cannot_be_started_does_not_work(guest: Guest) -> None:
    assert acceleration.acceleration(guest("echo 'failed to initialize kvm' >&2; exit 1")) is Acceleration.HANGS


def test_answer_holds_until_the_host_boots_again(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    assert acceleration.acceleration(guest("exit 0")) is Acceleration.WORKS
    broken = guest("exit 1")
    assert acceleration.acceleration(broken) is Acceleration.WORKS
    monkeypatch.setattr(acceleration, "_boot", lambda: "another")
    assert acceleration.acceleration(broken) is Acceleration.HANGS


def test_without_the_device_nothing_is_started(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "KVM_DEVICE", Path("/dev/no-such-device"))
    assert acceleration.acceleration(guest("exit 0")) is Acceleration.ABSENT
