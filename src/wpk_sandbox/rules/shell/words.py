"""Words of a command: literal text, and what cannot be known before it runs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.source import Span

if TYPE_CHECKING:
    from wpk_sandbox.rules.shell.command import Command

_GLOB = Pattern(r"[*?\[]")


class Known(Enum):
    """What is known of a piece of a word."""

    TEXT = "its text"
    MAYBE_EMPTY = "nothing: a parameter, a variable or an output"
    NEVER_EMPTY = "that it is not empty, or else the shell stops: `${DIR:?}`, `$$`, `$(mktemp)`"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a word.

    `text` is what stands there: exactly, or (for `MAYBE_EMPTY`) when the variable is not set, its default.
    `places` are those of the characters of `text` if it is exact, else the two ends of what was written.
    `source` is what was written, for a piece that is not exact; `name` the variable that it reads; `commands` those
    whose output it is. `splits` says that white space in it ends the word, as in an unquoted `$X`.
    """

    text: str
    places: Sequence[int]
    known: Known = Known.TEXT
    quoted: bool = False
    source: str = ""
    name: str = ""
    commands: tuple["Command", ...] = field(default=(), repr=False)
    splits: bool = False

    @property
    def exact(self) -> bool:
        """True when the text is what will stand there."""
        return self.known is Known.TEXT


@dataclass(frozen=True, slots=True)
class Word:
    """One word as the command receives it; `span` is its range in the outermost text."""

    pieces: tuple[Piece, ...]
    span: Span

    @property
    def value(self) -> str | None:
        """The word, if all of it is known."""
        for piece in self.pieces:
            if piece.known is not Known.TEXT:
                return None
        return self.when_empty

    @property
    def when_empty(self) -> str:
        """The word when everything unknown in it is empty."""
        if len(self.pieces) == 1:
            return self.pieces[0].text
        return "".join(piece.text for piece in self.pieces)

    @property
    def can_be_empty(self) -> bool:
        """False when a part of it stops the shell rather than being empty."""
        return all(piece.known is not Known.NEVER_EMPTY for piece in self.pieces)

    @property
    def unknown(self) -> tuple[Piece, ...]:
        """The pieces that are not known."""
        return tuple(piece for piece in self.pieces if not piece.exact)

    @property
    def shown(self) -> str:
        """The word for a reader: `${DIR}/*`."""
        return "".join(piece.text if piece.exact else piece.source for piece in self.pieces)

    def template(self, mark: str) -> str:
        """The word with `mark` in place of each unknown piece."""
        return "".join(piece.text if piece.exact else mark for piece in self.pieces)

    def pattern(self) -> str:
        """The word when everything unknown is empty, with quoted wildcards made harmless (`[*]`)."""
        return "".join(
            _GLOB.sub(lambda found: f"[{found[0]}]", piece.text) if piece.quoted else piece.text
            for piece in self.pieces
        )

    def after(self, count: int) -> "Word":
        """The word without its first `count` characters, which must be known (`-C/etc`, `of=/dev/sda`)."""
        kept: list[Piece] = []
        for piece in self.pieces:
            cut = min(count, len(piece.text)) if piece.exact else 0
            count -= cut
            if cut < len(piece.text) or not piece.exact:
                kept.append(replace(piece, text=piece.text[cut:], places=piece.places[cut:]) if cut else piece)
        start = kept[0].places[0] if kept and len(kept[0].places) else self.span[1]
        return Word(tuple(kept), (start, self.span[1]))


def literal(text: str, start: int = 0) -> Word:
    """A word that is known as a whole, as in the `command` list of a container."""
    end = start + len(text)
    return Word((Piece(text, range(start, end), quoted=True),), (start, end))


def joined(words: Iterable[Word], end: int) -> tuple[str, list[int]]:
    """Words as one text with single spaces between, and the place of each character and of the end."""
    text: list[str] = []
    places: list[int] = []
    for number, word in enumerate(words):
        if number:
            text.append(" ")
            places.append(word.span[0])
        for piece in word.pieces:
            shown = piece.text if piece.exact else piece.source
            text.append(shown)
            places += piece.places if piece.exact else [piece.places[0]] * len(shown)
    return "".join(text), [*places, end]


def split(pieces: Sequence[Piece], span: Span) -> Iterator[Word]:
    """The words that pieces become: white space in what an unquoted variable stands for ends a word."""
    current: list[Piece] = []
    for piece in pieces:
        if not (piece.splits and piece.exact and any(char.isspace() for char in piece.text)):
            current.append(piece)
            continue
        fields = piece.text.split()
        if current and (not fields or piece.text[0].isspace()):
            yield Word(tuple(current), span)
            current = []
        for number, part in enumerate(fields):
            if number:
                yield Word(tuple(current), span)
                current = []
            current.append(replace(piece, text=part, places=piece.places[: len(part)], splits=False))
        if fields and piece.text[-1].isspace():
            yield Word(tuple(current), span)
            current = []
    # An unquoted variable that is known to be empty leaves no word.
    if any(piece.text or piece.quoted or not piece.exact for piece in current):
        yield Word(tuple(current), span)
