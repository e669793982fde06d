"""The state of reading a script: what was found, what surrounds the node at hand, and the bounds of the work."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wpk_sandbox.rules.shell.command import Command, Redirect
from wpk_sandbox.rules.shell.files import Files
from wpk_sandbox.rules.shell.parser import OVER, Budget
from wpk_sandbox.rules.shell.scope import Scope
from wpk_sandbox.rules.shell.source import Span
from wpk_sandbox.rules.shell.words import Word

if TYPE_CHECKING:
    from tree_sitter import Node

    from wpk_sandbox.rules.shell.walk import Walker

MOST_COMMANDS = 4000
MOST_NESTED = 8
MOST_DEPTH = 120
# Calls in the bodies of functions, and commands, up to which a body or a file is read once more for a further call:
# functions that call each other would be read without end.
MOST_CALLS = 500
MOST_REPEATED = 3000
_UNFOLLOWED = "there are too many calls of functions to follow each: this one and those after it are not read"


class Stop(Exception):  # noqa: N818 - not an error: it ends the reading of a script
    """The script is too large in some way; the reading has noted which."""


@dataclass
class Function:
    """A function's body, and whether a call has read it."""

    name: str
    walker: "Walker"
    body: "Node"
    called: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What surrounds a node; `certain` is False where it may not be reached.

    `ending` are the redirections of the last command of a list or a pipeline. `forgiven` says that its failure is
    ignored (`… || true`).
    """

    certain: bool = True
    piped: bool = False
    background: bool = False
    endless: bool = False
    functions: tuple[str, ...] = ()
    upstream: tuple[Command, ...] = ()
    redirects: tuple[Redirect, ...] = ()
    ending: tuple[Redirect, ...] = ()
    via: tuple[str, ...] = ()
    folder: str | None = None
    forgiven: bool = False
    assigns: tuple[Word, ...] = ()


PLAIN = Context()


@dataclass
class Reading:
    """What was read so far, shared by a script and the scripts inside of it."""

    budget: Budget = field(default_factory=Budget)
    commands: list[Command] = field(default_factory=list)
    problems: list[tuple[str, Span]] = field(default_factory=list)
    scope: Scope = field(default_factory=Scope)
    functions: list[Function] = field(default_factory=list)
    bodies: dict[str, Function] = field(default_factory=dict)
    aliases: dict[str, Word] = field(default_factory=dict)
    files: Files = field(default_factory=Files)
    nested: int = 0
    depth: int = 0
    calls: int = 0

    def stop(self, message: str, span: Span) -> Stop:
        """The signal to stop, with the reason noted."""
        self.problems.append((message, span))
        return Stop()

    def record(self, command: Command) -> None:
        """Note a command."""
        if len(self.commands) >= MOST_COMMANDS:
            raise self.stop(f"the script has more than {MOST_COMMANDS} commands", command.span)
        if not self.budget.affords(len(command.words), len(command.upstream)):
            raise self.stop(OVER, command.span)
        self.commands.append(command)

    def define(self, function: Function) -> None:
        """Note a function, in place of an earlier one of its name."""
        self.functions.append(function)
        self.bodies[function.name] = function

    def follows(self, context: Context, span: Span, *, known: bool) -> bool:
        """True for a call that is read: always the first one, and further ones as long as there are few.

        `known` says that a call before has read the body of the function, or the file. What a further call would do
        with other values is not known beyond the bound, and silence about it would be a place to hide in.
        """
        self.calls += bool(context.functions)
        few = self.calls <= MOST_CALLS or not context.functions
        if not known or (few and len(self.commands) < MOST_REPEATED):
            return True
        if _UNFOLLOWED not in (message for message, _ in self.problems):
            self.problems.append((_UNFOLLOWED, span))
        return False
