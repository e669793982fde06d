"""What GitHub documents of SARIF uploads, held by large and odd sets of findings.

https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support
https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/troubleshoot-sarif-uploads
"""

import gzip
import json
from collections import Counter
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from report.hostile import HOSTILE
from report.sample import BLOCKED
from report.test_sarif import SCHEMA
from wpk_sandbox.finding import Finding, Location, Severity, Waiver
from wpk_sandbox.report.sarif import sarif
from wpk_sandbox.report.source import Source
from wpk_sandbox.rules.catalogue import ALL_RULES

PURGE = BLOCKED.findings[0]
WORST = max(ALL_RULES, key=lambda rule: rule.severity.rank)
NAMES = (
    "plain.wpk.yaml",
    "with blanks and 100%.wpk.yaml",
    "größe, 日本.wpk.yaml",
    "😀 astral.wpk.yaml",
    "e\u0301 combining.wpk.yaml",
    "a:b#c?d[e]\\f&g=h.wpk.yaml",
    "tab\tand\u202ebidi.wpk.yaml",
)


def github_takes(text: str) -> list[dict[str, Any]]:
    """The results, when nothing of the log is what GitHub refuses, cuts or ignores."""
    assert len(gzip.compress(text.encode())) <= 10_000_000
    log = json.loads(text)
    assert (log["version"], bool(log["$schema"])) == ("2.1.0", True)
    (only,) = log["runs"]
    rules = only["tool"]["driver"]["rules"]
    assert only["tool"]["driver"]["name"]
    assert len(rules) <= 25_000
    for rule in rules:
        takes_rule(rule)
    assert len(only["results"]) <= 5_000
    for result in only["results"]:
        takes_result(result, rules)
    names = Counter((each["ruleId"], fingerprint(each), uri_of(each)) for each in only["results"])
    assert not names or max(names.values()) == 1
    results: list[dict[str, Any]] = only["results"]
    return results


def takes_rule(rule: dict[str, Any]) -> None:
    properties = rule["properties"]
    assert rule["id"]
    assert 0 < len(rule["name"]) <= 255
    assert 0 < len(rule["shortDescription"]["text"]) <= 1024
    assert 0 < len(rule["fullDescription"]["text"]) <= 1024
    assert rule["help"]["text"]
    assert rule["help"]["markdown"]
    assert urlsplit(rule["helpUri"]).scheme == "https"
    assert rule["defaultConfiguration"]["level"] in ("note", "warning", "error")
    assert len(properties["tags"]) == len(set(properties["tags"])) <= 10
    assert properties["precision"] in ("very-high", "high", "medium", "low")
    if "security" in properties["tags"]:
        assert isinstance(properties["security-severity"], str)
        assert 0.0 < float(properties["security-severity"]) <= 10.0
    else:
        assert properties["problem.severity"] in ("error", "warning", "recommendation")


