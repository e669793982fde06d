"""The table: numbers by sandboxes, for a terminal, for the documentation, and for programs."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from catalogue import NUMBERS
from model import Cell, Verdict, worst

ANY = "any"
_SIGNS = {
    Verdict.REPORTED: "reported",
    Verdict.BLOCKED: "blocked",
    Verdict.NOT_APPLICABLE: "-",
    Verdict.OPEN: "OPEN",
}


# As they stand in the table.
ORDER = ("local", "landlock", "container", "kind", "vm", ANY)


def cells_of(text: str) -> list[Cell]:
    """What `as_json` wrote."""
    rows = json.loads(text)["attempts"]
    return [
        Cell(r["number"], r["attempt"], r["sandbox"], Verdict(r["verdict"]), r["seen"], r["report"], r["control"])
        for r in rows
    ]


def cells_in(path: Path) -> list[Cell]:
    """What a file of `as_json` holds."""
    return cells_of(path.read_text(encoding="utf-8"))


def merged(runs: Sequence[Sequence[Cell]]) -> list[Cell]:
    """All of them, where the later try of an attempt in a column stands for the earlier."""
    return list({(cell.number, cell.name, cell.column): cell for cells in runs for cell in cells}.values())


def columns_of(cells: Iterable[Cell]) -> tuple[str, ...]:
    """The columns that were tried."""
    return tuple(column for column in ORDER if any(cell.column == column for cell in cells))


def of(cells: Sequence[Cell], number: int, column: str) -> list[Cell]:
    """The cells of a number in a column."""
    return [cell for cell in cells if cell.number == number and cell.column == column]


def printed(cells: Sequence[Cell]) -> str:
    """One line for each number, and what is open at the end."""
    columns = columns_of(cells)
    lines = [f"{'':58}" + "".join(f"{column:>16}" for column in columns)]
    for number in sorted({cell.number for cell in cells}):
        title = f"{number:3}  {NUMBERS[number].title}"
        marks = "".join(f"{_mark(of(cells, number, column)):>16}" for column in columns)
        lines.append(f"{title[:57]:58}{marks}")
    opened = [f"OPEN {cell.number} {cell.name} in {cell.column}: {cell.seen}" for cell in cells if _is_open(cell)]
    return "\n".join([*lines, "", *opened])


def markdown(cells: Sequence[Cell]) -> str:
    """The page of the documentation: the table, then each attempt."""
    columns = columns_of(cells)
    lines = [
        _HEAD,
        f"| | Attempt | {' | '.join(columns)} |",
        f"| --: | --- | {' | '.join('---' for _ in columns)} |",
    ]
    for number in NUMBERS:
        row = [_words(of(cells, number, column)) for column in columns]
        lines.append(f"| {number} | {NUMBERS[number].title} | {' | '.join(row)} |")
    lines += ["", "## Each attempt", ""]
    for number in NUMBERS:
        lines += [f"### {number}. {NUMBERS[number].title}", ""]
        lines += [*_details([cell for cell in cells if cell.number == number], columns), ""]
    return "\n".join(lines).rstrip() + "\n"


def as_json(cells: Sequence[Cell], faults: Sequence[str]) -> str:
    """Everything, with what was seen each time."""
    rows = [{"number": c.number, "attempt": c.name, "sandbox": c.column, "verdict": c.verdict, "seen": c.seen,
             "report": c.report, "control": c.control} for c in cells]  # fmt: skip
    return json.dumps({"attempts": rows, "faults": list(faults)}, indent=1) + "\n"


_HEAD = """\
# What was tried against the sandboxes

Written by `make conformance`, which tries all of this anew; nothing here is a claim. Each attempt runs as a step of a
package in each sandbox, and once more in a control: a container that nothing closes, where it must succeed, or it
would prove nothing.

*Blocked and reported*: it got nowhere, and the result names it, as an event, as a refused attempt to reach something,
as the limit that ended the step, or as a finding. *Blocked*: it got nowhere. *Not applicable*: there is nothing of it
here, for the reason given below. The column *any* is what does not depend on a sandbox: tests of this repository that
are run for this page. In brackets: how many of a row's attempts were reported, or blocked.
"""


def _words(cells: list[Cell]) -> str:
    if not cells:
        return ""
    verdict = worst(cells)
    same = sum(cell.verdict is verdict for cell in cells)
    apply = sum(cell.verdict is not Verdict.NOT_APPLICABLE for cell in cells)
    return f"{verdict} ({same} of {apply})" if apply > 1 and same < apply else str(verdict)


def _details(cells: list[Cell], columns: Sequence[str]) -> Iterable[str]:
    for name in dict.fromkeys(cell.name for cell in cells):
        mine = {cell.column: cell for cell in cells if cell.name == name}
        told = [f"{column}: {mine[column].verdict}{_why(mine[column])}" for column in columns if column in mine]
        yield f"- `{name}`: {'; '.join(told)}"


def _why(cell: Cell) -> str:
    return f" ({cell.seen})" if cell.verdict is Verdict.NOT_APPLICABLE else ""


def _mark(cells: list[Cell]) -> str:
    if not cells:
        return ""
    verdict = worst(cells)
    apply = sum(cell.verdict is not Verdict.NOT_APPLICABLE for cell in cells)
    return (
        f"{_SIGNS[verdict]} {sum(cell.verdict is verdict for cell in cells)}/{apply}" if apply else _SIGNS[verdict]
    )


def _is_open(cell: Cell) -> bool:
    return cell.verdict is Verdict.OPEN
