"""Tries a policy on itself: the examples of its rules, and what its waivers name."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from wpk_sandbox.rules import cel
from wpk_sandbox.rules.catalogue import nearest
from wpk_sandbox.rules.catalogue import rule as find_rule
from wpk_sandbox.rules.known import is_critical
from wpk_sandbox.rules.policy import CustomRule, FileWaiver, Policy
from wpk_sandbox.rules.waivers import TOO_BROAD, too_long


@dataclass(frozen=True)
class Trial:
    """What was tried, what came of it in a line, and whether that is as it should be."""

    subject: str
    words: str
    good: bool = True


def trials(policy: Policy, today: date) -> Iterator[Trial]:
    """One line or more for each rule and each waiver of a policy that could be read."""
    for rule in policy.rules:
        yield from _rule(rule)
    for entry in policy.waivers:
        subject = f"waiver of {entry.rule} at {entry.waiver.location}"
        problem = _problem(entry, policy, today)
        yield Trial(subject, problem or f"holds until {entry.waiver.until}", good=not problem)


def _rule(rule: CustomRule) -> Iterator[Trial]:
    if not rule.hits or not rule.misses:
        missing = " and no ".join(name for name, given in (("hit", rule.hits), ("miss", rule.misses)) if not given)
        yield Trial(
            rule.id, f"`examples` has no {missing}: nothing shows that the rule tells packages apart", good=False
        )
    expression = cel.read(rule.when)
    for wanted, name, examples in ((True, "hit", rule.hits), (False, "miss", rule.misses)):
        for number, example in enumerate(examples, 1):
            try:
                held = expression.holds(example)
                words = f"{name} {number} is {'a hit' if held else 'a miss'}"
                yield Trial(rule.id, words, good=held is wanted)
            except cel.ExpressionError as error:
                yield Trial(rule.id, f"{name} {number} has no answer: {error}", good=False)


def _problem(entry: FileWaiver, policy: Policy, today: date) -> str:
    """What is wrong with a waiver, or nothing."""
    if entry.problem:
        return entry.problem
    if date.fromisoformat(entry.waiver.until) < today:
        return f"ran out on {entry.waiver.until}"
    if words := too_long(entry.waiver.until, policy, today):
        return words
    own = next((rule for rule in policy.rules if rule.id == entry.rule), None)
    if own is None and find_rule(entry.rule) is None:
        near = nearest(entry.rule)
        return "names no rule" + (f"; did you mean `{near}`?" if near else "")
    if is_critical(entry.rule, policy) and not entry.exact:
        return TOO_BROAD
    return ""
