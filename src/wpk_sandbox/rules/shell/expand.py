"""From nodes of the syntax tree to words, by the rules of quoting and expansion.

https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_06
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from wpk_sandbox.rules.shell import braces, escapes, lists, operators
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.scope import Scope, Value
from wpk_sandbox.rules.shell.source import Source
from wpk_sandbox.rules.shell.words import Known, Piece, Word, split

if TYPE_CHECKING:
    from tree_sitter import Node

# The commands of a `$(…)`, and its output if that can be told without running it.
Substitute = Callable[["Node"], tuple[tuple[Command, ...], str | None]]

MOST_DEFAULTS = 16
_DEFAULTS = frozenset({":-", "-", ":=", "="})
_NEVER_EMPTY_VARIABLES = frozenset(
    {"$", "?", "#", "0", "!", "RANDOM", "SECONDS", "UID", "EUID", "PPID", "HOSTNAME"}
)
_NEVER_EMPTY_OUTPUTS = frozenset(
    {"mktemp", "pwd", "date", "hostname", "whoami", "id", "uuidgen", "dirname", "nproc"}
)


class Expander:
    """Turns nodes of one source into words, with the variables of a scope."""

    def __init__(self, source: Source, scope: Scope, substitute: Substitute) -> None:
        self._source, self._scope, self._substitute = source, scope, substitute
        self._depth = 0

    def words(self, node: "Node") -> Iterator[Word]:
        """The words that a node becomes: several for braces and for a variable that holds white space."""
        span = self._source.span(node.start_byte, node.end_byte)
        for pieces in braces.expand(tuple(self._pieces(node, quoted=False))):
            yield from split(pieces, span)

    def word(self, node: "Node") -> Word:
        """The one word that a node becomes where no white space ends it: a redirection, an assignment."""
        span = self._source.span(node.start_byte, node.end_byte)
        return Word(tuple(self._pieces(node, quoted=False)), span)

    def text(self, start: int, end: int, children: Sequence["Node"]) -> Word:
        """The text between two bytes, expanded as between double quotes: a here-document."""
        return Word(tuple(self._between(start, end, children)), self._source.span(start, end))

    def literal(self, start: int, end: int) -> Word:
        """The text between two bytes as it stands."""
        return Word((self._plain(start, end, quoted=True),), self._source.span(start, end))

    def _pieces(self, node: "Node", *, quoted: bool) -> Iterator[Piece]:
        match node.type:
            case "string":
                inner = node.children[1:-1] if node.child_count > 1 else []
                yield from self._between(node.start_byte + 1, node.end_byte - 1, inner)
            case "raw_string":
                yield self._plain(node.start_byte + 1, node.end_byte - 1, quoted=True)
            case "ansi_c_string":
                yield self._ansi(node)
            case "simple_expansion":
                yield from self._variable(node, node.named_children, quoted=quoted)
            case "expansion":
                yield from self._expansion(node, quoted=quoted)
            case "command_substitution" | "process_substitution" | "arithmetic_expansion":
                yield self._output(node, quoted=quoted)
            case "concatenation" | "command_name" | "translated_string":
                for child in node.children:
                    if child.type != "$":
                        yield from self._pieces(child, quoted=quoted)
            case _:
                yield from self._unescaped(node.start_byte, node.end_byte)

    def _between(self, start: int, end: int, children: Sequence["Node"]) -> Iterator[Piece]:
        """Text in double quotes: what lies between expansions is text, with a node of its own or not."""
        position, found = start, False
        for child in children:
            if child.type in ("string_content", "heredoc_content"):
                continue
            begin = self._skip_blanks(child)
            if begin > position:
                yield self._escaped(position, begin)
            yield from self._pieces(child, quoted=True)
            position, found = child.end_byte, True
        if position < end or not found:
            yield self._escaped(position, max(position, end))

    def _skip_blanks(self, node: "Node") -> int:
        """Where an expansion really begins: the tree counts white space before it in."""
        text = self._source.data[node.start_byte : node.end_byte]
        return node.start_byte + len(text) - len(text.lstrip())

    def _plain(self, start: int, end: int, *, quoted: bool) -> Piece:
        return Piece(self._source.slice(start, end), self._source.places(start, end), quoted=quoted)

    def _escaped(self, start: int, end: int) -> Piece:
        """Text in double quotes, where a backslash stands before `$`, a backquote, `"`, itself or a line end."""
        return escapes.in_double_quotes(self._plain(start, end, quoted=True))

    def _unescaped(self, start: int, end: int) -> Iterator[Piece]:
        """Text outside of quotes: a backslash quotes the next character, and vanishes with a line end."""
        piece = self._plain(start, end, quoted=False)
        if "\\" not in piece.text:
            yield piece
            return
        for found in re.finditer(r"\\(.?)|[^\\]+", piece.text, re.DOTALL):
            first, last = found.span()
            if not found[0].startswith("\\"):
                yield Piece(found[0], piece.places[first:last])
            elif found[1] != "\n":
                yield Piece(found[1], piece.places[first + 1 : last], quoted=True)

    def _ansi(self, node: "Node") -> Piece:
        return escapes.ansi(self._plain(node.start_byte + 2, node.end_byte - 1, quoted=True))

    def _variable(self, node: "Node", names: Sequence["Node"], *, quoted: bool) -> Iterator[Piece]:
        name, index = self._named(names)
        value = self._affordable(name, index)
        if value is not None:
            yield from self._placed(value, node, splits=not quoted, separate=(index or name) == "@")
        else:
            known = Known.NEVER_EMPTY if name in _NEVER_EMPTY_VARIABLES else Known.MAYBE_EMPTY
            yield self._unknown(node, known, quoted=quoted, name=name)

    def _named(self, nodes: Sequence["Node"]) -> tuple[str, str]:
        """The name of a variable, and the index of `NAME[index]`."""
        if not nodes:
            return "", ""
        parts = nodes[0].children if nodes[0].type == "subscript" else nodes[:1]
        texts = [self._source.slice(part.start_byte, part.end_byte) for part in parts if part.is_named]
        return (texts[0], texts[1] if len(texts) > 1 else "") if texts else ("", "")

    def _affordable(self, name: str, index: str) -> Value | None:
        value = self._value(name, index)
        return value if value is not None and self._scope.affords(value) else None

    def _value(self, name: str, index: str = "") -> Value | None:
        if name.isdecimal() and name != "0":
            arguments = self._scope.get(lists.ARGUMENTS)
            return None if arguments is None else lists.element(arguments, int(name[:6]) - 1)
        if index:
            return self._element(name, index)
        value = self._scope.get(lists.ARGUMENTS if name == "*" else name)
        if value is None and name == "HOME":
            return (Piece("~", range(1)),)
        if value is None and name == "IFS":
            return (Piece(" ", range(1)),)
        return value

    def _element(self, name: str, index: str) -> Value | None:
        value = self._scope.get(lists.key(name))
        if value is None or index in ("@", "*"):
            return value
        return lists.element(value, int(index[:6])) if index.isdecimal() else None

    def _expansion(self, node: "Node", *, quoted: bool) -> Iterator[Piece]:
        """`${NAME}` and `${NAME<operator>…}`."""
        children = node.children[1:-1]
        if len(children) == 1:
            yield from self._variable(node, children, quoted=quoted)
            return
        names = [
            child for child in children if child.type in ("variable_name", "special_variable_name", "subscript")
        ]
        name, index = self._named(names)
        operator = next((child for child in children if not child.is_named), None)
        kind = operator.type if operator and names and operator.start_byte >= names[0].end_byte else "prefix"
        value = self._affordable(name, index)
        if value is not None and any(piece.text or not piece.exact for piece in value):
            yield from self._changed(node, kind, value, quoted=quoted)
        elif kind in _DEFAULTS:
            default = self._default(children[2:], quoted=quoted)
            text = "".join(piece.text for piece in default)
            if value is not None:
                yield from self._placed(tuple(default), node, splits=not quoted)
            else:
                yield replace(self._unknown(node, Known.MAYBE_EMPTY, quoted=quoted, name=name), text=text)
        else:
            stops = kind in (":?", "prefix") and not self._written(node).startswith("${!")
            yield self._unknown(node, Known.NEVER_EMPTY if stops else Known.MAYBE_EMPTY, quoted=quoted, name=name)

    def _default(self, nodes: Sequence["Node"], *, quoted: bool) -> list[Piece]:
        """The pieces of a default, which may hold further defaults; empty beyond `MOST_DEFAULTS` of them."""
        if self._depth >= MOST_DEFAULTS:
            return []
        self._depth += 1
        pieces = [piece for node in nodes for piece in self._pieces(node, quoted=quoted)]
        self._depth -= 1
        return pieces

    def _changed(self, node: "Node", operator: str, value: Value, *, quoted: bool) -> Iterator[Piece]:
        """A variable that has a value: the operators for a missing one do nothing; others make it unknown."""
        if operator in _DEFAULTS or operator in (":?", "?"):
            yield from self._placed(_stopping(value, operator), node, splits=not quoted)
        elif (text := self._worked_out(node, value)) is not None:
            made = Piece(text, range(len(text)), source=self._written(node))
            yield from self._placed((made,), node, splits=not quoted)
        else:
            empty = not any((piece.exact and piece.text) or piece.known is Known.NEVER_EMPTY for piece in value)
            known = Known.MAYBE_EMPTY if empty else Known.NEVER_EMPTY
            yield self._unknown(node, known, quoted=quoted)

    def _worked_out(self, node: "Node", value: Value) -> str | None:
        """What an operator makes of a value, if both are known; of a home folder only its mark is."""
        if any(not piece.exact or piece.text == "~" for piece in value):
            return None
        return operators.changed(self._written(node), "".join(piece.text for piece in value))

    def _output(self, node: "Node", *, quoted: bool) -> Piece:
        if node.type == "arithmetic_expansion":
            return self._unknown(node, Known.NEVER_EMPTY, quoted=quoted)
        commands, output = self._substitute(node)
        start, end = self._source.span(node.start_byte, node.end_byte)
        if output is not None:
            places = [start] * len(output)
            return Piece(output, places, quoted=quoted, splits=not quoted, commands=commands)
        never = node.type == "process_substitution" or bool(commands and commands[-1].name in _NEVER_EMPTY_OUTPUTS)
        known = Known.NEVER_EMPTY if never else Known.MAYBE_EMPTY
        return Piece("", (start, end), known, quoted, self._written(node), commands=commands)

    def _unknown(self, node: "Node", known: Known, *, quoted: bool, name: str = "") -> Piece:
        span = self._source.span(self._skip_blanks(node), node.end_byte)
        return Piece("", span, known, quoted, self._written(node), name)

    def _written(self, node: "Node") -> str:
        return self._source.slice(node.start_byte, node.end_byte).strip()

    def _placed(self, value: Value, node: "Node", *, splits: bool, separate: bool = False) -> Iterator[Piece]:
        """A variable's value at the place that uses it; `separate` keeps the words of a list apart in quotes."""
        start = self._source.span(self._skip_blanks(node), node.end_byte)[0]
        for piece in value:
            places = [start] * (len(piece.text) if piece.exact else 2)
            if separate and lists.is_separator(piece):
                yield replace(piece, places=places)
            else:
                yield replace(piece, places=places, quoted=not splits, splits=splits and piece.exact)


def _stopping(value: Value, operator: str) -> Value:
    """A value behind `:?`: where nothing of it is known, the shell stops rather than letting it be empty."""
    if operator != ":?" or any(piece.exact and piece.text for piece in value):
        return value
    return tuple(piece if piece.exact else replace(piece, known=Known.NEVER_EMPTY) for piece in value)
