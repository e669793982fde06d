"""Findings as SARIF 2.1.0, for GitHub code scanning and other readers.

What GitHub reads and where it stops: https://docs.github.com/en/code-security/reference/code-scanning/sarif-support
The standard: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import gzip
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from wpk_sandbox import __version__
from wpk_sandbox.finding import Finding, Location, Rule, Severity
from wpk_sandbox.report.escape import ZERO_WIDTH, one_line
from wpk_sandbox.report.fingerprint import Named, named
from wpk_sandbox.rules.catalogue import rule as rule_of

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# GitHub takes 25,000 results and shows the worst 5,000 of them; it refuses more than 10 MB, compressed.
MOST_RESULTS = 5000
MOST_BYTES = 10_000_000
MOST_TEXT = 1000

_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
# GitHub: above 9.0 critical, from 7.0 high, from 4.0 medium, above 0 low.
_SCORES = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.5",
    Severity.INFO: "0.0",
}
_PROBLEMS = {"error": "error", "warning": "warning", "note": "recommendation"}
_LINK = re.compile(r"\](?=\()")


def sarif(findings: Iterable[Finding]) -> str:
    """The log: one run of this tool, with the worst 5,000 findings when there are more."""
    every = named(findings)
    most = min(MOST_RESULTS, len(every))
    while True:
        text = json.dumps(_log(every, most), indent=2, ensure_ascii=False) + "\n"
        text = text.encode("utf-8", "replace").decode()
        if most <= 1 or _fits(text):
            return text
        most //= 2


def _fits(text: str) -> bool:
    """Whether the compressed text is small enough; compressing takes a while, and is asked of large ones only."""
    return len(text) < MOST_BYTES // 4 or len(gzip.compress(text.encode(), 6)) <= MOST_BYTES


def _log(every: Sequence[Named], most: int) -> dict[str, Any]:
    kept = every[:most]
    rules = _rules(kept)
    numbers = {each["id"]: index for index, each in enumerate(rules)}
    driver = {
        "name": "wpk-sandbox",
        "semanticVersion": __version__,
        "rules": rules,
    }
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The root of the repository."}}},
                "invocations": [_invocation(len(every) - len(kept))],
                "results": [_result(each, numbers) for each in kept],
            }
        ],
    }


def _invocation(left_out: int) -> dict[str, Any]:
    invocation: dict[str, Any] = {"executionSuccessful": True}
    if left_out:
        words = f"{left_out:,} further findings, none of them worse, are left out; `check --format json` has all."
        invocation["toolExecutionNotifications"] = [{"level": "warning", "message": {"text": words}}]
    return invocation


def _rules(kept: Iterable[Named]) -> list[dict[str, Any]]:
    """The rules that have findings, each with the worst severity of its findings: a policy may have changed it."""
    worst: dict[str, Finding] = {}
    for each in kept:  # worst first
        worst.setdefault(each.finding.rule, each.finding)
    return [_rule(rule_of(name) or _unlisted(found), found.severity) for name, found in sorted(worst.items())]


def _unlisted(finding: Finding) -> Rule:
    """A rule that only this repository's policy knows; nothing that a package wrote describes it."""
    words = finding.rule.replace("-", " ").capitalize()
    why, fix = "It is a rule of this repository.", "See `policy:` in `.wpk-sandbox.yaml`."
    return Rule(finding.rule, finding.severity, words, why, fix, finding.cwe)


def _rule(rule: Rule, severity: Severity) -> dict[str, Any]:
    level = _LEVELS[severity]
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": _text(rule.title)},
        "fullDescription": {"text": _text(rule.why)},
        "help": {"text": _text(f"{rule.why}\n\n{rule.fix}"), "markdown": _help(rule)},
        "defaultConfiguration": {"level": level},
        "properties": _properties(rule, severity, level),
    }


def _help(rule: Rule) -> str:
    lines = [f"**{rule.title}.**", "", rule.why, "", f"**What to do:** {rule.fix}", ""]
    if rule.cwe is not None:
        lines += [f"[CWE-{rule.cwe}](https://cwe.mitre.org/data/definitions/{rule.cwe}.html)", ""]
    return "\n".join([*lines, f"`wpk-sandbox explain {rule.id}` says the same in a terminal."])


def _properties(rule: Rule, severity: Severity, level: str) -> dict[str, Any]:
    """A score makes GitHub show a rule as a security problem: so have those with a weakness, and all grave ones."""
    if rule.cwe is None and severity.rank < Severity.HIGH.rank:
        return {"tags": ["reliability"], "precision": "high", "problem.severity": _PROBLEMS[level]}
    weakness = [f"external/cwe/cwe-{rule.cwe:03}"] if rule.cwe is not None else []
    return {"tags": ["security", *weakness], "precision": "high", "security-severity": _SCORES[severity]}


def _result(each: Named, rules: Mapping[str, int]) -> dict[str, Any]:
    finding = each.finding
    return {
        "ruleId": finding.rule,
        "ruleIndex": rules[finding.rule],
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(finding)},
        "locations": [{"physicalLocation": _place(finding)}],
        "partialFingerprints": {"primaryLocationLineHash": each.fingerprint},
        "suppressions": _suppressions(finding),
        "properties": {"severity": str(finding.severity), "points": finding.points},
    }


def _message(finding: Finding) -> str:
    """What was found, and what to write here, unless it is what the rule says in general."""
    general = rule_of(finding.rule)
    fix = "" if general and finding.fix == general.fix else finding.fix.strip()
    return _text(finding.message[:MOST_TEXT] + (f"\nfix: {fix[:MOST_TEXT]}" if fix else ""))


def _text(text: str) -> str:
    """Text without what would move a cursor, and without the links that SARIF lets a message hold."""
    return "\n".join(_LINK.sub("]" + ZERO_WIDTH, one_line(line)) for line in text.split("\n"))


def _place(finding: Finding) -> dict[str, Any]:
    place: dict[str, Any] = {
        "artifactLocation": {"uri": uri(finding.location.path), "uriBaseId": "%SRCROOT%"},
        "region": _region(finding.location),
    }
    if finding.excerpt.strip():
        line = one_line(finding.excerpt[:MOST_TEXT].replace("\t", " "))
        place["contextRegion"] = {"startLine": max(1, finding.location.line), "snippet": {"text": line}}
    return place


def _region(location: Location) -> dict[str, int]:
    """Columns count code points from 1, as `columnKind` says, and the end is one past the last."""
    line, column = max(1, location.line), max(1, location.column)
    start = {"startLine": line, "startColumn": column}
    if (location.end_line, location.end_column) <= (line, column):
        return start
    return start | {"endLine": location.end_line, "endColumn": max(1, location.end_column)}


def uri(path: str) -> str:
    """A path from the root of the repository as a relative reference of RFC 3986."""
    while path.startswith("./"):
        path = path[2:]
    encoded = quote(path, safe="/", errors="replace")
    return f"file://{encoded}" if path.startswith("/") else encoded


def _suppressions(finding: Finding) -> list[dict[str, Any]]:
    """Why a finding does not count: somebody took responsibility for it, in the file or in the settings."""
    waiver = finding.waiver
    if waiver is None:
        return []
    written_here = waiver.location.path == finding.location.path
    place = {"artifactLocation": {"uri": uri(waiver.location.path)}, "region": _region(waiver.location)}
    return [
        {
            "kind": "inSource" if written_here else "external",
            "status": "accepted",
            "justification": _text(str(waiver)[:MOST_TEXT]),
            "location": {"physicalLocation": place},
        }
    ]
