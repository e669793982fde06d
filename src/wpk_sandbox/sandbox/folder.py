"""Temporary folders of a run, each with a marker inside that says whose it is and until when."""

import errno
import json
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wpk_sandbox.errors import SandboxError
from wpk_sandbox.sandbox.emptying import empty
from wpk_sandbox.sandbox.ledger import RUN_LABEL, Ledger

PREFIX = "wpk-sandbox-"
MARKER = ".wpk-sandbox.json"

# How often a removal is begun anew when something vanishes under it.
ATTEMPTS = 100


@contextmanager
def temporary_folder(ledger: Ledger) -> Iterator[Path]:
    """A folder that only this user can read, removed with all that is in it when the block is left.

    Raises `SandboxError` when there is no room for it.
    """
    path = Path(tempfile.gettempdir(), f"{PREFIX}{ledger.run_id}-{secrets.token_hex(4)}")
    entry = ledger.enter("folder", str(path), lambda: remove_folder(path))
    try:
        try:
            path.mkdir(mode=0o700)
            (path / MARKER).write_text(json.dumps(ledger.labels), encoding="utf-8")
        except OSError as error:
            remedy = "make room there, or set TMPDIR to a folder that has some"
            raise SandboxError(f"could not make the folder {path}: {error.strerror}", remedy) from error
        yield path
    finally:
        ledger.undo(entry)


def remove_folder(path: Path) -> None:
    """Remove a folder; nothing happens when there is none. Raises OSError when it remains."""
    for _ in range(ATTEMPTS):
        if not os.path.lexists(path):
            return
        try:
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o700)  # whoever wrote in it may have closed it
            empty(path)
            path.rmdir()
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST):  # or somebody else removes it too
                raise
            time.sleep(0.02)
    if os.path.lexists(path):
        raise OSError(f"{path} is being changed while it is removed")


def marked_folders() -> Iterator[tuple[Path, dict[str, str]]]:
    """This user's folders that carry a marker, with the labels in it.

    The folder for temporary files is everybody's: what another user put there, or linked, is not looked at.
    """
    try:
        home = Path(tempfile.gettempdir())
    except OSError:  # nothing can be written here, so nothing was
        return
    for path in sorted(home.glob(f"{PREFIX}*")):
        labels = _marker(path)
        if labels is not None:
            yield path, labels


def _marker(path: Path) -> dict[str, str] | None:
    marker = path / MARKER
    try:
        if path.is_symlink() or marker.is_symlink() or path.stat().st_uid != os.geteuid():
            return None
        labels = json.loads(marker.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return labels if isinstance(labels, dict) and isinstance(labels.get(RUN_LABEL), str) else None
