"""Lines in colour on a terminal, and as plain text everywhere else."""

import shutil
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from wpk_sandbox.report.lines import ENDLESS, Line, Tone, plain

if TYPE_CHECKING:
    from rich.text import Text

STYLES = {
    Tone.PLAIN: "",
    Tone.GOOD: "green",
    Tone.BAD: "bold red",
    Tone.WARN: "yellow",
    Tone.FAINT: "dim",
    Tone.STRONG: "bold",
}


def columns_of(stream: IO[str]) -> int:
    """How many columns a line of the stream has: those of a terminal, else no end of them."""
    return shutil.get_terminal_size().columns if stream.isatty() else ENDLESS


def write(lines: Iterable[Line], stream: IO[str]) -> None:
    """Write the lines; in colour when the stream is a terminal that shows it and `NO_COLOR` does not object."""
    if not stream.isatty():
        stream.write(plain(lines))
        return
    from rich.console import Console  # noqa: PLC0415 -- a pipe or a log need not wait 50 ms for it

    console = Console(file=stream)
    for each in lines:
        console.print(styled(each), soft_wrap=True, highlight=False)


def styled(line: Line) -> "Text":
    """The line for rich."""
    from rich.text import Text  # noqa: PLC0415 -- the same

    text = Text.assemble(*((span.text, STYLES[span.tone]) for span in line.spans))
    text.rstrip()
    return text
