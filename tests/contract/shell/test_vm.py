"""A shell in a virtual machine: root inside, nothing of the host, gone with its run. And the ways to make one."""

import os
import signal
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from shell_suite import BUSYBOX, LIMITS, Kind, eventually, nothing_left

from wpk_sandbox import command
from wpk_sandbox.errors import InterruptedRunError, SandboxError
from wpk_sandbox.sandbox import canary
from wpk_sandbox.sandbox.sandbox import Completed, Ended, SandboxSpec, Shell, ShellAccess
from wpk_sandbox.sandbox.shells.qemu import machine, posture
from wpk_sandbox.sandbox.shells.qemu.kernel import find_kernel
from wpk_sandbox.sandbox.shells.qemu.provider import QEMU

pytestmark = pytest.mark.needs("qemu")

Run = Callable[..., Completed]
KIND = Kind(QEMU, SandboxSpec(shell_image=BUSYBOX, limits=LIMITS))
CONTENT = "a 'quoted' \"file\" with $PATH\nand ✓\n"


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    access = ShellAccess(files={"/workspace/.kube/config": CONTENT}, environment={"KUBE": "yes"})
    with replace(KIND, spec=replace(KIND.spec, access=access)).open() as opened:
        yield opened


@pytest.fixture
def sh(shell: Shell) -> Run:
    def run(command: str, timeout: float = 90, **environment: str) -> Completed:
        return shell.run(command, environment=environment, timeout=timeout)

    return run


def machines() -> set[int]:
    """The processes of QEMU that this process started, in whatever namespaces."""
    return {
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if machine.PROGRAM.encode() in _read(path) and _is_ours(int(path.parent.name))
    }


def _is_ours(process: int) -> bool:
    while process > 1:
        if process == os.getpid():
            return True
        status = _read(Path(f"/proc/{process}/status")).decode()
        process = int(status.partition("PPid:\t")[2].partition("\n")[0] or 0)
    return False


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_all_evidence_holds(shell: Shell) -> None:
    evidence = shell.evidence()
    assert [item for item in evidence if not item.held] == []
    probes = [item.probe for item in evidence]
    assert len(set(probes)) == len(probes)
    assert {"kernel of its own", "network", "disks", "folders of the host", "memory limit"} <= set(probes)
    assert "canary: DNS" in probes
    assert ("canary: host's gateway" in probes) is (canary.next_hop() is not None)


def test_the_same_probes_do_not_hold_on_this_host() -> None:
    said = command.run(["sh", "-c", posture.SCRIPT], timeout=20).stdout
    kernel = find_kernel()
    found = posture.evidence(posture.Answers(said), kernel.version, 1024**2, LIMITS)
    assert {item.probe for item in found if item.held} <= {"folders of the host", "/tmp", "daemon sockets"}


def test_evidence_is_not_held_when_nothing_could_be_measured() -> None:
    found = posture.evidence(posture.Answers(""), "6.1", 1024**2, LIMITS)
    assert {item.probe for item in found if item.held} <= {"folders of the host", "daemon sockets"}


@pytest.mark.parametrize(
    "work",
    [
        "mkdir -p /mnt && mount -t tmpfs none /mnt && umount /mnt",
        "mknod /dev/made-here c 1 3 && echo >/dev/made-here",
        "hostname other && [ $(hostname) = other ] && hostname wpk",
        "unshare -m -p -f true",
        "ip link add name made-here type dummy || ip link set lo mtu 1400",
        "echo kept >/etc/made-here && rm /etc/made-here",
        "sysctl -w vm.swappiness=11",
        "chroot / true",
    ],
)
def test_root_does_the_work_of_a_system(sh: Run, work: str) -> None:
    completed = sh(work)
    assert (completed.exit_code, completed.ended) == (0, None), completed


def test_a_mount_lasts_for_the_next_command(sh: Run) -> None:
    assert sh("mkdir -p /mnt && mount -t tmpfs none /mnt && echo there >/mnt/file").exit_code == 0
    assert sh("cat /mnt/file && umount /mnt").stdout == "there\n"


def test_what_ends_every_process_does_not_end_the_shell(sh: Run) -> None:
    sh("echo kept >file")
    assert sh("kill -9 -1; echo still here").stdout == "still here\n"
    assert sh("cat file").stdout == "kept\n"


def test_what_leaves_the_group_of_limits_is_ended_with_the_command(sh: Run) -> None:
    leave = "mkdir -p /g && mount -t cgroup2 none /g; echo 0 >/g/cgroup.procs && umount /g"
    completed = sh(f"({leave}; exec sleep 4711) & sleep 60", timeout=3)
    assert completed.ended is Ended.DEADLINE
    assert "sleep 4711" not in sh("ps").stdout


@pytest.mark.parametrize("seconds", [0.0, 0.03, 0.08, 0.15])
def test_what_had_no_time_to_begin_never_does(sh: Run, seconds: float) -> None:
    assert sh("sleep 4712", timeout=seconds).ended is Ended.DEADLINE
    assert "sleep 4712" not in sh("sleep 0.5; ps").stdout


