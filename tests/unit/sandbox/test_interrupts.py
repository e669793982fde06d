"""The first signal unwinds, later ones are ignored; and while results are written, all wait."""

import os
import signal
import sys
import threading
import time

import pytest

from wpk_sandbox.errors import InterruptedRunError
from wpk_sandbox.sandbox.interrupts import signals_raise, signals_wait

each_signal = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])


@each_signal
def test_second_signal_is_ignored_while_the_first_unwinds(number: int) -> None:
    before = signal.getsignal(number)
    unwound: list[int] = []

    def interrupted() -> None:
        try:
            os.kill(os.getpid(), number)
        finally:
            os.kill(os.getpid(), number)
            unwound.append(number)

    with pytest.raises(InterruptedRunError), signals_raise():
        interrupted()
    assert unwound == [number]
    assert signal.getsignal(number) is before


def test_hurry_begins_beside_what_unwinds() -> None:
    hurried = threading.Event()
    begun: list[bool] = []

    def interrupted() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            begun.append(hurried.wait(10))

    with pytest.raises(InterruptedRunError), signals_raise(hurried.set):
        interrupted()
    assert begun == [True]


def test_nothing_hurries_without_a_signal() -> None:
    before = set(threading.enumerate())
    hurried = threading.Event()
    with signals_raise(hurried.set):
        (waiting,) = set(threading.enumerate()) - before
    waiting.join(10)
    assert (waiting.is_alive(), hurried.is_set()) == (False, False)
    assert signal.set_wakeup_fd(-1) == -1


@each_signal
def test_signal_waits_until_results_are_written(number: int) -> None:
    before = signal.getsignal(number)
    written: list[int] = []

    def write() -> None:
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), signal.SIGTERM)
        written.append(number)

    with pytest.raises(InterruptedRunError, match=f"signal {int(number)}"), signals_wait():
        write()
    assert written == [number]
    assert signal.getsignal(number) is before


def test_without_a_signal_writing_ends_as_it_does() -> None:
    with signals_wait():
        pass
    with pytest.raises(OSError, match="full"), signals_wait():
        raise OSError("full")


def test_other_threads_have_no_signals_to_handle() -> None:
    done = []

    def work() -> None:
        with signals_raise(), signals_wait():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert done == [True]


def test_signal_in_a_destructor_ends_the_run_all_the_same() -> None:
    """There the interpreter ignores what a handler raises."""

    class Doomed:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGTERM)

    def doom() -> None:
        Doomed()
        time.sleep(5)

    with pytest.raises(InterruptedRunError) as caught, signals_raise():
        doom()
    assert caught.value.number == signal.SIGTERM


def test_other_errors_of_destructors_are_told_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    class Doomed:
        def __del__(self) -> None:
            raise ValueError("told")

    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda lost: told.append(lost.exc_value))
    with signals_raise():
        Doomed()
    assert [str(each) for each in told] == ["told"]
