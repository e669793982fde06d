"""Commands whose meaning changes for the worse when a variable is empty, or holds more than one word."""

from collections.abc import Iterator, Sequence

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell import data, paths
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.injected import injected
from wpk_sandbox.rules.shell.issue import Issue
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.words import Piece, Word
from wpk_sandbox.rules.shell.wrappers import SHELLS

UNSAFE_EXPANSION = Rule(
    "shell-unsafe-expansion",
    Severity.HIGH,
    "A command does something else when a variable is empty or holds code",
    'A parameter that was not filled, or an output that failed, is empty: `rm -rf "$DIR/"` then means `rm -rf /`.'
    " And `eval $COMMAND` runs whatever somebody put into the variable.",
    'Let the shell stop where a variable is empty (`"${DIR:?}/"`, or `set -u` at the start), and write commands out'
    " instead of reading them from variables.",
    cwe=73,
    points=POINTS[Severity.HIGH],
)

RULES = (UNSAFE_EXPANSION,)

_LOOKS = names(
    "ls echo printf cat grep egrep fgrep stat file wc head tail du basename md5sum sha256sum test readlink"
)
# What prints nothing where nothing is found.
_FINDS = names(
    "ls grep egrep find head tail awk sed cut sort jq yq kubectl docker psql mysql redis-cli readlink cat"
)
# What takes a value out of a document or a store.
_READS = names("jq yq psql mysql redis-cli xmllint")
_RECURSIVE = ("r", "R", "recursive")
# What below one of these is scratch, and at the root is nothing.
_SCRATCH = frozenset({"TMPDIR", "TMP", "TEMP"})
# Variables of the shell that hold a number.
_NUMBERS = frozenset({"!", "$", "?", "#", "RANDOM", "SECONDS", "LINENO", "UID", "EUID", "PPID", "OPTIND"})
# `${QUIET:+>/dev/null}`, which stands for its own text or for nothing; `${#X}`, which is a number.
_ALTERNATIVE = Pattern(r"\$\{\w+:?\+[^$`]*\}|\$\{#.*\}")
_DECLARES = Pattern(r"(?:^|[\s;])(?:(?:export|local|declare|readonly|typeset)\s+)?$")
_ASSIGNS = Pattern(r"\w*\+?=")
# What the shell itself always sets.
_ALWAYS_SET = frozenset({"PWD"})
_TESTS = frozenset({"[", "[[", "test", "case"})


def check(commands: Sequence[Command]) -> Iterator[Issue]:
    """Which commands of a script rely on variables that may be empty, or run what these hold."""
    yield from _injected(commands)
    entered: Command | None = None
    for command, guarded in guards(commands):
        yield from _run(command)
        if guarded is None:
            continue
        if command.name in ("cd", "pushd"):
            entered = command if any(_open(word, guarded) for word in command.arguments) else None
        yield from _reaching(command, guarded)
        yield from _elsewhere(command, entered)


def _injected(commands: Sequence[Command]) -> Iterator[Issue]:
    """Values that become a part of a program; that a variable is set says nothing of what is in it."""
    looked_at = frozenset[str]()
    before = [looked_at := looked_at | _guarded(command) for command in commands]
    for command, what in injected(commands, before):
        message = f"{what} becomes a part of the program of `{command.shown}`"
        yield Issue(UNSAFE_EXPANSION, command.span, message, "Give values as arguments: `sh -c '…' _ \"$X\"`.")


def guards(commands: Sequence[Command]) -> Iterator[tuple[Command, frozenset[str] | None]]:
    """Each command with the variables that are looked at before it; None where none may be unset (`set -u`)."""
    guarded = _ALWAYS_SET
    stops = False
    for command in commands:
        stops = stops or _stops_at_unset(command)
        guarded |= _guarded(command)
        yield command, None if stops else guarded


def _stops_at_unset(command: Command) -> bool:
    """`set -u`, `set -euo pipefail`: from there on, a variable that is not set ends the script."""
    if command.name != "set" and command.name not in SHELLS:
        return False
    words = [word.value or "" for word in command.arguments]
    if command.name == "set" and "nounset" in words:
        return True
    flags = [word for word in words if word.startswith("-") and not word.startswith("--")]
    return any("u" in flag for flag in flags) if command.name == "set" else "-u" in flags


