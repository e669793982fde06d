"""The published precision and recall are those of the rules as they are, and reach the bar in every family."""

import sys
from pathlib import Path

import pytest

CORPUS = Path(__file__).parents[1] / "corpus"
sys.path.insert(0, str(CORPUS))  # where measure.py finds families.py when it runs as a program

import measure  # noqa: E402 -- found by the line above

Measured = tuple[dict[str, measure.Score], list[measure.Miss]]


@pytest.fixture(scope="module")
def measured() -> Measured:
    return measure.measure(measure.read(), measure.raised)


def test_every_family_reaches_the_bar(measured: Measured) -> None:
    weak = {family: (score.precision, score.recall) for family, score in measured[0].items() if not score.good}
    assert weak == {}


def test_every_family_is_measured(measured: Measured) -> None:
    assert {family for family, score in measured[0].items() if score.found} == set(measure.SHELL | measure.PACKAGES)


def test_the_published_page_is_that_of_these_rules(measured: Measured) -> None:
    page = measure.PAGE.read_text(encoding="utf-8")
    assert page == measure.written(*measured), "renew it: .venv/bin/python tests/corpus/measure.py --write"
