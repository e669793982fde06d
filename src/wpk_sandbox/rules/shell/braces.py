"""Brace expansion: `/{bin,usr}` is two words."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, pairwise

from wpk_sandbox.rules.shell.words import Piece

MOST_WORDS = 64

# No path has as many; reading them would take the square of their number.
MOST_BRACES = 256

# A character on its own, or a whole piece that is not known.
_Cells = list[Piece]


def expand(pieces: Sequence[Piece]) -> Iterator[tuple[Piece, ...]]:
    """The words (as pieces) that braces make of one; at most `MOST_WORDS`."""
    braces = sum(piece.text.count("{") for piece in pieces if piece.exact and not piece.quoted)
    if not 0 < braces <= MOST_BRACES:
        yield tuple(pieces)
        return
    for cells in islice(_words(_cells(pieces)), MOST_WORDS):
        yield tuple(_merged(cells))


def _cells(pieces: Sequence[Piece]) -> _Cells:
    cells: _Cells = []
    for piece in pieces:
        if piece.exact and not piece.quoted:
            cells += [
                replace(piece, text=char, places=piece.places[index : index + 1])
                for index, char in enumerate(piece.text)
            ]
        else:
            cells.append(piece)
    return cells


def _words(cells: _Cells) -> Iterator[_Cells]:
    for start, cell in enumerate(cells):
        if _is(cell, "{") and (cuts := _cuts(cells, start)):
            break
    else:
        yield cells
        return
    for left, right in pairwise(cuts):
        yield from _words(cells[:start] + cells[left + 1 : right] + cells[cuts[-1] + 1 :])


def _cuts(cells: _Cells, start: int) -> list[int]:
    """The places of `{`, the commas of its level, and `}`; empty for braces that are plain text."""
    depth, cuts = 0, [start]
    for index in range(start, len(cells)):
        if _is(cells[index], "{"):
            depth += 1
        elif _is(cells[index], "}"):
            depth -= 1
            if depth == 0:
                return [*cuts, index] if len(cuts) > 1 else []
        elif depth == 1 and _is(cells[index], ","):
            cuts.append(index)
    return []


def _is(cell: Piece, char: str) -> bool:
    return cell.text == char and cell.exact and not cell.quoted


def _merged(cells: _Cells) -> Iterator[Piece]:
    """Neighbouring characters as one piece again."""
    run: _Cells = []
    for cell in cells:
        if cell.exact and not cell.quoted:
            run.append(cell)
            continue
        if run:
            yield _merge(run)
            run = []
        yield cell
    if run:
        yield _merge(run)


def _merge(run: _Cells) -> Piece:
    text = "".join(cell.text for cell in run)
    return replace(run[0], text=text, places=[place for cell in run for place in cell.places])
