"""What a package says of itself, held against what it does; one file for each question."""

from collections.abc import Iterator

from wpk_sandbox.finding import Finding, Rule
from wpk_sandbox.rules import destruction, naming, parameters, permissions, rollback, targets, timeouts, triggers
from wpk_sandbox.rules.subject import Subject

_FAMILIES = (rollback, destruction, timeouts, targets, triggers, permissions, parameters)

# Whether a name is taken, only several packages together can tell: `naming.name_taken`.
RULES: tuple[Rule, ...] = (*(rule for family in _FAMILIES for rule in family.RULES), *naming.RULES)


def check(subject: Subject) -> Iterator[Finding]:
    """Whether a package can do what it says, and says what it does."""
    for family in _FAMILIES:
        yield from family.check(subject)
