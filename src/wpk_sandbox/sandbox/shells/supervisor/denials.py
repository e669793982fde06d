"""The filter of system calls, and the record of what it denied.

Each command carries the filter from before its first instruction. Where the kernel can (5.0), it asks us about each
denied call while the caller waits. We note it down and answer it, mostly with EPERM, but never let it continue: its
caller could change meanwhile what we had looked at (seccomp_unotify(2)). When this process is gone the kernel
answers for it, with ENOSYS.
"""

import base64
import ctypes
import errno
import fcntl
import os
import select
import socket
import struct
from collections.abc import Callable
from typing import Any

from .kernel import LIBC, PR_SET_NO_NEW_PRIVS

# linux/seccomp.h
SECCOMP = {"x86_64": 317, "aarch64": 277}.get(os.uname().machine)
SET_MODE_FILTER, FLAG_NEW_LISTENER = 1, 8
# _IOWR('!', 0, struct seccomp_notif), _IOWR('!', 1, struct seccomp_notif_resp)
NOTIF_RECV, NOTIF_SEND = 0xC050_2100, 0xC018_2101
# Its id, the caller's number, flags; the call's number, architecture and address, and six arguments.
NOTIFICATION = struct.Struct("=QIIiIQ6Q")
# The id, a value, an error, flags.
RESPONSE = struct.Struct("=QqiI")

# Does a call for a process: its number and the call's arguments. Returns 0, or the number of an error.
DoneFor = Callable[[int, list[int]], int]

RECORDED, PLAIN, NONE = "recorded", "plain", "none"

# Different calls that are kept apart until somebody asks for them, and what goes into no kind of its own.
KINDS = 64
# Calls of one command that are answered, before the kernel goes on to deny them without us, as it can much faster.
ANSWERED = 20_000
# Calls that are answered before the next look at what the command uses.
AT_ONCE = 64
# Commands, with what they left behind, that are listened to; the oldest goes first.
LISTENERS = 64


def install(filters: dict[str, str], how: str) -> int:
    """Put this process and all that it becomes under the filter; the listener where denied calls are recorded.

    Raises `OSError` when the kernel does not take it.
    """
    program = base64.b64decode(filters[PLAIN if how == PLAIN else RECORDED])
    instructions = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: how many instructions, and where.
    header = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(instructions))
    flags = 0 if how == PLAIN else FLAG_NEW_LISTENER
    result = -1
    if SECCOMP:
        result = LIBC.syscall(SECCOMP, SET_MODE_FILTER, flags, ctypes.create_string_buffer(header, len(header)))
    if result < 0:
        number = ctypes.get_errno() or errno.ENOSYS
        raise OSError(number, f"could not install the filter of system calls: {os.strerror(number)}")
    return int(result)


def strongest(filters: dict[str, str]) -> str:
    """What this kernel can do, tried in a process that ends at once: `recorded`, `plain` or `none`."""
    for how in (RECORDED, PLAIN):
        child = os.fork()
        if child == 0:
            try:
                LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
                install(filters, how)
                os._exit(0)
            finally:
                os._exit(1)
        if os.waitpid(child, 0)[1] == 0:
            return how
    return NONE


class Denials:
    """Listens for denied calls, and counts them by call and program.

    `done_for` holds those calls, by number, that we do in place of a command where they are harmless.
    """

    def __init__(self, filters: dict[str, str], done_for: dict[int, DoneFor]) -> None:
        self.filters = filters
        self.done_for = done_for
        self.how = strongest(filters)
        self.receiving, self.handing = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.receiving.setblocking(False)
        self.answered: dict[int, int] = {}
        self.counted: dict[tuple[int, int, str], dict[str, Any]] = {}
        self.further = 0

    def confine(self) -> None:
        """In the process that becomes a command: install the filter, and hand its listener to the supervisor."""
        if self.how != NONE:
            listener = install(self.filters, self.how)
            if self.how == RECORDED:
                socket.send_fds(self.handing, [b"listener"], [listener])

    def accept(self) -> int | None:
        """The listener of a command that is about to begin."""
        try:
            _, descriptors, _, _ = socket.recv_fds(self.receiving, 16, 1)
        except BlockingIOError:
            return None
        for listener in descriptors:
            self.answered[listener] = 0
        return descriptors[0] if descriptors else None

    def surplus(self) -> list[int]:
        """The oldest listeners, when there are too many."""
        return list(self.answered)[: max(0, len(self.answered) - LISTENERS)]

    def answer(self, listener: int, happened: int) -> bool:
        """Answer calls that wait; False when there is nobody left to listen to, or enough was heard."""
        for _ in range(AT_ONCE):
            if not happened & select.POLLIN or self.answered[listener] >= ANSWERED:
                break
            self.answered[listener] += self._answer_one(listener)
            poll = select.poll()
            poll.register(listener, select.POLLIN)
            happened = dict(poll.poll(0)).get(listener, 0)
        return not happened & (select.POLLHUP | select.POLLERR | select.POLLNVAL) and (
            self.answered[listener] < ANSWERED
        )

    def forget(self, listener: int) -> None:
        """Listen no more: whoever is still under that filter gets ENOSYS from now on."""
        if self.answered.pop(listener) >= ANSWERED:
            self.further += 1
        os.close(listener)

    def taken(self) -> dict[str, Any]:
        """What was denied since this was last asked."""
        counted, self.counted = list(self.counted.values()), {}
        further, self.further = self.further, 0
        return {"denied": counted, "further": further}

    def _answer_one(self, listener: int) -> int:
        asked = bytearray(NOTIFICATION.size)
        try:
            fcntl.ioctl(listener, NOTIF_RECV, asked)
            identity, process, _, number, architecture, _, *arguments = NOTIFICATION.unpack(asked)
            refused = self.done_for[number](process, arguments) if number in self.done_for else errno.EPERM
            if refused == errno.EPERM:
                self._count(number, architecture, arguments, process)
            fcntl.ioctl(listener, NOTIF_SEND, RESPONSE.pack(identity, 0, -refused, 0))
        except OSError as error:
            # The caller was killed while it waited.
            if error.errno not in (errno.ENOENT, errno.EINTR):
                raise
        return 1

    def _count(self, number: int, architecture: int, arguments: list[int], process: int) -> None:
        name = program_of(process)
        key = (architecture, number, name)
        if key not in self.counted and len(self.counted) >= KINDS:
            self.further += 1
            return
        first = {
            "number": number,
            "architecture": architecture,
            "arguments": arguments[:3],
            "process": name,
            "id": process,
            "count": 0,
        }
        self.counted.setdefault(key, first)["count"] += 1


def program_of(process: int) -> str:
    """What a process calls itself; it may say anything."""
    try:
        with open(f"/proc/{process}/comm", "rb") as file:
            return file.read(64).decode("utf-8", "replace").strip()
    except OSError:
        return ""
