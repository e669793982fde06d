"""Changes of a text by position."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wpk_sandbox.rules.edit import Edit, apply, overlapping

TEXTS = st.text(max_size=40)


@st.composite
def texts_with_edits(draw: st.DrawFn) -> tuple[str, list[Edit]]:
    """A text with edits of parts that do not touch, in any order."""
    text = draw(TEXTS)
    bounds = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    edits = [Edit(start, end, draw(TEXTS)) for start, end in zip(bounds[::2], bounds[1::2], strict=False)]
    return text, draw(st.permutations(edits))


@given(texts_with_edits())
def test_all_edits_at_once_are_the_same_as_one_by_one_from_the_end(example: tuple[str, list[Edit]]) -> None:
    text, edits = example
    expected = text
    for edit in sorted(edits, reverse=True):
        expected = expected[: edit.start] + edit.replacement + expected[edit.end :]
    assert apply(text, edits) == expected


@given(texts_with_edits())
def test_the_edits_of_the_same_text_undo_them(example: tuple[str, list[Edit]]) -> None:
    text, edits = example
    back, shift = [], 0
    for edit in sorted(edits):
        start = edit.start + shift
        back.append(Edit(start, start + len(edit.replacement), text[edit.start : edit.end]))
        shift += len(edit.replacement) - (edit.end - edit.start)
    # A text of no length, put in and taken out again at the same place, has nothing to be told apart by.
    if overlapping(sorted(back)) is None:
        assert apply(apply(text, edits), back) == text


def test_an_insertion_may_touch_a_replacement() -> None:
    assert apply("abc", [Edit(1, 1, "-"), Edit(1, 2, "B"), Edit(2, 2, "+")]) == "a-B+c"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Edit(0, 2, "x"), Edit(1, 3, "y")),
        (Edit(0, 3, "x"), Edit(1, 2, "y")),
        (Edit(0, 2, "x"), Edit(0, 2, "x")),
        (Edit(0, 1, "x"), Edit(0, 2, "y")),
        (Edit(1, 1, "x"), Edit(1, 1, "y")),
        (Edit(0, 3, "x"), Edit(1, 1, "y")),
    ],
)
def test_edits_that_overlap_are_refused(first: Edit, second: Edit) -> None:
    assert first.overlaps(second)
    assert second.overlaps(first)
    with pytest.raises(ValueError, match="overlap"):
        apply("abc", [second, first])


def test_a_long_edit_overlaps_what_comes_after_an_insertion_at_its_start() -> None:
    with pytest.raises(ValueError, match="overlap"):
        apply("abcdef", [Edit(0, 0, "-"), Edit(0, 5, "x"), Edit(1, 1, "y"), Edit(2, 3, "z")])


@pytest.mark.parametrize("edit", [Edit(-1, 0, ""), Edit(2, 1, ""), Edit(3, 4, "")])
def test_an_edit_outside_of_the_text_is_refused(edit: Edit) -> None:
    with pytest.raises(ValueError, match="not a part"):
        apply("abc", [edit])
