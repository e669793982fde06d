"""The list of everything that a run made, each with its undo, entered before it is made.

Undone in reverse order; whatever cannot be undone is counted as left, with its reason.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

log = logging.getLogger(__name__)

RUN_LABEL = "wpk-sandbox.run"
EXPIRES_LABEL = "wpk-sandbox.expires"


@dataclass(frozen=True)
class Left:
    """Something that is still there after the run, and why."""

    kind: str
    name: str
    reason: str


@dataclass(frozen=True)
class Tally:
    """What became of the things made."""

    made: int = 0
    removed: int = 0
    kept: int = 0
    left: tuple[Left, ...] = ()

    def __str__(self) -> str:
        kept = f", kept {self.kept}" if self.kept else ""
        return f"made {self.made}, removed {self.removed}{kept}, left {len(self.left)}"

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.made + other.made,
            self.removed + other.removed,
            self.kept + other.kept,
            self.left + other.left,
        )


@dataclass
class Entry:
    """One thing. `undo` must succeed when the thing never came to be; it raises when the thing remains."""

    kind: str
    name: str
    undo: Callable[[], None]
    open: bool = True


class Ledger:
    """Records what is made and undoes it. Safe to use from several threads."""

    def __init__(self, run_id: str, expires: datetime, *, keep: bool = False) -> None:
        self.run_id = run_id
        self.expires = expires
        self.keep = keep
        self._entries: list[Entry] = []
        self._removed = 0
        self._kept = 0
        self._left: list[Left] = []
        self._lock = threading.RLock()

    @property
    def labels(self) -> dict[str, str]:
        """What every container, network, volume and cluster of this run carries."""
        return {RUN_LABEL: self.run_id, EXPIRES_LABEL: self.expires.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def enter(self, kind: str, name: str, undo: Callable[[], None]) -> Entry:
        """Record a thing that is about to be made."""
        entry = Entry(kind, name, undo)
        with self._lock:
            self._entries.append(entry)
        return entry

    def undo(self, entry: Entry) -> None:
        """Undo one thing now; a second call does nothing. Failures are recorded, not raised."""
        with self._lock:
            if not entry.open:
                return
            entry.open = False
        if self.keep:
            self._kept += 1
            return
        try:
            entry.undo()
        except Exception as error:
            log.warning("could not remove %s %s: %s", entry.kind, entry.name, error)
            with self._lock:
                self._left.append(Left(entry.kind, entry.name, str(error)))
        except BaseException:
            # A signal broke it off in the middle; close() does it again.
            entry.open = True
            raise
        else:
            with self._lock:
                self._removed += 1

    def close(self) -> Tally:
        """Undo everything that is still open, newest first, and count.

        A signal that arrives meanwhile is raised when all is done.
        """
        signal: BaseException | None = None
        with self._lock:
            entries = list(reversed(self._entries))
        for entry in entries:
            try:
                self.undo(entry)
            except BaseException as arrived:
                signal = arrived
                self.undo(entry)
        if signal:
            raise signal
        return self.tally()

    def tally(self) -> Tally:
        """The count so far."""
        with self._lock:
            return Tally(len(self._entries), self._removed, self._kept, tuple(self._left))
