"""What a SARIF log says of findings whose files are known: GitHub's names of their lines, and the fixes."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from report.test_sarif import SCHEMA
from wpk_sandbox.finding import Finding, Location, Waiver
from wpk_sandbox.package.load import load_bytes
from wpk_sandbox.report.line_hash import line_hashes
from wpk_sandbox.report.sarif import sarif
from wpk_sandbox.report.source import Source
from wpk_sandbox.rules.check import check
from wpk_sandbox.rules.fixes import BYTE_ORDER_MARK, fixes
from wpk_sandbox.rules.policy import Policy

PATH = "my playbooks/größe 😀.wpk.yaml"
TEXT = """\
# 😀 astral, and a\ttab
apiVersion: v1
kind: WorkflowPackage
metadata: {name: many, version: 1.0.0}
spec:
  runtime: {type: k8s}
  handlers:
    - name: first  # 😀
      steps: [{name: one, shell: {command: echo a}}]
    - {name: "second 😀", steps: [{name: two, shell: {command: "true; curl -H 'Authorization: Bearer ghp_8Gk2LwQx9RtYv3BnMz7CpHd5SjFa1Ue6Xo4W' https://x.example"}}]}
"""


def log(text: str, **changed: Any) -> tuple[list[dict[str, Any]], tuple[Finding, ...]]:
    """The results of a package's log, which must be valid, with the findings that they were made of."""
    loaded = load_bytes(text.encode(), PATH)
    found = (*loaded.findings, *(each for package in loaded.packages for each in check(package, Policy())))
    found = tuple(replace(each, **changed) for each in found)
    made = sarif(found, {PATH: Source(text, fixes(text, loaded.packages, found))})
    SCHEMA.validate(json.loads(made))
    return json.loads(made)["runs"][0]["results"], found


def applied(text: str, results: list[dict[str, Any]]) -> str:
    """The text as a reader of SARIF would correct it: with all replacements, from the last to the first."""
    starts = [0]
    body = text.removeprefix(BYTE_ORDER_MARK)
    while (end := body.find("\n", starts[-1])) >= 0:
        starts.append(end + 1)
    for replacement in sorted(replacements(results), key=lambda each: -each["deletedRegion"]["startLine"]):
        region = replacement["deletedRegion"]
        start = starts[region["startLine"] - 1] + region["startColumn"] - 1
        end = starts[region["endLine"] - 1] + region["endColumn"] - 1
        body = body[:start] + replacement["insertedContent"]["text"] + body[end:]
    return body


def replacements(results: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for result in results:
        for fix in result.get("fixes", ()):
            (change,) = fix["artifactChanges"]
            assert change["artifactLocation"] == result["locations"][0]["physicalLocation"]["artifactLocation"]
            yield from change["replacements"]


def test_lines_have_the_names_that_githubs_upload_action_works_out() -> None:
    results, _ = log(TEXT)
    names = line_hashes(TEXT)
    assert len(results) >= 4
    for each in results:
        line = each["locations"][0]["physicalLocation"]["region"]["startLine"]
        assert each["partialFingerprints"]["primaryLocationLineHash"].startswith(names[line - 1])


def test_two_findings_of_a_rule_on_one_line_are_two_alerts() -> None:
    place = Location(PATH, 2, 1, 2, 3)
    found = [Finding("own", log(TEXT)[1][0].severity, words, place) for words in ("one", "two")]
    results = json.loads(sarif(found, {PATH: Source(TEXT)}))["runs"][0]["results"]
    first, second = (each["partialFingerprints"]["primaryLocationLineHash"] for each in results)
    assert (first, second) == (line_hashes(TEXT)[1], line_hashes(TEXT)[1] + ":2")


def test_a_line_that_the_file_does_not_have_is_named_by_its_finding() -> None:
    found = Finding("own", log(TEXT)[1][0].severity, "words", Location(PATH, 99, 1))
    (only,) = json.loads(sarif([found], {PATH: Source(TEXT)}))["runs"][0]["results"]
    assert only["partialFingerprints"]["primaryLocationLineHash"] == only["partialFingerprints"]["wpkSandbox/v1"]


@pytest.mark.parametrize("mark", ["", BYTE_ORDER_MARK], ids=["plain", "with a byte order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CR LF"])
def test_fixes_lead_to_the_file_that_check_fix_would_write(mark: str, end: str) -> None:
    text = mark + TEXT.replace("\n", end)
    results, _ = log(text)
    assert len([each for each in results if each.get("fixes")]) == 2
    fixed = applied(text, results)
    assert f"- name: first  # 😀{end}      timeout: 5m{end}" in fixed
    assert (
        '- {name: "second 😀", timeout: "5m", steps' in fixed or '{name: "second 😀", timeout: 5m, steps' in fixed
    )
    assert "timeout-missing" not in {each["ruleId"] for each in log(mark + fixed)[0]}


def test_what_is_waived_has_no_fix() -> None:
    waiver = Waiver("scratch", "2027-01-31", "@ops", Location(PATH, 1))
    assert not any("fixes" in each for each in log(TEXT, waiver=waiver)[0])


def test_a_secret_is_in_no_part_of_the_log() -> None:
    results, found = log(TEXT)
    assert "hard-coded-secret" in {each.rule for each in found}
    assert "ghp_8Gk2" not in json.dumps(results, ensure_ascii=False)
    assert "*****" in json.dumps(results), "the line is there, and what is secret of it is starred out"
