"""The parser of the shell grammar, with a bound on its work.

In text that is no shell it looks ahead to the end for every sign, and in the end goes back over all that it has
kept: then its time grows with the square of the length, and there is a point from which on it can no longer be
stopped. Its work is counted in its own steps and not in seconds, so that a script is judged alike on every machine.
"""

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Point

# Ordinary shell takes less than one step for each byte, so that 32 KiB of it can be read.
MOST_STEPS = 40_000
# What all scripts of a file may cost, about 80 KiB of ordinary shell; a script costs the more for a step the
# more steps it takes.
MOST_COST = 3 * MOST_STEPS
OVER = "all scripts of the package are too long, or too far from shell syntax, to be read to the end"
# What those of each package may cost, however many there are in the file.
LEAST_COST = 5_000
# What the rules take for a command is counted in the parser's steps too.
_COST_OF_A_COMMAND = 8
_SOURCES_OF_A_STEP = 4
# What the parser takes between two of its reports of progress: OP_COUNT_PER_PARSER_CALLBACK_CHECK of its source.
_STEPS_OF_A_REPORT = 100
# Bytes that the parser is given at a time. Reading them counts as a step, and so does reading them again.
_PORTION = 512


@dataclass
class Budget:
    """What is left for the scripts of one package."""

    left: int = MOST_COST

    def affords(self, words: int, sources: int) -> bool:
        """Take off what it costs to judge a command of some words, that reads what some others print."""
        self.left -= _COST_OF_A_COMMAND + words + sources // _SOURCES_OF_A_STEP
        return self.left >= 0

    def charge(self, steps: int) -> None:
        """Take off what a script cost."""
        self.left -= steps + steps * steps // MOST_STEPS


def shared(length: int, whole: int) -> Budget:
    """The budget of a package from its length and that of its file."""
    return Budget(max(LEAST_COST, MOST_COST * length // max(whole, 1)))


class TooMuchWork(Exception):  # noqa: N818 - not an error: it ends the reading of a script
    """The budget is used up; `byte` is the place that the parser had reached."""

    def __init__(self, message: str, byte: int) -> None:
        super().__init__(message)
        self.byte = byte


def parse(data: bytes, budget: Budget) -> "Node":
    """The root of the syntax tree of a script.

    Raises:
        TooMuchWork: it would take more steps than there are for one script, or than are left.
    """
    steps = reached = 0
    portions: dict[int, bytes] = {}
    most = min(MOST_STEPS, budget.left)

    def portion(byte: int, _: "Point") -> bytes:
        nonlocal steps
        steps += 1
        # The binding never lets go of what it is given, so it is given the same object for the same place.
        if byte not in portions:
            portions[byte] = data[byte : (byte // _PORTION + 1) * _PORTION]
        return portions[byte]

    def must_stop(byte: int, _: bool) -> bool:
        nonlocal steps, reached
        steps, reached = steps + _STEPS_OF_A_REPORT, byte
        return steps > most

    parser = _parser()
    try:
        return parser.parse(portion, progress_callback=must_stop).root_node
    except ValueError:
        parser.reset()
        raise TooMuchWork(_reason(steps), min(reached, len(data))) from None
    finally:
        budget.charge(steps)


def _reason(steps: int) -> str:
    if steps > MOST_STEPS:
        return "the script is too long, or too far from shell syntax, to be read"
    return OVER


@functools.cache
def _parser() -> "Parser":
    import tree_sitter  # noqa: PLC0415 - heavy, and only packages with a shell step need it
    import tree_sitter_bash  # noqa: PLC0415

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))
