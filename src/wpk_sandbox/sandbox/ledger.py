"""The list of everything that a run made, each with its undo, entered before it is made.

Undone in reverse order; whatever cannot be undone, or not in time, is counted as left, with its reason.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

log = logging.getLogger(__name__)

RUN_LABEL = "wpk-sandbox.run"
EXPIRES_LABEL = "wpk-sandbox.expires"
# The process that made it: calls of one CI job share the run's id, and none may remove what another still uses.
OWNER_LABEL = "wpk-sandbox.owner"

# Seconds that a thing is given at least, when those before it have used up the time for all.
LEAST = 0.5


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
    """One thing. `undo` must succeed when the thing never came to be; it raises when the thing remains.

    What does not `last` ends with our process at the latest, so it cannot be kept. What stands `alone` may be
    undone at any time, whatever else is still there.
    """

    kind: str
    name: str
    undo: Callable[[], None]
    lasts: bool = True
    alone: bool = False
    begun: bool = False
    kept: bool = False
    ended: threading.Event = field(default_factory=threading.Event)
    reason: str = ""

    @property
    def removed(self) -> bool:
        """True when it was undone without a complaint, be it later than anyone waited."""
        return self.ended.is_set() and not self.reason


def _nobody(kind: str, name: str) -> None:
    """Who is told of entries where nobody watches."""


class Ledger:
    """Records what is made and undoes it. Safe to use from several threads.

    `owner` is our process's own token, `tell` is told the kind and the name of each entry. `timeout` bounds, in
    seconds, how long is waited for each removal and for all of them together. `grace` is how long (seconds) things
    are asked to end before they are killed.
    """

    def __init__(
        self,
        run_id: str,
        expires: datetime,
        *,
        keep: bool = False,
        owner: str = "",
        tell: Callable[[str, str], None] = _nobody,
        timeout: float = 300.0,
        grace: float = 0.0,
    ) -> None:
        self.run_id = run_id
        self.expires = expires
        self.keep = keep
        self.owner = owner
        self.grace = grace
        self._tell = tell
        self._left = timeout
        self._until: float | None = None
        self._entries: list[Entry] = []
        self._lock = threading.RLock()

    @property
    def labels(self) -> dict[str, str]:
        """What every container, network, volume and cluster of this run carries."""
        owner = {OWNER_LABEL: self.owner} if self.owner else {}
        expires = self.expires.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {RUN_LABEL: self.run_id, EXPIRES_LABEL: expires, **owner}

    def enter(
        self, kind: str, name: str, undo: Callable[[], None], *, lasts: bool = True, alone: bool = False
    ) -> Entry:
        """Record a thing that is about to be made."""
        entry = Entry(kind, name, undo, lasts, alone)
        with self._lock:
            self._entries.append(entry)
        self._tell(kind, name)
        return entry

    def undo(self, entry: Entry) -> None:
        """Undo one thing now, and wait for it; what is undone already is not undone again.

        Failures are recorded, not raised. A signal that interrupts the waiting interrupts no removal: another call
        waits on.
        """
        if not self._begin(entry):
            return
        began = time.monotonic()
        bound = self._patience(began)
        try:
            ended = entry.ended.wait(bound)
        finally:
            with self._lock:
                self._left -= time.monotonic() - began
        with self._lock:
            if ended or entry.ended.is_set() or entry.reason:
                return
            entry.reason = f"it was not removed within {bound:.0f} s"
        log.warning("the %s %s was not removed within %.0f s", entry.kind, entry.name, bound)

    def hurry(self, seconds: float | None = None) -> None:
        """A signal arrived: begin with all that stands alone, side by side, killing what would be asked to end.

        `seconds` bounds everything from now on, where somebody else goes on with what is left then.
        """
        with self._lock:
            self.grace = 0.0
            self._until = None if seconds is None else time.monotonic() + seconds
            alone = [entry for entry in self._entries if entry.alone]
        for entry in alone:
            self._begin(entry)

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
            entries = list(self._entries)
        return Tally(
            made=len(entries),
            removed=sum(entry.removed for entry in entries),
            kept=sum(entry.kept for entry in entries),
            left=tuple(Left(entry.kind, entry.name, entry.reason) for entry in entries if entry.reason),
        )

    def kept(self) -> tuple[Entry, ...]:
        """What was kept, in the order in which it was made."""
        with self._lock:
            return tuple(entry for entry in self._entries if entry.kept)

    def _begin(self, entry: Entry) -> bool:
        """See that it is being undone; False when it is kept."""
        if self.keep and entry.lasts:
            entry.kept = True
            return False
        if not entry.begun:
            threading.Thread(target=self._perform, args=(entry,), daemon=True).start()
        return True

    def _perform(self, entry: Entry) -> None:
        """Undo it, once. In a thread, so that nothing which hangs keeps us, and no signal breaks it off."""
        with self._lock:
            if entry.begun:
                return
            entry.begun = True
        reason = ""
        try:
            entry.undo()
        except BaseException as error:
            reason = str(error) or type(error).__name__
            log.warning("could not remove %s %s: %s", entry.kind, entry.name, reason)
        with self._lock:
            entry.reason = reason
            entry.ended.set()

    def _patience(self, now: float) -> float:
        """How long is waited for the next thing."""
        with self._lock:
            left = self._left if self._until is None else min(self._left, self._until - now)
        return max(LEAST, left)
