"""GitHub's names of lines; the values are those that `github/codeql-action` holds itself to."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wpk_sandbox.report.line_hash import line_hashes

GREETINGS = [
    "e9496ae3ebfced30:1",
    "fb7c023a8b9ccb3f:1",
    "ce8ba1a563dcdaca:1",
    "e20e36e16fcb0cc8:1",
    "b3edc88f2938467e:1",
    "c8e28b0b4002a3a0:1",
    "c129715d7a2bc9a3:1",
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["c129715d7a2bc9a3:1"]),
        (
            " a\nb\n  \t\tc\n d",
            ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"],
        ),
        (" hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n", GREETINGS),
        (" hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r", GREETINGS),
        (" hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n", GREETINGS),
        (" hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n", GREETINGS),
        (
            "Lorem ipsum dolor sit amet.\n" * 10,
            [
                *[f"a7f2ff13bc495cf2:{number}" for number in range(1, 7)],
                "a7f2ff1481e87703:1",
                "a9cf91f7bbf1862b:1",
                "55ec222b86bcae53:1",
                "cc97dc7b1d7d8f7b:1",
                "c129715d7a2bc9a3:1",
            ],
        ),
    ],
    ids=["empty", "plain", "line-feeds", "carriage-returns", "both", "mixed", "repeated"],
)
def test_lines_are_named_as_github_names_them(text: str, expected: list[str]) -> None:
    assert line_hashes(text) == expected


def test_a_line_that_moves_far_enough_away_keeps_its_name() -> None:
    below = "".join(f"line {number} of those below it\n" for number in range(9))
    moved = line_hashes("new\n" * 30 + "command: x\n" + below)[30]
    assert moved == line_hashes("command: x\n" + below)[0]
    assert moved != line_hashes("command: y\n" + below)[0]


def test_characters_beyond_the_first_plane_count_twice_as_they_do_in_javascript() -> None:
    assert line_hashes("😀") == line_hashes("\ud83d\ude00")
    assert line_hashes("😀") != line_hashes("\U0001f601")


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("ab \t\n\r😀\ud800é"), max_size=300))
def test_every_line_of_any_text_has_a_name_of_its_own(text: str) -> None:
    names = line_hashes(text)
    assert len(names) == len(re.split(r"\r\n|\r|\n", text))
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[0-9a-f]{1,16}:[1-9][0-9]*", name) for name in names)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(st.sampled_from("ab \t"), max_size=30), max_size=20), st.sampled_from(["\n", "\r\n", "\r"]))
def test_blanks_and_line_ends_do_not_matter(lines: list[str], end: str) -> None:
    plain = "\n".join(re.sub(r"[ \t]", "", line) for line in lines)
    assert line_hashes(end.join(lines)) == line_hashes(plain)
