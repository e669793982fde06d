"""The first process of a bubblewrap sandbox: it closes the sandbox further, then runs commands on request.

It stands alone: handed to the sandbox as a file and run there by the bare interpreter (`python -I -S`), it may
import nothing but the standard library. Being process 1 of its process namespace, no command can signal it,
and with its end the kernel ends everything else.

Requests come over a socket of packets with their file descriptors, answers go back as JSON:

- `run` with a file of JSON (`command`, `environment`), and the ends of two pipes to write to. Answered when
  the command ends, with `exit_code`, or with `ended` and `detail` when a limit ended it.
- `kill` ends every process but this one. Answered by `{}` when they are gone; a command that was running
  is not answered any more.
- `usage` is answered with the most that was used so far.

The end of the socket ends the sandbox.
"""

import array
import ctypes
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from typing import Any

# Seconds between two looks at what the processes use: at ease, and once half of a limit is used.
INTERVAL, SHORT_INTERVAL = 0.05, 0.005

# linux/mount.h, linux/prctl.h, linux/capability.h
MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 1, 4, 24, 38, 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
CAPABILITY_VERSION_3 = 0x20080522

# keyctl(2) has no wrapper in the C library.
KEYCTL = {"x86_64": 250, "aarch64": 219}.get(os.uname().machine)
KEYCTL_JOIN_SESSION_KEYRING = 1

PAGE = resource.getpagesize()
LIBC = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    settings = json.loads(sys.argv[1])
    control = socket.socket(fileno=settings["control"])
    close_sandbox(settings)
    control.send(b'{"ready": true}')
    Supervisor(control, settings).serve()


def close_sandbox(settings: dict[str, Any]) -> None:
    """Mount the folders to write to, forbid further namespaces, and give up every capability."""
    mount_memory("/tmp", MS_NOEXEC, f"size={settings['tmp']},mode=1777")  # noqa: S108 - the sandbox's own
    mount_memory("/dev/shm", MS_NOEXEC, f"size={settings['shared_memory']},mode=1777")  # noqa: S108
    mount_memory(settings["workspace"], 0, f"size={settings['workspace_size']},mode=0755")
    with open("/proc/sys/user/max_user_namespaces", "w", encoding="ascii") as file:
        file.write("0")
    if KEYCTL:
        # A keyring of its own; the one that it came with is the caller's.
        LIBC.syscall(KEYCTL, KEYCTL_JOIN_SESSION_KEYRING, None)
    drop_privileges()


def mount_memory(path: str, flags: int, options: str) -> None:
    checked(
        LIBC.mount(b"tmpfs", path.encode(), b"tmpfs", flags | MS_NOSUID | MS_NODEV, options.encode()),
        f"mount {path}",
    )


def drop_privileges() -> None:
    with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as file:
        last = int(file.read())
    checked(LIBC.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "clear the ambient capabilities")
    for capability in range(last + 1):
        checked(LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "empty the bounding set")
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    checked(LIBC.capset(header, (ctypes.c_uint32 * 6)()), "give up the capabilities")
    checked(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "forbid new privileges")
    # Commands run as the same user: they must not read or trace this process.
    checked(LIBC.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "close this process")
    # Its parent, bubblewrap, dies with wpk-sandbox or is killed by it.
    checked(LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "end with bubblewrap")


def checked(result: int, doing: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"could not {doing}: {os.strerror(number)}")


