"""All rules in one list: those of reading a file, then those of checking a package."""

from difflib import get_close_matches

from wpk_sandbox.finding import Rule
from wpk_sandbox.package import uncovered
from wpk_sandbox.package.problems import LOAD_RULES
from wpk_sandbox.rules import (
    custom,
    host,
    images,
    network,
    objects,
    privilege,
    resources,
    rights,
    safety,
    scripts,
    secrets,
    waiver_rules,
)

CHECK_RULES: tuple[Rule, ...] = (
    *scripts.RULES,
    *privilege.RULES,
    *host.RULES,
    *rights.RULES,
    *objects.RULES,
    *network.RULES,
    *secrets.RULES,
    *resources.RULES,
    *images.RULES,
    *safety.RULES,
)
# Only a policy, or a waiver, brings findings of these.
POLICY_RULES: tuple[Rule, ...] = (*custom.RULES, *waiver_rules.RULES)
# Only a change brings findings of these.
CHANGE_RULES: tuple[Rule, ...] = uncovered.RULES
ALL_RULES: tuple[Rule, ...] = (*LOAD_RULES, *CHECK_RULES, *POLICY_RULES, *CHANGE_RULES)

_BY_ID = {each.id: each for each in ALL_RULES}


def rule(identifier: str) -> Rule | None:
    """The rule of an id, or None."""
    return _BY_ID.get(identifier)


def nearest(identifier: str) -> str | None:
    """The id that is most like a text that is no rule's id, for `did you mean …?`."""
    matches = get_close_matches(identifier.strip().lower().replace("_", "-"), _BY_ID, n=1, cutoff=0.5)
    return matches[0] if matches else None
