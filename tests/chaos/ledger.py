"""What became of all the runs of a chaos, in a table: by sandbox, by signal, by moment."""

from collections.abc import Callable, Iterable

from .runs import GUARD, INCONCLUSIVE, ITSELF, MOMENTS, SIGNALS, SWEEP, Outcome

# Of a hundred runs so many may be inconclusive before they are killed, on a host that is too busy.
MOST_INCONCLUSIVE = 10

# What is counted of the runs of a row.
COLUMNS: dict[str, Callable[[Outcome], int]] = {
    "runs": lambda _: 1,
    f"by {ITSELF}": lambda outcome: outcome.remover == ITSELF,
    f"by {GUARD}": lambda outcome: outcome.remover == GUARD,
    f"by {SWEEP}": lambda outcome: outcome.remover == SWEEP,
    "left": lambda outcome: len(outcome.left),
    "half-written": lambda outcome: len(outcome.half_written),
    "otherwise wrong": lambda outcome: len(outcome.wrong),
}


def ledger(outcomes: list[Outcome]) -> list[str]:
    """The table: how many runs, who removed the last of each, and what should be nought everywhere."""
    groups = {
        "sandbox": sorted({each.case.sandbox for each in outcomes}),
        "signal_name": [number.name for number in SIGNALS],
        "moment": MOMENTS,
    }
    rows = [_row("", COLUMNS)]
    for attribute, values in groups.items():
        of_value = {
            value: [each for each in outcomes if getattr(each.case, attribute) == value] for value in values
        }
        rows += [_row(value, _counts(members)) for value, members in of_value.items()]
        rows.append("")
    slowest = max((each.seconds for each in outcomes if each.case.signal_name != "SIGKILL"), default=0.0)
    codes = sorted({each.exit_code for each in outcomes})
    exits = ", ".join(f"{sum(each.exit_code == code for each in outcomes)} × {code}" for code in codes)
    return [
        *rows,
        _row("all", _counts(outcomes)),
        f"exit codes: {exits}",
        f"longest from SIGINT or SIGTERM to the exit: {slowest:.2f} s",
    ]


def wrong_with(outcomes: list[Outcome]) -> list[str]:
    """All that is not as it should be, with the run's number."""
    wrong = [f"run {each.case.number}: {problem}" for each in outcomes for problem in each.problems]
    idle = sum(each.exit_code == INCONCLUSIVE for each in outcomes)
    if 100 * idle > MOST_INCONCLUSIVE * len(outcomes):
        wrong.append(f"{idle} of {len(outcomes)} runs were inconclusive before they were killed")
    return wrong


def _counts(outcomes: list[Outcome]) -> list[str]:
    return [str(sum(count(each) for each in outcomes)) for count in COLUMNS.values()]


def _row(title: str, cells: Iterable[str]) -> str:
    widths = [len(name) for name in COLUMNS]
    return "  ".join([f"{title:<10}", *(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))])
