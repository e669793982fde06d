"""Signals: the first one ends the run and begins the cleaning up, all later ones find it at work.

A CI system grants little time: GitHub sends SIGINT, 7.5 s later SIGTERM, and kills 2.5 s after that.
https://github.com/actions/runner/blob/main/src/Runner.Sdk/ProcessInvoker.cs
"""

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from wpk_sandbox.errors import InterruptedRunError

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# Seconds from the first signal in which everything is removed, so that the results are written before the kill.
GRACE = 5.0

Handler = Callable[[int, FrameType | None], None]


def _nothing() -> None:
    """What is begun at once where there is nothing to remove."""


@contextmanager
def signals_raise(hurry: Callable[[], None] = _nothing) -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP unwind the run once; while it cleans up, further ones are ignored.

    `hurry` is called at once, in a thread of its own: whatever the main thread waits for, what it begins need not.
    Raises `errors.InterruptedRunError` in the main thread.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise InterruptedRunError(number)

    with _handled(stop), _woken(hurry):
        yield


@contextmanager
def signals_wait() -> Iterator[None]:
    """A signal waits until the block is over, such as the writing of results; then it is raised."""
    arrived: list[int] = []
    with _handled(lambda number, _frame: arrived.append(number)):
        yield
    if arrived:
        raise InterruptedRunError(arrived[0])


@contextmanager
def _handled(handler: Handler) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, handler) for each in SIGNALS}
    try:
        yield
    finally:
        for each, other in before.items():
            signal.signal(each, other)


@contextmanager
def _woken(hurry: Callable[[], None]) -> Iterator[None]:
    """Call `hurry` when a signal arrives, even while the main thread is in the middle of a call that takes long."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)

    def wait() -> None:
        with ours, suppress(OSError):
            if ours.recv(1):
                hurry()

    threading.Thread(target=wait, daemon=True).start()
    before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        theirs.close()
