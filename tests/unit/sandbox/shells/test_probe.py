from wpk_sandbox.sandbox.sandbox import Limits
from wpk_sandbox.sandbox.shells import probe

CLOSED = """\
uid\t65532
CapPrm:\t0000000000000000
CapEff:\t0000000000000000
CapBnd:\t0000000000000400
CapAmb:\t0000000000000000
NoNewPrivs:\t1
root\tro,relatime
tmp\trw,nosuid,nodev,noexec,relatime,size=102400k
interface\tlo
root write\tno
tmp program\tno
memory.max\t1073741824
pids.max\t100
"""


def held(answers: str, *, allowed: tuple[str, ...] = ("NET_BIND_SERVICE",)) -> dict[str, bool]:
    read = probe.Answers(answers)
    found = [
        *probe.common_evidence(read, allowed=allowed),
        probe.network_evidence(read),
        *probe.group_limits_evidence(read, Limits()),
    ]
    return {item.probe: item.held for item in found}


def opened(before: str, after: str) -> set[str]:
    assert before in CLOSED
    return {name for name, holds in held(CLOSED.replace(before, after)).items() if not holds}


def test_closed_shell_holds_in_everything() -> None:
    assert set(held(CLOSED).values()) == {True}


def test_each_opening_is_told_by_its_own_probe() -> None:
    assert opened("uid\t65532", "uid\t0") == {"user"}
    assert opened("CapEff:\t0000000000000000", "CapEff:\t0000000000000001") == {"capabilities"}
    assert opened("CapAmb:\t0000000000000000", "CapAmb:\t0000000000000400") == {"capabilities"}
    assert opened("CapBnd:\t0000000000000400", "CapBnd:\t00000000a80425fb") == {"capabilities"}
    assert opened("CapBnd:\t0000000000000400", "CapBnd:\tnonsense") == {"capabilities"}
    assert opened("NoNewPrivs:\t1", "NoNewPrivs:\t0") == {"new privileges"}
    assert opened("root\tro", "root\trw") == {"root file system"}
    assert opened("root write\tno", "root write\tyes") == {"root file system"}
    assert opened("noexec,", "") == {"/tmp"}
    assert opened("tmp program\tno", "tmp program\tyes") == {"/tmp"}
    assert opened("interface\tlo", "interface\tlo\ninterface\teth0") == {"network"}
    assert opened("root write", "socket\t/run/docker.sock\nroot write") == {"daemon sockets"}
    assert opened("memory.max\t1073741824", "memory.max\tmax") == {"memory limit"}
    assert opened("memory.max\t1073741824", "memory/memory.limit_in_bytes\t9223372036854771712") == {"memory limit"}
    assert opened("pids.max\t100", "pids/pids.max\t101") == {"process limit"}


def test_older_control_groups_are_read_too() -> None:
    older = CLOSED.replace("memory.max", "memory/memory.limit_in_bytes").replace("pids.max", "pids/pids.max")
    assert set(held(older).values()) == {True}


def test_capability_that_was_not_allowed_may_not_be_obtainable() -> None:
    assert held(CLOSED, allowed=())["capabilities"] is False


def test_capabilities_have_their_kernel_numbers() -> None:
    assert probe.capabilities("0000000000200001") == {"CHOWN", "SYS_ADMIN"}
    assert probe.capabilities("0000010000000000") == {"CHECKPOINT_RESTORE"}
    assert probe.capabilities("0000020000000000") == {"unknown"}
    assert probe.capabilities("") is None


def test_files_on_a_disk_are_told_from_those_in_memory() -> None:
    memory = "in memory\t/tmp\nin memory\t/workspace\n"
    held = probe.storage_evidence(probe.Answers(memory))
    assert (held.held, held.seen) == (True, "in memory alone: /tmp, /workspace")
    disk = probe.storage_evidence(probe.Answers(f"{memory}on disk\t/data ext4\n"))
    assert (disk.held, disk.seen) == (False, "on a disk: /data ext4")
    assert not probe.storage_evidence(probe.Answers("")).held


def test_the_hosts_files_and_the_kernels_switches_are_named_where_they_are_open() -> None:
    opened = probe.Answers("uid\t65532\nhost tells\t/proc/kcore\nkernel write\t/proc/sysrq-trigger\n")
    (switches,) = [each for each in probe.common_evidence(opened) if each.probe == "kernel's switches"]
    assert (switches.held, "/proc/sysrq-trigger" in switches.seen) == (False, True)
    files = probe.host_files_evidence(opened)
    assert (files.held, files.seen) == (False, "/proc/kcore")
    closed = probe.Answers("uid\t65532\n")
    assert probe.host_files_evidence(closed).held
    assert not probe.host_files_evidence(probe.Answers("")).held


def test_the_gates_device_is_no_network_where_there_is_a_gate() -> None:
    answers = probe.Answers("uid\t65532\ninterface\tlo\ninterface\twpk0\n")
    assert probe.network_evidence(answers, device="wpk0").held
    assert not probe.network_evidence(answers).held
    other = probe.Answers("uid\t65532\ninterface\tlo\ninterface\teth0\n")
    assert not probe.network_evidence(other, device="wpk0").held
