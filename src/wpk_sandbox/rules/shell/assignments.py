"""What the syntax tree has no plain words for: assignments (`NAME=value`), declarations and tests."""

from typing import TYPE_CHECKING

from wpk_sandbox.rules.shell import lists
from wpk_sandbox.rules.shell.expand import Expander
from wpk_sandbox.rules.shell.redirects import WORDS
from wpk_sandbox.rules.shell.scope import Scope, Value
from wpk_sandbox.rules.shell.source import Source
from wpk_sandbox.rules.shell.words import Piece, Word

if TYPE_CHECKING:
    from tree_sitter import Node


def read(node: "Node", source: Source, expander: Expander, scope: Scope) -> tuple[str, Value | None]:
    """The name and value of an assignment, no name for an element of an array. Arrays are noted in the scope."""
    names = [child for child in node.children if child.type == "variable_name"]
    if not names:
        return "", None
    name = source.slice(names[0].start_byte, names[0].end_byte)
    value = node.children[2] if len(node.children) > 2 else None
    if value is None:
        return name, (Piece("", range(0), quoted=True),)
    extends = node.children[1].type == "+="
    if value.type == "array":
        return name, _array(name, value, expander, scope, extends=extends)
    pieces = expander.word(value).pieces
    if extends:
        before = scope.get(name)
        return name, None if before is None else before + pieces
    return name, pieces


def written(node: "Node", source: Source, expander: Expander) -> Word:
    """An assignment as a word, as `env` and `export` take it: `NAME=value`."""
    span = source.span(node.start_byte, node.end_byte)
    value = node.children[2] if len(node.children) > 2 else None
    end = value.start_byte if value is not None else node.end_byte
    name = Piece(source.slice(node.start_byte, end), source.places(node.start_byte, end), quoted=True)
    pieces = expander.word(value).pieces if value is not None and value.type in WORDS else ()
    return Word((name, *pieces), span)


def declared(node: "Node", source: Source, expander: Expander) -> tuple[Word, ...]:
    """The words of `export NAME=value`, `local NAME`."""
    words = [expander.literal(node.children[0].start_byte, node.children[0].end_byte)]
    for child in node.children[1:]:
        if child.type == "variable_assignment":
            words.append(written(child, source, expander))
        elif child.type == "variable_name":
            words.append(expander.literal(child.start_byte, child.end_byte))
        elif child.type in WORDS:
            words += expander.words(child)
    return tuple(words)


def tested(node: "Node", expander: Expander) -> tuple[Word, ...]:
    """The words of `[ … ]` and `[[ … ]]`, which the tree turns into expressions."""
    words: list[Word] = []
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if each.type in WORDS:
            words += expander.words(each)
        elif each.type == "test_operator" or each == node.children[0]:
            words.append(expander.literal(each.start_byte, each.end_byte))
        else:
            waiting += reversed(each.children)
    return tuple(words)


def _array(name: str, node: "Node", expander: Expander, scope: Scope, *, extends: bool) -> Value | None:
    """Note an array; its first element, which is what `$NAME` stands for."""
    words = [word for child in node.children if child.type in WORDS for word in expander.words(child)]
    if extends:
        before = lists.elements(scope.get(lists.key(name)) or ())
        words = [*(Word(pieces, (0, 0)) for pieces in before), *words]
    scope.set(lists.key(name), lists.listed(words), certain=True)
    return words[0].pieces if words else None
