"""The rules as SARIF's `reportingDescriptor`s: what an alert of GitHub's code scanning says besides its message."""

from collections.abc import Iterable, Iterator
from typing import Any

from wpk_sandbox import PROJECT
from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.report.escape import fence
from wpk_sandbox.report.fit import brief
from wpk_sandbox.report.sarif_text import message_text
from wpk_sandbox.report.violations import RUN_RULES
from wpk_sandbox.rules.catalogue import ALL_RULES
from wpk_sandbox.rules.examples import example

LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
# GitHub: above 9.0 critical, from 7.0 high, from 4.0 medium, above 0 low. It takes no score of 0.
_SCORES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.5"}
_LONGEST_NAME = 255
_PROBLEMS = {"error": "error", "warning": "warning", "note": "recommendation"}


def rules(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Every rule, whatever was found: GitHub wants them to differ between versions of a tool only.

    A rule that only this repository's policy knows comes after the others, where it has findings. A rule is as
    grave as its worst finding, since a policy may have changed its severity.
    """
    worst: dict[str, Finding] = {}
    for finding in findings:
        known = worst.setdefault(finding.rule, finding)
        if finding.severity.rank > known.severity.rank:
            worst[finding.rule] = finding
    listed = {rule.id: rule for rule in (*ALL_RULES, *RUN_RULES)}
    own = {name: _unlisted(worst[name]) for name in sorted(worst.keys() - listed.keys())}
    return [
        _descriptor(rule, worst[rule.id].severity if rule.id in worst else rule.severity)
        for rule in (listed | own).values()
    ]


def _unlisted(finding: Finding) -> Rule:
    """A rule that only this repository's policy knows; nothing that a package wrote describes it."""
    words = finding.rule.replace("-", " ").capitalize()
    why, fix = "It is a rule of this repository.", "See `policy:` in `.wpk-sandbox.yaml`."
    return Rule(finding.rule, finding.severity, words, why, fix, finding.cwe)


def _descriptor(rule: Rule, severity: Severity) -> dict[str, Any]:
    level = LEVELS[severity]
    page = "reports" if rule in RUN_RULES else "rules"
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-"))[:_LONGEST_NAME],
        "shortDescription": {"text": message_text(brief(f"{rule.title}."))},
        "fullDescription": {"text": message_text(brief(rule.why))},
        "help": {"text": message_text(f"{rule.why}\n\n{rule.fix}"), "markdown": _help(rule)},
        "helpUri": f"{PROJECT}/blob/main/docs/{page}.md#{rule.id}",
        "defaultConfiguration": {"level": level},
        "properties": _properties(rule, severity, level),
    }


def _help(rule: Rule) -> str:
    lines = [f"**{rule.title}.**", "", rule.why, "", *_example(rule), f"**What to do:** {rule.fix}", ""]
    if rule.cwe is not None:
        lines += [f"[CWE-{rule.cwe}](https://cwe.mitre.org/data/definitions/{rule.cwe}.html)", ""]
    known = "is what a run saw" if rule in RUN_RULES else "says the same in a terminal"
    name = rule.id if rule in RUN_RULES else f"wpk-sandbox explain {rule.id}"
    return "\n".join([*lines, f"`{name}` {known}."])


def _example(rule: Rule) -> Iterator[str]:
    known = example(rule.id)
    for title, lines in (("Found in", known.hit), ("Not found in", known.near_miss)) if known else ():
        if lines:
            yield f"{title}:\n\n{fence(lines, 'yaml')}\n"


def _properties(rule: Rule, severity: Severity, level: str) -> dict[str, Any]:
    """A score makes GitHub show a rule as a security problem: so have those with a weakness, and all grave ones."""
    security = rule.cwe is not None or severity.rank >= Severity.HIGH.rank
    if not security or severity not in _SCORES:
        return {"tags": ["reliability"], "precision": "high", "problem.severity": _PROBLEMS[level]}
    weakness = [f"external/cwe/cwe-{rule.cwe:03}"] if rule.cwe is not None else []
    return {"tags": ["security", *weakness], "precision": "high", "security-severity": _SCORES[severity]}
