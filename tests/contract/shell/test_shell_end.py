"""Whatever happens, everything that a shell was made of is gone afterwards."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest
from shell_suite import Kind, Sleep, eventually, nothing_left

from wpk_sandbox.errors import InterruptedRunError, SandboxError
from wpk_sandbox.sandbox.sandbox import ShellAccess


def test_leaving_removes_everything(kind: Kind, sleep: Sleep) -> None:
    with nothing_left(kind) as ledger:
        with kind.open(ledger) as shell:
            shell.run(f"setsid {sleep} >/dev/null 2>&1 &", environment={}, timeout=20)
            assert eventually(lambda: bool(sleep.processes())), "the control runs"
        assert sleep.is_gone()


def test_failure_of_the_caller_removes_everything(kind: Kind, sleep: Sleep) -> None:
    with nothing_left(kind) as ledger:
        with suppress(RuntimeError), kind.open(ledger) as shell:
            shell.run(f"{sleep} >/dev/null 2>&1 &", environment={}, timeout=20)
            raise RuntimeError
        assert sleep.is_gone()


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), InterruptedRunError(signal.SIGTERM)], ids=repr)
def test_signal_in_the_middle_of_a_command_removes_everything(
    kind: Kind, sleep: Sleep, raised: BaseException
) -> None:
    with nothing_left(kind) as ledger:
        with pytest.raises(type(raised)), kind.open(ledger) as shell, _after(1.0, raised):
            shell.run(f"{sleep}", environment={}, timeout=60)
        assert sleep.is_gone()


@pytest.mark.parametrize("seconds", [0.001, 0.006, 0.007, 0.008, 0.01, 0.03, 0.1, 0.2])
def test_signal_while_it_opens_removes_everything(kind: Kind, seconds: float) -> None:
    with nothing_left(kind) as ledger:
        try:
            with _after(seconds, InterruptedRunError(signal.SIGINT)), kind.open(ledger):
                signal.pause()
        except InterruptedRunError:
            pass
        else:
            pytest.fail("the signal did not come")
        if not ledger.tally().made:
            ledger.enter("nothing", "the signal came before anything was made", lambda: None)


def test_two_shells_do_not_see_one_another(kind: Kind, sleep: Sleep, tmp: str) -> None:
    with kind.open() as one, kind.open() as two:
        one.run(f"echo secret >{tmp}/of-one; {sleep} >/dev/null 2>&1 &", environment={}, timeout=20)
        assert two.run(f"cat {tmp}/of-one", environment={}, timeout=20).exit_code == 1
        two.run("kill -9 -1", environment={}, timeout=20)
        assert sleep.processes()
        assert one.run(f"cat {tmp}/of-one", environment={}, timeout=20).stdout == "secret\n"
    assert sleep.is_gone()


def test_shell_that_cannot_be_made_says_why_and_leaves_nothing(kind: Kind) -> None:
    # Where a file is, nothing lies below it.
    access = ShellAccess({"/workspace/a": "x", "/workspace/a/b": "y"})
    broken = replace(kind, spec=replace(kind.spec, access=access))
    ledger = kind.ledger()
    with pytest.raises(SandboxError) as raised, broken.open(ledger):
        pass
    assert str(raised.value)
    tally = ledger.close()
    assert (tally.removed, tally.left) == (tally.made, ())


def test_file_outside_the_writable_folders_is_refused(kind: Kind) -> None:
    access = ShellAccess({"/etc/kube": "x"})
    with pytest.raises(SandboxError), replace(kind, spec=replace(kind.spec, access=access)).open():
        pass


@contextmanager
def _after(seconds: float, raised: BaseException) -> Iterator[None]:
    """Raise in the main thread, as a signal's handler does, when the time is over."""

    def handle(*_: object) -> None:
        raise raised

    def again(lost: "sys.UnraisableHookArgs") -> None:
        # It fell into a destructor, where nothing can be raised.
        if lost.exc_value is raised:
            signal.setitimer(signal.ITIMER_REAL, 0.01)
        else:
            hook(lost)

    hook, sys.unraisablehook = sys.unraisablehook, again
    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        sys.unraisablehook = hook
