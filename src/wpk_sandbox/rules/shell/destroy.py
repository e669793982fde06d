"""Commands that delete or ruin the system or its data, or would if a variable were empty."""

from collections.abc import Iterator, Sequence

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell import data, databases, paths, stores, teardown
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.issue import Issue
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.words import Word

DESTROY_SYSTEM = Rule(
    "shell-destroy-system",
    Severity.CRITICAL,
    "A command deletes or ruins a system folder",
    "The machine or container that the runbook should repair does not survive it, and there is no way back:"
    " no rollback restores `/`, `/etc` or `/var/lib`.",
    "Name the one folder that is meant, below the system folders: `rm -rf /var/cache/app/tmp`.",
    points=POINTS[Severity.CRITICAL],
)
DESTROY_DATA = Rule(
    "shell-destroy-data",
    Severity.HIGH,
    "A command destroys data, or would if a variable were empty",
    "What was the only copy is gone, and no rollback brings it back: a database, a namespace with its volumes, a"
    ' bucket, a home folder. Some commands reach that far on one bad day only: `rm -rf "$DIR"/*` becomes `rm -rf'
    " /*` when `DIR` is empty, by a parameter that was not filled or an output that failed.",
    "Name the one thing that is meant, take a copy of it first, and let a person approve the step. Let the shell"
    ' stop where a variable is empty: `"${DIR:?}"/*`.',
    cwe=73,
    points=POINTS[Severity.HIGH],
)

RULES = (DESTROY_SYSTEM, DESTROY_DATA)

_RECURSIVE = ("r", "R", "recursive")
_FIND_ACTIONS = frozenset({"-delete", "-exec", "-execdir", "-ok", "-okdir"})
# Tests that pick some files out; without one of these `find` means everything below.
_FIND_TESTS = names(
    "-name -iname -path -ipath -regex -iregex -wholename -mtime -mmin -atime -amin -ctime -cmin -newer -size -user"
    " -group -uid -gid -perm -empty -nouser -nogroup -inum -samefile -links"
)
_NAMES = names("-name -iname -path -ipath -regex -iregex -wholename -empty -samefile -inum -lname -ilname -newer")
# Where the system's own programs and settings are, whose age says nothing of their use.
_PROGRAMS = names("/ /bin /boot /etc /lib /lib32 /lib64 /sbin /usr /usr/bin /usr/lib /usr/lib64 /usr/sbin")
_DELETERS = frozenset({"rm", "unlink", "shred", "rmdir"})
# Sizes of `truncate` that take something away: https://www.gnu.org/software/coreutils/manual/html_node/truncate-invocation.html
_TO_LESS = Pattern(r"0+[A-Za-z]*$|[-<]")


def check(commands: Sequence[Command]) -> Iterator[Issue]:
    """What the commands of a script would destroy."""
    said: set[int] = set()
    for command in commands:
        if command.name in _CHECKS:
            yield from _CHECKS[command.name](command)
        what = next(databases.emptied(command), "") or teardown.taken_down(command) or stores.deleted(command)
        if what:
            yield Issue(DESTROY_DATA, command.span, f"`{command.shown}` {what}", _COPY_FIRST)
        for redirect in command.redirects:
            if redirect.writes and redirect.operator not in (">>", "&>>") and id(redirect) not in said:
                for issue in _overwritten(command, redirect.target):
                    said.add(id(redirect))
                    yield issue


def _rm(command: Command) -> Iterator[Issue]:
    options = parse(command.arguments)
    recursive = options.has(*_RECURSIVE)
    for word in options.operands:
        path = paths.resolve(word, command.folder)
        if path is None:
            continue
        if recursive or (paths.is_pattern(path) and path != "/*" and not data.is_by_product(path)):
            yield from _deleted(command, word, path)
        elif data.is_database_file(path):
            yield _lost(command, word, path, "deletes")
        if word.value is not None and path in paths.SYSTEM_FILES:
            yield _ruined(command, word)
    if command.via[-1:] == ("xargs",) and command.upstream:
        yield from _listed(command, command.upstream[-1])


def _listed(command: Command, source: Command) -> Iterator[Issue]:
    """`find … | xargs rm`, `ls … | xargs rm`: what the first lists, the second deletes."""
    if source.name == "find":
        yield from _searched(command, source)
    elif source.name == "ls":
        for word in parse(source.arguments).operands:
            path = paths.resolve(word, source.folder)
            if path is not None:
                yield from _deleted(command, word, path)


