"""Variables of a shell command that want quotes: those that stand for one path, and would be split at a blank.

Only where splitting is never meant: a variable within a path that a program for files gets (`cp /data/$NAME /tmp`),
and the folder that `cd` gets. A variable on its own may hold several words on purpose.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wpk_sandbox.rules.shell.parser import TooMuchWork
from wpk_sandbox.rules.shell.source import Source, Span

if TYPE_CHECKING:
    from tree_sitter import Node

_FILE_PROGRAMS = frozenset(
    {"rm", "rmdir", "cp", "mv", "ln", "mkdir", "touch", "chmod", "chown", "chgrp", "cat", "ls", "stat", "du", "tar"}
)
_FOLDER_PROGRAMS = frozenset({"cd", "pushd"})
_EXPANSIONS = frozenset({"simple_expansion", "expansion"})
_LIST_VARIABLES = frozenset({"@", "*"})


def unquoted(command: str) -> tuple[Span, ...]:
    """The ranges of these variables in a command, in its order; none in one that cannot be read."""
    if "$" not in command:
        return ()
    source = Source(command)
    try:
        root = source.parse()
    except TooMuchWork:
        return ()
    if root.has_error:
        return ()
    return tuple(source.span(node.start_byte, node.end_byte) for node in _variables(root, source))


def _variables(root: "Node", source: Source) -> Iterator["Node"]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type == "command":
            yield from _of_command(node, source)
        waiting += reversed(node.named_children)


def _of_command(node: "Node", source: Source) -> Iterator["Node"]:
    name = node.child_by_field_name("name")
    program = source.slice(name.start_byte, name.end_byte).rpartition("/")[2] if name else ""
    for argument in node.children_by_field_name("argument"):
        if program in _FOLDER_PROGRAMS and argument.type in _EXPANSIONS:
            yield from _plain([argument], source)
        elif program in _FILE_PROGRAMS | _FOLDER_PROGRAMS and _is_path(argument, source):
            yield from _plain(argument.children, source)


def _is_path(node: "Node", source: Source) -> bool:
    return node.type == "concatenation" and "/" in source.slice(node.start_byte, node.end_byte)


def _plain(nodes: list["Node"], source: Source) -> Iterator["Node"]:
    """Those that are `$NAME` or `${NAME}` and nothing more."""
    for node in nodes:
        if node.type not in _EXPANSIONS or node.named_child_count != 1:
            continue
        name = node.named_children[0]
        inner = source.slice(node.start_byte, node.end_byte).strip("${}")
        if inner == source.slice(name.start_byte, name.end_byte) and inner not in _LIST_VARIABLES:
            yield node
