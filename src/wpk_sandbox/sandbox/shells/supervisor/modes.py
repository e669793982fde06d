"""Changes the mode of a file in place of a command that may not: Landlock would let it change any file of its user.

The command waits while we read its path, once, and open it ourselves below the folders that are its own; what it
writes over the path meanwhile changes nothing.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Iterable

from .kernel import LIBC

OPENAT2 = 437
RESOLVE_NO_MAGICLINKS, RESOLVE_BENEATH = 0x02, 0x08
AT_FDCWD, AT_SYMLINK_NOFOLLOW = -100, 0x100
LONGEST_PATH = 4096
# Neither set-user-id nor set-group-id: no program gains anything here.
MODE = 0o1777


def change_mode(process: int, arguments: list[int], *, relative: bool, folders: Iterable[str]) -> int:
    """Do what `chmod`, or where it is `relative` to a folder `fchmodat`, asks; 0 or an error's number."""
    folder, path, mode, flags = arguments[:4] if relative else (AT_FDCWD, *arguments[:2], 0)
    try:
        wanted = os.path.join(folder_of(process, folder), text_at(process, path))
        file = opened_below(wanted, folders, follow=not flags & AT_SYMLINK_NOFOLLOW)
        try:
            os.chmod(f"/proc/self/fd/{file}", mode & MODE)
        finally:
            os.close(file)
    except (OSError, ValueError) as error:
        number = getattr(error, "errno", None)
        return number if number in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP) else errno.EPERM
    return 0


def folder_of(process: int, descriptor: int) -> str:
    """The folder that a relative path begins at."""
    number = ctypes.c_int32(descriptor & 0xFFFF_FFFF).value
    return os.readlink(f"/proc/{process}/cwd" if number == AT_FDCWD else f"/proc/{process}/fd/{number}")


def text_at(process: int, address: int) -> str:
    """The text at an address of another process's memory, up to its end. Raises `ValueError` when it has none."""
    with open(f"/proc/{process}/mem", "rb", buffering=0) as memory:
        memory.seek(address)
        found = bytearray()
        # To the end of the page at most: the next one may not be there.
        while len(found) < LONGEST_PATH:
            found += memory.read(4096 - (address + len(found)) % 4096)
            if 0 in found:
                return os.fsdecode(bytes(found[: found.index(0)]))
    raise ValueError("a path without an end")


def opened_below(path: str, folders: Iterable[str], *, follow: bool) -> int:
    """A descriptor of a file below one of the folders. Raises `OSError` for one that is elsewhere."""
    for folder in folders:
        if path == folder or path.startswith(f"{folder}/"):
            return opened(folder, path[len(folder) :].lstrip("/") or ".", follow=follow)
    raise PermissionError(errno.EPERM, "not below a folder of its own")


def opened(folder: str, path: str, *, follow: bool) -> int:
    """openat2(2), which never leaves the folder, whatever links are on the way."""
    base = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        flags = os.O_PATH | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
        how = struct.pack("QQQ", flags, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS)
        held = ctypes.create_string_buffer(how, len(how))
        file = LIBC.syscall(OPENAT2, base, os.fsencode(path), held, len(how))
    finally:
        os.close(base)
    if file < 0:
        raise OSError(ctypes.get_errno(), "could not open it below its folder")
    return int(file)
