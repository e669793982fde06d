"""Findings as SARIF 2.1.0, for GitHub code scanning and other readers.

What GitHub reads and where it stops: https://docs.github.com/en/code-security/reference/code-scanning/sarif-support
The standard: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from wpk_sandbox import PROJECT, __version__
from wpk_sandbox.finding import Finding
from wpk_sandbox.report.fingerprint import Named, named
from wpk_sandbox.report.fit import brief
from wpk_sandbox.report.line_hash import line_hashes
from wpk_sandbox.report.sarif_place import fixes, physical, place
from wpk_sandbox.report.sarif_rules import LEVELS, rules
from wpk_sandbox.report.sarif_text import message_text
from wpk_sandbox.report.source import Source
from wpk_sandbox.rules.catalogue import rule as rule_of

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# GitHub takes 25,000 results and shows the worst 5,000 of them; it refuses more than 10 MB, compressed.
MOST_RESULTS = 5000
MOST_BYTES = 10_000_000


def sarif(findings: Iterable[Finding], sources: Mapping[str, Source] = {}, *, category: str = "") -> str:
    """The log: one run of this tool, with the worst 5,000 findings when there are more.

    `sources` are the files by their paths, as far as they are known: from them come GitHub's own names of lines
    and the fixes. `category` tells apart the logs of one commit; left empty, GitHub's upload action sets its own.
    """
    every = sorted(named(findings), key=lambda each: each.finding.waiver is not None)
    prints = list(_fingerprints(every, sources))
    described = rules(each.finding for each in every)
    numbers = {each["id"]: index for index, each in enumerate(described)}
    most = min(MOST_RESULTS, len(every))
    while True:
        kept = zip(every[:most], prints, strict=False)
        results = [_result(each, numbers, fingerprint, sources.get(_path(each))) for each, fingerprint in kept]
        log = _log(described, results, len(every) - most, category)
        text = (json.dumps(log, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace").decode()
        if most <= 1 or _fits(text):
            return text
        most //= 2


def _fits(text: str) -> bool:
    """Whether the compressed text is small enough; compressing takes a while, and is asked of large ones only."""
    return len(text) < MOST_BYTES // 4 or len(gzip.compress(text.encode(), 6)) <= MOST_BYTES


def _log(
    described: list[dict[str, Any]], results: list[dict[str, Any]], left_out: int, category: str
) -> dict[str, Any]:
    driver = {
        "name": "wpk-sandbox",
        "semanticVersion": __version__,
        "informationUri": PROJECT,
        "rules": described,
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        # Lines are counted as YAML counts them.
        "newlineSequences": ["\r\n", "\n", "\r", "\x85", "\u2028", "\u2029"],
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The root of the repository."}}},
        "invocations": [_invocation(left_out)],
        "results": results,
    }
    if category:
        run["automationDetails"] = {"id": category.rstrip("/") + "/"}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _invocation(left_out: int) -> dict[str, Any]:
    invocation: dict[str, Any] = {"executionSuccessful": True}
    if left_out:
        words = f"{left_out:,} further findings are left out, waived and slight ones first; the JSON form has all."
        invocation["toolExecutionNotifications"] = [{"level": "warning", "message": {"text": words}}]
    return invocation


def _path(each: Named) -> str:
    return each.finding.location.path


def _fingerprints(every: Sequence[Named], sources: Mapping[str, Source]) -> Iterator[str]:
    """GitHub's name of the line where the file is known, else our own of the finding; each once for a rule."""
    names: dict[str, list[str]] = {}
    seen: Counter[tuple[str, str, str]] = Counter()
    for each in every:
        path, line = _path(each), each.finding.location.line
        if path in sources and path not in names:
            names[path] = line_hashes(sources[path].text)
        lines = names.get(path, ())
        name = lines[line - 1] if 0 < line <= len(lines) else each.fingerprint
        seen[each.finding.rule, path, name] += 1
        number = seen[each.finding.rule, path, name]
        yield name if number == 1 else f"{name}:{number}"


def _result(each: Named, numbers: Mapping[str, int], fingerprint: str, source: Source | None) -> dict[str, Any]:
    finding = each.finding
    result = {
        "ruleId": finding.rule,
        "ruleIndex": numbers[finding.rule],
        "level": LEVELS[finding.severity],
        "message": {"text": _message(finding)},
        "locations": [{"physicalLocation": physical(finding)}],
        # GitHub looks at the first; the second is the finding's name in every other form.
        "partialFingerprints": {"primaryLocationLineHash": fingerprint, "wpkSandbox/v1": each.fingerprint},
        "suppressions": _suppressions(finding),
        "properties": {"severity": str(finding.severity), "points": finding.points},
    }
    if source and (known := fixes(finding, source)):
        result["fixes"] = known
    return result


def _message(finding: Finding) -> str:
    """What was found, and what to write here, unless it is what the rule says in general."""
    general = rule_of(finding.rule)
    fix = "" if general and finding.fix == general.fix else finding.fix.strip()
    return message_text(brief(finding.message) + (f"\nfix: {brief(fix)}" if fix else ""))


def _suppressions(finding: Finding) -> list[dict[str, Any]]:
    """Why a finding does not count: somebody took responsibility for it, in the file or in the settings."""
    waiver = finding.waiver
    if waiver is None:
        return []
    written_here = waiver.location.path == finding.location.path
    return [
        {
            "kind": "inSource" if written_here else "external",
            "status": "accepted",
            "justification": message_text(brief(str(waiver))),
            "location": {"physicalLocation": place(waiver.location)},
        }
    ]
