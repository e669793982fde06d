"""Empties a folder that hostile programs wrote to: whatever is nested, closed or linked in it.

Nothing is followed, no path grows long, and nothing is called once for each level: a thousand nested folders end
`shutil.rmtree` by their depth. Whoever wrote there must be gone.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def empty(folder: Path) -> None:
    """Remove all that is in a folder; one that is not there is empty. Raises `OSError` for what remains."""
    try:
        base = os.open(folder, _FOLDER)
    except FileNotFoundError:
        return
    try:
        names = (f".emptying-{number}" for number in count())
        while folders := _without_files(base):
            for name in folders:
                _level(base, name, names)
                os.rmdir(name, dir_fd=base)
    finally:
        os.close(base)


def _level(base: int, name: str, names: Iterator[str]) -> None:
    """Remove the files of a folder in `base`, and move the folders that it holds up there, under new names."""
    with _opened(base, name) as inner:
        for nested in _without_files(inner):
            # To give a folder another parent is to write to it.
            os.chmod(nested, 0o700, dir_fd=inner)
            os.rename(nested, _free(base, names), src_dir_fd=inner, dst_dir_fd=base)


@contextmanager
def _opened(base: int, name: str) -> Iterator[int]:
    # Its owner may have closed it to everybody. It is no link, and nobody is left to put one in its place.
    os.chmod(name, 0o700, dir_fd=base)
    inner = os.open(name, _FOLDER, dir_fd=base)
    try:
        yield inner
    finally:
        os.close(inner)


def _without_files(folder: int) -> list[str]:
    """Remove the files and links of a folder; the folders that are in it."""
    folders = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            else:
                os.unlink(entry.name, dir_fd=folder)
    return folders


def _free(base: int, names: Iterator[str]) -> str:
    """A name that nothing has."""
    for name in names:
        try:
            os.lstat(name, dir_fd=base)
        except FileNotFoundError:
            return name
    raise AssertionError("numbers do not end")
