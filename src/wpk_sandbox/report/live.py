"""Tells a run while it goes on, on a terminal: lines in colour, and below them what is going on."""

from collections.abc import Iterable

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from wpk_sandbox.report.lines import Line
from wpk_sandbox.report.plain import Plain
from wpk_sandbox.report.terminal import styled


class Live(Plain):
    """The same lines in colour, and below them what is going on with its seconds.

    Use it as a context: leaving it stops the spinner, whatever happened.
    """

    def __init__(self, console: Console) -> None:
        super().__init__(console.file)
        self._console = console
        self._progress: Progress | None = None

    def _room(self) -> int:
        return self._console.width

    def _busy(self, words: str) -> None:
        self._rest()
        columns = (
            TextColumn("{task.description}", markup=False),
            SpinnerColumn(),
            TextColumn("{task.elapsed:.0f} s", style="dim"),
        )
        self._progress = Progress(*columns, console=self._console, transient=True)
        self._progress.add_task(words, total=None)
        self._progress.start()

    def _rest(self) -> None:
        if self._progress:
            self._progress.stop()
            self._progress = None

    def _say(self, lines: Iterable[Line]) -> None:
        self._rest()
        for each in lines:
            self._console.print(styled(each), soft_wrap=True, highlight=False)
