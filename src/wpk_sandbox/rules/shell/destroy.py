"""Commands that delete or ruin the system, or would if a variable were empty."""

from collections.abc import Iterator, Sequence

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell import paths
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
    "A command deletes far more than meant when a variable is empty",
    '`rm -rf "$DIR"/*` becomes `rm -rf /*` on the day when `DIR` is empty: a parameter that was not filled, an'
    " output that failed, a name with a typing error. Deleting a home folder, or files by a pattern anywhere in the"
    " system, has the same reach.",
    'Let the shell stop instead: `"${DIR:?}"/*` ends the command with an error when `DIR` is empty.',
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
_DELETERS = frozenset({"rm", "unlink", "shred", "rmdir"})


def check(commands: Sequence[Command]) -> Iterator[Issue]:
    """What the commands of a script would destroy."""
    for command in commands:
        if command.name in _CHECKS:
            yield from _CHECKS[command.name](command)
        for redirect in command.redirects:
            if redirect.writes and redirect.operator != ">>" and redirect.target.value in paths.SYSTEM_FILES:
                yield _ruined(command, redirect.target)


def _rm(command: Command) -> Iterator[Issue]:
    options = parse(command.arguments)
    recursive = options.has(*_RECURSIVE)
    for word in options.operands:
        path = paths.resolve(word, command.folder)
        if path is None:
            continue
        if recursive or (paths.is_pattern(path) and path != "/*"):
            yield from _reached(command, word, path, "deletes")
        if word.value is not None and path in paths.SYSTEM_FILES:
            yield _ruined(command, word)


def _reached(command: Command, word: Word, path: str, does: str) -> Iterator[Issue]:
    """The issue of a path that is known to be a system folder, would be one, or is a home folder."""
    root = paths.system_root(path)
    if root is None:
        if paths.is_home(path):
            yield Issue(DESTROY_DATA, command.span, f"`{command.shown}` {does} a whole home folder", _NAME_IT)
    elif word.value is not None:
        yield Issue(DESTROY_SYSTEM, command.span, f"`{command.shown}` {does} {_named(root)}")
    else:
        unknown = word.unknown[0]
        message = f"`{command.shown}` {does} {_named(root)} when `{unknown.source}` is empty"
        yield Issue(DESTROY_DATA, command.span, message, _guarded(word))


_NAME_IT = "Name the one folder that is meant."


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
    words = [word.when_empty for word in command.arguments]
    if not _deletes(words):
        return
    narrow = any(word in _FIND_TESTS for word in words)
    for word in command.arguments:
        if word.when_empty.startswith(("-", "(", "!")):
            return
        path = paths.resolve(word, command.folder)
        if path is None:
            continue
        if not narrow:
            yield from _reached(command, word, path, "deletes")
        elif word.value is not None and (root := paths.system_root(path, only_os=True)):
            where = "the whole system" if root == "/" else root
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
        if path is not None and (paths.system_root(path) or path in paths.SYSTEM_FILES):
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
    if path is not None:
        yield from _reached(command, word, path, "deletes what it does not copy from")


def _overwrite(command: Command) -> Iterator[Issue]:
    for word in command.arguments:
        if word.value in paths.SYSTEM_FILES and not command.name.startswith("cp"):
            yield _ruined(command, word)


_CHECKS = {
    "rm": _rm,
    "find": _find,
    "mv": _mv,
    "chmod": _change_rights,
    "chown": _change_rights,
    "chgrp": _change_rights,
    "rsync": _rsync,
    "shred": _overwrite,
    "truncate": _overwrite,
    "unlink": _overwrite,
}
