"""What is made is undone, newest first, whatever happens meanwhile, and counted truly."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import FrameType

import pytest

from wpk_sandbox.errors import InterruptedRunError
from wpk_sandbox.sandbox import ledger as ledgers
from wpk_sandbox.sandbox.ledger import EXPIRES_LABEL, OWNER_LABEL, RUN_LABEL, Ledger, Left, Tally

EXPIRES = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger("unit", EXPIRES)


@pytest.fixture
def undone() -> list[str]:
    return []


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a removal waits for that is not to be done; it is let go at the end."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def _interrupting() -> Iterator[None]:
    """SIGUSR1 interrupts the main thread, as the signals of a run do."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise InterruptedRunError(number)

    before = signal.signal(signal.SIGUSR1, stop)
    yield
    signal.signal(signal.SIGUSR1, before)


def hanging(gate: threading.Event) -> Callable[[], None]:
    """A removal that does not come to an end."""

    def undo() -> None:
        gate.wait(60)

    return undo


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


@pytest.mark.usefixtures("_interrupting")
def test_signal_while_things_are_undone_interrupts_none_and_is_raised_at_the_end(
    ledger: Ledger, undone: list[str]
) -> None:
    main = threading.main_thread().ident
    assert main is not None

    def slow() -> None:
        signal.pthread_kill(main, signal.SIGUSR1)
        time.sleep(0.1)
        undone.append("slow")

    ledger.enter("thing", "first", undo_of("first", undone))
    ledger.enter("thing", "slow", slow)
    with pytest.raises(InterruptedRunError):
        ledger.close()
    assert undone == ["slow", "first"]
    assert ledger.tally() == Tally(2, 2, 0, ())


@pytest.mark.usefixtures("_interrupting")
def test_signal_while_a_thing_is_undone_early_leaves_the_waiting_to_the_end(
    ledger: Ledger, undone: list[str], gate: threading.Event
) -> None:
    main = threading.main_thread().ident
    assert main is not None

    def slow() -> None:
        signal.pthread_kill(main, signal.SIGUSR1)
        gate.wait(10)
        undone.append("thing")

    entry = ledger.enter("thing", "early", slow)
    with pytest.raises(InterruptedRunError):
        ledger.undo(entry)
    assert undone == []
    gate.set()
    assert ledger.close() == Tally(1, 1, 0, ())
    assert undone == ["thing"]


def test_removal_that_hangs_is_told_and_the_next_ones_go_on(
    undone: list[str], gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledgers, "LEAST", 0.2)
    ledger = Ledger("unit", EXPIRES, timeout=0.3)
    ledger.enter("thing", "last", undo_of("last", undone))
    for name in ("one", "two"):
        ledger.enter("mount", name, hanging(gate))
    began = time.monotonic()
    tally = ledger.close()
    assert time.monotonic() - began < 5, "the time for all bounds each"
    assert [(left.name, left.reason) for left in tally.left] == [
        ("one", "it was not removed within 0 s"),
        ("two", "it was not removed within 0 s"),
    ]
    assert (tally.removed, undone) == (1, ["last"])


def test_hurry_undoes_what_stands_alone_side_by_side(ledger: Ledger, undone: list[str]) -> None:
    meet = threading.Barrier(2, timeout=10)

    def together(name: str) -> Callable[[], None]:
        def undo() -> None:
            meet.wait()
            undone.append(name)

        return undo

    ledger.enter("network", "under both", undo_of("network", undone))
    for name in ("one", "two"):
        ledger.enter("container", name, together(name), alone=True)
    ledger.hurry()
    assert ledger.close() == Tally(3, 3, 0, ())
    assert sorted(undone[:2]) == ["one", "two"]
    assert undone[2] == "network", "what others stand on waits for them"


def test_hurry_bounds_the_rest_and_asks_nothing_to_end(
    gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledgers, "LEAST", 0.1)
    ledger = Ledger("unit", EXPIRES, grace=10)
    ledger.enter("container", "hangs", hanging(gate), alone=True)
    ledger.hurry(0.2)
    began = time.monotonic()
    assert len(ledger.close().left) == 1
    assert time.monotonic() - began < 5
    assert ledger.grace == 0


def test_what_is_to_be_kept_is_counted_and_not_touched(undone: list[str]) -> None:
    ledger = Ledger("unit", EXPIRES, keep=True)
    ledger.enter("container", "kept", undo_of("kept", undone), alone=True)
    ledger.hurry()
    assert ledger.close() == Tally(1, 0, 1, ())
    assert undone == []
    assert [entry.name for entry in ledger.kept()] == ["kept"]


def test_what_ends_with_us_is_not_kept(undone: list[str]) -> None:
    ledger = Ledger("unit", EXPIRES, keep=True)
    ledger.enter("simulated cluster", "ours", undo_of("ours", undone), lasts=False)
    assert ledger.close() == Tally(1, 1, 0, ())
    assert undone == ["ours"]


def test_labels_say_whose_it_is_and_until_when(undone: list[str]) -> None:
    told: list[tuple[str, str]] = []
    ledger = Ledger("unit", EXPIRES, owner="token", tell=lambda kind, name: told.append((kind, name)))
    ledger.enter("container", "one", undo_of("one", undone))
    assert ledger.labels == {RUN_LABEL: "unit", EXPIRES_LABEL: "2030-01-01T00:00:00Z", OWNER_LABEL: "token"}
    assert told == [("container", "one")]
    assert OWNER_LABEL not in Ledger("unit", EXPIRES).labels
