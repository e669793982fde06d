"""The bytes of folders on a disk, looked at no more often than their size allows."""

import errno
import os
import time

# Seconds between two looks at least; and that many times what a look takes, so that many files cost no more.
EVERY, PATIENCE = 0.2, 10
# More than any folder holds: what a folder counts as that is beyond one of its bounds.
BEYOND = 1 << 60


class Folders:
    """What the files below some folders take. `bounds` are the most bytes and the most files of each folder."""

    def __init__(self, bounds: dict[str, tuple[int, int]]) -> None:
        self.bounds = bounds
        self.due = 0.0
        self.bytes = 0

    def __call__(self, now: bool) -> int:
        """The bytes on disk, as of the last look, or as of now; `BEYOND` when a folder is beyond its bounds."""
        began = time.monotonic()
        if now or began >= self.due:
            self.bytes = sum(taken(path, *bounds) for path, bounds in self.bounds.items())
            self.due = time.monotonic() + max(EVERY, PATIENCE * (time.monotonic() - began))
        return self.bytes


def taken(path: str, most_bytes: int, most_files: int) -> int:
    """The bytes on disk of all files below a folder, `BEYOND` when there is no need to count on."""
    folders, files, total = [path], 0, 0
    while folders:
        folder = folders.pop()
        try:
            with listed(folder) as found:
                for entry in found:
                    files += 1
                    status = entry.stat(follow_symlinks=False)
                    total += status.st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return BEYOND
            # Removed in the meantime.
            continue
        if files > most_files or total > most_bytes:
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
