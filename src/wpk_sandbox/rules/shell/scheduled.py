"""Commands that a script leaves for cron: the lines of a crontab, or a script in `/etc/cron.daily`.

https://man7.org/linux/man-pages/man5/crontab.5.html
"""

import re
from collections.abc import Iterator

from wpk_sandbox.rules.shell import syntax
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import parse
from wpk_sandbox.rules.shell.printed import input_words, printed_words
from wpk_sandbox.rules.shell.words import Word

MOST_LINES = 64

# Tables with a column for the user, tables of one user, and folders of scripts.
_SYSTEM = re.compile(r"/etc/(?:cron\.d/|crontab$)")
_OWN = re.compile(r"/var/spool/cron/|/etc/crontabs/")
_SCRIPTS = re.compile(r"/etc/cron\.(?:hourly|daily|weekly|monthly)/|/etc/periodic/")
_LINE = re.compile(r"\s*(?:@\w+|(?:[\d*,/A-Za-z-]+\s+){4}[\d*,/A-Za-z-]+)\s+(\S.*)")


def commands(command: Command) -> Iterator[Command]:
    """The commands that cron will run because of this one; their places are of no use."""
    for script in _scripts(command):
        yield from syntax.read(script).commands


def _scripts(command: Command) -> Iterator[str]:
    if command.name == "crontab":
        for words in input_words(command):
            yield from _lines(_text(words), has_user=False)
        return
    for path in _targets(command):
        if _SCRIPTS.match(path):
            yield _text(printed_words(command))
        elif _SYSTEM.match(path) or _OWN.match(path):
            yield from _lines(_text(printed_words(command)), has_user=_OWN.match(path) is None)


def _lines(text: str, *, has_user: bool) -> Iterator[str]:
    """The command of each line; where a column holds the user, also what it is without that column."""
    for line in text.splitlines()[:MOST_LINES]:
        found = _LINE.match(line)
        if found is None or line.lstrip().startswith("#"):
            continue
        yield found[1]
        if has_user:
            yield found[1].partition(" ")[2]


def _targets(command: Command) -> Iterator[str]:
    yield from (each.target.value for each in command.redirects if each.writes and each.target.value)
    if command.name == "tee":
        yield from (word.value for word in parse(command.arguments).operands if word.value)


def _text(words: tuple[Word, ...]) -> str:
    return " ".join(word.when_empty for word in words)
