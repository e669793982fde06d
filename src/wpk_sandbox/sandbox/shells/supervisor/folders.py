"""The bytes of folders on a disk, looked at no more often than their size allows."""

import os
import time
from collections.abc import Iterable

# Seconds between two looks at least; and that many times what a look takes, so that many files cost no more.
EVERY, PATIENCE = 0.2, 10
# Entries beyond which a folder counts as without bounds.
MOST_ENTRIES = 100_000
BEYOND = 1 << 60


class Folders:
    """What the files below some folders take."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = list(paths)
        self.due = 0.0
        self.bytes = 0

    def __call__(self, now: bool) -> int:
        """The bytes on disk, as of the last look, or as of now."""
        began = time.monotonic()
        if now or began >= self.due:
            self.bytes = taken(self.paths)
            self.due = time.monotonic() + max(EVERY, PATIENCE * (time.monotonic() - began))
        return self.bytes


def taken(paths: Iterable[str]) -> int:
    """The bytes on disk of all files below some folders."""
    folders, entries, total = list(paths), 0, 0
    while folders:
        folder = folders.pop()
        try:
            with listed(folder) as found:
                for entry in found:
                    entries += 1
                    status = entry.stat(follow_symlinks=False)
                    total += status.st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except OSError:
            # Removed in the meantime.
            continue
        if entries > MOST_ENTRIES:
            return BEYOND
    return total


def listed(folder: str) -> "os._ScandirIterator[str]":
    """The entries of a folder; one that a command has closed is opened again, or it could hide files in it."""
    try:
        return os.scandir(folder)
    except PermissionError:
        place = os.open(folder, os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.chmod(f"/proc/self/fd/{place}", 0o700)
        finally:
            os.close(place)
        return os.scandir(folder)
