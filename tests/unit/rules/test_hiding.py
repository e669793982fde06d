"""Known texts are starred wherever they stand, and the work grows with the length of what is read."""

import random
from collections.abc import Sequence

import pytest

from wpk_sandbox.rules.hiding import HIDDEN, Hiding


def plainly(text: str, hidden: Sequence[str]) -> str:
    """The same as `Hiding.line`, the slow and obvious way."""
    starred = list(text)
    for each in hidden:
        for at in range(len(text) - len(each) + 1):
            if text.startswith(each, at):
                starred[at : at + len(each)] = "*" * len(each)
    return "".join(starred)


@pytest.mark.parametrize("seed", range(40))
def test_every_text_is_found_wherever_it_stands_and_however_they_overlap(seed: int) -> None:
    chance = random.Random(seed)
    letters = "ab" if seed % 2 else "abcdefgh}"
    hidden = ["".join(chance.choices(letters, k=chance.randint(3, 9))) for _ in range(chance.randint(1, 12))]
    hidden += ["a" * length for length in range(3, seed)]
    text = "".join(chance.choices(letters, k=400))
    assert Hiding(hidden).line(text) == plainly(text, hidden)


@pytest.mark.parametrize("length", [255, 256, 257, 300, 384, 385, 511, 512, 513, 5000])
def test_a_long_text_is_hidden_as_a_whole(length: int) -> None:
    secret = "".join(random.Random(length).choices("abcdefghij", k=length))
    hidden = Hiding([secret, secret[:300] + "x", "y" * 400])
    assert hidden.line(f"a {secret} z") == f"a {'*' * length} z"
    assert hidden.told(f"a {secret} z {secret[1:40]}!") == f"a {HIDDEN} z {secret[1:40]}!"


def test_what_is_not_hidden_stays() -> None:
    assert Hiding(["abcd"]).told("abc abce bcd") == "abc abce bcd"
    assert not Hiding(["abcd"]).holds("abc abce bcd")
    assert Hiding(["abcd"]).holds("xabcdx")
    assert not Hiding(["ab"])
    assert Hiding().told("abc...") == Hiding().line("abc...") == "abc..."


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("`run hunter2ab...` does", "`run ***...` does"),
        ("`run hunt…` does", "`run ***…` does"),
        ("`run hun...` does", "`run hun...` does"),
        ("`run hunter2abc...` does", "`run ***...` does"),
        ("`run pin...` does", "`run ***...` does"),
        ("`run the hunter...`", "`run the ***...`"),
        ("`a hunter is here` and more...", "`a hunter is here` and more..."),
    ],
)
def test_half_of_a_text_is_starred_where_something_was_cut(said: str, told: str) -> None:
    assert Hiding(["hunter2abc", "pin9"]).told(said) == told


def test_what_was_cut_without_a_word_may_end_with_half_of_a_text() -> None:
    hidden = Hiding(["hunter2abc"])
    assert hidden.told("said hunter2", cut=True) == f"said {HIDDEN}"
    assert hidden.told("said hunter2") == "said hunter2"


class Counted(str):
    """A text that counts how often it is read from."""

    reads = 0

    def __getitem__(self, at: object) -> str:
        Counted.reads += 1
        return super().__getitem__(at)  # type: ignore[index]


@pytest.mark.parametrize("hidden", [["a" * length for length in range(3, 2000)], ["abc", "bcd"]])
def test_each_place_is_read_a_few_times_however_many_texts_are_hidden(hidden: list[str]) -> None:
    Counted.reads = 0
    text = Counted("a" * 3000 + "abcd}" * 200)
    starred = Hiding(hidden).line(text)
    assert starred.count("*") >= 800
    assert Counted.reads <= 4 * len(text)
