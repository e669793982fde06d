"""Text of a script with the place of each character in what the author wrote, and its syntax tree."""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from wpk_sandbox.rules.shell import parser, repairs
from wpk_sandbox.rules.shell.parser import Budget, TooMuchWork
from wpk_sandbox.rules.shell.repairs import Edit

if TYPE_CHECKING:
    from tree_sitter import Node

Span = tuple[int, int]
MOST_PASSES = 8


class Source:
    """A script, or a script inside a script (`sh -c '…'`).

    `origin[i]` is the place of character `i` in the outermost text, and has one entry more for the end; so every
    command knows where the author wrote it, however deep it is nested.
    """

    __slots__ = ("_character", "data", "origin", "text")

    def __init__(self, text: str, origin: Sequence[int] | None = None) -> None:
        self.text = text
        self.origin = range(len(text) + 1) if origin is None else origin
        self.data = text.encode("utf-8", "replace")
        self._character: list[int] | None = None if len(self.data) == len(text) else _characters(text)

    def parse(self, budget: Budget | None = None) -> "Node":
        """The root of its syntax tree; parts that are no shell are nodes of the type ERROR.

        Raises:
            TooMuchWork: the budget, which is that of a package if none is given, does not allow it.
        """
        budget = budget or Budget()
        root = self._parse(budget)
        if cut_off := repairs.names(root, self.data):
            edits = [(self.character(start), self.character(end), text) for start, end, text in cut_off]
            root = self._retried([lambda _: edits], budget, instead=root)
        if not root.has_error or self.error(root) is None:
            return root
        root = self._retried(repairs.spellings(), budget, instead=root)
        if self.error(root) is None:
            return root
        return self._retried([repairs.subshells], budget, instead=root)

    def _retried(
        self, changes: Iterable[Callable[[str], list[Edit]]], budget: Budget, *, instead: "Node"
    ) -> "Node":
        """The tree of a text after changes if it can be read better, else that of the text as it was."""
        before = self.text, self.origin, self.data, self._character
        for change in changes:
            self._edit(change(self.text))
        if self.text != before[0]:
            with contextlib.suppress(TooMuchWork):
                root = self._parse(budget)
                if _unread(root) <= _unread(instead):
                    return root
        self.text, self.origin, self.data, self._character = before
        return instead

    def _parse(self, budget: Budget) -> "Node":
        data = self.data
        root = parser.parse(data, budget)
        for _ in range(MOST_PASSES):
            swallowed = _swallowed(root, data)
            if not swallowed:
                break
            patched = bytearray(data)
            for place in swallowed:
                patched[place] = ord(" ")
            data = bytes(patched)
            root = parser.parse(data, budget)
        return root

    def _edit(self, edits: Sequence[Edit]) -> None:
        """Put other texts in place of parts; each has the place of the part's first character."""
        if edits:
            self.text, self.origin = repairs.applied(self.text, self.origin, edits)
            self.data = self.text.encode("utf-8", "replace")
            self._character = None if len(self.data) == len(self.text) else _characters(self.text)

    def character(self, byte: int) -> int:
        """The index of the character that a byte of the tree belongs to."""
        return byte if self._character is None else self._character[byte]

    def slice(self, start: int, end: int) -> str:
        """The text between two bytes."""
        return self.text[self.character(start) : self.character(end)]

    def places(self, start: int, end: int) -> Sequence[int]:
        """The places of the characters between two bytes."""
        return self.origin[self.character(start) : self.character(end)]

    def span(self, start: int, end: int) -> Span:
        """Two bytes as a range of the outermost text."""
        first, last = self.character(start), self.character(end)
        begin = self.origin[first]
        return begin, max(begin, self.origin[last - 1] + 1) if last > first else begin

    def error(self, root: "Node") -> tuple[str, Span] | None:
        """What is no shell, and where first; `3<>file` is, though the grammar does not know it."""
        # A tree looks for the parent of a node from its root, which takes long where it is deep.
        waiting = [(root, "")] if root.has_error else []
        while waiting:
            node, around = waiting.pop()
            if (node.is_error or node.is_missing) and not self._is_valid(node, around):
                missing = f": `{node.type}` is missing" if node.is_missing and node.type.strip() else ""
                return f"this is not shell syntax{missing}", self._first_line(node)
            broken = [child for child in reversed(node.children) if child.has_error or child.is_missing]
            waiting += [(child, node.type) for child in broken]
        return None

    def line(self, byte: int) -> Span:
        """The line that a byte stands in."""
        start = self.data.rfind(b"\n", 0, byte) + 1
        end = self.data.find(b"\n", byte)
        return self.span(start, end if end >= 0 else len(self.data))

    def _first_line(self, node: "Node") -> Span:
        """The first line of a node; of one that is missing, the last word before it."""
        start, end = node.start_byte, node.end_byte
        if start == end:
            end = len(self.data[:end].rstrip())
            start = max(end - 1, 0)
        line_end = self.data.find(b"\n", start, end)
        return self.span(start, line_end if line_end > start else end)

    def _is_valid(self, node: "Node", around: str) -> bool:
        return around == "file_redirect" and self.slice(node.start_byte, node.end_byte) in ("<", ">")


def _unread(root: "Node") -> int:
    """How many bytes of a text are no shell."""
    count, waiting = 0, [root] if root.has_error else []
    while waiting:
        node = waiting.pop()
        if node.is_error or node.is_missing:
            count += node.end_byte - node.start_byte + 1
        else:
            waiting += [child for child in node.children if child.has_error or child.is_missing]
    return count


def _swallowed(root: "Node", data: bytes) -> list[int]:
    """The backslashes at line starts that hide a command.

    The grammar takes the line end before `\\rm` for a part of a word, and so the next line for arguments of the one
    before. A backslash before the first letter of a command changes nothing, so that a space can stand for it.
    """
    if b"\n\\" not in data:
        return []
    found: list[int] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type == "word" and data.startswith(b"\n\\", node.start_byte):
            found.append(node.start_byte + 1)
        waiting += node.children
    return found


def _characters(text: str) -> list[int]:
    """The character of each byte of the UTF-8 form, and of its end."""
    table = [index for index, char in enumerate(text) for _ in range(len(char.encode("utf-8", "replace")))]
    return [*table, len(text)]
