"""Closes files, TCP and signals by Landlock, where there may be no namespaces (the kernel's landlock.rst).

What Landlock cannot close (metadata of files, sockets that are no TCP, limits of other processes) the filter of
system calls does.
"""

import ctypes
import os
import struct
from collections.abc import Iterable

from .kernel import LIBC, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, checked

# The same numbers on every machine.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
# linux/landlock.h
CREATE_RULESET_VERSION = 1
RULE_PATH_BENEATH = 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE, MAKE_DIR, MAKE_REG, MAKE_FIFO, MAKE_SYM = 0b11 << 4, 1 << 7, 1 << 8, 1 << 10, 1 << 12
REFER, TRUNCATE = 1 << 13, 1 << 14
# All rights of files that a version of the interface knows; those of a newer one than the last are not asked for.
RIGHTS = (0, (1 << 13) - 1, (1 << 14) - 1, (1 << 15) - 1, (1 << 15) - 1, (1 << 16) - 1)
TCP, ABSTRACT_SOCKETS_AND_SIGNALS = 0b11, 0b11
TCP_SINCE, SCOPED_SINCE = 4, 6

READ = READ_FILE | READ_DIR
DEVICE = READ_FILE | WRITE_FILE
WRITE = READ | WRITE_FILE | REMOVE | MAKE_DIR | MAKE_REG | MAKE_FIFO | MAKE_SYM | REFER | TRUNCATE
# What a rule for a file, not a folder, may hold.
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | 1 << 15

# What a place may be used for.
USES = {"read": READ, "run": READ | EXECUTE, "device": DEVICE, "write": WRITE, "write and run": WRITE | EXECUTE}

PR_SET_CHILD_SUBREAPER = 36


def version() -> int:
    """The version of the kernel's interface; 0 where it has none."""
    return max(0, int(LIBC.syscall(CREATE_RULESET, None, 0, CREATE_RULESET_VERSION)))


def restrict(places: Iterable[tuple[str, str]]) -> None:
    """Let this process, and all that come of it, use these places and nothing else. Raises `OSError`."""
    # Whoever loses its parent becomes a child of this process, so that nothing escapes from it.
    checked(LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "become the reaper")
    checked(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "forbid new privileges")
    # Commands run as the same user: they must not read or trace this process.
    checked(LIBC.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "close this process")
    known = version()
    rights = RIGHTS[min(known, len(RIGHTS) - 1)]
    ruleset = made(rights, known)
    for path, use in places:
        allow(ruleset, path, USES[use] & rights)
    checked(LIBC.syscall(RESTRICT_SELF, ruleset, 0), "restrict this process by Landlock")
    os.close(ruleset)


def made(rights: int, known: int) -> int:
    """A ruleset that handles all that this kernel can: whatever no rule allows is denied."""
    tcp = TCP if known >= TCP_SINCE else 0
    scoped = ABSTRACT_SOCKETS_AND_SIGNALS if known >= SCOPED_SINCE else 0
    # An older kernel takes a longer structure as long as the part that it does not know is 0.
    attributes = struct.pack("QQQ", rights, tcp, scoped)
    ruleset = LIBC.syscall(
        CREATE_RULESET, ctypes.create_string_buffer(attributes, len(attributes)), len(attributes), 0
    )
    checked(min(ruleset, 0), "make a ruleset of Landlock")
    return int(ruleset)


def allow(ruleset: int, path: str, rights: int) -> None:
    """Add a rule for a file or a folder with all that is in it; a path that is not there needs none."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    if not os.path.isdir(path):
        rights &= OF_FILES
    rule = struct.pack("=Qi", rights, place)
    result = LIBC.syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, ctypes.create_string_buffer(rule, len(rule)), 0)
    checked(result, f"allow {path} by Landlock")
    os.close(place)
