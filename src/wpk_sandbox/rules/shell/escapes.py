"""Backslash escapes, as double quotes, `$'…'`, `printf` and `echo -e` decode them."""

import re
from collections.abc import Callable
from dataclasses import replace

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.words import Piece

_NAMED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v"}
_ANSI = Pattern(r"\\(x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8}|0?[0-7]{1,3}|.)", re.DOTALL)
_NUMBERED_LETTER = Pattern(r"\\(?:x[4-7]|u00[4-7]|1[0-7])[0-9a-fA-F]")
_QUOTES = str.maketrans("", "", "'\"\\")
_IN_QUOTES = Pattern(r"\\([$`\"\\\n])")


def unquoted(text: str) -> str:
    """A word as it is compared with a fixed one: `"true"` is `true`."""
    return text.translate(_QUOTES).strip()


def in_double_quotes(piece: Piece) -> Piece:
    """A backslash counts before `$`, a backquote, `"`, itself or a line end."""
    return piece if "\\" not in piece.text else _without(piece, _IN_QUOTES, lambda escape: escape.strip("\n"))


def ansi(piece: Piece) -> Piece:
    """The escapes of C: `\\x2f`, `\\057`, `\\n`. Of letters by numbers, `source` keeps how they were written."""
    if "\\" not in piece.text:
        return piece
    decoded = _without(piece, _ANSI, _character)
    return replace(decoded, source=piece.text) if _NUMBERED_LETTER.search(piece.text) else decoded


def _without(piece: Piece, pattern: Pattern, decode: Callable[[str], str]) -> Piece:
    """The piece with each escape that the pattern finds (its group 1 without the backslash) decoded."""
    text: list[str] = []
    places: list[int] = []
    position = 0
    for found in pattern.finditer(piece.text):
        text.append(piece.text[position : found.start()])
        places += piece.places[position : found.start()]
        character = decode(found[1])
        text.append(character)
        places += [piece.places[found.start()]] * len(character)
        position = found.end()
    text.append(piece.text[position:])
    places += piece.places[position:]
    return replace(piece, text="".join(text), places=places)


def _character(escape: str) -> str:
    if escape in _NAMED:
        return _NAMED[escape]
    if escape[0] in "xuU" and len(escape) > 1:
        code = int(escape[1:], 16)
        return chr(code) if code <= 0x10FFFF else "\ufffd"
    return chr(int(escape, 8) & 0xFF) if escape[0] in "01234567" else escape
