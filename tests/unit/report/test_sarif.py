"""Findings for GitHub code scanning: the standard's schema, GitHub's limits, and a reader of SARIF."""

import gzip
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator
from sarif import loader

from report.hostile import HOSTILE, HOSTILE_RUN
from report.sample import BLOCKED, EVERYTHING
from wpk_sandbox.finding import Finding, Location, Severity, Waiver
from wpk_sandbox.report.fingerprint import of_run
from wpk_sandbox.report.sarif import MOST_RESULTS, sarif
from wpk_sandbox.report.sarif_place import uri
from wpk_sandbox.report.violations import RUN_RULES
from wpk_sandbox.rules.catalogue import ALL_RULES

SCHEMA_ADDRESS = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
SCHEMA = Draft4Validator(json.loads((Path(__file__).parents[2] / "data/sarif-2.1.0.schema.json").read_text()))
PURGE = BLOCKED.findings[0]
CHINESE = [chr(code) for code in range(0x4E00, 0x9FA5)]
WAIVER = Waiver("the folder is scratch", "2027-01-31", "@ops", Location("playbooks/purge.wpk.yaml", 23, 5))


def read(*findings: Finding) -> dict[str, Any]:
    """The only run of the log, which must be valid."""
    log = json.loads(sarif(findings))
    SCHEMA.validate(log)
    assert log["version"] == "2.1.0"
    (only,) = log["runs"]
    return only


def rule(finding: Finding, *others: Finding) -> dict[str, Any]:
    """How the log describes the rule of a finding."""
    rules = read(finding, *others)["tool"]["driver"]["rules"]
    (only,) = [each for each in rules if each["id"] == finding.rule]
    return only


def many(count: int, severity: Severity = Severity.LOW) -> list[Finding]:
    return [
        replace(PURGE, severity=severity, location=Location("a.wpk.yaml", line)) for line in range(1, count + 1)
    ]


def test_the_schema_is_the_final_one() -> None:
    assert SCHEMA.schema["id"] == SCHEMA_ADDRESS == json.loads(sarif([]))["$schema"]


@pytest.mark.parametrize("region", [{"startLine": 0}, {"endLine": 3}, {"startLine": 1, "startColumn": 0}])
def test_the_schema_refuses_a_place_that_is_none(region: dict[str, int]) -> None:
    broken = json.loads(sarif([PURGE]))
    broken["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"] = region
    assert not SCHEMA.is_valid(broken)


@pytest.mark.parametrize("result", [EVERYTHING, HOSTILE_RUN], ids=["everything", "hostile"])
def test_every_finding_of_a_run_is_in_a_valid_log(result: Any) -> None:
    results = read(*of_run(result))["results"]
    assert {each["ruleId"] for each in results} == {finding.rule for finding in of_run(result)}


def test_no_finding_is_a_valid_log_too() -> None:
    assert read()["results"] == []


def test_rules_are_the_same_whatever_was_found() -> None:
    assert read()["tool"] == read(ALL_RULES[40].at(Location("a.wpk.yaml", 3), "a message"))["tool"]
    assert [each["id"] for each in read()["tool"]["driver"]["rules"]] == [
        each.id for each in (*ALL_RULES, *RUN_RULES)
    ]


def test_each_rule_fits_githubs_limits() -> None:
    for each in read()["tool"]["driver"]["rules"]:
        assert 0 < len(each["shortDescription"]["text"]) <= 1024
        assert 0 < len(each["fullDescription"]["text"]) <= 1024
        assert len(each["name"]) <= 255
        assert len(each["properties"]["tags"]) <= 10
        assert each["properties"]["precision"] in ("very-high", "high", "medium", "low")
        assert each["help"]["text"]
        assert each["id"] in each["help"]["markdown"]
        page = "reports" if each["id"].startswith("run-") else "rules"
        assert each["helpUri"].endswith(f"docs/{page}.md#{each['id']}")


def test_the_help_of_a_rule_shows_what_it_finds_and_what_it_does_not() -> None:
    described = rule(replace(PURGE, rule="resources-too-large"))
    assert described["help"]["markdown"].splitlines()[4:13] == [
        "Found in:",
        "",
        "```yaml",
        "resources: {limits: {cpu: 500m, memory: 16Gi}}",
        "```",
        "",
        "Not found in:",
        "",
        "```yaml",
    ]


