"""Code that a reviewer cannot read: decoded and run, or a program whose name is spelled in pieces."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell import programs
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.decoding import DECODING, decodes, disguises
from wpk_sandbox.rules.shell.downloads import fetches
from wpk_sandbox.rules.shell.issue import Issue
from wpk_sandbox.rules.shell.options import parse
from wpk_sandbox.rules.shell.ran import evaluates, produced, reach, run_file, runs_its_input, written
from wpk_sandbox.rules.shell.words import Piece, Word
from wpk_sandbox.rules.shell.wrappers import INTERPRETERS

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

_LETTERS = Pattern(r"[a-zA-Z]")
_CUT = Pattern(r"\$\{\w+:\s*-?\d+(?::\s*-?\d+)?\}")
_REST = Pattern(r"\$\{\w+:\s*\d+\}")
_SHORT = 3
MOST_STAGES = 32
# `${code//#/}`: letters are left out of a variable.
_LEFT_OUT = Pattern(r"\$\{\w+//[^/}]+/?\}")
_SELDOM = Pattern(r"[^\W_a-zA-Z0-9]")
_TURNED = Pattern("[\u202a-\u202e\u2066-\u2069]")
_INVISIBLE = Pattern("[\u00ad\u200b-\u200f\u2060-\u2064]")
# `rm,-rf,/srv`, which is several words where IFS says so.
_JOINED = Pattern(r"[a-z][\w.]*([,_:;%|^@])(?:-\w|/)[^\s]*")
_NUMBERED = Pattern(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[0-7]{3})")
_SEPARATED = Pattern(r"[\w/]\$\{?IFS\b\}?[\w/-]")
_NOTHINGS = frozenset({"$()", "``", "$(:)", "$(true)", "${}"})


def check(commands: Sequence[Command]) -> Iterator[Issue]:
    """Where the commands of a script run what cannot be read in them."""
    files: dict[str, Command] = {}
    for command in commands:
        yield from _decoded(command)
        if _spelled(command):
            message = f"`{command.shown}` is spelled so that it cannot be found by its name"
            yield Issue(HIDDEN_CODE, command.span, message)
        if any(map(decodes, (*command.upstream[-MOST_STAGES:], command))) and not runs_its_input(command):
            files.update(dict.fromkeys(_saved(command), command))
        elif (name := run_file(command)) in files:
            message = f"`{command.shown}` runs what `{files[name].shown}` decoded"
            yield Issue(HIDDEN_CODE, command.span, message)


def _decoded(command: Command) -> Iterator[Issue]:
    """`… | base64 -d | sh`, `eval "$(… | base64 -d)"`, `python -c 'exec(b64decode(…))'`."""
    for group in produced(command):
        # What is downloaded nobody reads in any form; that is for another rule to say.
        packed = command.name in INTERPRETERS and not any(map(fetches, group))
        for source in group:
            if decodes(source) or (packed and disguises(source)):
                piped = group is command.upstream
                span = reach(source, command) if piped else command.span
                message = f"what `{source.shown}` decodes is run by `{command.shown}`"
                yield Issue(HIDDEN_CODE, span, message if piped else f"`{command.shown}` runs what it decodes")
                return
    if evaluates(programs.text(command), DECODING):
        yield Issue(HIDDEN_CODE, command.span, f"`{command.shown}` runs what it decodes")


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
    if _masked(command) or _numbered(command) or _pieced(command):
        return True
    if any(_CUT.search(piece.source) for piece in word.pieces) and not _is_rest(word):
        return True
    if word.value is None:
        return False
    return _scattered(word) or _assembled(word.pieces) or _glued(command.words)


def _masked(command: Command) -> bool:
    """True for a name that shows as another: foreign letters, signs that nobody sees, `exec -a '[kworker]'`."""
    name = command.words[0].when_empty
    if any(_TURNED.search(word.when_empty) for word in command.words) or _INVISIBLE.search(name):
        return True
    if _SELDOM.search(command.name) and _LETTERS.search(command.name):
        return True
    if command.name != "exec":
        return False
    shown = parse(command.arguments, frozenset({"a"}), first_operand_ends=True).value("a")
    return shown is not None and shown.when_empty.startswith("[")


def _numbered(command: Command) -> bool:
    """True for a name whose letters are written by their numbers, or another word with four of them."""
    for index, word in enumerate(command.words):
        sources = [piece.source for piece in word.pieces if piece.source and piece.exact]
        if sum(len(_NUMBERED.findall(source)) for source in sources) > (0 if index == 0 else _SHORT):
            return True
    first = command.words[0]
    made = [piece.commands[-1] for piece in first.pieces if piece.commands]
    return any(map(decodes, made)) and first.value is not None


def _pieced(command: Command) -> bool:
    """True for nothing in the midst of a name (`who$@ami`), words in one variable, code cut out of others."""
    first = command.words[0]
    pieces = first.pieces
    for before, piece, after in zip(pieces, pieces[1:], pieces[2:], strict=False):
        nothing = not piece.exact and (piece.name in ("@", "*") or piece.source in _NOTHINGS)
        if nothing and before.text[-1:].isalpha() and after.text[:1].isalpha():
            return True
    if len(pieces) == 1 and pieces[0].splits and _JOINED.fullmatch(pieces[0].text) and len(command.words) == 1:
        return True
    code = command.arguments if command.name == "eval" else command.words[:1]
    # `/???/?at`, and `wget${IFS}-q` in a text that is evaluated.
    if "/" in first.when_empty and first.when_empty.count("?") > 1:
        return True
    if any(_SEPARATED.search(piece.text) for word in code for piece in word.pieces if piece.exact):
        return True
    sources = [piece.source for word in code for piece in word.pieces]
    cut = sum(1 for source in sources if _CUT.search(source))
    return cut > 1 or any(map(_LEFT_OUT.fullmatch, sources))


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
