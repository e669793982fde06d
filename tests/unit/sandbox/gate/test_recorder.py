"""Attempts are counted, each once, and never more than there is room for."""

import pytest

from wpk_sandbox.sandbox.gate.recorder import Recorder, Seen


def tcp(port: int, address: str = "192.0.2.1") -> Seen:
    return Seen("tcp", address, port)


def nobody() -> str:
    return ""


def test_same_attempt_is_listed_once_with_its_count() -> None:
    recorder = Recorder()
    for port in (1, 2, 1, 1):
        recorder.add(tcp(port), nobody)
    assert [(seen.port, seen.count) for seen in recorder.take().seen] == [(1, 3), (2, 1)]


def test_what_was_taken_is_not_taken_again() -> None:
    recorder = Recorder()
    recorder.add(tcp(1), nobody)
    assert len(recorder.take().seen) == 1
    assert recorder.take().seen == ()
    recorder.add(tcp(1), nobody)
    assert [seen.count for seen in recorder.take().seen] == [1]


def test_process_is_looked_for_only_once_for_each() -> None:
    asked: list[int] = []
    recorder = Recorder()

    def who() -> str:
        asked.append(1)
        return f"curl ({len(asked)})"

    for port in (1, 1, 2):
        recorder.add(tcp(port), who)
    assert [seen.process for seen in recorder.take().seen] == ["curl (1)", "curl (2)"]


def test_flood_is_counted_and_not_kept() -> None:
    found: list[Seen] = []
    recorder = Recorder(most=10, found=found.append)
    for number in range(20_000):
        recorder.add(tcp(number % 10_000), nobody)
    taken = recorder.take()
    assert len(taken.seen) == len(found) == 10
    assert taken.more == 20_000 - 2 * 10
    recorder.add(tcp(70_000), nobody)
    assert (len(recorder.take().seen), recorder.take().more) == (1, 0)


def test_both_kinds_of_addresses_of_a_name_are_one_attempt() -> None:
    recorder = Recorder()
    for kind in (1, 28, 1, 28, 28):
        recorder.add(Seen("dns", name="a", kind=kind), nobody)
    recorder.add(Seen("dns", name="b", kind=1), nobody)
    assert [(seen.name, seen.count) for seen in recorder.take().seen] == [("a", 3), ("b", 1)]


def test_attempt_is_read_back_as_it_was_sent() -> None:
    seen = Seen("tcp", "192.0.2.1", 22, "a.test", route=1, process="nc (7)", count=2)
    assert Seen.from_json(seen.as_json()) == seen
    assert Seen.from_json(Seen("icmp").as_json()) == Seen("icmp")


@pytest.mark.parametrize(
    "change",
    [
        *({"port": "22"}, {"count": None}, {"process": 7}, {"name": "a" * 2000}, {"route": 1.5}, {"further": 1}),
        *({"count": -1}, {"count": 10**30}, {"count": True}, {"port": -1}, {"route": -1}),
    ],
    ids=str,
)
def test_attempt_of_another_shape_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="attempt"):
        Seen.from_json({**Seen("tcp").as_json(), **change})
