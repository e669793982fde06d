"""Ends processes, and those that they make meanwhile."""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress

from .measuring import Others

# Rounds of stopping, each of which finds what was made during the last.
ROUNDS = 20


def end_everyone() -> bool:
    """Kill all processes of this namespace but this one, at once; False when there are none."""
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def end_descendants(others: Others) -> bool:
    """Kill all that came of this process; False when there are none.

    They are stopped first: whoever is stopped makes no further ones while we look for them.
    """
    stopped: set[int] = set()
    for _ in range(ROUNDS):
        found = set(others())
        if found <= stopped:
            break
        _signal(found, signal.SIGSTOP)
        stopped = found
    _signal(stopped, signal.SIGKILL)
    return bool(stopped)


def _signal(processes: Iterable[int], number: int) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)