def _deleted(command: Command, word: Word, path: str) -> Iterator[Issue]:
    """The issue of a path that is deleted with what is below it."""
    found = False
    for issue in _reached(command, word, path, "deletes"):
        found = True
        yield issue
    if not found and data.is_place(path):
        yield _lost(command, word, path, "deletes")


def _lost(command: Command, word: Word, path: str, does: str) -> Issue:
    """The issue of data that a command destroys, or would if a variable were empty."""
    shown = f"`{command.shown}`" if command.words else "this"
    if word.value is not None:
        return Issue(DESTROY_DATA, command.span, f"{shown} {does} the data in {path}", _COPY_FIRST)
    return _when_empty(command, word, f"{shown} {does} the data in {path}")


def _reached(command: Command, word: Word, path: str, does: str) -> Iterator[Issue]:
    """The issue of a path that is known to be a system folder, would be one, or is a home folder."""
    root = paths.system_root(path)
    if root is None:
        if paths.is_home(path):
            yield Issue(DESTROY_DATA, command.span, f"`{command.shown}` {does} a whole home folder", _NAME_IT)
    elif word.value is not None:
        yield Issue(DESTROY_SYSTEM, command.span, f"`{command.shown}` {does} {_named(root)}")
    else:
        yield _when_empty(command, word, f"`{command.shown}` {does} {_named(root)}")


def _when_empty(command: Command, word: Word, what: str) -> Issue:
    unknown = word.unknown[0]
    message = f"{what} when `{unknown.source}` is empty"
    return Issue(DESTROY_DATA, command.span, message, _guarded(word), when_empty=unknown)


_NAME_IT = "Name the one folder that is meant."
_COPY_FIRST = "Take a copy first, and put a step `manual: true` before it."


def _guarded(word: Word) -> str:
    """The word with its first variable guarded, as the reader can paste it."""
    name = word.unknown[0].name
    if not name or not name.isidentifier():
        return ""
    guarded = word.shown.replace(word.unknown[0].source, f"${{{name}:?}}", 1)
    return f"Write `{guarded}`: the shell then stops when `{name}` is empty."


def _named(root: str) -> str:
    return "everything" if root == "/" else f"the system folder {root}"


def _ruined(command: Command, word: Word) -> Issue:
    return Issue(DESTROY_SYSTEM, command.span, f"`{command.shown or '>'}` destroys the system file {word.value}")


def _find(command: Command) -> Iterator[Issue]:
    if _deletes([word.when_empty for word in command.arguments]):
        yield from _searched(command, command)


def _searched(command: Command, search: Command) -> Iterator[Issue]:
    """The issues of a command that deletes what a `find` finds."""
    narrow = any(word.when_empty in _FIND_TESTS for word in search.arguments)
    for word in search.arguments:
        if word.when_empty.startswith(("-", "(", "!")):
            return
        path = paths.resolve(word, search.folder)
        if path is None:
            continue
        if not narrow:
            yield from _deleted(command, word, path)
        elif word.value is not None and (root := paths.system_root(path, only_os=True)):
            where = "the whole system" if root == "/" else root
            if root in _PROGRAMS and _NAMES.isdisjoint(each.when_empty for each in search.arguments):
                message = f"`{command.shown}` deletes whatever is of an age or a size in {where}"
                yield Issue(DESTROY_SYSTEM, command.span, message, "Search only the folder that is meant.")
                continue
            message = f"`{command.shown}` deletes by a pattern anywhere in {where}"
            yield Issue(DESTROY_DATA, command.span, message, "Search only the folder that is meant.")


def _deletes(words: Sequence[str]) -> bool:
    if "-delete" in words:
        return True
    following = [words[index + 1] for index, word in enumerate(words[:-1]) if word in _FIND_ACTIONS]
    return any(name.rpartition("/")[2] in _DELETERS for name in following)


def _mv(command: Command) -> Iterator[Issue]:
    options = parse(command.arguments, frozenset({"t", "S", "target-directory", "suffix"}))
    sources = options.operands if options.has("t", "target-directory") else options.operands[:-1]
    for word in sources:
        path = paths.resolve(word, command.folder)
        # `mv` never moves `/` itself.
        if path is None or (path == "/" and word.value is None):
            continue
        if paths.system_root(path) or path in paths.SYSTEM_FILES:
            yield from _reached(command, word, path, "moves away")


