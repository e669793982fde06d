"""Our folder for what is dear to make and the same each time: file systems made of images. Bounded, and race-safe.

Whoever makes a thing holds a lock on its name, writes beside it and renames. Who uses it has it open, so what is
removed meanwhile stays whole for them.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from wpk_sandbox.errors import SandboxError

LARGEST = 4 * 1024**3
ABANDONED = 24 * 3600.0
_SUFFIX, _PART = ".squashfs", ".part"

# https://bford.info/cachedir/: what backups leave out.
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# File systems of wpk-sandbox's virtual machines.\n"


def folder() -> Path:
    """Where it is; it need not exist yet."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return Path(base if base.startswith("/") else Path.home() / ".cache", "wpk-sandbox")


def made(name: str, make: Callable[[Path], None]) -> IO[bytes]:
    """The file of that name, open to be read; made by `make`, which writes to the path it is given, if need be.

    Raises `SandboxError` when the folder cannot be used; what `make` raises goes through.
    """
    try:
        place = _place()
        with _locked(place / f"{name}.lock"):
            path = place / f"{name}{_SUFFIX}"
            if not path.exists():
                part = path.with_suffix(_PART)
                part.unlink(missing_ok=True)
                try:
                    make(part)
                    part.replace(path)
                finally:
                    part.unlink(missing_ok=True)
            os.utime(path)
            file = path.open("rb")
        _shrink(place, path)
    except OSError as error:
        remedy = "make room there, or set XDG_CACHE_HOME to a folder that has some"
        raise SandboxError(f"the cache {folder()} cannot be used: {error.strerror}", remedy) from error
    return file


def _place() -> Path:
    place = folder() / "vm"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    tag = folder() / "CACHEDIR.TAG"
    if not tag.exists():
        tag.write_text(_TAG, encoding="ascii")
    return place


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _shrink(place: Path, newest: Path) -> None:
    """Remove what was not used for longest, until the rest is within bounds, and what was never finished."""
    room = LARGEST
    for path in sorted(place.glob(f"*{_SUFFIX}"), key=_last_used, reverse=True):
        with suppress(FileNotFoundError):
            room -= path.stat().st_size
            if room < 0 and path != newest:
                path.unlink()
    for path in place.glob(f"*{_PART}"):
        if time.time() - _last_used(path) > ABANDONED:
            path.unlink(missing_ok=True)


def _last_used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
