"""What is made is undone, newest first, whatever happens meanwhile, and counted truly."""

import signal
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from wpk_sandbox.errors import InterruptedRunError
from wpk_sandbox.sandbox.ledger import Ledger, Left, Tally


@pytest.fixture
def ledger() -> Ledger:
    return Ledger("unit", datetime(2030, 1, 1, tzinfo=UTC))


@pytest.fixture
def undone() -> list[str]:
    return []


def undo_of(name: str, undone: list[str]) -> Callable[[], None]:
    return lambda: undone.append(name)


def test_newest_goes_first_and_each_once(ledger: Ledger, undone: list[str]) -> None:
    entries = [ledger.enter("thing", name, undo_of(name, undone)) for name in ("first", "second", "third")]
    ledger.undo(entries[1])
    assert ledger.close() == Tally(3, 3, 0, ())
    assert undone == ["second", "third", "first"]


def test_what_cannot_be_removed_is_left_with_its_reason_and_stops_nothing(
    ledger: Ledger, undone: list[str]
) -> None:
    def stuck() -> None:
        raise OSError("busy")

    ledger.enter("thing", "first", undo_of("first", undone))
    ledger.enter("mount", "stuck", stuck)
    assert ledger.close() == Tally(2, 1, 0, (Left("mount", "stuck", "busy"),))
    assert undone == ["first"]


def test_signal_while_one_thing_is_undone_loses_none(ledger: Ledger, undone: list[str]) -> None:
    arriving = [InterruptedRunError(signal.SIGTERM)]

    def broken_off() -> None:
        if arriving:
            raise arriving.pop()
        undone.append("broken off")

    ledger.enter("thing", "first", undo_of("first", undone))
    ledger.enter("thing", "broken off", broken_off)
    with pytest.raises(InterruptedRunError):
        ledger.close()
    assert undone == ["broken off", "first"]
    assert ledger.tally() == Tally(2, 2, 0, ())


def test_signal_while_a_thing_is_undone_early_leaves_it_to_the_end(ledger: Ledger, undone: list[str]) -> None:
    arriving = [InterruptedRunError(signal.SIGINT)]

    def broken_off() -> None:
        if arriving:
            raise arriving.pop()
        undone.append("thing")

    entry = ledger.enter("thing", "early", broken_off)
    with pytest.raises(InterruptedRunError):
        ledger.undo(entry)
    assert ledger.close() == Tally(1, 1, 0, ())
    assert undone == ["thing"]


def test_what_is_to_be_kept_is_counted_and_not_touched(undone: list[str]) -> None:
    ledger = Ledger("unit", datetime(2030, 1, 1, tzinfo=UTC), keep=True)
    ledger.enter("thing", "kept", undo_of("kept", undone))
    assert ledger.close() == Tally(1, 0, 1, ())
    assert undone == []
