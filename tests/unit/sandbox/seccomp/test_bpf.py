"""The filter is executed here as the kernel would, instruction by instruction, for every call that there is."""

import errno
import json
import platform
import struct
import subprocess
import sys

import pytest

from wpk_sandbox.sandbox.seccomp.bpf import ALLOW, ARCHITECTURES, ERRNO, USER_NOTIF, filter_program
from wpk_sandbox.sandbox.seccomp.numbers import NUMBERS
from wpk_sandbox.sandbox.seccomp.table import ALLOWED, CONDITIONS, DENIED, OBSOLETE

EPERM, ENOSYS = ERRNO | errno.EPERM, ERRNO | errno.ENOSYS
MACHINES = sorted(ARCHITECTURES)
CONDITIONAL = {condition.call for condition in CONDITIONS}
LIMIT = 64  # more instructions than this for one call would be felt


def verdict(program: bytes, number: int, *arguments: int, audit: int) -> int:
    """Run classic BPF over a `struct seccomp_data` (linux/filter.h: only what the filter may use)."""
    data = struct.pack("=IIQ6Q", number, audit, 0, *(arguments + (0,) * (6 - len(arguments))))
    instructions = list(struct.iter_unpack("=HBBI", program))
    register, at = 0, 0
    for _ in range(LIMIT):
        code, if_true, if_false, constant = instructions[at]
        at += 1
        if code == 0x06:
            return constant
        if code == 0x20:
            (register,) = struct.unpack_from("=I", data, constant)
        elif code == 0x54:
            register &= constant
        elif code == 0x05:
            at += constant
        else:
            holds = {0x15: register == constant, 0x35: register >= constant}[code]
            at += if_true if holds else if_false
    raise AssertionError("the filter does not come to an end")


def asked(machine: str, call: str | int, *arguments: int, notify: bool = False) -> int:
    number = call if isinstance(call, int) else NUMBERS[machine][call]
    program = filter_program(machine, notify=notify)
    return verdict(program, number, *arguments, audit=ARCHITECTURES[machine])


def test_every_call_is_in_the_table_exactly_once() -> None:
    known = {name for numbers in NUMBERS.values() for name in numbers}
    denied = [call for denial in DENIED for call in denial.calls]
    listed = [*ALLOWED, *OBSOLETE, *denied, *CONDITIONAL]
    assert sorted(listed) == sorted(known)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("notify", [False, True])
def test_the_program_says_of_every_number_what_the_table_says(machine: str, notify: bool) -> None:
    program = filter_program(machine, notify=notify)
    expected = dict.fromkeys(ALLOWED, ALLOW)
    for denial in DENIED:
        telling = notify and not denial.quiet and denial.errno == errno.EPERM
        expected |= dict.fromkeys(denial.calls, USER_NOTIF if telling else ERRNO | denial.errno)
    names = {number: name for name, number in NUMBERS[machine].items()}
    wrong = {}
    for number in range(1024):
        name = names.get(number, "")
        if name not in CONDITIONAL:
            said = verdict(program, number, audit=ARCHITECTURES[machine])
            if said != expected.get(name, ENOSYS):
                wrong[number, name] = hex(said)
    assert not wrong


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    "call",
    [
        *(
            "ptrace",
            "process_vm_readv",
            "process_vm_writev",
            "pidfd_getfd",
            "userfaultfd",
            "bpf",
            "perf_event_open",
        ),
        *("io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl", "add_key", "request_key"),
        *(
            "unshare",
            "setns",
            "mount",
            "umount2",
            "fsopen",
            "move_mount",
            "open_tree",
            "mount_setattr",
            "pivot_root",
        ),
        *("chroot", "reboot", "kexec_load", "init_module", "finit_module", "syslog", "settimeofday", "quotactl"),
        *("open_by_handle_at", "name_to_handle_at", "swapon", "acct", "sethostname", "fanotify_init"),
    ],
)
def test_what_the_security_model_names_is_refused(machine: str, call: str) -> None:
    assert asked(machine, call) == EPERM


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("call", ["clone3", "memfd_secret", "statmount", "listmount"])
def test_what_libraries_try_first_does_not_exist(machine: str, call: str) -> None:
    assert asked(machine, call) == asked(machine, call, notify=True) == ENOSYS


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("call", "arguments", "allowed"),
    [
        # linux/sched.h: fork, a thread, vfork; a new user namespace, and each other one.
        ("clone", (17,), True),
        ("clone", (0x3D0F00,), True),
        ("clone", (0x4111,), True),
        *(("clone", (1 << bit | 17,), False) for bit in (17, 25, 26, 27, 28, 29, 30)),
        ("clone", (0xDEAD_0000_0000_0011,), True),  # the kernel looks at the lower half only
        ("clone", (0xDEAD_0000_1000_0011,), False),
        # sys/socket.h: UNIX; TCP with SOCK_CLOEXEC; UDP; raw; SCTP's type; NETLINK_ROUTE, NETLINK_NETFILTER.
        ("socket", (1, 1, 0), True),
        ("socket", (1, 5, 0), True),
        ("socket", (2, 1 | 0o2000000, 6), True),
        ("socket", (10, 2 | 0o4000, 17), True),
        ("socket", (2, 3, 1), False),
        ("socket", (2, 5, 132), False),
        ("socket", (2, 1, 132), False),
        ("socket", (2, 2, 136), False),
        ("socket", (10, 1, 262), True),
        ("socket", (10, 3, 58), False),
        ("socket", (16, 3, 0), True),
        ("socket", (16, 3, 12), False),
        # PACKET, KEY, TIPC, ALG, NFC, VSOCK, XDP, and a family that is yet to come.
        *(("socket", (family, 1, 0), False) for family in (0, 17, 15, 30, 38, 39, 40, 44, 99, 0xFFFF_FFFF)),
        ("socketpair", (1, 1, 0), True),
        ("socketpair", (30, 1, 0), False),
        # linux/personality.h: as it is; ask; ADDR_NO_RANDOMIZE; READ_IMPLIES_EXEC.
        ("personality", (0,), True),
        ("personality", (0xFFFF_FFFF,), True),
        ("personality", (0x0040000,), False),
        ("personality", (0x0400000,), False),
        # A pipe and a plain file; a disk and a character device.
        ("mknodat", (0xFFFF_FF9C, 0, 0o010644), True),
        ("mknodat", (0xFFFF_FF9C, 0, 0o100644), True),
        ("mknodat", (0xFFFF_FF9C, 0, 0o060644), False),
        ("mknodat", (0xFFFF_FF9C, 0, 0o020644), False),
    ],
)
def test_arguments_decide(machine: str, call: str, arguments: tuple[int, ...], allowed: bool) -> None:
    assert asked(machine, call, *arguments) == (ALLOW if allowed else EPERM)
    assert asked(machine, call, *arguments, notify=True) == (ALLOW if allowed else USER_NOTIF)