def _guarded(command: Command) -> set[str]:
    """The variables that a command tests, or that end the script when they are empty."""
    if command.name in _TESTS:
        asks = command.name in ("[", "test") and any(word.value == "-n" for word in command.arguments)
        words = [word for word in command.words if not (asks and _vanishes(word))]
        # What a command prints has no name in the script, and is known again by how it is written.
        pieces = (piece for word in words for piece in word.pieces if not piece.exact)
        return {piece.name or piece.source for piece in pieces}
    return {piece.name for word in command.words for piece in word.pieces if piece.name and ":?" in piece.source}


def _vanishes(word: Word) -> bool:
    """True for the variable of `[ -n $DIR ]`, which tests whether `-n` is a text when there is nothing in it."""
    return not any(piece.exact or piece.quoted for piece in word.pieces)


def _reaching(command: Command, guarded: frozenset[str]) -> Iterator[Issue]:
    """A path that becomes `/`, everything in it, or everything where the shell stands."""
    for word in _targets(command):
        piece = _open(word, guarded)
        if piece is not None and (reached := _reached(word, alone=_takes_no_folder(command))):
            message = f"`{command.shown}` reaches {reached} when `{piece.source}` is empty"
            yield Issue(UNSAFE_EXPANSION, command.span, message, _fix(word, piece), when_empty=piece)


def _targets(command: Command) -> Sequence[Word]:
    """The paths that a command deletes or changes with all that is below them."""
    match command.name:
        case "rm":
            options = parse(command.arguments)
            return options.operands if options.has(*_RECURSIVE) else tuple(filter(_is_pattern, options.operands))
        case "chmod" | "chown" | "chgrp":
            options = parse(command.arguments, names("reference from"))
            return options.operands[1:] if options.has(*_RECURSIVE) else ()
        case "find":
            if _changes_what_it_finds([word.value or "" for word in command.arguments]):
                ends = (index for index, word in enumerate(command.arguments) if word.when_empty[:1] in "-(!")
                return [word for word in command.arguments[: next(ends, None)] if word.when_empty]
        case "rsync":
            options = parse(command.arguments, names("e f rsh exclude include filter files-from"))
            if any(flag.startswith("del") for flag in options.flags):
                return options.operands
        case "mv":
            return parse(command.arguments, names("t S target-directory suffix")).operands[:-1]
    return ()


def _changes_what_it_finds(values: Sequence[str]) -> bool:
    """True for a `find` that deletes, or starts a program that does more than to look."""
    started = [values[index + 1] for index, value in enumerate(values[:-1]) if value in ("-exec", "-execdir")]
    return "-delete" in values or any(name.rpartition("/")[2] not in _LOOKS for name in started)


def _is_pattern(word: Word) -> bool:
    """True for a word with wildcards; without `-r`, `rm` deletes no folder and hardly ever hits another file."""
    return any(piece.exact and not piece.quoted and paths.is_pattern(piece.text) for piece in word.pieces)


def _open(word: Word, guarded: frozenset[str]) -> Piece | None:
    """The first piece of a word that may be empty; None for a word that cannot become something else."""
    if not word.can_be_empty:
        return None
    unknown = word.unknown
    if not unknown or any((piece.name or piece.source) in guarded for piece in unknown):
        return None
    return unknown[0]


def _takes_no_folder(command: Command) -> bool:
    """True for `mv`, which never takes `/` itself, and for `rm` without `-r`."""
    return command.name == "mv" or (command.name == "rm" and not parse(command.arguments).has(*_RECURSIVE))


def _reached(word: Word, *, alone: bool) -> str:
    """What a path is when everything unknown in it is empty, if that is more than anybody can mean.

    A single file right below `/`, which a command takes `alone`, is there by chance only.
    """
    text = word.pattern()
    if word.pieces[0].exact and word.pieces[0].text not in ("/", ""):
        return _parent(word)
    if text in paths.EVERYTHING or text in ("./*", "./"):
        return "everything in the folder that it runs in"
    path = paths.resolve(word, None)
    if path is None:
        return ""
    root = paths.system_root(path)
    if alone and (root is None or path == "/"):
        return ""
    if root is None:
        # `$DIR/data` is another folder than any that can be meant; deeper paths hardly exist.
        shallow = path.count("/") == 1 and path.startswith("/")
        return path if shallow and word.pieces[0].name not in _SCRATCH else ""
    return "everything" if root == "/" else f"the system folder {root}"


