"""Redirections and here-documents, as the syntax tree has them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wpk_sandbox.rules.shell.command import Redirect
from wpk_sandbox.rules.shell.expand import Expander
from wpk_sandbox.rules.shell.options import names
from wpk_sandbox.rules.shell.source import Source

if TYPE_CHECKING:
    from tree_sitter import Node

# The types of nodes that become words.
WORDS = names(
    "word number string raw_string ansi_c_string translated_string simple_expansion expansion concatenation"
    " command_substitution process_substitution arithmetic_expansion extglob_pattern regex"
)
# What may stand behind `<<EOF` on its line, which the tree counts as a part of the here-document.
FOLLOWING = ("pipeline", "list", "command")


@dataclass(frozen=True)
class Redirects:
    """Redirections, the words of the command that stand behind one, and the commands behind a here-document."""

    redirects: tuple[Redirect, ...] = ()
    words: tuple["Node", ...] = ()
    after: tuple["Node", ...] = ()

    def __add__(self, other: "Redirects") -> "Redirects":
        return Redirects(self.redirects + other.redirects, self.words + other.words, self.after + other.after)


NONE = Redirects()


def read(nodes: Iterable["Node"], source: Source, expander: Expander) -> Redirects:
    """The redirections among the children of a node."""
    found = NONE
    for node in nodes:
        if node.type == "file_redirect":
            found += _file(node, source, expander)
        elif node.type == "herestring_redirect":
            words = [part for part in node.children if part.type in WORDS][:1]
            found += Redirects(tuple(Redirect("<<<", "0", expander.word(word)) for word in words))
        elif node.type == "heredoc_redirect":
            within = tuple(_heredoc(node, source, expander))
            after = tuple(part for part in node.children if part.type in FOLLOWING)
            found += Redirects(within, (), after) + read(node.children, source, expander)
    return found


def _file(node: "Node", source: Source, expander: Expander) -> Redirects:
    operator = descriptor = ""
    words: list[Node] = []
    for part in node.children:
        if part.type == "file_descriptor":
            descriptor = source.slice(part.start_byte, part.end_byte)
        elif part.type in WORDS:
            words.append(part)
        else:
            operator += source.slice(part.start_byte, part.end_byte)
    made = tuple(Redirect(operator, descriptor, expander.word(word)) for word in words[:1])
    # The tree counts further words as the redirection's, and takes the 0 of `>file 0>&1` for one.
    return Redirects(made, tuple(word for word in words[1:] if word.type != "number"))


def _heredoc(node: "Node", source: Source, expander: Expander) -> Iterator[Redirect]:
    parts = {child.type: child for child in node.children}
    body, start = parts.get("heredoc_body"), parts.get("heredoc_start")
    if body is None or start is None:
        return
    quoted = any(quote in source.slice(start.start_byte, start.end_byte) for quote in "'\"\\")
    if quoted:
        yield Redirect("<<", "0", expander.literal(body.start_byte, body.end_byte))
    else:
        yield Redirect("<<", "0", expander.text(body.start_byte, body.end_byte, body.children))
