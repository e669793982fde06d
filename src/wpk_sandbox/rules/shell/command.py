"""A simple command: what a shell starts, with everything around it that rules ask for."""

from dataclasses import dataclass, field
from functools import cached_property

from wpk_sandbox.rules.shell.source import Span
from wpk_sandbox.rules.shell.words import Word

_LONGEST_SHOWN = 80
# What of a word is looked at for that; a word may have much white space.
_LONGEST_WORD = 1000


@dataclass(frozen=True, slots=True)
class Redirect:
    """`2>> file`; the target of `<<` and `<<<` is the text itself."""

    operator: str
    descriptor: str
    target: Word

    @property
    def writes(self) -> bool:
        """True for `>`, `>>`, `>|`, `&>` and their like."""
        return ">" in self.operator


@dataclass(frozen=True, eq=False)
class Command:
    """One command, with quotes, variables, wrappers and nested interpreters resolved as far as they can be known.

    `span` is its range in the outermost text. `upstream` are the commands whose output is its input, nearest last;
    `piped` says that its own output goes into another. `functions` are the functions in whose bodies it stands.
    `endless` means in a loop that nothing ends, `background` started with `&`, `via` the wrappers around it and
    `folder` the folder that a `cd` before it went to. `forgiven` says that its failure is ignored (`… || true`);
    `assigns` are the variables before it (`X=1 program`). `name` is the program's without its folder (`rm` for
    `/bin/rm`), empty if it is not known.

    Commands hold those before them, and words those whose output they are: to compare or to print all of that would
    take ever longer, so two commands count as the same where they stand in one place and are written alike.
    """

    words: tuple[Word, ...]
    span: Span
    redirects: tuple[Redirect, ...] = ()
    upstream: tuple["Command", ...] = field(default=(), repr=False)
    piped: bool = False
    background: bool = False
    functions: tuple[str, ...] = ()
    endless: bool = False
    via: tuple[str, ...] = ()
    folder: str | None = None
    forgiven: bool = False
    assigns: tuple[Word, ...] = ()
    name: str = field(init=False)

    def __post_init__(self) -> None:
        # Every rule asks every command for its name, so it is worked out once.
        name = (self.words[0].value or "").rpartition("/")[2] if self.words else ""
        object.__setattr__(self, "name", name)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Command) and self._written == other._written)

    def __hash__(self) -> int:
        return hash(self.span)

    @cached_property
    def _written(self) -> tuple[Span, tuple[str, ...]]:
        return self.span, tuple(word.shown for word in self.words)

    @property
    def arguments(self) -> tuple[Word, ...]:
        """The words after the name."""
        return self.words[1:]

    @cached_property
    def shown(self) -> str:
        """The command for a reader, in one line of at most 80 characters."""
        parts: list[str] = []
        length = 0
        for word in self.words:
            parts += word.shown[:_LONGEST_WORD].split()
            length += len(parts[-1]) if parts else 0
            if length > _LONGEST_SHOWN:
                break
        line = " ".join(parts)
        return line if len(line) <= _LONGEST_SHOWN else line[: _LONGEST_SHOWN - 3] + "..."
