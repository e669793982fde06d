"""The bytes of folders on a disk, looked at no more often than their size allows."""

import errno
import os
import time

from .measuring import Others
from .nameless import nameless

# Seconds between two looks at least; and that many times what a look takes, so that many files cost no more.
EVERY, PATIENCE = 0.2, 10
# More than any folder holds: what a folder counts as that is beyond one of its bounds.
BEYOND = 1 << 60
# Looks at folders that a command closes while they are counted.
TRIES = 3


class Folders:
    """What the files below some folders take. `bounds` are the most bytes and the most files of each folder.

    `others` finds the processes that may hold files which they have removed.
    """

    def __init__(self, bounds: dict[str, tuple[int, int]], others: Others = list) -> None:
        self.bounds = bounds
        self.others = others
        self.due = 0.0
        self.bytes = 0
        self.hidden: set[int] = set()

    def __call__(self, now: bool) -> int:
        """The bytes on disk, as of the last look, or as of now; `BEYOND` when a folder is beyond its bounds."""
        began = time.monotonic()
        if now or began >= self.due:
            self.bytes = sum(taken(path, *bounds) for path, bounds in self.bounds.items()) + self.held()
            self.due = time.monotonic() + max(EVERY, PATIENCE * (time.monotonic() - began))
        return self.bytes

    def held(self) -> int:
        """The bytes of removed files that are still held; `BEYOND` when a process goes on hiding what it holds.

        A program that nobody may read hides it too, and is mostly gone by the next look.
        """
        total, hidden = nameless(self.others(), self.bounds)
        before, self.hidden = self.hidden, hidden
        return BEYOND if before & hidden else total


def taken(path: str, most_bytes: int, most_files: int) -> int:
    """The bytes on disk of all files below a folder, `BEYOND` when there is no need to count on."""
    for _ in range(TRIES):
        try:
            return counted(path, most_bytes, most_files)
        except PermissionError:
            # A command closed one while we counted.
            continue
    return BEYOND


def counted(path: str, most_bytes: int, most_files: int) -> int:
    """The same, once. Raises `PermissionError` where a folder was closed meanwhile."""
    folders, files, total = [path], 0, 0
    while folders:
        try:
            with listed(folders.pop()) as found:
                for entry in found:
                    files += 1
                    total += size(entry)
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except PermissionError:
            raise
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return BEYOND
            # Removed in the meantime.
            continue
        if files > most_files or total > most_bytes:
            return BEYOND
    return total


def size(entry: "os.DirEntry[str]") -> int:
    """The bytes on disk of one file; one that is removed meanwhile hides no other."""
    try:
        return entry.stat(follow_symlinks=False).st_blocks * 512
    except FileNotFoundError:
        return 0


def listed(folder: str) -> "os._ScandirIterator[str]":
    """The entries of a folder; one that a command has closed is opened again, or it could hide files in it."""
    if os.lstat(folder).st_mode & 0o500 != 0o500:
        place = os.open(folder, os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.chmod(f"/proc/self/fd/{place}", 0o700)
        finally:
            os.close(place)
    return os.scandir(folder)
