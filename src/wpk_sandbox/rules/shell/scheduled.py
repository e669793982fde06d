"""Commands that a script leaves for something else to run: crontabs, scripts for cron, units of systemd."""

import re
from collections.abc import Iterator

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.embedded import found_in
from wpk_sandbox.rules.shell.options import names, parse
from wpk_sandbox.rules.shell.printed import input_words, printed_words
from wpk_sandbox.rules.shell.started import Started

# https://man7.org/linux/man-pages/man5/crontab.5.html; the system's own tables name a user as well.
_TIME = r"[ \t]*(?:@\w+|(?:[\d*/,\-A-Za-z?]+[ \t]+){4}[\d*/,\-A-Za-z?]+)[ \t]+"
_JOB = Pattern(rf"^{_TIME}([^\n]+)", re.MULTILINE)
_SYSTEM_JOB = Pattern(rf"^{_TIME}[\w.$-]+[ \t]+([^\n]+)", re.MULTILINE)
# https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html
_UNIT_COMMAND = Pattern(r"^Exec[A-Z]\w+[ \t]*=[ \t]*[-@:+!|]*([^\n]+)", re.MULTILINE)
_WHOLE = Pattern(r"(.+)", re.DOTALL)
_READERS = (
    (Pattern(r"/etc/cron\.(?:hourly|daily|weekly|monthly)/[^/]+|/etc/periodic/.+"), _WHOLE),
    (Pattern(r"/etc/(?:crontab|cron\.d/[^/]+)"), _SYSTEM_JOB),
    (Pattern(r"/var/spool/cron/(?:crontabs/)?[^/]+|/etc/crontabs/[^/]+"), _JOB),
    (Pattern(r"/(?:etc|run|usr/lib|lib)/systemd/(?:system|user)/.+"), _UNIT_COMMAND),
)
_COPIES = frozenset({"cat", "echo", "printf", "tee"})


def crontab(command: Command) -> Iterator[Started]:
    """The jobs of a table that `crontab` reads from its input."""
    if parse(command.arguments, names("u c")).operands[:1] and command.arguments[-1].value != "-":
        return
    for words in input_words(command):
        yield from found_in(_JOB, words)


def written(command: Command) -> Iterator[Started]:
    """The commands in a table, script or unit that a command writes."""
    if command.name not in _COPIES:
        return
    files = [each.target.value for each in command.redirects if each.writes]
    if command.name == "tee":
        files += [word.value for word in parse(command.arguments).operands]
    for file in files:
        for place, pattern in _READERS:
            if file is not None and place.fullmatch(file):
                yield from found_in(pattern, printed_words(command))
