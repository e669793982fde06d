"""What a command runs that is not written in it: its input, the output of other commands, a file made before."""

from collections.abc import Iterator

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.source import Span
from wpk_sandbox.rules.shell.words import Word
from wpk_sandbox.rules.shell.wrappers import INTERPRETERS, SHELLS, script_files

# Options with which an interpreter takes its program from an argument or a module, not from its input.
_GIVEN_PROGRAM = names("c m e E r n p pe ne le lne eval print require")
_INTERPRETER_TAKES = names("c e r o O I M W X rcfile init-file")
_XARGS_TAKES = names("I L n P s d E a max-args max-procs delimiter arg-file replace max-lines")
# How programs of other languages run a text of their own language, and how they hand one to a shell.
_EVALUATES = Pattern(r"(?<![.\w])(?:exec|eval|Function|loadstring|load|instance_eval)\s*[($]|\beval\s+[a-z]")
_STARTS = Pattern(
    r"(?<!/\.)\b(?:exec|execSync|system|popen|passthru|shell_exec|subprocess\.\w+|os\.execute)\b\s*[(\s]([^;\n]*)"
)
_SOURCING = frozenset({"source", "."})
# Stands before what is not known in the name of a file.
UNKNOWN = "\ufffc"


def produced(command: Command) -> Iterator[tuple[Command, ...]]:
    """The commands whose output a command runs, each group with the last one of its pipe at the end."""
    if runs_its_input(command):
        yield command.upstream
        for redirect in command.redirects:
            if redirect.operator in ("<<<", "<", "<<", "<<-"):
                yield _first_commands(redirect.target)
    if command.name in INTERPRETERS:
        for word in _program_words(command):
            yield _first_commands(word)
    elif command.name in _SOURCING or command.name == "eval":
        for word in command.arguments[:1]:
            yield _first_commands(word)
    elif command.words and not command.name:
        yield _first_commands(command.words[0])


def _program_words(command: Command) -> tuple[Word, ...]:
    """The words that are an interpreter's program or its file; what follows are the program's arguments."""
    options = parse(command.arguments, _INTERPRETER_TAKES, first_operand_ends=True)
    given = tuple(word for name in ("c", "e", "r") for word in options.values.get(name, ()))
    return (*given, *options.operands[:1])


def reach(source: Command, command: Command) -> Span:
    """The range from one command of a pipe to a later one."""
    return min(source.span[0], command.span[0]), command.span[1]


def runs_its_input(command: Command) -> bool:
    """True for `… | sh`, `… | python3 -` and `… | xargs sh -c`."""
    name = command.name
    if name in SHELLS:
        options = parse(command.arguments, frozenset({"o", "O"}), first_operand_ends=True)
        return "c" not in options.flags and ("s" in options.flags or not options.operands or _is_input(command))
    if name in _SOURCING:
        return _is_input(command)
    if name == "xargs":
        return _xargs_runs(command)
    if name not in INTERPRETERS:
        return False
    options = parse(command.arguments, first_operand_ends=True)
    given = any(flag in _GIVEN_PROGRAM for flag in options.flags)
    return not given and (not options.operands or _is_input(command))


def _xargs_runs(command: Command) -> bool:
    """`xargs sh -c`, whose script is then what is read; or `xargs -I{} sh -c '{}'`."""
    options = parse(command.arguments, _XARGS_TAKES, first_operand_ends=True)
    values = [word.when_empty for word in options.operands]
    mark = options.value("I", "replace")
    if not values or (mark is not None and values[0] == mark.when_empty):
        return bool(values)
    if values[0].rpartition("/")[2] not in SHELLS:
        return False
    at = next((index for index, value in enumerate(values) if value == "-c"), None)
    if at is None:
        return False
    return at + 1 == len(values) or (mark is not None and values[at + 1].strip() == mark.when_empty)


def _is_input(command: Command) -> bool:
    return any(word.value in ("-", "/dev/stdin", "/proc/self/fd/0") for word in command.arguments)


def _first_commands(word: Word) -> tuple[Command, ...]:
    """The commands whose output a word begins with: what follows is no more than its arguments."""
    first = next((piece for piece in word.pieces if piece.text or not piece.exact), None)
    commands = first.commands if first is not None else ()
    return () if commands and _is_silent(commands[-1]) else commands


def _is_silent(command: Command) -> bool:
    """True when nothing of a command's output is left to be run: `> /dev/null`."""
    return any(
        each.target.value == "/dev/null" and each.writes and each.descriptor in ("", "1")
        for each in command.redirects
    )


def evaluates(program: str, made: Pattern) -> bool:
    """True when a program of another language runs what it makes in a way that the pattern tells.

    A text of its own language may be kept before it is run; a command for the shell is made where it is started,
    since programs that start commands and also decode something are many.
    """
    if made.search(program) is None:
        return False
    return bool(_EVALUATES.search(program)) or any(made.search(found[1]) for found in _STARTS.finditer(program))


def file_name(path: str) -> str:
    """The name by which a file is known again, from whatever folder it is named."""
    return path.rstrip("/").rpartition("/")[2]


def file_key(word: Word) -> str:
    """The name of a file that a word names, also where variables stand in it; empty if nothing is known of it."""
    parts = [
        piece.text if piece.exact else f"{UNKNOWN}{piece.name or piece.source}".replace("/", ":")
        for piece in word.pieces
    ]
    return file_name("".join(parts))


def written(command: Command) -> Iterator[str]:
    """The names of the files that a command's output goes to."""
    for redirect in command.redirects:
        if redirect.writes and redirect.operator != ">&" and (key := file_key(redirect.target)):
            yield key
    if command.name == "tee":
        yield from (key for word in parse(command.arguments).operands if (key := file_key(word)))


def run_file(command: Command) -> str:
    """The name of the file that a command runs as a program; empty if there is none."""
    if not command.words:
        return ""
    if command.name in SHELLS:
        files = script_files(command)
        return file_key(files[0]) if files else ""
    if command.name in INTERPRETERS or command.name in _SOURCING:
        operands = parse(command.arguments, first_operand_ends=True).operands
        return file_key(operands[0]) if operands else ""
    path = command.words[0]
    known = path.value
    return file_key(path) if known is None or "/" in known else ""
