"""From the text of a shell command to the list of simple commands that it runs, nested ones included.

What is found is what could run: both branches of an `if`, the body of a function. Text that no shell would run
(comments, quoted arguments, here-documents that are data) is no command.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.parser import Budget
from wpk_sandbox.rules.shell.progress import Reading
from wpk_sandbox.rules.shell.source import Source, Span
from wpk_sandbox.rules.shell.walk import Walker
from wpk_sandbox.rules.shell.words import literal

LONGEST_SCRIPT = 32 * 1024


@dataclass(frozen=True)
class Script:
    """The commands of a script in the order in which they are written, and the places that are no shell."""

    commands: tuple[Command, ...] = ()
    problems: tuple["Problem", ...] = ()


@dataclass(frozen=True)
class Problem:
    """A part of a script that could not be read."""

    message: str
    span: Span


def read(text: str, budget: Budget | None = None) -> Script:
    """The commands of a script; one of more than 32 KiB is not read.

    The budget is what the scripts of a package share, a whole one if none is given.
    """
    if len(text) > LONGEST_SCRIPT:
        return Script(problems=(Problem(f"the script is longer than {LONGEST_SCRIPT // 1024} KiB", (0, 1)),))
    reading = Reading(budget or Budget())
    Walker(Source(text), reading).read()
    return _script(reading)


def read_arguments(arguments: Sequence[str], budget: Budget | None = None) -> Script:
    """The command of an argument list, and those that it starts.

    Places count through the arguments as if each was followed by one further character.
    """
    reading = Reading(budget or Budget())
    words, start = [], 0
    for argument in arguments:
        words.append(literal(argument, start))
        start += len(argument) + 1
    if start > LONGEST_SCRIPT:
        return Script(problems=(Problem(f"the command is longer than {LONGEST_SCRIPT // 1024} KiB", (0, 1)),))
    if words:
        Walker(Source(""), reading).start(tuple(words))
    return _script(reading)


def _script(reading: Reading) -> Script:
    problems = tuple(Problem(message, span) for message, span in reading.problems)
    return Script(tuple(reading.commands), problems)
