"""`explain`: what the rules find, those of the repository's own policy among them."""

import shutil
from typing import IO

from wpk_sandbox import asking
from wpk_sandbox.errors import ExitCode, UsageError
from wpk_sandbox.report.escape import log_block, log_line, one_line
from wpk_sandbox.report.violations import RUN_RULES
from wpk_sandbox.rules.catalogue import ALL_RULES, rule
from wpk_sandbox.rules.explain import explain, explain_own, rules_like
from wpk_sandbox.rules.policy import CustomRule

_WIDTH = 80


def list_rules(stream: IO[str]) -> int:
    """Every rule on a line of its own, behind them what a run can find, and then those of the repository."""
    for each in (*ALL_RULES, *RUN_RULES):
        stream.write(f"{each.id:32} {each.severity:9} {each.title}\n")
    for own in _own_rules():
        stream.write(log_line(one_line(f"{own.id:32} {own.severity:9} {own.message}")) + "\n")
    return ExitCode.PASS


def explain_rule(identifier: str, stream: IO[str]) -> int:
    """One rule. Raises `UsageError`, with those that may be meant, when there is none of that id."""
    width = min(_WIDTH, shutil.get_terminal_size().columns)
    if known := rule(identifier) or next((each for each in RUN_RULES if each.id == identifier), None):
        stream.write(explain(known, width))
        return ExitCode.PASS
    own = next((each for each in _own_rules() if each.id == identifier), None)
    if own is None:
        raise UsageError(f"there is no rule `{identifier}`", rules_like(identifier))
    stream.write(log_block(explain_own(own, width)))
    return ExitCode.PASS


def _own_rules() -> tuple[CustomRule, ...]:
    return asking.settings_of(asking.repository(), None, {}).policy.rules
