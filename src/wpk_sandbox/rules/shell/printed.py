"""What a command prints, where that can be told without running it: `echo`, `printf`, `cat <<EOF`, `base64 -d`."""

import base64
import binascii
import codecs
import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from wpk_sandbox.rules.shell import escapes
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import parse
from wpk_sandbox.rules.shell.words import Piece, Word, split

# What commands print, by their id().
Known = dict[int, tuple[Word, ...]]

MOST_STAGES = 8
MOST_ROUNDS = 64
MOST_DECODED = 64 * 1024

_ECHO_OPTIONS = frozenset({"-n", "-e", "-E", "-ne", "-en", "-nE", "-En"})
_DIRECTIVE = re.compile(r"%[-+ #0-9.]*[sbqdi]")
_PASSES_ON = frozenset({"cat", "tee", "pv"})
_ROT13 = ("A-Za-z", "N-ZA-Mn-za-m")


def here_documents(command: Command) -> tuple[Word, ...]:
    """The here-document or here-string that a command reads, as it is the last one that counts."""
    return tuple(redirect.target for redirect in command.redirects if redirect.operator.startswith("<<"))[-1:]


def input_words(
    command: Command, stages: int = MOST_STAGES, known: Known | None = None
) -> tuple[tuple[Word, ...], ...]:
    """What a command reads: each of the texts that here-documents or the commands before its pipe print.

    `known` has what was worked out already: where several commands of a stage pass on what they read, each would
    ask all commands of the stage before.
    """
    here = here_documents(command)
    if here:
        return (here,)
    if command.redirects and (made := _process_output(command)):
        return made
    if not command.upstream or stages <= 0:
        return ()
    # All commands of the stage before: `{ echo a; echo b; } | sh`.
    depth = len(command.upstream[-1].upstream)
    stage = [each for each in command.upstream if len(each.upstream) == depth]
    known = {} if known is None else known
    for each in stage:
        if id(each) not in known:
            known[id(each)] = printed_words(each, stages - 1, known)
    return tuple(known[id(each)] for each in stage if known[id(each)])


def _process_output(command: Command) -> tuple[tuple[Word, ...], ...]:
    """`program < <(echo …)`: what the commands of the substitution print."""
    pieces = [piece for each in command.redirects if each.operator == "<" for piece in each.target.pieces]
    made = [piece.commands[-1] for piece in pieces if piece.commands and piece.source.startswith("<(")]
    return tuple(words for each in made if (words := printed_words(each)))


def printed_words(command: Command, stages: int = MOST_STAGES, known: Known | None = None) -> tuple[Word, ...]:
    """What a command prints, as words with a space between each; empty where that is not known."""
    words = command.arguments
    passes = command.name in _PASSES_ON
    if passes and (command.name == "tee" or here_documents(command) or not parse(words).operands):
        return next(iter(input_words(command, stages, known)), ())
    if command.name == "echo":
        return _echoed(words)
    if command.name == "printf":
        return _printf(words[1:] if words and words[0].value == "--" else words)
    if command.name in _OF_PATHS:
        return _path(command)
    if command.name in _DECODERS:
        read = next(iter(input_words(command, stages, known)), ())
        return _decoded(command, read) if read else ()
    return ()


def output(commands: tuple[Command, ...]) -> str | None:
    """What a substitution prints, if that is known: one `echo`, or a pipe such as `echo … | base64 -d`."""
    if not commands or len(commands) != len(commands[-1].upstream) + 1:
        return None
    words = printed_words(commands[-1])
    values = [word.value for word in words]
    if not values or None in values:
        return None
    return " ".join(value for value in values if value is not None).rstrip("\n")


def fields(words: tuple[Word, ...]) -> Iterator[Word]:
    """Printed words as `xargs` takes them: white space, line ends and NUL end each."""
    for word in words:
        pieces = [
            replace(piece, text=piece.text.replace("\0", " "), splits=True) if piece.exact else piece
            for piece in word.pieces
        ]
        yield from split(pieces, word.span)


def lines(words: tuple[Word, ...]) -> list[tuple[Piece, ...]]:
    """Printed words as the lines that `read` takes one by one."""
    found: list[list[Piece]] = [[]]
    for number, word in enumerate(words):
        if number:
            found[-1].append(Piece(" ", word.span[:1], quoted=True))
        for piece in word.pieces:
            parts = piece.text.split("\n") if piece.exact else [piece.text]
            for index, part in enumerate(parts):
                if index:
                    found.append([])
                found[-1].append(
                    replace(piece, text=part, places=piece.places[: len(part)]) if piece.exact else piece
                )
    return [tuple(pieces) for pieces in found if any(piece.text or not piece.exact for piece in pieces)]