class Supervisor:
    """Serves requests one after another, and keeps watch between and during them."""

    def __init__(self, control: socket.socket, settings: dict[str, Any]) -> None:
        self.control = control
        self.settings = settings
        self.running: int | None = None
        self.first = 0
        self.ended: tuple[str, str] | None = None
        self.largest_child = 0
        self.memory_peak = 0
        self.processes_peak = 0
        self.wakeup, notice = os.pipe()
        for end in (self.wakeup, notice):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(notice)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> None:
        """Answer until the socket ends."""
        sources: list[Any] = [self.control, self.wakeup]
        pause: float | None = None
        while True:
            readable, _, _ = select.select(sources, [], [], pause)
            if self.wakeup in readable:
                os.read(self.wakeup, 65536)
            self.reap()
            if self.control in readable and not self.receive():
                return
            pause = self.watch()

    def receive(self) -> bool:
        """Take one request; False when there will be no more."""
        descriptors = array.array("i")
        message, ancillary, _, _ = self.control.recvmsg(64, socket.CMSG_SPACE(3 * descriptors.itemsize))
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                descriptors.frombytes(data)
        if message == b"run":
            self.run(*descriptors)
        elif message == b"kill":
            self.running = None
            self.kill()
            self.answer({})
        elif message == b"usage":
            self.answer(self.usage())
        elif message == b"made":
            self.answer({"made": newest() - self.first})
        return bool(message)

    def run(self, request: int, stdout: int, stderr: int) -> None:
        """Start a command; its answer follows when it has ended."""
        with os.fdopen(request, encoding="utf-8") as file:
            wanted = json.load(file)
        if 2 * measure()[0] > self.settings["processes"]:
            # Left behind by an earlier command, and multiplying: it would take this one's processes.
            self.kill()
        self.ended = None
        self.largest_child = 0
        try:
            self.running = self.fork(wanted, stdout, stderr)
        except BlockingIOError:
            # Something that an earlier command left behind holds every process that there may be.
            self.kill()
            self.running = self.fork(wanted, stdout, stderr)
        finally:
            os.close(stdout)
            os.close(stderr)
        self.first = self.running

    def fork(self, wanted: dict[str, Any], stdout: int, stderr: int) -> int:
        child = os.fork()
        if child == 0:
            try:
                self.become(wanted, stdout, stderr)
            except BaseException as error:  # whatever it is, this copy must not live on
                os.write(2, f"could not start the command: {error}\n".encode())
            finally:
                os._exit(126)
        return child

    def become(self, wanted: dict[str, Any], stdout: int, stderr: int) -> None:
        """Turn this process into the command."""
        os.setsid()
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        os.chdir(self.settings["workspace"])
        os.sched_setaffinity(0, self.settings["cores"])
        for name, value in self.settings["rlimits"].items():
            limit = getattr(resource, name)
            hardest = resource.getrlimit(limit)[1]
            granted = value if hardest == resource.RLIM_INFINITY else min(value, hardest)
            resource.setrlimit(limit, (granted, granted))
        os.execve("/bin/sh", ["sh", "-c", wanted["command"]], wanted["environment"])  # noqa: S606 - this is a shell

    def reap(self) -> None:
        """Collect every process that has ended, and answer for the command when it is among them."""
        while True:
            try:
                child, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if child == 0:
                return
            self.largest_child = max(self.largest_child, used.ru_maxrss * 1024)
            if child == self.running:
                self.running = None
                self.answer(self.outcome(status))

    def outcome(self, status: int) -> dict[str, Any]:
        self.memory_peak = max(self.memory_peak, self.largest_child)
        if self.ended is None and self.largest_child >= self.settings["memory"]:
            self.ended = ("memory limit", f"a process of it used {self.largest_child >> 20} MiB of memory")
            self.kill()
        if self.ended:
            return {"ended": self.ended[0], "detail": self.ended[1]}
        killed_by = os.WTERMSIG(status)
        return {"exit_code": 128 + killed_by if killed_by else os.WEXITSTATUS(status)}

    def watch(self) -> float | None:
        """End everything that is over a limit; the seconds until the next look, None when there is no need."""
        processes, memory = measure()
        if processes == 0:
            return None
        memory += sum(stored(path) for path in ("/tmp", "/dev/shm", self.settings["workspace"]))  # noqa: S108
        self.processes_peak = max(self.processes_peak, processes)
        self.memory_peak = max(self.memory_peak, memory)
        if memory > self.settings["memory"]:
            self.ended = ("memory limit", f"it used {memory >> 20} MiB of memory, its files included")
        elif processes >= self.settings["processes"]:
            self.ended = ("process limit", f"it had {processes} processes and threads")
        else:
            easy = 2 * memory < self.settings["memory"] and 2 * processes < self.settings["processes"]
            return INTERVAL if easy else SHORT_INTERVAL
        self.kill()
        return None

    def kill(self) -> None:
        """End every other process of the sandbox, and wait until it is gone."""
        while True:
            try:
                os.kill(-1, signal.SIGKILL)
            except ProcessLookupError:
                return
            self.reap()
            time.sleep(0.002)

    def usage(self) -> dict[str, Any]:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {
            "cpu_seconds": used.ru_utime + used.ru_stime,
            "memory_peak": self.memory_peak,
            "processes_peak": self.processes_peak,
        }

    def answer(self, message: dict[str, Any]) -> None:
        self.control.send(json.dumps(message).encode())


def newest() -> int:
    """The number of the process or thread that was made last, from proc(5); they are given out in order."""
    with open("/proc/loadavg", encoding="ascii") as file:
        return int(file.read().split()[-1])


def measure() -> tuple[int, int]:
    """The threads of all other processes, and the bytes of memory that are theirs alone, from proc(5)."""
    threads, memory = 0, 0
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or entry == "1":
            continue
        try:
            with open(f"/proc/{entry}/stat", "rb") as file:
                # The name, in parentheses, may hold anything; the fields are counted from behind it.
                fields = file.read().rpartition(b")")[2].split()
            with open(f"/proc/{entry}/statm", "rb") as file:
                resident, shared = (int(field) for field in file.read().split()[1:3])
        except (OSError, ValueError):
            continue
        threads += int(fields[17])
        memory += (resident - shared) * PAGE
    return threads, memory


def stored(path: str) -> int:
    """The bytes of a file system in memory that are in use."""
    status = os.statvfs(path)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


if __name__ == "__main__":
    main()
