"""Shell commands that no runbook should run; the rules themselves are in `shell/`, one family a file."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.rules import hosts, network
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell import (
    credentials,
    destroy,
    devices,
    escape,
    exfiltrate,
    exhaust,
    expansion,
    fetched,
    hidden,
    kernel,
    permissions,
    reverse,
    safety_off,
    unpinned,
)
from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.issue import Issue
from wpk_sandbox.rules.shell.source import Span
from wpk_sandbox.rules.shell.words import Piece
from wpk_sandbox.rules.subject import Subject

UNREADABLE = Rule(
    "shell-unreadable",
    Severity.HIGH,
    "A shell command cannot be read",
    "What is not shell syntax fails when it is needed, or runs as something that nobody reviewed; and its dangers"
    " cannot be checked, so somebody has to read it.",
    "Correct the syntax (`sh -n` shows where). Put a script that is too long to be read into the image.",
    points=POINTS[Severity.HIGH],
)

_FAMILIES = (
    destroy,
    devices,
    exhaust,
    fetched,
    hidden,
    reverse,
    escape,
    kernel,
    credentials,
    safety_off,
    expansion,
    permissions,
    unpinned,
)

RULES: tuple[Rule, ...] = (
    *(rule for family in _FAMILIES for rule in family.RULES),
    *exfiltrate.RULES,
    UNREADABLE,
)


def check(subject: Subject) -> Iterator[Finding]:
    """What is wrong with the scripts of a package."""
    namespaces = frozenset(network.named_namespaces(subject))

    def locate(address: str) -> hosts.Where:
        return hosts.address(address, subject.policy.allowed_hosts, namespaces).where

    for text in subject.scripts:
        for problem in text.script.problems[:1]:
            yield subject.in_script(UNREADABLE, text, problem.span, problem.message)
        for issue in _issues(text.script.commands):
            finding = subject.in_script(issue.rule, text, issue.span, issue.message, issue.fix)
            yield finding if issue.cwe is None else replace(finding, cwe=issue.cwe)
        for issue in exfiltrate.check(text.script.commands, locate):
            yield subject.in_script(issue.rule, text, issue.span, issue.message, issue.fix)


def _issues(commands: Sequence[Command]) -> Iterator[Issue]:
    """What the families find. That a variable may be empty is told once, and not where the script looks before."""
    found = [issue for family in _FAMILIES for issue in family.check(commands)]
    told = {_place(each) for each in found if each.rule in expansion.RULES}
    guarded = {command.span: names for command, names in expansion.guards(commands)}
    for issue in found:
        piece = None if issue.rule in expansion.RULES else issue.when_empty
        settled = piece is not None and _is_guarded(piece, guarded.get(issue.span, frozenset()))
        if piece is None or not (settled or _place(issue) in told):
            yield issue


def _place(issue: Issue) -> tuple[Span, str]:
    return issue.span, issue.when_empty.source if issue.when_empty else ""


def _is_guarded(piece: Piece, names: frozenset[str] | None) -> bool:
    return (bool(piece.name) and names is None) or (names is not None and (piece.name or piece.source) in names)
