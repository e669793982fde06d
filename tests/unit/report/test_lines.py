"""Columns of a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wpk_sandbox.report.lines import Tone, folded, line, pad, plain, shorten, width


def test_wide_characters_take_two_columns() -> None:
    assert width("日本") == 4
    assert width("e\u0301") == 1


def test_padding_counts_columns() -> None:
    assert width(pad("日本", 10)) == 10


@pytest.mark.parametrize("columns", [5, 9, 10])
def test_a_shortened_text_fits_and_shows_that_it_was_cut(columns: int) -> None:
    short = shorten("日本語の長い名前です", columns)
    assert width(short) <= columns
    assert short.endswith("…")


@given(st.text(max_size=40), st.integers(min_value=2, max_value=30))
def test_shorten_always_fits(text: str, columns: int) -> None:
    assert width(shorten(text, columns)) <= columns


def test_every_part_of_a_line_is_made_harmless() -> None:
    assert plain([line("a\n", ("\x1b[2J", Tone.BAD))]) == "a\\n\\x1b[2J\n"


def test_a_line_without_end_is_cut() -> None:
    assert len(plain([line("x" * 1_000_000)])) < 2100


def test_a_text_is_broken_between_words_and_a_longer_word_not_at_all() -> None:
    assert folded("one two three", 7) == ["one two", "three"]
    assert folded("one two three", 7, taken=4) == ["one", "two", "three"]
    assert folded("one two three", 7, taken=5) == ["", "one two", "three"]
    assert folded("日本 語", 5) == ["日本", "語"]
    assert folded("longer than that", 4) == ["longer", "than", "that"]
    assert folded("", 4) == [""]


def test_a_broken_text_shows_codes_for_what_cannot_be_shown() -> None:
    assert folded("a\x1b b", 5) == ["a\\x1b", "b"]