def test_a_rule_is_either_a_security_problem_with_a_score_or_another_problem() -> None:
    found = [each.at(Location("a.wpk.yaml", 3), "a message") for each in ALL_RULES]
    for severity in Severity:
        for each in read(*(replace(finding, severity=severity) for finding in found))["tool"]["driver"]["rules"]:
            score = each["properties"].get("security-severity")
            assert (score is not None) == ("security" in each["properties"]["tags"])
            assert score is None or 0.0 < float(score) <= 10.0
            assert (score is None) == ("problem.severity" in each["properties"])


def test_a_weakness_becomes_a_tag_and_the_severity_a_score() -> None:
    properties = rule(PURGE)["properties"]
    assert properties["tags"] == ["security", "external/cwe/cwe-073"]
    assert properties["security-severity"] == "9.5"


def test_a_slight_rule_without_a_weakness_is_no_security_problem() -> None:
    properties = rule(replace(PURGE, rule="our-own-rule", severity=Severity.INFO, cwe=None))["properties"]
    assert properties["tags"] == ["reliability"]
    assert "security-severity" not in properties
    assert properties["problem.severity"] == "recommendation"


@pytest.mark.parametrize(
    ("severity", "level", "least", "most"),
    [
        (Severity.CRITICAL, "error", 9.01, 10.0),
        (Severity.HIGH, "error", 7.0, 8.9),
        (Severity.MEDIUM, "warning", 4.0, 6.9),
        (Severity.LOW, "note", 0.1, 3.9),
    ],
)
def test_severities_are_those_of_github(severity: Severity, level: str, least: float, most: float) -> None:
    only = read(replace(PURGE, severity=severity))
    described = rule(replace(PURGE, severity=severity))
    assert only["results"][0]["level"] == described["defaultConfiguration"]["level"] == level
    assert least <= float(described["properties"]["security-severity"]) <= most


def test_a_rule_of_the_repository_is_described_by_nothing_that_a_package_wrote() -> None:
    described = rule(replace(PURGE, rule="our-own-rule", message=HOSTILE, fix=HOSTILE))
    assert described["shortDescription"]["text"] == "Our own rule."
    assert "evil.example" not in json.dumps(described)


def test_results_name_their_rule_by_its_index() -> None:
    only = read(PURGE, *EVERYTHING.findings, *many(3))
    rules = only["tool"]["driver"]["rules"]
    assert all(rules[each["ruleIndex"]]["id"] == each["ruleId"] for each in only["results"])


def test_columns_count_code_points_and_the_end_is_beyond_the_range() -> None:
    only = read(PURGE)
    assert only["columnKind"] == "unicodeCodePoints"
    region = only["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 24, "startColumn": 16, "endLine": 24, "endColumn": 33}


def test_a_place_without_an_end_is_one_character_because_github_asks_for_an_end() -> None:
    physical = read(replace(PURGE, location=Location("a", 4, 2)))["results"][0]["locations"][0]["physicalLocation"]
    assert physical["region"] == {"startLine": 4, "startColumn": 2, "endLine": 4, "endColumn": 3}


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        (Location("a", 4, 3, 4, 5), True),
        (Location("a", 4, 1, 4, len(PURGE.excerpt) + 1), False),
        (Location("a", 4, 3, 5, 2), False),
    ],
    ids=["within the line", "the whole line", "more than the line"],
)
def test_the_line_around_is_there_where_it_says_more_than_the_place(place: Location, shown: bool) -> None:
    physical = read(replace(PURGE, location=place))["results"][0]["locations"][0]["physicalLocation"]
    assert ("contextRegion" in physical) == shown


def test_the_line_around_it_is_shown_without_control_characters() -> None:
    sly = replace(PURGE, excerpt="\tcommand: \x1b[31mrm\u202e")
    physical = read(sly)["results"][0]["locations"][0]["physicalLocation"]
    assert physical["contextRegion"]["snippet"]["text"] == " command: \\x1b[31mrm\\u202e"


def test_a_message_holds_no_link() -> None:
    text = read(replace(PURGE, message="[click](https://evil.example)"))["results"][0]["message"]["text"]
    assert "](" not in text


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("playbooks/a.wpk.yaml", "playbooks/a.wpk.yaml"),
        ("./a.wpk.yaml", "a.wpk.yaml"),
        ("my books/ü#1%.yaml", "my%20books/%C3%BC%231%25.yaml"),
        ("a:b.yaml", "a%3Ab.yaml"),
        ("/tmp/a.yaml", "file:///tmp/a.yaml"),
        ("lone\udce4.yaml", "lone%3F.yaml"),
    ],
)
def test_paths_become_relative_references(path: str, expected: str) -> None:
    assert uri(path) == expected


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_every_relative_path_comes_back_from_its_reference(path: str) -> None:
    relative = path.lstrip("./")
    parts = urlsplit(uri(relative))
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("", "", "", "")
    assert unquote(parts.path) == relative


