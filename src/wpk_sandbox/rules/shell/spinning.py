"""Loops that never end and never rest, and programs that start copies of themselves."""

import re
from collections.abc import Iterator, Sequence

from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.options import names
from wpk_sandbox.rules.shell.programs import LANGUAGES, language

Loop = tuple[Command, ...]

# What waits for something, or ends the loop.
_RESTS = names(
    "wait sleep usleep break exit return read inotifywait nc ncat netcat socat tail watch journalctl ssh timeout"
    " select exec flock"
)
_WAITING_WORDS = names("-w --watch wait -f --follow listen -l --wait")
_FORKS = re.compile(
    r"\bfork\b\s*\(?\)?\s*while\s*\(?\s*(?:fork|1)\b|\bwhile\b\s*\(?\s*(?:True|true|1)\b[^#]{0,60}?\bfork\b"
    r"|\bloop\b\s*\{?\s*(?:do)?\s*\{?\s*fork\b",
    re.DOTALL,
)
_COLLECTS = re.compile(r"\bwait(?:pid)?\b")


def endless_loops(commands: Sequence[Command]) -> Iterator[Loop]:
    """The commands of the loops that nothing ends, those in their substitutions included."""
    places = [index for index, command in enumerate(commands) if command.endless and command.words]
    if places and not any("timeout" in commands[index].via for index in places):
        yield tuple(commands[places[0] : places[-1] + 1])


def forks(loop: Loop) -> list[Command]:
    """The first command that a loop starts in the background in every round, if nothing in it waits."""
    if any(command.name in _RESTS for command in loop):
        return []
    return [command for command in loop if command.background and command.endless][:1]


def spins(loop: Loop) -> bool:
    """True for a loop in which nothing waits.

    What a program of one's own (`./worker`) or one in another language does is not known; it counts as waiting.
    """
    return not any(_rests(command) for command in loop)


def _rests(command: Command) -> bool:
    values = {word.value for word in command.arguments}
    program = command.words[0].value or "" if command.words else ":"
    own = not program or "/" in program or language(command.name) in LANGUAGES
    return own or command.name in _RESTS or bool(values & _WAITING_WORDS)


def program_forks(command: Command) -> bool:
    """True for a program in an argument that starts itself again and again: `perl -e 'fork while fork'`."""
    if language(command.name) not in LANGUAGES:
        return False
    texts = [word.when_empty for word in command.arguments]
    return any(_FORKS.search(text) and not _COLLECTS.search(text) for text in texts)
