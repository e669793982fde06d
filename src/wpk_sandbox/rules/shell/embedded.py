r"""Commands in the options and little languages of programs that are no shells.

`tar --to-command`, `git -c core.pager=…`, `ssh -o ProxyCommand=…`, `psql -c '\! …'`, `sed '1e …'`; many of them are
listed at https://gtfobins.github.io/.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.printed import input_words
from wpk_sandbox.rules.shell.started import Started, Text, text_of
from wpk_sandbox.rules.shell.words import Word, joined

MOST_FOUND = 32

_GIT_SETTING = Pattern(
    r"(?:core\.(?:pager|editor|sshcommand|fsmonitor|askpass|gitproxy)|pager\.\w+|alias\.[^=]+|credential\.helper"
    r"|sequence\.editor|diff\.external|[\w.]+(?:command|cmd|textconv|clean|smudge))=!?",
    re.IGNORECASE,
)
_SSH_SETTING = Pattern(r"(?:ProxyCommand|LocalCommand|KnownHostsCommand|RemoteCommand)\s*[= ]\s*", re.IGNORECASE)
_SSH_TAKES = names("b B c D E e F I i J L l m O o p Q R S W w P")
# https://www.postgresql.org/docs/current/app-psql.html, https://dev.mysql.com/doc/refman/8.4/en/mysql-commands.html
_CLIENT_LINE = Pattern(r"(?:^|[;\n])\s*(?:\\!|system\b)\s*([^\n]+)")
_SQLITE_LINE = Pattern(r"(?:^|\n)\s*\.(?:shell|system)\s+([^\n]+)")
_SED_LINE = Pattern(r"(?:^|[;\n{}])\s*(?:\d+|\$|/(?:[^/\\\n]|\\.)*/)?\s*e\s+([^\n]+)")
_EDITOR_LINE = Pattern(r"^:?(?:silent\s+)?!\s*(.+)", re.DOTALL)
_SPAWN = Pattern(r"\bspawn\s+(?:-\w+\s+)*([^\n;]+)")
_SOCAT = Pattern(r"^(?:EXEC|SYSTEM|SHELL):([^,]+)", re.IGNORECASE)
_RECIPE = Pattern(r"^(?:\t|[\w.-]+:[^=\n][^;\n]*;)[-@+]*([^\n]+)", re.MULTILINE)


def found_in(pattern: Pattern, words: Sequence[Word]) -> Iterator[Text]:
    """The scripts that a pattern's group 1 marks in words."""
    if not words:
        return
    text, places = joined(words, words[-1].span[1])
    for _, found in zip(range(MOST_FOUND), pattern.finditer(text), strict=False):
        start, end = found.span(1)
        yield Text(text[start:end], places[start : end + 1])


def _tar(command: Command) -> Iterator[Started]:
    options = parse(command.arguments, names("to-command checkpoint-action use-compress-program rsh-command"))
    for name in ("to-command", "use-compress-program", "rsh-command", "checkpoint-action"):
        for word in options.values.get(name, ()):
            start = "exec=" if name == "checkpoint-action" else ""
            if word.when_empty.startswith(start):
                yield text_of((word.after(len(start)),))


def _git(command: Command) -> Iterator[Started]:
    """Settings that name a command, and what `rebase --exec`, `bisect run` and `submodule foreach` run."""
    options = parse(command.arguments, names("c C git-dir work-tree namespace exec-path"), first_operand_ends=True)
    for word in options.values.get("c", ()):
        setting = _GIT_SETTING.match(word.when_empty)
        if setting:
            yield text_of((word.after(setting.end()),))
    verbs = [word.value for word in options.operands[:2]]
    if verbs == ["bisect", "run"]:
        yield options.operands[2:]
    elif verbs == ["submodule", "foreach"]:
        rest = parse(options.operands[2:], frozenset(), first_operand_ends=True).operands
        if rest:
            yield text_of(rest)
    elif verbs[:1] in (["rebase"], ["filter-branch"]):
        filters = names("x exec tree-filter index-filter msg-filter env-filter commit-filter")
        given = parse(options.operands[1:], filters | names("onto s X"))
        for name in sorted(filters):
            yield from (text_of((word,)) for word in given.values.get(name, ()))


def ssh_settings(command: Command) -> Iterator[Started]:
    """`ssh -o ProxyCommand=…`: commands that run here, besides the one that runs there."""
    for word in parse(command.arguments, _SSH_TAKES, first_operand_ends=True).values.get("o", ()):
        setting = _SSH_SETTING.match(word.when_empty)
        if setting:
            yield text_of((word.after(setting.end()),))


def _rsync(command: Command) -> Iterator[Started]:
    options = parse(command.arguments, names("e rsh rsync-path f filter exclude include files-from"))
    for name in ("e", "rsh", "rsync-path"):
        yield from (text_of((word,)) for word in options.values.get(name, ()))


def _client(pattern: Pattern, takes: str, command: Command) -> Iterator[Started]:
    """What a database's client runs: in the value of an option, an operand (of SQLite) or its input."""
    given = frozenset(takes.split())
    options = parse(command.arguments, given | names("h U d p u P H host port user username dbname database"))
    for name in sorted(given):
        for word in options.values.get(name, ()):
            yield from found_in(pattern, (word,))
    if not given:
        for word in options.operands[1:]:
            yield from found_in(pattern, (word,))
    for words in input_words(command):
        yield from found_in(pattern, words)


def _sed(command: Command) -> Iterator[Started]:
    options = parse(command.arguments, names("e f expression file l line-length"))
    scripts = (*options.values.get("e", ()), *options.values.get("expression", ()))
    for word in scripts or options.operands[:1]:
        yield from found_in(_SED_LINE, (word,))


def _editor(command: Command) -> Iterator[Started]:
    for word in command.arguments:
        text = word.after(1) if word.when_empty.startswith("+") else word
        yield from found_in(_EDITOR_LINE, (text,))


def _expect(command: Command) -> Iterator[Started]:
    for word in parse(command.arguments, names("c")).values.get("c", ()):
        yield from found_in(_SPAWN, (word,))
    for words in input_words(command):
        yield from found_in(_SPAWN, words)


def _socat(command: Command) -> Iterator[Started]:
    for word in parse(command.arguments).operands:
        yield from found_in(_SOCAT, (word,))


def _make(command: Command) -> Iterator[Started]:
    """`make -f -`, whose recipes come from its input."""
    file = parse(command.arguments, names("f file makefile C directory j jobs")).value("f", "file", "makefile")
    if file is not None and file.value in ("-", "/dev/stdin"):
        for words in input_words(command):
            yield from found_in(_RECIPE, words)


PROGRAMS: dict[str, Callable[[Command], Iterator[Started]]] = {
    **dict.fromkeys(("tar", "bsdtar", "gtar"), _tar),
    "git": _git,
    **dict.fromkeys(("scp", "sftp", "ssh-copy-id"), ssh_settings),
    "rsync": _rsync,
    "psql": partial(_client, _CLIENT_LINE, "c command"),
    **dict.fromkeys(("mysql", "mariadb"), partial(_client, _CLIENT_LINE, "e execute")),
    "sqlite3": partial(_client, _SQLITE_LINE, ""),
    **dict.fromkeys(("sed", "gsed"), _sed),
    **dict.fromkeys(("vi", "vim", "nvim", "ex", "view"), _editor),
    "expect": _expect,
    "socat": _socat,
    "make": _make,
    "gmake": _make,
}