def _change_rights(command: Command) -> Iterator[Issue]:
    options = parse(command.arguments, frozenset({"reference", "from"}))
    if not options.has(*_RECURSIVE):
        return
    for word in options.operands if options.has("reference") else options.operands[1:]:
        path = paths.resolve(word, command.folder)
        if path is not None and paths.system_root(path, only_os=True):
            yield from _reached(command, word, path, "changes the rights of")


def _rsync(command: Command) -> Iterator[Issue]:
    options = parse(command.arguments, frozenset({"e", "f", "rsh", "exclude", "include", "filter", "files-from"}))
    if not any(flag.startswith(("delete", "del")) for flag in options.flags) or not options.operands:
        return
    word = options.operands[-1]
    path = paths.resolve(word, command.folder)
    if path is None:
        return
    found = tuple(_reached(command, word, path, "deletes what it does not copy from"))
    yield from found
    sources = [paths.resolve(each, command.folder) or "" for each in options.operands[:-1]]
    # A copy of real data over other data restores it; one of a scratch folder leaves nothing.
    if not found and data.is_place(path) and sources and all(map(data.is_temporary, sources)):
        yield _lost(command, word, path, "deletes")


def _shred(command: Command) -> Iterator[Issue]:
    """Overwrites for good; temporary files are meant to be, and disks have a rule of their own."""
    for word in parse(command.arguments, names("n s iterations size random-source")).operands:
        path = paths.resolve(word, command.folder)
        if word.value is not None and path in paths.SYSTEM_FILES:
            yield _ruined(command, word)
        elif (
            path is not None and path.startswith("/") and not (path.startswith("/dev/") or data.is_temporary(path))
        ):
            yield _lost(command, word, path, "overwrites")
    if command.via[-1:] == ("xargs",) and command.upstream and command.upstream[0].name == "find":
        for word in command.upstream[0].arguments[:1]:
            path = paths.resolve(word, command.upstream[0].folder)
            if path is not None and path.startswith(("/", "~")) and not data.is_temporary(path):
                yield _lost(command, word, path, "overwrites")


def _truncate(command: Command) -> Iterator[Issue]:
    options = parse(command.arguments, names("s size r reference"))
    size = options.value("s", "size")
    if size is None or not _TO_LESS.match(size.when_empty):
        return
    for word in options.operands:
        yield from _cleared(command, word)


def _cleared(command: Command, word: Word) -> Iterator[Issue]:
    """The issue of a file that is left empty."""
    path = paths.resolve(word, command.folder)
    if word.value is not None and path in paths.SYSTEM_FILES:
        yield _ruined(command, word)
    elif path is not None and data.is_file(path):
        yield _lost(command, word, path, "empties")


def _overwritten(command: Command, target: Word) -> Iterator[Issue]:
    """A redirection over a system file, or of nothing over data (`: > /var/lib/app.db`)."""
    if target.value in paths.SYSTEM_FILES - paths.REWRITTEN:
        yield _ruined(command, target)
    elif _prints_nothing(command):
        yield from _cleared(command, target)


def _prints_nothing(command: Command) -> bool:
    values = [command.name, *(word.value for word in command.words[1:3])]
    return not command.words or values in ([":"], ["true"], ["cat", "/dev/null"], ["echo", "-n"], ["printf", ""])


def _unlink(command: Command) -> Iterator[Issue]:
    for word in command.arguments:
        if word.value in paths.SYSTEM_FILES:
            yield _ruined(command, word)


def _cp(command: Command) -> Iterator[Issue]:
    """`cp /dev/null file`."""
    operands = parse(command.arguments).operands
    if len(operands) == 2 and operands[0].value == "/dev/null":
        yield from _cleared(command, operands[1])


_CHECKS = {
    "rm": _rm,
    "find": _find,
    "mv": _mv,
    "chmod": _change_rights,
    "chown": _change_rights,
    "chgrp": _change_rights,
    "rsync": _rsync,
    "shred": _shred,
    "truncate": _truncate,
    "unlink": _unlink,
    "cp": _cp,
}