def test_nothing_of_the_host_is_there(sh: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("canary-file")
    assert sh(f"cat {tmp_path}/secret; cat {__file__}").stdout == ""
    assert sh("cat /proc/sys/kernel/osrelease").stdout.strip() != os.uname().release
    assert len(sh("ps").stdout.splitlines()) < 8
    for path in Path("/proc").glob("[0-9]*/environ"):
        if machine.PROGRAM.encode() in _read(path.with_name("cmdline")) and b"bwrap" not in _read(
            path.with_name("cmdline")
        ):
            assert b"HOME=" not in _read(path)


def test_access_places_files_and_variables(sh: Run) -> None:
    assert sh("cat .kube/config; echo $KUBE").stdout == f"{CONTENT}yes\n"
    assert sh("ls -l .kube/config").stdout.startswith("-rw-------")


def test_seconds_of_an_emulated_processor_are_said_to_be_those(shell: Shell) -> None:
    assert shell.observed().emulated is ("emulated" in shell.details)


def test_samples_and_usage_tell_what_was_used(shell: Shell) -> None:
    shell.observed()
    shell.run("head -c 8388608 /dev/zero >/workspace/kept; sleep 1.5", environment={}, timeout=90)
    seen = shell.observed()
    times = [sample.at for sample in seen.samples]
    assert len(times) >= 2
    assert times == sorted(times)
    assert seen.samples[-1].stored >= 8 * 1024**2
    assert (seen.usage.cpu_seconds or 0) > 0
    assert (seen.usage.stored_peak or 0) >= 8 * 1024**2
    shell.run("rm /workspace/kept", environment={}, timeout=90)
    assert shell.observed().samples[-1].stored < 8 * 1024**2


@pytest.mark.parametrize("how", ["from outside", "from inside"])
def test_guest_that_died_is_booted_anew(how: str) -> None:
    before = machines()
    with KIND.open() as shell:
        shell.run("echo lost >file", environment={}, timeout=90)
        if how == "from outside":
            ours = machines() - before
            assert ours, "the control runs"
            threading.Timer(1, lambda: [_kill(process) for process in ours]).start()
            completed = shell.run("sleep 60", environment={}, timeout=90)
        else:
            completed = shell.run("echo c >/proc/sysrq-trigger", environment={}, timeout=90)
        assert completed.ended is Ended.SHELL_DIED, completed
        assert "gone" in completed.detail
        assert shell.run("cat file", environment={}, timeout=90).exit_code == 1
    assert eventually(lambda: machines() <= before)


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def test_leaving_removes_everything() -> None:
    before = machines()
    with nothing_left(KIND) as ledger:
        with suppress(RuntimeError), KIND.open(ledger) as shell:
            assert machines() - before, "the control runs"
            shell.run("sleep 1000 &", environment={}, timeout=90)
            raise RuntimeError
        assert eventually(lambda: machines() <= before)


@pytest.mark.parametrize("seconds", [0.02, 0.3, 1.5, 2.5])
def test_signal_while_it_boots_removes_everything(seconds: float) -> None:
    before = machines()

    def handle(*_: object) -> None:
        raise InterruptedRunError(signal.SIGTERM)

    usual = signal.signal(signal.SIGALRM, handle)
    try:
        with nothing_left(KIND) as ledger:
            ledger.enter("nothing", "the signal may come before anything was made", lambda: None)
            signal.setitimer(signal.ITIMER_REAL, seconds)
            with pytest.raises(InterruptedRunError), KIND.open(ledger):
                signal.pause()
        assert eventually(lambda: machines() <= before)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, usual)


def test_guest_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    script = (
        "import os, sys, time; sys.path.insert(0, sys.argv[1]); from test_vm import KIND\n"
        "with KIND.open() as shell: print('open', flush=True); time.sleep(600)"
    )
    before = machines()
    with command.start([sys.executable, "-c", script, str(Path(__file__).parent)]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        ours = machines() - before
        assert ours, "the control runs"
        os.kill(process.pid, signal.SIGKILL)
        assert eventually(lambda: not any(Path(f"/proc/{each}").exists() for each in ours))


def test_file_system_may_come_from_an_archive(tmp_path: Path) -> None:
    busybox = Path(command.find("busybox") or "busybox").read_bytes()
    with tarfile.open(tmp_path / "root.tar.gz", "w:gz") as archive:
        for name in ("bin/busybox", "bin/sh", "bin/cat"):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(busybox), 0o755
            archive.addfile(entry, BytesIO(busybox))
        entry = tarfile.TarInfo("etc/told")
        entry.size = 5
        archive.addfile(entry, BytesIO(b"here\n"))
    kind = replace(KIND, spec=replace(KIND.spec, vm_image=str(tmp_path / "root.tar.gz")))
    with kind.open() as shell:
        assert shell.run("cat /etc/told", environment={}, timeout=90).stdout == "here\n"


def test_file_that_is_no_file_system_is_refused_and_nothing_stays(tmp_path: Path) -> None:
    (tmp_path / "image").write_text("neither an archive nor squashfs")
    kind = replace(KIND, spec=replace(KIND.spec, vm_image=str(tmp_path / "image")))
    ledger = kind.ledger()
    with pytest.raises(SandboxError, match="could not make the guest's file system"), kind.open(ledger):
        pass
    assert ledger.close().left == ()


def test_kernel_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "vmlinuz").write_bytes(bytes(4096))
    reason = QEMU.why_not(replace(KIND.spec, vm_kernel=str(tmp_path / "vmlinuz")))
    assert reason is not None
    assert str(tmp_path / "vmlinuz") in reason
    assert QEMU.why_not(KIND.spec) is None, "the control can"
