"""Values of several words: the arguments of a function or script (`$@`), and arrays.

Such a value is the pieces of its words with a separator between them, which ends a word even in quotes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from wpk_sandbox.rules.shell.words import Known, Piece, Word

# The name under which a scope keeps `$@`, `$*` and `$1`.
ARGUMENTS = "@"
_SEPARATOR = Piece(" ", range(1), quoted=True, splits=True, source=" ")


def is_separator(piece: Piece) -> bool:
    """True for what stands between two words of a list."""
    return piece.exact and piece.source == " "


def key(name: str) -> str:
    """The name under which a scope keeps an array."""
    return f"{name}[@]"


def listed(words: Iterable[Word]) -> tuple[Piece, ...]:
    """Words as one value."""
    pieces: list[Piece] = []
    for number, word in enumerate(words):
        if number:
            pieces.append(_SEPARATOR)
        # A word without pieces, or with empty ones only, is still a word.
        pieces += word.pieces or (Piece("", range(0), quoted=True),)
    return tuple(pieces)


def elements(value: tuple[Piece, ...]) -> list[tuple[Piece, ...]]:
    """The values of the words of a list."""
    if not value:
        return []
    found: list[list[Piece]] = [[]]
    for piece in value:
        if is_separator(piece):
            found.append([])
        else:
            found[-1].append(piece)
    return [tuple(pieces) for pieces in found]


def without_first(value: tuple[Piece, ...], count: int) -> tuple[Piece, ...]:
    """What `shift` leaves."""
    return tuple(_joined(elements(value)[count:]))


def element(value: tuple[Piece, ...], index: int) -> tuple[Piece, ...] | None:
    """One word of a list: empty beyond its end, None if that cannot be told."""
    values = elements(value)
    # What is unknown and not quoted may be no word, or several.
    if any(map(_spreads, values[:index])):
        return None
    return values[index] if index < len(values) else (Piece("", range(0), quoted=True),)


def item(value: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """A value that a loop goes through: white space ends it, so that there is no turn for an empty one."""
    if any(piece.exact or piece.quoted for piece in value):
        return value
    return tuple(replace(piece, known=Known.NEVER_EMPTY) for piece in value)


def _spreads(pieces: tuple[Piece, ...]) -> bool:
    return any(not piece.exact and (not piece.quoted or piece.name in ("@", "*")) for piece in pieces)


def _joined(values: list[tuple[Piece, ...]]) -> Iterator[Piece]:
    for number, pieces in enumerate(values):
        if number:
            yield _SEPARATOR
        yield from pieces
