"""Regular expressions that are compiled when they are first used.

The rules have hundreds of them, and a package needs a few: compiling all took a sixth of the time of a check.
"""

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, Protocol


class _Look(Protocol):
    """How `search`, `match` and `fullmatch` are called."""

    def __call__(self, text: str, start: int = 0, end: int = ..., /) -> re.Match[str] | None: ...


class Pattern:
    """A regular expression, with those methods of `re.Pattern` that the checks use.

    Each method is that of the compiled pattern and is looked up once, so that a use costs what it costs there.
    A mistake in the expression is found at the first use, with `re.error`.
    """

    def __init__(self, source: str, flags: int = 0) -> None:
        self.source = source
        self.flags = flags

    def __repr__(self) -> str:
        return f"Pattern({self.source!r}, {self.flags:d})"

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The expression as `re` has it."""
        return re.compile(self.source, self.flags)

    @cached_property
    def search(self) -> _Look:
        """The first place where it matches."""
        return self.compiled.search

    @cached_property
    def match(self) -> _Look:
        """What it matches at the start."""
        return self.compiled.match

    @cached_property
    def fullmatch(self) -> _Look:
        """What it matches, if that is the whole text."""
        return self.compiled.fullmatch

    @cached_property
    def finditer(self) -> Callable[[str], Iterator[re.Match[str]]]:
        """Every place where it matches."""
        return self.compiled.finditer

    @cached_property
    def findall(self) -> Callable[[str], list[Any]]:
        """The text of its group at every place where it matches; of its groups, if it has several."""
        return self.compiled.findall

    @cached_property
    def split(self) -> Callable[[str], list[str | Any]]:
        """What stands between the places where it matches."""
        return self.compiled.split

    @cached_property
    def sub(self) -> Callable[[str | Callable[[re.Match[str]], str], str], str]:
        """A text with each place where it matches replaced."""
        return self.compiled.sub
