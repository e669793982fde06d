"""Reports on a small file system of our own that is full: told, and those of an earlier run are not harmed."""

import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .runs import Run

SIZE = 2 * 1024 * 1024
FILES = 200
TIMEOUT = 120.0


def problems(folder: Path) -> list[str]:
    """What went wrong, if anything; nothing is tried where we may not mount."""
    if os.geteuid() != 0:
        print("full disk: only root can mount a small file system; not tried")
        return []
    with _small_disk(folder) as disk:
        return _of_reports(disk / "reports")


def _of_reports(folder: Path) -> list[str]:
    """A run whose reports find no room, where those of an earlier run lie."""
    run = Run(folder, f"disk-{uuid.uuid4().hex[:10]}", "local")
    run.start().wait(TIMEOUT)
    before = _contents(folder / "out")
    if not before:
        return [f"the run with room wrote nothing: {' / '.join(run.lines[-3:])}"]
    with _filled(folder):
        code = run.start().wait(TIMEOUT)
    wrong = [] if code == 4 else [f"exit code {code} without room for reports: {' / '.join(run.lines[-3:])}"]
    wrong += [] if any("No space left" in line for line in run.lines) else ["nobody told that there is no room"]
    return wrong + (
        [] if _contents(folder / "out") == before else ["the earlier reports are no longer what they were"]
    )


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE},nr_inodes={FILES}", "wpk-chaos", str(folder)], check=True
    )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def _filled(folder: Path) -> Iterator[None]:
    """Leave no room at all in the file system of a folder, neither for contents nor for names."""
    fillers = [folder / f"filler-{number}" for number in range(FILES)]
    with suppress(OSError), fillers[0].open("wb", buffering=0) as file:
        while file.write(bytes(65536)):
            pass
    with suppress(OSError):
        for filler in fillers:
            filler.touch()
    try:
        yield
    finally:
        for filler in fillers:
            filler.unlink(missing_ok=True)


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}
