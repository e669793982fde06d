"""More rights than were given: numbers 9, 10 and 11."""

import ctypes
import errno
import os
import shutil
import stat
import struct
import subprocess
from pathlib import Path

from probes.trying import AbsentError, BlockedError, Given, attempt, call

GAINING = {"cat-as-root", "cat-with-capabilities"}


@attempt("program-of-root")
def program_of_root(_: Given) -> str:
    """A program with the set-user-ID bit, of whoever has one: the dynamic loader tells whom it runs as.

    In a process that gained rights the loader heeds no LD_SHOW_AUXV (ld.so(8)), and so prints nothing.
    """
    program = _gaining_program()
    shown = subprocess.run([program, "--help"], env={"LD_SHOW_AUXV": "1"}, capture_output=True, check=False)
    values = dict(line.split(b":", 1) for line in shown.stdout.splitlines() if line.startswith(b"AT_"))
    if not values:
        return f"{program} runs with more rights than who started it"
    user = values[b"AT_EUID"].strip().decode()
    if user == "0" and os.geteuid() != 0:
        return f"{program} runs as root"
    raise BlockedError(f"{program} runs as user {user}")


@attempt("program-with-capabilities")
def program_with_capabilities(_: Given) -> str:
    program = shutil.which("cat-with-capabilities", path="/usr/local/bin")
    if program is None:
        raise AbsentError("no program here has capabilities of its own")
    shown = subprocess.run([program, "/proc/self/status"], capture_output=True, text=True, check=False)
    if shown.returncode != 0:
        raise BlockedError(f"does not start: {shown.stderr.strip()}")
    return _more_than_none(_fields(shown.stdout))


@attempt("become-root")
def become_root(_: Given) -> str:
    os.setresuid(0, 0, 0)
    return "is root"


@attempt("become-another")
def become_another(_: Given) -> str:
    os.setgroups([0])
    return "is in the group of root"


@attempt("capabilities-held")
def capabilities_held(_: Given) -> str:
    return _more_than_none(_fields(Path("/proc/self/status").read_text()))


@attempt("capabilities-raised")
def capabilities_raised(_: Given) -> str:
    """Ask for the administration of the system and its network, as permitted and effective."""
    header = ctypes.create_string_buffer(struct.pack("<Ii", 0x20080522, 0))
    data = ctypes.create_string_buffer(struct.pack("<6I", *(1 << 12 | 1 << 21, 1 << 12 | 1 << 21, 0, 0, 0, 0)))
    return f"returned {call('capset', header, data)}"


@attempt("new-privileges")
def new_privileges(_: Given) -> str:
    if _fields(Path("/proc/self/status").read_text())["NoNewPrivs"] == "1":
        raise BlockedError("NoNewPrivs 1")
    return "a program may give new privileges"


@attempt("unfiltered-calls")
def unfiltered_calls(_: Given) -> str:
    if _fields(Path("/proc/self/status").read_text())["Seccomp"] == "2":
        raise BlockedError("Seccomp 2")
    return "no filter on system calls"


@attempt("runtime-overwritten")
def runtime_overwritten(_: Given) -> str:
    """The runtime's own program, by the link that shows it to what it starts (CVE-2019-5736)."""
    reasons = []
    for path in ("/proc/1/exe", "/proc/self/exe"):
        try:
            os.close(os.open(path, os.O_WRONLY))
        except OSError as error:
            if error.errno == errno.ETXTBSY:
                return f"{path}: busy only as long as it runs"
            reasons.append(error)
        else:
            return f"opened {path} for writing"
    raise reasons[-1]


@attempt("folder-left-open")
def folder_left_open(_: Given) -> str:
    """A folder of the host that the runtime left open (CVE-2024-21626)."""
    seen = []
    for descriptor in range(3, 256):
        try:
            mode = os.fstat(descriptor).st_mode
        except OSError:
            continue
        if stat.S_ISDIR(mode):
            return f"descriptor {descriptor} is the folder {os.readlink(f'/proc/self/fd/{descriptor}')}"
        seen.append(descriptor)
    raise BlockedError(f"{len(seen)} descriptors, and no folder among them")


def _gaining_program() -> str:
    for folder in ("/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin"):
        for path in sorted(Path(folder).glob("*")) if os.path.isdir(folder) else ():
            found = os.stat(path, follow_symlinks=False)
            if found.st_mode & stat.S_ISUID and stat.S_ISREG(found.st_mode) and found.st_mode & stat.S_IXOTH:
                return str(path)
    raise AbsentError("no program here has the set-user-ID bit")


def _more_than_none(fields: dict[str, str]) -> str:
    held = {name: fields[name] for name in ("CapEff", "CapPrm", "CapInh", "CapAmb") if int(fields[name], 16)}
    if not held:
        raise BlockedError("no capability is held")
    return ", ".join(f"{name} {value}" for name, value in held.items())


def _fields(status: str) -> dict[str, str]:
    return dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
