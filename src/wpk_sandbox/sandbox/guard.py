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
from typing import IO

from wpk_sandbox import command
from wpk_sandbox.errors import WpkSandboxError
from wpk_sandbox.sandbox.interrupts import GRACE
from wpk_sandbox.sandbox.ledger import Entry, Ledger
from wpk_sandbox.sandbox.orphans import DONE, ON_DAEMON

# Of our environment, what the client of the Docker daemon and the folder for temporary files depend on. Not the
# variable by which a CI runner finds the processes of a job that is over: this one has just begun its work then.
_NEEDED = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "XDG_RUNTIME_DIR", "PYTHONPATH")
_NEEDED_PREFIX = "DOCKER_"


class Guard:
    """Our side. `owner` is the token on everything that this process makes."""

    def __init__(self, owner: str = "", line: IO[bytes] | None = None) -> None:
        self.owner = owner
        self._line = line
        self._ledgers: list[Ledger] = []
        self._swept = False

    def ledger(
        self, run_id: str, expires: datetime, *, keep: bool = False, timeout: float = 300.0, grace: float = 0.0
    ) -> Ledger:
        """A ledger whose things carry our token and are told of."""
        made = Ledger(run_id, expires, keep=keep, owner=self.owner, tell=self._tell, timeout=timeout, grace=grace)
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
        line, self._line = self._line, None
        if line:
            with suppress(OSError):
                line.close()

    def _tell(self, kind: str, name: str) -> None:
        self._say(f"{kind}\t{name}")
        if kind in ON_DAEMON and not self._swept:
            self._swept = True
            threading.Thread(target=_sweep, daemon=True).start()

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
    guard = Guard(owner, _started(owner, timeout) if needed else None)
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