def takes_result(result: dict[str, Any], rules: list[dict[str, Any]]) -> None:
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert result["level"] in ("note", "warning", "error")
    assert 0 < len(result["message"]["text"]) <= 2100
    (place,) = result["locations"]
    region = place["physicalLocation"]["region"]
    start, end = ((region[f"{side}Line"], region[f"{side}Column"]) for side in ("start", "end"))
    assert (1, 1) <= start < end
    assert region["endColumn"] >= 1
    parts = urlsplit(uri_of(result))
    assert parts.path.isascii()
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("", "", "", "")
    assert place["physicalLocation"]["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
    assert fingerprint(result)
    for suppression in result["suppressions"]:
        assert suppression["kind"] in ("inSource", "external")
        assert suppression["status"] == "accepted"
        assert suppression["justification"]


def uri_of(result: dict[str, Any]) -> str:
    uri: str = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    return uri


def fingerprint(result: dict[str, Any]) -> str:
    name: str = result["partialFingerprints"]["primaryLocationLineHash"]
    return name


def many(packages: int, findings: int) -> list[Finding]:
    """So many findings in each of so many files, of every rule and with long texts among them."""
    return [
        replace(
            ALL_RULES[(package + number) % len(ALL_RULES)].at(
                Location(f"books/{package}/{NAMES[package % len(NAMES)]}", number + 1, 3, number + 1, 9), "words"
            ),
            message=f"line {number} of package {package}: " + "long " * (number % 300),
            excerpt=f"  command: thing {number}" + " and more" * (package % 40),
            waiver=Waiver("scratch", "2027-01-31", "@ops", Location("a", 1)) if number % 7 == 0 else None,
        )
        for package in range(packages)
        for number in range(findings)
    ]


def test_of_thirty_thousand_findings_the_worst_that_count_are_shown() -> None:
    found = many(1000, 30)
    results = github_takes(sarif(found))
    assert len(results) == 5000
    assert not any(each["suppressions"] for each in results)
    counted = sorted((each.severity.rank for each in found if not each.waiver), reverse=True)
    ranks = [Severity(each["properties"]["severity"]).rank for each in results]
    assert ranks == counted[:5000]


def test_odd_paths_come_back_from_their_references() -> None:
    text = sarif(many(len(NAMES), 3))
    SCHEMA.validate(json.loads(text))
    back = {unquote(uri_of(each)) for each in github_takes(text)}
    assert back == {f"books/{number}/{name}" for number, name in enumerate(NAMES)}


def test_endless_texts_are_cut_and_said_to_be() -> None:
    found = replace(PURGE, message="m" * 70_000, fix="f" * 70_000, excerpt="e" * 70_000)
    (result,) = github_takes(sarif([found]))
    assert result["message"]["text"].count("…") == 2


def test_a_rule_of_the_policy_with_an_endless_name_is_taken() -> None:
    found = replace(PURGE, rule="a-" * 300 + "b")
    assert len(github_takes(sarif([found]))) == 1


@pytest.mark.parametrize("severity", list(Severity))
def test_whatever_a_policy_makes_of_a_rule_is_taken(severity: Severity) -> None:
    github_takes(
        sarif([replace(PURGE, severity=severity), replace(PURGE, rule="own", cwe=None, severity=severity)])
    )


def test_hostile_findings_are_taken() -> None:
    found = Finding(HOSTILE, Severity.HIGH, HOSTILE, Location(HOSTILE, -3, -4, -5, -6), HOSTILE, 78, 1, HOSTILE)
    text = sarif([found])
    SCHEMA.validate(json.loads(text))
    assert len(github_takes(text)) == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CR LF", "CR"])
def test_equal_lines_are_told_apart_whatever_ends_them(end: str) -> None:
    source = Source(end.join(["\tcommand: 😀"] * 200))
    found = [WORST.at(Location("a.yaml", line, 11, line, 12), "words") for line in range(1, 201)]
    names = [fingerprint(each) for each in github_takes(sarif(found, {"a.yaml": source}))]
    assert len(set(names)) == 200
    assert all(name.count(":") == 1 for name in names), "GitHub's own names"


def test_columns_are_characters_and_no_code_units() -> None:
    line = "  a: 😀😀 here"
    start = line.index("here") + 1
    place = Location("a.yaml", 1, start, 1, start + 4)
    text = sarif([replace(PURGE, location=place, excerpt=line)])
    assert json.loads(text)["runs"][0]["columnKind"] == "unicodeCodePoints"
    region = github_takes(text)[0]["locations"][0]["physicalLocation"]["region"]
    assert line[region["startColumn"] - 1 : region["endColumn"] - 1] == "here"


def test_a_place_without_an_end_would_not_be_taken() -> None:
    log = json.loads(sarif([PURGE]))
    assert github_takes(json.dumps(log))
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"].pop("endColumn")
    with pytest.raises(KeyError):
        github_takes(json.dumps(log))