def test_a_waived_finding_is_suppressed_with_its_reason() -> None:
    second, first = read(replace(PURGE, waiver=WAIVER), *many(1))["results"]
    (suppression,) = first["suppressions"]
    assert (suppression["kind"], suppression["status"]) == ("inSource", "accepted")
    assert "the folder is scratch" in suppression["justification"]
    place = suppression["location"]["physicalLocation"]
    assert place["region"]["startLine"] == 23
    assert place["artifactLocation"] == {"uri": "playbooks/purge.wpk.yaml", "uriBaseId": "%SRCROOT%"}
    assert second["suppressions"] == []


def test_a_waiver_of_the_settings_is_an_external_one() -> None:
    outside = replace(WAIVER, location=Location(".wpk-sandbox.yaml", 4))
    assert read(replace(PURGE, waiver=outside))["results"][0]["suppressions"][0]["kind"] == "external"


def test_more_than_github_shows_is_cut_from_the_slight_end_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wpk_sandbox.report.sarif.MOST_RESULTS", 50)
    only = read(*many(59), PURGE)
    assert len(only["results"]) == 50
    assert only["results"][0]["level"] == "error"
    (note,) = only["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("10 further findings")


def test_what_is_waived_is_left_out_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wpk_sandbox.report.sarif.MOST_RESULTS", 3)
    assert all(not each["suppressions"] for each in read(*many(3), replace(PURGE, waiver=WAIVER))["results"])


def test_a_category_is_said_only_where_it_is_asked_for() -> None:
    """GitHub's upload action sets its own where a log has none, and leaves one that is there."""
    assert "automationDetails" not in read(PURGE)
    for category in ("staging", "staging/"):
        log = json.loads(sarif([PURGE], category=category))
        SCHEMA.validate(log)
        assert log["runs"][0]["automationDetails"] == {"id": "staging/"}


def test_the_most_is_what_github_shows() -> None:
    assert MOST_RESULTS == 5000


def test_as_many_as_github_shows_need_no_note() -> None:
    assert "toolExecutionNotifications" not in read(*many(50))["invocations"][0]


def test_a_log_that_does_not_compress_is_cut_to_githubs_size(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = random.Random(4)
    words = ["".join(noise.choices(CHINESE, k=1000)) for _ in range(100)]
    found = [replace(each, message=text) for each, text in zip(many(100), words, strict=True)]
    assert len(json.loads(sarif(found))["runs"][0]["results"]) == 100
    monkeypatch.setattr("wpk_sandbox.report.sarif.MOST_BYTES", 60_000)
    log = sarif(found)
    assert len(gzip.compress(log.encode())) <= 60_000
    assert 10 < len(json.loads(log)["runs"][0]["results"]) < 100


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            Finding,
            st.sampled_from(["timeout-missing", "shell-destroy-data", "x"]),
            st.sampled_from(list(Severity)),
            st.text(),
            st.builds(Location, st.text(min_size=1), *[st.integers(0, 400)] * 4),
            st.text(),
            st.none() | st.integers(1, 2000),
            st.integers(0, 100),
            st.text(),
        ),
        max_size=5,
    )
)
def test_anything_that_a_finding_holds_gives_a_valid_log_with_unique_fingerprints(found: list[Finding]) -> None:
    results = read(*found)["results"]
    prints = [each["partialFingerprints"]["primaryLocationLineHash"] for each in results]
    assert len(set(prints)) == len(prints)


def test_a_reader_of_sarif_understands_it(tmp_path: Path) -> None:
    path = tmp_path / "findings.sarif"
    path.write_text(sarif([PURGE, *many(2, Severity.MEDIUM)]))
    records = loader.load_sarif_files(str(path)).get_records()
    assert [(each["Severity"], each["Location"], each["Line"]) for each in records] == [
        ("error", "playbooks/purge.wpk.yaml", 24),
        ("warning", "a.wpk.yaml", 1),
        ("warning", "a.wpk.yaml", 2),
    ]
    assert {each["Tool"] for each in records} == {"wpk-sandbox"}
    assert all(each["Code"] == "shell-destroy-data" for each in records)
