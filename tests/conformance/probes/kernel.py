"""Parts of the kernel that no runbook needs: numbers 4, 7, 8 and 13."""

import ctypes
import errno
import mmap
import os
import platform
import signal
import socket
import struct
import time

from probes.trying import AbsentError, Given, attempt, call, past

PTRACE_ATTACH, PTRACE_DETACH, PTRACE_SEIZE = 16, 17, 0x4206
OF_PROCESS = -2  # KEY_SPEC_PROCESS_KEYRING: it goes with the process


@attempt("ptrace-child")
def ptrace_child(_: Given) -> str:
    child = os.fork()
    if child == 0:
        time.sleep(30)
        os._exit(0)
    try:
        call("ptrace", PTRACE_ATTACH, child, 0, 0)
        return f"attached to process {child}"
    finally:
        os.kill(child, signal.SIGKILL)


@attempt("ptrace-first")
def ptrace_first(_: Given) -> str:
    call("ptrace", PTRACE_SEIZE, 1, 0, 0)
    return "seized process 1"


@attempt("read-memory-first")
def read_memory_first(_: Given) -> str:
    """From an address that nobody has, which is looked at once the right to is given."""
    vector = ctypes.create_string_buffer(struct.pack("<QQ", 4096, 8))
    return past(lambda: call("process_vm_readv", 1, vector, 1, vector, 1, 0), errno.EFAULT, errno.EIO)


@attempt("write-memory-first")
def write_memory_first(_: Given) -> str:
    os.open("/proc/1/mem", os.O_RDWR)
    return "opened /proc/1/mem for writing"


@attempt("take-descriptor-first")
def take_descriptor_first(_: Given) -> str:
    process = call("pidfd_open", 1, 0)
    return f"descriptor {call('pidfd_getfd', process, 0, 0)} is process 1's"


@attempt("keyctl")
def keyctl(_: Given) -> str:
    return f"keyring {call('keyctl', 0, OF_PROCESS, 1)}"


@attempt("add-key")
def add_key(_: Given) -> str:
    return f"key {call('add_key', b'user', b'wpk-conformance', b'x', 1, OF_PROCESS)}"


@attempt("request-key")
def request_key(_: Given) -> str:
    return past(lambda: call("request_key", b"user", b"wpk-nobody-has-it", 0, 0), errno.ENOKEY)


@attempt("bpf")
def bpf(_: Given) -> str:
    """A map of one number."""
    attributes = ctypes.create_string_buffer(struct.pack("<5I", 2, 4, 4, 1, 0), 72)
    return f"descriptor {call('bpf', 0, attributes, 72)}"


@attempt("perf")
def perf(_: Given) -> str:
    """The time that it takes itself, kernel and hypervisor excluded."""
    attributes = ctypes.create_string_buffer(struct.pack("<IIQQQQQ", 1, 112, 0, 0, 0, 0, 0b1100001), 112)
    return f"descriptor {call('perf_event_open', attributes, 0, -1, -1, 0)}"


@attempt("userfaultfd")
def userfaultfd(_: Given) -> str:
    """UFFD_USER_MODE_ONLY, which asks for no right."""
    return f"descriptor {call('userfaultfd', 1)}"


@attempt("io-uring")
def io_uring(_: Given) -> str:
    return f"descriptor {call('io_uring_setup', 1, ctypes.create_string_buffer(120))}"


@attempt("socket-alg")
def socket_alg(_: Given) -> str:
    with socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET) as opened:
        return f"descriptor {opened.fileno()}"


@attempt("socket-vsock")
def socket_vsock(_: Given) -> str:
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as opened:
        return f"descriptor {opened.fileno()}"


@attempt("calls-of-32-bits")
def calls_of_32_bits(_: Given) -> str:
    """unshare(CLONE_NEWUSER) by the interrupt of 32-bit programs, past a filter that knows the 64-bit numbers only.

    With flags that the kernel refuses: -EINVAL comes from unshare itself.
    """
    if platform.machine() != "x86_64":
        raise AbsentError("only x86 has it")
    # push rbx; mov eax, 310; mov ebx, 1; int 0x80; pop rbx; ret
    code = b"\x53\xb8\x36\x01\x00\x00\xbb\x01\x00\x00\x00\xcd\x80\x5b\xc3"
    memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    result = ctypes.CFUNCTYPE(ctypes.c_int)(address)()
    if result == -errno.EINVAL:
        return "EINVAL: refused for its arguments only"
    raise OSError(-result, "refused", "unshare(2) of 32 bits")


@attempt("calls-of-x32")
def calls_of_x32(_: Given) -> str:
    if platform.machine() != "x86_64":
        raise AbsentError("only x86 has it")
    return past(lambda: call(0x40000000 | 272, 1), errno.EINVAL)


@attempt("kernel-log")
def kernel_log(_: Given) -> str:
    return f"{call('syslog', 3, ctypes.create_string_buffer(64), 64)} bytes of the kernel's log"


@attempt("set-clock")
def set_clock(_: Given) -> str:
    """ADJ_TICK of nothing, which is no rate that a clock can have."""
    return past(lambda: call("adjtimex", ctypes.create_string_buffer(struct.pack("<I", 0x4000), 256)), errno.EINVAL)


@attempt("reboot")
def reboot(_: Given) -> str:
    """Without the numbers that say one means it."""
    return past(lambda: call("reboot", 0, 0, 0, 0), errno.EINVAL)


@attempt("load-module")
def load_module(_: Given) -> str:
    return past(lambda: call("init_module", 0, 0, b""), errno.EFAULT, errno.ENOEXEC, errno.EINVAL)


@attempt("load-module-file")
def load_module_file(_: Given) -> str:
    return past(lambda: call("finit_module", -1, b"", 0), errno.EBADF)


@attempt("remove-module")
def remove_module(_: Given) -> str:
    return past(lambda: call("delete_module", b"wpk_nobody_has_it", os.O_NONBLOCK), errno.ENOENT)


@attempt("load-kernel")
def load_kernel(_: Given) -> str:
    return past(lambda: call("kexec_load", 0, 10**6, 0, 0), errno.EINVAL)


@attempt("ports")
def ports(_: Given) -> str:
    return f"returned {call('iopl', 3)}"


@attempt("swap")
def swap(_: Given) -> str:
    return past(lambda: call("swapon", b"/nowhere", 0), errno.ENOENT)


@attempt("accounting")
def accounting(_: Given) -> str:
    return past(lambda: call("acct", b"/nowhere"), errno.ENOENT)


@attempt("host-name-set")
def host_name_set(_: Given) -> str:
    return past(lambda: call("sethostname", b"x", -1), errno.EINVAL)


@attempt("open-by-handle")
def open_by_handle(_: Given) -> str:
    """Files of the host by their number, past every root; with a handle that is none."""
    return past(lambda: call("open_by_handle_at", -100, struct.pack("<Ii", 0, 0), 0), errno.EINVAL)


@attempt("watch-all-files")
def watch_all_files(_: Given) -> str:
    return f"descriptor {call('fanotify_init', 4, 0)}"


@attempt("priority")
def priority(_: Given) -> str:
    os.setpriority(os.PRIO_PROCESS, 0, -20)
    return "runs before all others"
