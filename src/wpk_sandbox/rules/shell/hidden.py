"""Code that a reviewer cannot read: decoded and run, or a program whose name is spelled in pieces."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell import programs
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.issue import Issue
from wpk_sandbox.rules.shell.options import parse
from wpk_sandbox.rules.shell.ran import evaluates, produced, reach, run_file, runs_its_input, written
from wpk_sandbox.rules.shell.words import Piece, Word

HIDDEN_CODE = Rule(
    "shell-hidden-code",
    Severity.HIGH,
    "Code is hidden from the reader, and run",
    "A reviewer cannot read what runs. Runbooks have no reason to hide code; attackers do.",
    "Write the commands out.",
    cwe=506,
    points=POINTS[Severity.HIGH],
)

RULES = (HIDDEN_CODE,)

# A character by its number, as printf and echo -e know it; the unknown stands for a number that is worked out.
_UNKNOWN = "\ufffc"
_ESCAPE = re.compile(rf"\\(?:x[0-9a-fA-F]{{2}}|u[0-9a-fA-F]{{4}}|0?[0-7]{{2,3}}|x?{_UNKNOWN})")
_LETTERS = re.compile(r"[a-zA-Z]")
_CUT = re.compile(r"\$\{\w+:\s*-?\d+(?::\s*-?\d+)?\}")
_REST = re.compile(r"\$\{\w+:\s*\d+\}")
_SHORT = 3
# The options with which a program decodes rather than encodes.
_DECODERS = {
    **dict.fromkeys(("base64", "base32", "basenc"), ("d", "D", "decode")),
    "xxd": ("r",),
    "openssl": ("d", "decrypt"),
}
# How programs of other languages turn a text that nobody can read into one that runs.
_DECODING = re.compile(
    r"b(?:64|32|16|85)decode|decodebytes|base64|Base64|fromhex|unhexlify|zlib\.decompress|codecs\.decode|rot_?13"
    r"|marshal\.loads|gzinflate|gzuncompress|hex2bin|unpack\s*\(?\s*[\"'][Hhum]|pack\s*\(?\s*[\"'][Hhum]"
    r"|unpack1|\batob\s*\(|fromCharCode|[\"'](?:hex|base64)[\"']|\bchr\s*\(|%c|(?:\\x[0-9a-fA-F]{2}){2}"
)


def check(commands: Sequence[Command]) -> Iterator[Issue]:
    """Where the commands of a script run what cannot be read in them."""
    files: dict[str, Command] = {}
    for command in commands:
        yield from _decoded(command)
        if _spelled(command):
            message = f"`{command.shown}` is spelled so that it cannot be found by its name"
            yield Issue(HIDDEN_CODE, command.span, message)
        if any(map(decodes, (*command.upstream, command))) and not runs_its_input(command):
            files.update(dict.fromkeys(_saved(command), command))
        elif (name := run_file(command)) in files:
            message = f"`{command.shown}` runs what `{files[name].shown}` decoded"
            yield Issue(HIDDEN_CODE, command.span, message)


def _decoded(command: Command) -> Iterator[Issue]:
    """`… | base64 -d | sh`, `eval "$(… | base64 -d)"`, `python -c 'exec(b64decode(…))'`."""
    for group in produced(command):
        for source in group:
            if decodes(source):
                piped = group is command.upstream
                span = reach(source, command) if piped else command.span
                message = f"what `{source.shown}` decodes is run by `{command.shown}`"
                yield Issue(HIDDEN_CODE, span, message if piped else f"`{command.shown}` runs what it decodes")
                return
    if evaluates(programs.text(command), _DECODING):
        yield Issue(HIDDEN_CODE, command.span, f"`{command.shown}` runs what it decodes")


def decodes(command: Command) -> bool:
    """True for a command that prints what its arguments or its input only hold in another form."""
    if command.name in ("uudecode", "rev"):
        return True
    if command.name in _DECODERS:
        return parse(command.arguments).has(*_DECODERS[command.name])
    if command.name == "tr":
        return _rotates([word.value or "" for word in parse(command.arguments).operands])
    if command.name in ("printf", "echo"):
        return (command.name == "printf" or parse(command.arguments).has("e")) and _has_escapes(command.arguments)
    return _DECODING.search(programs.text(command)) is not None


def _has_escapes(words: Sequence[Word]) -> bool:
    """True when letters are written by their numbers; the escape itself (`\\033`) begins a colour."""
    numbers = [found for word in words for found in _ESCAPE.findall(word.template(_UNKNOWN))]
    return any(number.lower() not in ("\\x1b", "\\033", "\\0033") for number in numbers)


def _rotates(sets: list[str]) -> bool:
    """True when `tr` puts letters for others; from small to capital ones it only changes the case."""
    if len(sets) != 2 or any("[:" in each or not _LETTERS.search(each) for each in sets):
        return False
    return sets[0].lower() != sets[1].lower()


def _saved(command: Command) -> Iterator[str]:
    """The names of the files that a decoded text goes to."""
    yield from written(command)
    options = parse(command.arguments, frozenset({"o", "out"}))
    named = options.value("o", "out")
    if named is not None and named.value:
        yield named.value.rpartition("/")[2]


# Names spelled in pieces


def _spelled(command: Command) -> bool:
    """True when quotes, escapes, cut-outs or one-letter variables hide a program's name or the blank after it."""
    if not command.words:
        return False
    word = command.words[0]
    if any(_CUT.search(piece.source) for piece in word.unknown) and not _is_rest(word):
        return True
    if word.value is None:
        return False
    return _scattered(word) or _assembled(word.pieces) or _glued(command.words)


def _is_rest(word: Word) -> bool:
    """`${line:1}`, which only takes a mark off the front of a command."""
    return len(word.pieces) == 1 and _REST.fullmatch(word.pieces[0].source) is not None


def _scattered(word: Word) -> bool:
    """`r""m`, `b\\as\\h`, `$'\\x72m'`, `$a$b`: letters of one word with something between them."""
    characters = [
        (char, place) for piece in word.pieces for char, place in zip(piece.text, piece.places, strict=False)
    ]
    for (char, place), (after, further) in pairwise(characters):
        if char.isalnum() and after.isalnum() and further - place > 1 and _is_short(word, place, further):
            return True
    return False


def _is_short(word: Word, place: int, further: int) -> bool:
    """False between a variable's value and what follows, unless both are no more than a letter or three."""
    for piece in word.pieces:
        constant = len(piece.text) > 1 and len(set(piece.places)) == 1
        if constant and piece.places[0] in (place, further) and len(piece.text) > _SHORT:
            return False
    return True


def _assembled(pieces: Sequence[Piece]) -> bool:
    """`$a$b`, each no more than three letters: what would have been shorter as it is."""
    values = [piece.text for piece in pieces if piece.splits]
    return (
        len(values) > 1
        and len(values) == len(pieces)
        and all(value.isalpha() and len(value) <= _SHORT for value in values)
    )


def _glued(words: Sequence[Word]) -> bool:
    """`cat${IFS}file`: a program and its argument written as one word."""
    if len(words) < 2 or words[0].span != words[1].span:
        return False
    ends = [place for piece in words[0].pieces for place in piece.places]
    starts = [place for piece in words[1].pieces if piece.exact for place in piece.places]
    return bool(ends and starts) and starts[0] - ends[-1] > 1