@pytest.mark.parametrize("machine", MACHINES)
def test_without_a_network_only_local_sockets_are_left(machine: str) -> None:
    program, number = filter_program(machine, network=False), NUMBERS[machine]["socket"]
    assert verdict(program, number, 1, 1, 0, audit=ARCHITECTURES[machine]) == ALLOW
    for family in (2, 10, 16):
        assert verdict(program, number, family, 1, 0, audit=ARCHITECTURES[machine]) == EPERM


def test_old_mknod_is_judged_by_its_second_argument() -> None:
    assert asked("x86_64", "mknod", 0, 0o010644) == ALLOW
    assert asked("x86_64", "mknod", 0, 0o060644) == EPERM


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_of_another_architecture_are_refused(machine: str) -> None:
    i386, arm = 0x4000_0003, 0x4000_0028
    (other,) = (audit for name, audit in ARCHITECTURES.items() if name != machine)
    for audit in (i386, arm, other):
        number = NUMBERS[machine]["read"]
        assert verdict(filter_program(machine), number, audit=audit) == EPERM
        assert verdict(filter_program(machine, notify=True), number, audit=audit) == USER_NOTIF


def test_calls_of_the_x32_interface_are_refused() -> None:
    assert asked("x86_64", 0x4000_0000 | NUMBERS["x86_64"]["read"]) == EPERM


def test_a_machine_without_a_table_is_an_error() -> None:
    with pytest.raises(ValueError, match="riscv64"):
        filter_program("riscv64")


@pytest.mark.parametrize("machine", MACHINES)
def test_numbers_agree_with_libseccomp(machine: str) -> None:
    ctypes = pytest.importorskip("ctypes")
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        pytest.skip("libseccomp is not installed")
    unknown = -1
    for name, number in NUMBERS[machine].items():
        said = library.seccomp_syscall_resolve_name_arch(
            ctypes.c_uint32(ARCHITECTURES[machine]), ctypes.c_char_p(name.encode())
        )
        # Below zero is a call that its release does not know yet, or that this architecture never had.
        assert said in (number, unknown) or said < unknown, name


INSTALL_AND_TRY = """
import ctypes, json, os, resource, subprocess, sys
program = bytes.fromhex(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Program(len(program) // 8, program))) == 0, os.strerror(ctypes.get_errno())
def tried(number, *arguments):
    ctypes.set_errno(0)
    libc.syscall(number, *[ctypes.c_long(each) for each in arguments])
    return ctypes.get_errno()
numbers = json.loads(sys.argv[2])
print(json.dumps({
    "refused": {name: tried(number, *arguments) for name, (number, *arguments) in numbers.items()},
    "programs": subprocess.run(["sh", "-c", sys.argv[3]], capture_output=True, text=True).stdout,
    "thread": __import__("concurrent.futures").futures.ThreadPoolExecutor(1).submit(lambda: "ran").result(),
}))
"""


@pytest.mark.skipif(platform.machine() not in ARCHITECTURES, reason="no table for this machine")
def test_the_kernel_takes_the_filter_and_programs_work_under_it() -> None:
    """Arguments are chosen so that without the filter each call fails with another error than EPERM, or is harmless."""
    numbers = NUMBERS[platform.machine()]
    calls = {
        "unshare": (numbers["unshare"], 0),
        "keyctl": (numbers["keyctl"], 0, 0, 0),
        "bpf": (numbers["bpf"], 9999, 0, 0),
        "ptrace": (numbers["ptrace"], 9999, 0, 0, 0),
        "socket of ALG": (numbers["socket"], 38, 5, 0),
        "unknown": (1023,),
        "clone3": (numbers["clone3"], 0, 0),
    }
    script = "echo a | cat; ls / >/dev/null && echo listed; (exit 3); echo $?"
    argv = [sys.executable, "-c", INSTALL_AND_TRY]
    closed = _ran([*argv, filter_program(platform.machine()).hex(), json.dumps(calls), script])
    assert closed["refused"] == {
        **dict.fromkeys(calls, errno.EPERM),
        "unknown": errno.ENOSYS,
        "clone3": errno.ENOSYS,
    }
    assert closed["programs"] == "a\nlisted\n3\n"
    assert closed["thread"] == "ran"
    allow_all = struct.pack("=HBBI", 0x06, 0, 0, ALLOW).hex()
    open_ = _ran([*argv, allow_all, json.dumps(calls), script])["refused"]
    assert errno.EPERM not in {open_[name] for name in ("unshare", "keyctl", "clone3")}, open_


def _ran(argv: list[str]) -> dict:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
