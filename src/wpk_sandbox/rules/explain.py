"""Rules as text: one for the terminal, all of them for the documentation."""

import textwrap
from collections.abc import Iterable, Iterator

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.package.problems import LOAD_RULES
from wpk_sandbox.rules.catalogue import CHANGE_RULES, CHECK_RULES, POLICY_RULES
from wpk_sandbox.rules.policy import POINTS, Policy

_WIDTH = 80
_CWE = "https://cwe.mitre.org/data/definitions/{}.html"


def explain(rule: Rule) -> str:
    """A rule for a reader of the terminal: what it is, why it matters, what to do."""
    lines = [f"{rule.id} ({_weight(rule)})", rule.title, ""]
    lines += ["Why", *_paragraph(rule.why), "", "What to do", *_paragraph(rule.fix)]
    if rule.cwe is not None:
        lines += ["", f"CWE-{rule.cwe}: {_CWE.format(rule.cwe)}"]
    return "\n".join(lines) + "\n"


def _paragraph(text: str) -> Iterator[str]:
    wrapper = textwrap.TextWrapper(_WIDTH, initial_indent="  ", subsequent_indent="  ", break_long_words=False)
    yield from wrapper.wrap(text)


def _weight(rule: Rule) -> str:
    points = f"{rule.points} points" if rule.points != 1 else "1 point"
    return f"{rule.severity}, {points}"


def rules_page() -> str:
    """The page `docs/rules.md`: every rule with its severity, points, reason and remedy."""
    return "\n".join(
        [
            "<!-- Generated from the rules by `python -m wpk_sandbox.rules.explain > docs/rules.md`. -->",
            "# Rules",
            "",
            "Each finding names a rule of this page; `wpk-sandbox explain RULE` shows the same in the terminal.",
            "",
            *_scale(),
            *_part("Checking a package", CHECK_RULES),
            *_part("Holding to a policy", POLICY_RULES),
            *_part("Looking at a change", CHANGE_RULES),
            *_part("Reading a file", LOAD_RULES),
        ]
    )


def _scale() -> Iterator[str]:
    policy = Policy()
    yield "A finding adds the points of its rule to the risk of its package, which is at most 100:"
    yield ""
    yield "| severity | points |"
    yield "|---|---|"
    yield from (f"| {severity} | {POINTS[severity]} |" for severity in Severity)
    yield ""
    yield (
        f"Below {policy.review_from} a package is approved, below {policy.person_from} it asks for a review, below"
        f" {policy.block_from} for a person, and from {policy.block_from} on it never starts. A critical finding"
        " blocks whatever the sum is. With `mode: auto` a review becomes a person, and a person a block. The bounds"
        " are settings."
    )
    yield ""


def _part(title: str, rules: Iterable[Rule]) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    for rule in sorted(rules, key=lambda rule: (-rule.severity.rank, rule.id)):
        cwe = f" · [CWE-{rule.cwe}]({_CWE.format(rule.cwe)})" if rule.cwe is not None else ""
        yield f"### {rule.id}"
        yield ""
        yield f"**{rule.title}.** {_weight(rule)}{cwe}"
        yield ""
        yield rule.why
        yield ""
        yield f"*What to do:* {rule.fix}"
        yield ""


if __name__ == "__main__":
    import sys

    sys.stdout.write(rules_page())