def _parent(word: Word) -> str:
    """`/srv/releases/$NAME`: all of them where it is empty, and other paths where it has blanks.

    Only what is not quoted is told of, and what a command prints, which may be nothing: `NAME=$(ls | grep old)`.
    """
    last = word.pieces[-1]
    ends = last.exact and last.text in ("/", "/*") and len(word.pieces) > 1
    unknown = word.pieces[-2] if ends else last
    path = paths.resolve(word, None)
    if unknown.exact or unknown.text or path is None or data.is_temporary(f"{path}/"):
        return ""
    if unknown.quoted and not any(each.name in _FINDS for each in unknown.commands[-1:]):
        return ""
    before = word.when_empty.removesuffix(last.text) if ends else word.when_empty
    return path if before.endswith("/") else ""


def _elsewhere(command: Command, entered: Command | None) -> Iterator[Issue]:
    """`cd "$DIR"; rm -rf *`: without a folder, `cd` stays where it is, or goes home."""
    if entered is None or command.name != "rm":
        return
    options = parse(command.arguments)
    if options.has(*_RECURSIVE) and any(word.value in paths.EVERYTHING | {"./*", "."} for word in options.operands):
        message = f"`{command.shown}` deletes what is elsewhere when `{entered.shown}` goes nowhere"
        yield Issue(UNSAFE_EXPANSION, command.span, message, 'Write `cd "${DIR:?}" && rm …`, or the whole path.')


def _run(command: Command) -> Iterator[Issue]:
    """`eval $X`, `sh -c "$X"`: the variable is code, set or not."""
    if command.name == "eval":
        words: Sequence[Word] = command.arguments
    elif command.name in SHELLS:
        words = _script(command)
    else:
        return
    for word in words:
        first = word.pieces[0] if word.pieces else None
        code = first if command.name in SHELLS else _code(word)
        if code is not None and not code.exact and (_is_data(code) if code.commands else code.name):
            message = f"`{command.shown}` runs whatever `{code.source}` holds"
            yield Issue(
                UNSAFE_EXPANSION, command.span, message, "Write the command out, with variables as arguments."
            )
            return


def _is_data(code: Piece) -> bool:
    """True for what a program reads from a document or a store, unless it quotes it for the shell (`jq @sh`)."""
    last = code.commands[-1]
    return last.name in _READS and not any("@sh" in word.when_empty for word in last.arguments)


def _code(word: Word) -> Piece | None:
    """The first variable in a word of `eval` whose value becomes code."""
    for index, piece in enumerate(word.pieces):
        unnamed = not piece.name and not (piece.commands and _is_data(piece))
        plain = piece.exact or unnamed or piece.name in _NUMBERS or _ALTERNATIVE.fullmatch(piece.source)
        if not plain and not (_is_name(word.pieces, index) and not piece.name.isupper()):
            return piece
    return None


def _is_name(pieces: Sequence[Piece], index: int) -> bool:
    """True for the name of a variable that the script keeps in another: `eval "$name=1"`, `eval x=\\$$name`.

    In capital letters it would be a parameter, in which others may put anything.
    """
    before = pieces[index - 1].text if index and pieces[index - 1].exact else ""
    after = pieces[index + 1].text if index + 1 < len(pieces) and pieces[index + 1].exact else ""
    if before.endswith(("$", "${")):
        return True
    first = index == 0 or _DECLARES.search(before) is not None
    return first and _ASSIGNS.match(after) is not None


def _script(command: Command) -> Sequence[Word]:
    """The script of `sh -c`."""
    options = parse(command.arguments, names("o O rcfile init-file"), first_operand_ends=True)
    return options.operands[:1] if "c" in options.flags else ()


def _fix(word: Word, piece: Piece) -> str:
    if not piece.name or not piece.name.isidentifier():
        return "Keep it in a variable, and let the shell stop where that is empty."
    guarded = word.shown.replace(piece.source, f"${{{piece.name}:?}}", 1)
    return f"Write `{guarded}`: the shell then stops when `{piece.name}` is empty."