def _echoed(words: tuple[Word, ...]) -> tuple[Word, ...]:
    decodes = False
    while words and words[0].value in _ECHO_OPTIONS:
        decodes = decodes or "e" in (words[0].value or "")
        words = words[1:]
    return tuple(_unescaped(word) for word in words) if decodes else words


def _path(command: Command) -> tuple[Word, ...]:
    """What `dirname`, `basename`, `realpath` and `readlink -f` make of one path; links are taken to be none."""
    options = parse(command.arguments, frozenset({"s", "suffix"}))
    word = options.operands[0] if len(options.operands) == 1 else None
    absolute = word is not None and (word.value or "").startswith("/")
    if word is None or not absolute or options.has("s", "suffix", "relative-to"):
        return ()
    if command.name == "readlink" and not options.has("f", "e", "m", "canonicalize"):
        return ()
    text = _OF_PATHS[command.name](posixpath.normpath(word.when_empty))
    return (Word((Piece(text, [word.span[0]] * len(text), quoted=True),), word.span),)


def _unescaped(word: Word) -> Word:
    return replace(word, pieces=tuple(escapes.ansi(piece) if piece.exact else piece for piece in word.pieces))


def _printf(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """The format with its arguments, again and again until they are used up."""
    if not words or words[0].value is None:
        return words[:1]
    text, given = words[0].value, list(words[1:])
    place = words[0].span[0]
    pieces: list[Piece] = []
    for _ in range(MOST_ROUNDS):
        position, before = 0, len(given)
        for found in _DIRECTIVE.finditer(text):
            pieces.append(_literal(text[position : found.start()], place))
            if given:
                taken = given.pop(0).pieces
                # What `%q` quotes is one word whatever it holds: no variable can be told in it any more.
                quotes = found[0].endswith("q")
                pieces += (replace(piece, name="") for piece in taken) if quotes else taken
            position = found.end()
        pieces.append(_literal(text[position:], place))
        if not given or len(given) == before:
            break
    return (Word(tuple(piece for piece in pieces if piece.text or not piece.exact), words[0].span),)


def _literal(text: str, place: int) -> Piece:
    return escapes.ansi(Piece(text, [place] * len(text), quoted=True))


def _decoded(command: Command, words: tuple[Word, ...]) -> tuple[Word, ...]:
    values = [word.value for word in words]
    if None in values:
        return ()
    text = _DECODERS[command.name](command, " ".join(value for value in values if value is not None))
    if not text:
        return ()
    start, end = words[0].span[0], words[-1].span[1]
    text = text[:MOST_DECODED]
    return (Word((Piece(text, [start] * len(text), quoted=True),), (start, end)),)


def _bytes(data: bytes) -> str:
    text = data.decode("utf-8", "replace")
    return text if "\ufffd" not in text else ""


def _base64(command: Command, text: str) -> str:
    options = parse(command.arguments)
    if not options.has("d", "D", "decode") or options.operands:
        return ""
    packed = "".join(text.split())
    try:
        if command.name == "base32":
            return _bytes(base64.b32decode(packed + "=" * (-len(packed) % 8)))
        return _bytes(base64.b64decode(packed + "=" * (-len(packed) % 4)))
    except (binascii.Error, ValueError):
        return ""


def _openssl(command: Command, text: str) -> str:
    flags = {word.value for word in command.arguments}
    if "-d" not in flags or not flags & {"base64", "-base64", "-a"} or any("aes" in (flag or "") for flag in flags):
        return ""
    try:
        return _bytes(base64.b64decode("".join(text.split())))
    except (binascii.Error, ValueError):
        return ""


def _xxd(command: Command, text: str) -> str:
    if not parse(command.arguments).has("r"):
        return ""
    try:
        return _bytes(bytes.fromhex("".join(text.split())))
    except ValueError:
        return ""


def _rev(_: Command, text: str) -> str:
    return "\n".join(line[::-1] for line in text.split("\n"))


def _tr(command: Command, text: str) -> str:
    """Rotation by 13, the one use of `tr` that hides text; of other uses nothing is known."""
    return codecs.decode(text, "rot13") if tuple(word.value for word in command.arguments) == _ROT13 else ""


_OF_PATHS: dict[str, Callable[[str], str]] = {
    "dirname": posixpath.dirname,
    "basename": posixpath.basename,
    "realpath": str,
    "readlink": str,
}
_DECODERS = {
    "base64": _base64,
    "base32": _base64,
    "openssl": _openssl,
    "xxd": _xxd,
    "rev": _rev,
    "tr": _tr,
}
