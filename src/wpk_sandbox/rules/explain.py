"""Rules as text: one for the terminal, all of them for the documentation."""

import re
import textwrap
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.package.problems import LOAD_RULES, fatal
from wpk_sandbox.rules import waiver_rules
from wpk_sandbox.rules.catalogue import ALL_RULES, CHANGE_RULES, CHECK_RULES, POLICY_RULES, nearest
from wpk_sandbox.rules.examples import example
from wpk_sandbox.rules.policy import POINTS, CustomRule, Policy
from wpk_sandbox.rules.sources import SOURCES

_WIDTH = 80
_SHORT_CODE = re.compile(r"`[^`]{1,40}`")
_JOINED = "\x00"
_CWE = "https://cwe.mitre.org/data/definitions/{}.html"


def explain(rule: Rule, width: int = _WIDTH) -> str:
    """A rule for a terminal of that width: what, why, an example, what to do, how to let it stand, what to read."""
    lines = [f"{rule.id} ({_weight(rule)})", *textwrap.wrap(rule.title, width), ""]
    lines += ["Why", *_paragraph(rule.why, width), ""]
    if found := example(rule.id):
        lines += ["Found in", *_quoted(found.hit), ""]
        lines += ["Not found in", *_quoted(found.near_miss), ""] if found.near_miss else []
    lines += ["What to do", *_paragraph(rule.fix, width)]
    if may_be_waived(rule):
        lines += ["", "To let it stand", *_waiver(rule, width)]
    lines += ["", "More", *(f"  {source}" for source in _sources(rule))] if _sources(rule) else []
    return "\n".join(lines) + "\n"


def explain_own(rule: CustomRule, width: int = _WIDTH) -> str:
    """The same of a rule of the repository's own, which its policy tells of."""
    lines = [f"{rule.id} ({rule.severity}, {POINTS[rule.severity]} points), a rule of this repository"]
    lines += [*textwrap.wrap(rule.message, width), "", "Found where this is true", *_quoted(rule.when.strip())]
    lines += ["", "What to do", *_paragraph(rule.fix, width)] if rule.fix else []
    standing = Rule(rule.id, rule.severity, rule.message, "", rule.fix)
    return "\n".join([*lines, "", "To let it stand", *_waiver(standing, width)]) + "\n"


def rules_like(words: str) -> str:
    """What to try who asks for a rule that is not there: the one that is meant, or those that say the word."""
    if near := nearest(words):
        return f"did you mean `{near}`?"
    speaking = _speaking_of(words)
    if not speaking:
        return "`wpk-sandbox explain` lists all"
    return f"these speak of it: {', '.join(speaking[:8])}" + (", …" if len(speaking) > 8 else "")


def _speaking_of(words: str) -> list[str]:
    sought = re.compile(rf"\b{re.escape(words.strip())}", re.IGNORECASE)
    return [rule.id for rule in ALL_RULES if words.strip() and sought.search(_all_words(rule))]


def _all_words(rule: Rule) -> str:
    known = example(rule.id)
    return "\n".join((rule.id, rule.title, rule.why, rule.fix, known.hit if known else ""))


def _paragraph(text: str, width: int) -> list[str]:
    """The text in lines of that many columns, with short pieces of code in one piece."""
    whole = _SHORT_CODE.sub(lambda code: code[0].replace(" ", _JOINED), text)
    wrapper = textwrap.TextWrapper(
        width, initial_indent="  ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    return [line.replace(_JOINED, " ") for line in wrapper.wrap(whole)]


def _quoted(lines: str) -> Iterator[str]:
    return (f"  | {line}" for line in lines.split("\n"))


def may_be_waived(rule: Rule) -> bool:
    """Whether somebody can take responsibility for a finding.

    Not for one about waivers, nor without a package, nor for what a run saw: that is no rule of the check.
    """
    without_package = rule in CHANGE_RULES or (rule in LOAD_RULES and fatal(rule.severity))
    return rule in ALL_RULES and rule not in waiver_rules.RULES and not without_package


def _waiver(rule: Rule, width: int) -> list[str]:
    """How a finding is waived, in short; docs/policy.md has the whole of it."""
    if rule.severity is Severity.CRITICAL:
        how = (
            "An entry of `policy.waivers` with this rule, one exact `path` and a `text`, merged before the change."
        )
        return _paragraph(how, width)
    how = "An entry of `policy.waivers`, or in a package this comment on the line of the finding or right above it:"
    return [*_paragraph(how, width), f"  # wpk-sandbox: allow {rule.id} -- WHY (until YYYY-MM-DD, @WHO)"]


def _sources(rule: Rule) -> list[str]:
    weakness = [f"CWE-{rule.cwe}: {_CWE.format(rule.cwe)}"] if rule.cwe is not None else []
    return [*weakness, *SOURCES.get(rule.id, ())]


def _weight(rule: Rule) -> str:
    if rule not in ALL_RULES:
        return f"{rule.severity}, of a run"
    points = f"{rule.points} points" if rule.points != 1 else "1 point"
    return f"{rule.severity}, {points}"


def rules_page() -> str:
    """The page `docs/rules.md`: every rule with its severity, points, reason and remedy."""
    return "\n".join(
        [
            "<!-- Generated from the rules and their examples by `python -m wpk_sandbox.generated`. -->",
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
    yield "Somebody may let a finding stand, for a reason and until a day: see [Waivers](policy.md#waivers)."
    yield ""


def _part(title: str, rules: Iterable[Rule]) -> Iterator[str]:
    ordered = sorted(rules, key=lambda rule: (-rule.severity.rank, rule.id))
    yield f"## {title}"
    yield ""
    yield "| rule | severity | finds |"
    yield "|---|---|---|"
    yield from (f"| [`{rule.id}`](#{rule.id}) | {rule.severity} | {rule.title} |" for rule in ordered)
    yield ""
    for rule in ordered:
        yield from _section(rule)


def _section(rule: Rule) -> Iterator[str]:
    yield f"### {rule.id}"
    yield ""
    yield f"**{rule.title}.** {_weight(rule)}{_links(rule)}"
    yield ""
    yield rule.why
    yield ""
    if found := example(rule.id):
        yield from _block("Found in", found.hit)
        yield from _block("Not found in", found.near_miss) if found.near_miss else ()
    yield f"*What to do:* {rule.fix}"
    yield ""


def _block(title: str, lines: str) -> Iterator[str]:
    yield f"{title}:"
    yield ""
    yield "```yaml"
    yield lines
    yield "```"
    yield ""


def _links(rule: Rule) -> str:
    weakness = [f"[CWE-{rule.cwe}]({_CWE.format(rule.cwe)})"] if rule.cwe is not None else []
    sources = [f"[{urlsplit(source).hostname}]({source})" for source in SOURCES.get(rule.id, ())]
    return "".join(f" · {link}" for link in (*weakness, *sources))


if __name__ == "__main__":
    import sys

    sys.stdout.write(rules_page())
