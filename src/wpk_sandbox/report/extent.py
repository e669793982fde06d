"""Where a finding begins and ends, in the numbers that every reader of a form for programs takes."""

from dataclasses import dataclass

from wpk_sandbox.finding import Location


@dataclass(frozen=True)
class Extent:
    """Lines and columns from 1; the end column is one past the last character, and never before the start."""

    line: int
    column: int
    end_line: int
    end_column: int


def extent(location: Location) -> Extent:
    """The range of a location; one character where it has no end."""
    line, column = max(1, location.line), max(1, location.column)
    if (location.end_line, location.end_column) > (line, column):
        return Extent(line, column, location.end_line, max(1, location.end_column))
    return Extent(line, column, line, column + 1)
