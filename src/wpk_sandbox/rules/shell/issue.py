"""What a shell rule found: a rule, a range of the command, and words for the reader."""

from dataclasses import dataclass

from wpk_sandbox.finding import Rule
from wpk_sandbox.rules.shell.source import Span
from wpk_sandbox.rules.shell.words import Piece


@dataclass(frozen=True)
class Issue:
    """A finding whose place is still a range of the script's text; an empty range means the whole script.

    `cwe` is that of this issue, where it is a more exact one than the rule's. `when_empty` is the expansion that
    has to be empty for it to be so.
    """

    rule: Rule
    span: Span
    message: str
    fix: str = ""
    cwe: int | None = None
    when_empty: Piece | None = None
