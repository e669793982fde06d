"""Deadlines nest, and the innermost that runs out first is the one that is named."""

import pytest
from running import FakeTime

from wpk_sandbox.run.deadline import Deadline, OutOfTimeError, Pace
from wpk_sandbox.run.result import Limit


def nest(time: FakeTime, run: float, package: float, handler: float, step: float) -> Deadline:
    outer = Deadline.start(Limit.RUN, run, time.clock).within(Limit.PACKAGE, package)
    return outer.within(Limit.HANDLER, handler).within(Limit.STEP, step)


@pytest.mark.parametrize(
    ("seconds", "named"),
    [
        ((40, 30, 20, 10), Limit.STEP),
        ((40, 30, 10, 20), Limit.HANDLER),
        ((40, 10, 20, 30), Limit.PACKAGE),
        ((10, 20, 30, 40), Limit.RUN),
        ((10, 10, 10, 10), Limit.STEP),
        ((40, 10, 10, 30), Limit.HANDLER),
    ],
)
def test_the_innermost_limit_that_runs_out_first_is_named(
    seconds: tuple[float, float, float, float], named: Limit
) -> None:
    time = FakeTime()
    deadline = nest(time, *seconds)
    time.now += 9.9
    deadline.check()
    time.now += 0.2
    with pytest.raises(OutOfTimeError) as error:
        deadline.check()
    assert error.value.limit is named
    assert error.value.seconds == 10
    assert str(error.value) == f"the {named} of 10 s ran out"


def test_an_inner_deadline_starts_when_it_is_made() -> None:
    time = FakeTime()
    outer = Deadline.start(Limit.PACKAGE, 100, time.clock)
    time.now += 30
    assert outer.within(Limit.STEP, 50).remaining() == 50
    assert outer.within(Limit.STEP, 90).remaining() == 70


def test_nothing_remains_after_the_end() -> None:
    time = FakeTime()
    deadline = Deadline.start(Limit.RUN, 1, time.clock)
    time.now += 5
    assert deadline.remaining() == 0


def test_a_pause_ends_at_the_deadline() -> None:
    time = FakeTime()
    deadline = Deadline.start(Limit.STEP, 3, time.clock)
    deadline.sleep(2)
    with pytest.raises(OutOfTimeError):
        deadline.sleep(60)
    assert time.slept == [2, 1]


def test_looking_becomes_slower_up_to_the_longest_pause() -> None:
    time = FakeTime()
    answers = iter([None] * 6 + ["there"])
    found = Deadline.start(Limit.STEP, 60, time.clock).until(lambda: next(answers), Pace(0.2, 1.0))
    assert found == "there"
    assert time.slept[0] == 0.2
    assert time.slept == sorted(time.slept)
    assert time.slept[-1] == 1.0


def test_what_is_there_at_once_is_not_waited_for() -> None:
    time = FakeTime()
    assert Deadline.start(Limit.STEP, 60, time.clock).until(lambda: 1) == 1
    assert time.slept == []


def test_a_timeout_of_the_action_itself_is_no_limit() -> None:
    time = FakeTime()
    deadline = Deadline.start(Limit.STEP, 60, time.clock).within(None, 5)
    time.now += 6
    with pytest.raises(OutOfTimeError, match=r"the timeout of 5\.0 s ran out") as error:
        deadline.check()
    assert error.value.limit is None
