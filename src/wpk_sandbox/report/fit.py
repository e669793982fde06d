"""Keeps a report under the size that its reader takes, by leaving out what matters least."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

MOST_TEXT = 1000


@dataclass(frozen=True)
class Room:
    """How much a report shows: packages in its table, packages with details, characters of each log, findings."""

    rows: int
    details: int
    log: int
    findings: int = 25


def rooms(packages: int, log: int) -> Iterable[Room]:
    """From everything to almost nothing: first the logs shrink, then details go, then rows."""
    while log >= 500:
        yield Room(packages, packages, log)
        log //= 4
    details = packages
    while details:
        yield Room(packages, details, 0)
        details //= 2
    rows = packages
    while rows:
        yield Room(rows, 0, 0)
        rows //= 2
    yield Room(0, 0, 0, 0)


def fit(render: Callable[[Room], str], choices: Iterable[Room], limit: int) -> str:
    """The first form that has at most `limit` bytes, or else the last one."""
    text = ""
    for room in choices:
        text = render(room)
        if len(text.encode("utf-8", "replace")) <= limit:
            return text
    return text


def brief(text: str) -> str:
    """The beginning of a text, as much of it as anybody reads of a message."""
    return text if len(text) <= MOST_TEXT else text[:MOST_TEXT] + "…"
