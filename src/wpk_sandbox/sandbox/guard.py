"""Who cleans up when we are killed: a process of ours that outlives us and removes what we made.

It waits on a pipe whose other end only we hold. When we say that all is done, it goes; when the pipe ends without
that, however we died, it removes what carries our token: see `orphans`.
"""

import secrets
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import IO

from wpk_sandbox import command
from wpk_sandbox.errors import WpkSandboxError
from wpk_sandbox.sandbox.interrupts import GRACE
from wpk_sandbox.sandbox.ledger import Entry, Ledger, Tally
from wpk_sandbox.sandbox.orphans import DONE, ON_DAEMON

# Of our environment, what the client of the Docker daemon and the folder for temporary files depend on. Not the
# variable by which a CI runner finds the processes of a job that is over: this one has just begun its work then.
_NEEDED = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "XDG_RUNTIME_DIR", "PYTHONPATH")
_NEEDED_PREFIX = "DOCKER_"

# How long (seconds) the end of a run waits for its reaper to have started, before it is removed.
REAPER_START = 10.0


class Guard:
    """Our side. `owner` is the token on everything that this process makes, `line` what the process hears.

    `timeout` is how long (seconds) it goes on after us.
    """

    def __init__(self, owner: str = "", line: IO[bytes] | None = None, *, timeout: float = 0.0) -> None:
        self.owner = owner
        self._line = line
        self._ledgers: list[Ledger] = []
        self._timeout = timeout
        self._own: Ledger | None = None
        self._starting: threading.Thread | None = None
        self._alone = ""

    def ledger(
        self, run_id: str, expires: datetime, *, keep: bool = False, timeout: float = 300.0, grace: float = 0.0
    ) -> Ledger:
        """A ledger whose things carry our token and are told of."""
        tell = partial(self._tell, run_id, expires)
        made = Ledger(run_id, expires, keep=keep, owner=self.owner, tell=tell, timeout=timeout, grace=grace)
        self._ledgers.append(made)
        return made

    def hurry(self) -> None:
        """A signal arrived: see `Ledger.hurry`. What is not done in time, the process goes on with."""
        for ledger in self._ledgers:
            ledger.hurry(GRACE if self._line else None)

    def kept(self) -> tuple[Entry, ...]:
        """What is kept on request, in the order in which it was made."""
        return tuple(entry for ledger in self._ledgers for entry in ledger.kept())

    def close(self) -> None:
        """End the talk. What is left then, the process begins to remove."""
        if not any(ledger.tally().left for ledger in self._ledgers):
            self._say(DONE)
            if self._starting and self._own:
                self._starting.join(REAPER_START)
                self._own.close()
        line, self._line = self._line, None
        if line:
            with suppress(OSError):
                line.close()

    def notes(self) -> tuple[str, ...]:
        """What a reader should know of who cleans up."""
        return (f"no container waits beside this one: {self._alone}",) if self._alone else ()

    def tally(self) -> Tally:
        """What was made of our own beside the run."""
        return self._own.tally() if self._own else Tally()

    def _tell(self, run_id: str, expires: datetime, kind: str, name: str) -> None:
        self._say(f"{kind}\t{name}")
        if kind in ON_DAEMON and self._own is None:
            self._own = own = Ledger(run_id, expires, owner=self.owner)
            threading.Thread(target=_sweep, daemon=True).start()
            if self._line:
                self._starting = threading.Thread(target=self._start_reaper, args=(own,), daemon=True)
                self._starting.start()

    def _start_reaper(self, ledger: Ledger) -> None:
        """Where we run in a container of the daemon, the process may be killed with us."""
        from wpk_sandbox.sandbox import reaper  # noqa: PLC0415 - knows the Docker daemon, which not every run does

        self._alone = reaper.start(ledger, timeout=self._timeout) or ""

    def _say(self, words: str) -> None:
        if self._line is None:
            return
        try:
            self._line.write(words.replace("\n", " ").encode() + b"\n")
        except OSError:  # it is gone, so there is nobody to tell
            self._line = None


@contextmanager
def guarded(*, timeout: float, needed: bool = True) -> Iterator[Guard]:
    """Have a guard, which goes on for `timeout` seconds after us; none where it is not `needed` or cannot start.

    Every program that we start meanwhile carries the guard's token in its environment, so that it is found.
    """
    owner = secrets.token_hex(8)
    guard = Guard(owner, _started(owner, timeout) if needed else None, timeout=timeout)
    with command.marked(command.OWNER, owner):
        yield guard
    # Only here: a failure that nobody expected leaves the pipe to its end, and us to the process.
    guard.close()


def _sweep() -> None:
    """Remove what has expired of earlier runs that were killed; nobody waits for it."""
    from wpk_sandbox.sandbox.reap import reap  # noqa: PLC0415 - knows the Docker daemon, which not every run does

    with suppress(WpkSandboxError, OSError):
        reap(now=datetime.now(UTC))


def _started(owner: str, timeout: float) -> IO[bytes] | None:
    argv = [sys.executable, "-P", "-m", "wpk_sandbox.sandbox.orphans", owner, f"{timeout:.0f}"]
    try:
        return command.detach(argv, keep=_is_needed)
    except OSError:
        return None


def _is_needed(variable: str) -> bool:
    return variable in _NEEDED or variable.startswith(_NEEDED_PREFIX)
