"""Signals: the first one ends the run and begins the cleaning up, all later ones find it at work.

A CI system grants little time: GitHub sends SIGINT, 7.5 s later SIGTERM, and kills 2.5 s after that.
https://github.com/actions/runner/blob/main/src/Runner.Sdk/ProcessInvoker.cs
"""

import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from wpk_sandbox.errors import InterruptedRunError

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# Seconds from the first signal in which everything is removed, so that the results are written before the kill.
GRACE = 5.0

# Seconds after which what could not be raised is raised again; the destructor is over by then.
_MOMENT = 0.01

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

    with _handled(stop), _woken(hurry), _raised_again(stop):
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
def _raised_again(handler: Handler) -> Iterator[None]:
    """Send a signal once more whose error was lost.

    Where a signal falls into a destructor or a callback of the garbage collector, the interpreter cannot raise what
    the handler raises: it tells `sys.unraisablehook` and goes on, and the run would not end.
    """
    before = sys.unraisablehook

    def hook(lost: "sys.UnraisableHookArgs") -> None:
        if not isinstance(lost.exc_value, InterruptedRunError):
            before(lost)
            return
        number = lost.exc_value.number
        signal.signal(number, handler)
        main = threading.main_thread().ident or 0
        threading.Timer(_MOMENT, signal.pthread_kill, (main, number)).start()

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before


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
        begun = False
        # To the end: a signal that finds nobody reading could not be told to anybody.
        with ours, suppress(OSError):
            while ours.recv(1):
                if not begun:
                    begun = True
                    hurry()

    threading.Thread(target=wait, daemon=True).start()
    before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        theirs.close()
