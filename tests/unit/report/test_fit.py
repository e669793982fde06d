"""What a report leaves out when it must be small."""

from wpk_sandbox.report.fit import Room, fit, rooms


def test_everything_is_tried_first_and_nothing_last() -> None:
    choices = list(rooms(8, 4000))
    assert choices[0] == Room(8, 8, 4000)
    assert choices[-1] == Room(0, 0, 0, 0)


def test_logs_go_before_details_and_details_before_rows() -> None:
    choices = list(rooms(8, 4000))
    assert all(choice.details == 8 for choice in choices if choice.log)
    assert all(choice.rows == 8 for choice in choices if choice.details)


def test_each_choice_has_less_than_the_one_before() -> None:
    sizes = [(choice.log, choice.details, choice.rows) for choice in rooms(100, 64_000)]
    assert sizes == sorted(sizes, reverse=True)


def test_the_first_form_that_fits_is_taken() -> None:
    assert fit(lambda room: "x" * room.rows, [Room(9, 0, 0), Room(5, 0, 0), Room(2, 0, 0)], 5) == "xxxxx"


def test_bytes_count_and_not_characters() -> None:
    assert fit(lambda room: "→" * room.rows, [Room(4, 0, 0), Room(3, 0, 0)], 9) == "→→→"


def test_the_last_form_is_taken_when_none_fits() -> None:
    assert fit(lambda room: "x" * room.rows, [Room(9, 0, 0), Room(7, 0, 0)], 5) == "x" * 7
