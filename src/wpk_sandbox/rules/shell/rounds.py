"""Loops that do nothing but look whether something has changed, again and again without a pause."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.shell.options import names
from wpk_sandbox.rules.shell.source import Source

if TYPE_CHECKING:
    from tree_sitter import Node

# Programs that answer at once, as a condition or in it. One that nobody knows may wait by itself.
_QUICK = names(
    "[ test true false : systemctl service pgrep pidof kill curl wget nc ncat netcat pg_isready mysqladmin"
    " redis-cli kubectl oc docker podman nerdctl crictl grep egrep fgrep jq lsof ss netstat ls stat cat getent"
    " dig host nslookup id mountpoint findmnt mount ps awk sed cut wc tr head tail jobs etcdctl consul nomad"
    " vault openssl ip rabbitmqctl echo printf date supervisorctl helm du df find cmp diff command type"
    " hostname uname lsmod dmesg virsh lsblk"
)
_IDLE = names(": true continue echo printf logger date")
# Options and verbs with which one of them waits after all.
_WAITS = Pattern(
    r"(?:^|\s)(?:--?wait\b|wait\b|-w\b|--watch\b|rollout\b|--retry|--follow|-[fF]\b|--tries|-i\b|--waitretry|-W\b"
    r"|--timeout|attach|wait-for|--block|brpop|blpop|-t\b)"
)
_CHANGES = frozenset(
    {"variable_assignment", "postfix_expression", "++", "--", "function_definition", "declaration_command"}
    | {
        "while_statement",
        "for_statement",
        "c_style_for_statement",
        "if_statement",
        "case_statement",
        "unset_command",
    }
)
_GROWS = Pattern(r"\+\+|--|[-+*/%]=|[^=!<>]=[^=~]")
MOST_NODES = 200


def only_looks(loop: "Node", source: Source) -> bool:
    """True for a `while` or `until` whose every round asks for the same thing at once, and does no more."""
    body = next((child for child in loop.children if child.type == "do_group"), None)
    if body is None or loop.descendant_count > MOST_NODES:
        return False
    asked = [child for child in loop.children[1:] if child.is_named and child != body]
    if any(child.type == "compound_statement" and _GROWS.search(_text(child, source)) for child in asked):
        return False
    return _all(asked, source, _QUICK) and _all([body], source, _IDLE)


def _all(nodes: "list[Node]", source: Source, known: frozenset[str]) -> bool:
    """True when all commands below nodes are among those known, and nothing is changed."""
    for node, substituted in _below(nodes):
        if node.type in _CHANGES:
            return False
        if node.type == "file_redirect" and "<" in _text(node, source)[:2]:
            return False
        if node.type == "command":
            name, _, rest = _text(node, source).partition(" ")
            within = _QUICK if known is _IDLE and substituted else known
            if name not in within or (name not in _IDLE and _WAITS.search(rest)):
                return False
    return True


def _below(nodes: "list[Node]") -> "Iterator[tuple[Node, bool]]":
    """All nodes below some, and whether the output of each goes into a command."""
    waiting = [(node, False) for node in nodes]
    while waiting:
        node, substituted = waiting.pop()
        yield node, substituted
        substituted = node.type == "command_substitution" or (substituted and node.type != "do_group")
        waiting += [(child, substituted) for child in node.children]


def _text(node: "Node", source: Source) -> str:
    return source.slice(node.start_byte, node.end_byte)
