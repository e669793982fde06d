"""Values that become a part of a program: `python3 -c "…$X…"`, `ssh host "rm $X"`, `psql -c "… '$X'"`.

Whoever can choose the value writes a part of the program. A value that the script looked at before
(`[[ $X =~ … ]]`, `case`), one that it wrote itself and a number of the shell are no danger.
"""

from collections.abc import Iterator, Sequence

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell import programs
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.printed import here_documents
from wpk_sandbox.rules.shell.words import Piece, Word
from wpk_sandbox.rules.shell.wrappers import SHELLS

# What the system sets, and nobody who gives a parameter.
_SYSTEM = names(
    "HOME USER LOGNAME PWD OLDPWD HOSTNAME PATH SHELL LANG TERM TMPDIR UID EUID PPID RANDOM SECONDS LINENO OPTIND"
    " IFS BASHPID $ ? # ! 0 - _ BASH_SOURCE FUNCNAME EPOCHSECONDS MACHTYPE OSTYPE ARCH"
)
# Outputs that others may have a hand in: names of files, fields of what was sent.
_FOREIGN = names("jq yq curl wget cat ls find sed awk cut grep read head tail")
_SSH = names("b c D E e F I i J L l m O o p Q R S W w B")
_STATEMENTS = {
    "psql": names("c command"),
    "mysql": names("e execute"),
    "mariadb": names("e execute"),
    "cqlsh": names("e execute"),
    "clickhouse-client": names("q query"),
    "mongosh": names("eval"),
    "mongo": names("eval"),
    "sqlcmd": names("Q q"),
    "cockroach": names("e execute"),
}
_SQL_TAKES = names(
    "c command d dbname f file h host p port U username v set variable e execute P u user D q query eval"
)
_AWKS = names("awk gawk mawk nawk")
_XARGS = names("I L n P s d E a max-args max-procs delimiter arg-file replace max-lines")
_QUOTED = Pattern(r"\$\{\w+@Q\}|\$\{#")
_NETWORK_FILE = Pattern(r"/dev/(?:tcp|udp)/")
_LISTERS = names("find ls cat grep rg fd locate")


def injected(commands: Sequence[Command], guards: Sequence[frozenset[str] | None]) -> Iterator[tuple[Command, str]]:
    """Commands with what becomes a part of their program, by what is looked at before each."""
    made = _worked_out(commands)
    for command, guarded in zip(commands, guards, strict=True):
        known = (guarded or frozenset()) | made
        piece = next((piece for word in _code(command) if (piece := _foreign(word, known))), None)
        if piece is not None:
            yield command, f"`{piece.source}`"
        elif mark := _marked(command):
            yield command, f"`{mark}`, a name of a file,"


def _worked_out(commands: Sequence[Command]) -> frozenset[str]:
    """The variables that `printf -v X %q` quotes, or the name of a `select`."""
    return frozenset(
        command.arguments[1].value or ""
        for command in commands
        if command.name == "printf" and len(command.arguments) > 2 and command.arguments[0].value == "-v"
    )


def _code(command: Command) -> Iterator[Word]:
    """The words of a command that are a program, or a text that a shell or a database reads as one."""
    name = command.name
    if name in SHELLS:
        options = parse(command.arguments, names("o O rcfile init-file"), first_operand_ends=True)
        yield from options.operands[:1] if "c" in options.flags else _read(command, plain=not options.operands)
    elif name == "ssh":
        words = parse(command.arguments, _SSH, first_operand_ends=True).operands[1:]
        yield from (word for word in words if any(char.isspace() for char in word.template("x")))
    elif name in _AWKS:
        if not parse(command.arguments, names("F v f")).has("f", "file"):
            yield from parse(command.arguments, names("F v")).operands[:1]
    elif name in _STATEMENTS:
        options = parse(command.arguments, _SQL_TAKES)
        yield from (word for each in _STATEMENTS[name] for word in options.values.get(each, ()))
    elif name == "sqlite3":
        yield from parse(command.arguments, names("cmd separator init")).operands[1:]
    elif programs.language(name) in programs.LANGUAGES:
        spoken = programs.LANGUAGES[programs.language(name)]
        options = parse(command.arguments, spoken.takes | spoken.others, first_operand_ends=True)
        yield from (word for each in sorted(spoken.takes) for word in options.values.get(each, ()))


def _read(command: Command, *, plain: bool) -> Iterator[Word]:
    """What a shell without a script reads: a here-document, or what an `echo` before it prints."""
    if plain:
        yield from here_documents(command)
        if command.upstream and command.upstream[-1].name in ("echo", "printf"):
            yield from command.upstream[-1].arguments


def _foreign(word: Word, known: frozenset[str]) -> Piece | None:
    """The first piece of a program whose value somebody else may choose."""
    if _NETWORK_FILE.search(word.when_empty):
        # Whether a connection is a danger is for other rules to say; the address is no code.
        return None
    for piece in word.pieces:
        if piece.exact or _QUOTED.match(piece.source):
            continue
        if piece.commands:
            # A substitution that stands in the program itself is what the script asks for.
            if len(word.pieces) == 1 and piece.commands[-1].name in _FOREIGN and piece.source not in known:
                return piece if piece.commands[0].name in ("jq", "yq") else None
        elif piece.name and piece.name not in _SYSTEM and piece.name not in known:
            return piece
    return None


def _marked(command: Command) -> str:
    """`find -exec sh -c '… {} …'`, `find | xargs -I{} sh -c '… {} …'`: names of files in the program."""
    if command.name == "find":
        words = [word.value or "" for word in command.arguments]
        starts = [at for at, word in enumerate(words[:-3]) if word in ("-exec", "-execdir", "-ok")]
        shells = (
            at for at in starts if words[at + 1].rpartition("/")[2] in SHELLS and words[at + 2].startswith("-")
        )
        return "{}" if any("{}" in words[at + 3] for at in shells) else ""
    if command.name != "xargs" or not command.upstream or command.upstream[0].name not in _LISTERS:
        return ""
    options = parse(command.arguments, _XARGS, first_operand_ends=True)
    mark = options.value("I", "replace")
    given = [word.value or "" for word in options.operands]
    if mark is None or not mark.value or len(given) < 3 or given[0].rpartition("/")[2] not in SHELLS:
        return ""
    return mark.value if given[1].startswith("-") and mark.value in given[2] and given[2] != mark.value else ""
