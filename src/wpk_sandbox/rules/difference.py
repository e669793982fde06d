"""What a change does to the risk of a package: the findings that came and those that went, step by step."""

from collections import Counter
from collections.abc import Iterator, Sequence

from wpk_sandbox.finding import Finding
from wpk_sandbox.package.package import Package
from wpk_sandbox.rules.known import step_name

MOST = 8
LONGEST_NAME = 60
_Likeness = tuple[str, str]


def risk_changes(
    before: tuple[Package, Sequence[Finding]] | None, after: tuple[Package, Sequence[Finding]]
) -> tuple[str, ...]:
    """One line for each cause of a difference, such as "step `purge` is new (shell-destroy-data)", the worst first.

    `before` is None for a package that the base does not have: all of it is new, and nothing is to be said.
    """
    if before is None:
        return ()
    lines = [*_came(before, after), *_went(before, after), *_mode(before[0], after[0])]
    rest = len(lines) - MOST
    return tuple(lines) if rest <= 0 else (*lines[:MOST], f"and {rest} more")


def _came(before: tuple[Package, Sequence[Finding]], after: tuple[Package, Sequence[Finding]]) -> Iterator[str]:
    there = _steps(before[0])
    for step, rules in _beyond(after, before).items():
        words = ", ".join(rules)
        if not step:
            yield f"{words} is new"
        elif step in there:
            yield f"step {_shown(step)} now has {words}"
        else:
            yield f"step {_shown(step)} is new ({words})"


def _went(before: tuple[Package, Sequence[Finding]], after: tuple[Package, Sequence[Finding]]) -> Iterator[str]:
    here = _steps(after[0])
    waived = {_likeness(finding) for finding in after[1] if finding.waiver}
    excused = {finding.rule for finding in before[1] if not finding.waiver and _likeness(finding) in waived}
    for step, rules in _beyond(before, after).items():
        words = ", ".join(f"{rule} (waived)" if rule in excused else rule for rule in rules)
        if not step:
            yield f"{words} no longer counts"
        elif step in here:
            yield f"step {_shown(step)} no longer has {words}"
        else:
            yield f"step {_shown(step)} is gone ({words})"


def _mode(before: Package, after: Package) -> Iterator[str]:
    """An automatic package is held to a stricter outcome, which the score does not show."""
    if before.safety.mode != after.safety.mode:
        yield f"`mode` was {before.safety.mode or 'not said'}, and is {after.safety.mode or 'not said'}"


def _beyond(
    these: tuple[Package, Sequence[Finding]], those: tuple[Package, Sequence[Finding]]
) -> dict[str, list[str]]:
    """By step the rules of the findings that count on the one side and have no like on the other."""
    others = Counter(_likeness(finding) for finding in _counting(those[1]))
    found: dict[str, list[str]] = {}
    for finding in sorted(_counting(these[1]), key=lambda each: each.order):
        likeness = _likeness(finding)
        if others[likeness]:
            others[likeness] -= 1
            continue
        rules = found.setdefault(step_name(finding, these[0]), [])
        if finding.rule not in rules:
            rules.append(finding.rule)
    return found


def _shown(step: str) -> str:
    """A step's name in a line that others share; a backtick in it would end the name early."""
    name = step.replace("`", "_")
    return f"`{name[:LONGEST_NAME]}`"


def _counting(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.points and finding.waiver is None]


def _likeness(finding: Finding) -> _Likeness:
    """Findings are alike wherever they stand: a moved step is no new one."""
    return finding.rule, finding.message


def _steps(package: Package) -> frozenset[str]:
    handlers = (*package.handlers, *package.rollback.handlers)
    return frozenset(step.name for handler in handlers for step in handler.steps)
