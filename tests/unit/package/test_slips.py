"""A value of the wrong form is told with the value that was probably meant, if the field takes that."""

from typing import Any

import pytest

from wpk_sandbox.package.load import load_bytes
from wpk_sandbox.package.slips import alike, meanings

PACKAGE = """\
apiVersion: v1
kind: WorkflowPackage
metadata: {name: sample, version: %s}
spec:
  runtime: {type: k8s, requirements: {cpu: %s}}
  safety: {mode: %s, approval_required: %s}
  handlers:
    - name: look
      type: shell
      timeout: %s
      retry: {max_attempts: %s}
      config: {command: "true"}
"""
SOUND = ("1.2.0", "100m", "auto", "true", "5m", "3")


def fixes(place: int, written: str) -> list[str]:
    values = [written if number == place else sound for number, sound in enumerate(SOUND)]
    return [finding.fix for finding in load_bytes((PACKAGE % tuple(values)).encode(), "x").findings]


@pytest.mark.parametrize(
    ("place", "written", "fix"),
    [
        (0, "v1.2.0", "Write `1.2.0`."),
        (1, '"0,5"', "Write `0.5`."),
        (2, "Auto", "Write `auto`."),
        (2, "automatic", "Write `auto`."),
        (3, '"true"', "Write `true`, without quotes."),
        (3, "yes", "Write `true`, without quotes."),
        (3, "off", "Write `false`, without quotes."),
        (4, "5 min", "Write `5m`."),
        (4, "1 hour and 30 minutes", "Write `1h30m`."),
        (4, "90 SEC", "Write `90s`."),
        (5, '"3"', "Write `3`, without quotes."),
    ],
)
def test_what_was_meant_is_the_fix(place: int, written: str, fix: str) -> None:
    assert fixes(place, written) == [fix]


@pytest.mark.parametrize(
    ("place", "written"), [(0, "later"), (1, "much"), (4, "a while"), (5, "many"), (3, "maybe")]
)
def test_what_cannot_be_guessed_is_told_in_general(place: int, written: str) -> None:
    assert fixes(place, written) == ["Write a value of the form that the field takes."]


@pytest.mark.parametrize(("place", "written"), list(enumerate(SOUND)))
def test_what_is_right_is_not_told(place: int, written: str) -> None:
    assert fixes(place, written) == []


@pytest.mark.parametrize(
    ("value", "first"),
    [
        ("Yes", True),
        ("n", False),
        ("12", 12),
        (" x ", "x"),
        ("512MB", "512M"),
        ("256 Mib", "256Mi"),
        ("2 GB", "2G"),
        ("10 sec", "10s"),
        ("V2.0.0", "2.0.0"),
        ("WARN", "warn"),
        ("plain", None),
        ("٣", None),
        ("x" * 1000, None),
        (7, None),
        (None, None),
        ({}, None),
    ],
)
def test_the_likeliest_meaning_comes_first(value: Any, first: Any) -> None:
    assert next(meanings(value), None) == first


def test_two_spellings_of_a_word_are_alike() -> None:
    assert alike("maxAttempts", "max_attempts")
    assert alike("Max-Attempts", "max_attempts")
    assert not alike("max_attempt", "max_attempts")
