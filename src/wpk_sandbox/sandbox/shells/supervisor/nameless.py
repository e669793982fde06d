"""Files that were removed and take up the disk all the same, because a process still holds them open or mapped."""

import os
import stat
from collections.abc import Iterable, Iterator

# How proc(5) shows them.
_GONE = " (deleted)"

# A file by its device and number.
File = tuple[int, int]


def nameless(processes: Iterable[int], folders: Iterable[str]) -> tuple[int, set[int]]:
    """The bytes of removed files of some folders that processes hold, and the processes that let nobody look."""
    found: dict[File, int] = {}
    hidden = set()
    below = tuple(f"{folder}/" for folder in folders)
    for process in processes:
        try:
            for file, size in (*_open(process, below), *_mapped(process, below)):
                found[file] = max(size, found.get(file, 0))
        except PermissionError:
            if not _has_ended(process):
                hidden.add(process)
        except OSError:
            # It ended in the meantime.
            continue
    return sum(found.values()), hidden


def _open(process: int, below: tuple[str, ...]) -> Iterator[tuple[File, int]]:
    folder = f"/proc/{process}/fd"
    for name in os.listdir(folder):
        try:
            path = os.readlink(f"{folder}/{name}")
            if path.startswith(below) and path.endswith(_GONE):
                status = os.stat(f"{folder}/{name}")
                if stat.S_ISREG(status.st_mode):
                    yield (status.st_dev, status.st_ino), status.st_blocks * 512
        except FileNotFoundError:
            continue


def _mapped(process: int, below: tuple[str, ...]) -> Iterator[tuple[File, int]]:
    """By their extent: what of it lies on the disk is not told."""
    with open(f"/proc/{process}/maps", "rb") as file:
        for line in file:
            extent, _, _, device, number, *path = os.fsdecode(line).rstrip("\n").split(None, 5)
            if path and path[0].startswith(below) and path[0].endswith(_GONE):
                begin, _, end = extent.partition("-")
                major, _, minor = device.partition(":")
                yield (os.makedev(int(major, 16), int(minor, 16)), int(number)), int(end, 16) - int(begin, 16)


def _has_ended(process: int) -> bool:
    """True for what is only waited for: it holds nothing, and belongs to root as far as proc(5) is concerned."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] in (b"Z", b"X")
    except OSError:
        return True
