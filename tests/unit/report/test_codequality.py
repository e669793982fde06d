"""Findings for GitLab's merge requests."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from report.hostile import HOSTILE_RUN
from report.sample import BLOCKED, EVERYTHING
from wpk_sandbox.finding import Finding, Location, Severity, Waiver
from wpk_sandbox.report.codequality import code_quality
from wpk_sandbox.report.fingerprint import of_run

SCHEMA = Draft7Validator(
    json.loads((Path(__file__).parents[2] / "data/gitlab-codequality.schema.json").read_text())
)
SEVERITIES = ("info", "minor", "major", "critical", "blocker")
PURGE = BLOCKED.findings[0]


def read(*findings: Finding) -> list[dict[str, Any]]:
    """The entries, each of which must be one that GitLab takes."""
    entries: list[dict[str, Any]] = json.loads(code_quality(findings))
    for each in entries:
        SCHEMA.validate(each)
        assert each["severity"] in SEVERITIES
        assert each["location"]["lines"]["begin"] >= 1
        assert not each["location"]["path"].startswith("./")
    assert len({each["fingerprint"] for each in entries}) == len(entries)
    return entries


def test_the_schema_refuses_an_entry_without_a_fingerprint() -> None:
    (entry,) = read(PURGE)
    assert not SCHEMA.is_valid({key: value for key, value in entry.items() if key != "fingerprint"})


@pytest.mark.parametrize("result", [EVERYTHING, HOSTILE_RUN], ids=["everything", "hostile"])
def test_every_finding_of_a_run_is_an_entry(result: Any) -> None:
    assert {each["check_name"] for each in read(*of_run(result))} == {found.rule for found in of_run(result)}


def test_an_entry_says_what_and_where() -> None:
    (entry,) = read(PURGE)
    assert entry["description"] == "shell-destroy-data: deletes everything under $DIR, which may be empty"
    assert entry["location"]["path"] == "playbooks/purge.wpk.yaml"
    assert entry["location"]["lines"] == {"begin": 24, "end": 24}
    assert entry["location"]["positions"] == {
        "begin": {"line": 24, "column": 16},
        "end": {"line": 24, "column": 33},
    }


def test_each_severity_has_one_of_gitlabs_own() -> None:
    found = [replace(PURGE, severity=each, location=Location("a", n)) for n, each in enumerate(Severity, 1)]
    assert [each["severity"] for each in read(*found)] == list(reversed(SEVERITIES))


def test_a_place_without_an_end_is_one_point() -> None:
    (entry,) = read(replace(PURGE, location=Location("./a", 3, 2)))
    assert entry["location"]["lines"] == {"begin": 3, "end": 3}
    assert entry["location"]["path"] == "a"


def test_a_moved_line_is_the_same_entry() -> None:
    (before,), (after,) = read(PURGE), read(replace(PURGE, location=replace(PURGE.location, line=2, end_line=2)))
    assert before["fingerprint"] == after["fingerprint"]


def test_what_is_waived_is_left_out() -> None:
    waiver = Waiver("scratch", "2027-01-31", "@ops", Location(".wpk-sandbox.yaml", 4))
    assert read(replace(PURGE, waiver=waiver)) == []


def test_what_gitlab_documents_as_required_is_there() -> None:
    """https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format"""
    for entry in read(*of_run(EVERYTHING)):
        assert {"description", "check_name", "fingerprint", "location", "severity"} <= entry.keys()
        assert entry["location"]["lines"]["begin"] == entry["location"]["positions"]["begin"]["line"]


def test_a_path_is_written_as_it_is() -> None:
    (entry,) = read(replace(PURGE, location=Location("my books/größe, 100% 😀.yaml", 1)))
    assert entry["location"]["path"] == "my books/größe, 100% 😀.yaml"


def test_an_endless_text_is_cut_and_said_to_be() -> None:
    (entry,) = read(replace(PURGE, message="m" * 70_000, fix="f" * 70_000))
    assert entry["description"].endswith("m…")
    assert entry["content"]["body"].endswith("f…")
    assert len(json.dumps(entry)) < 4000


def test_entries_of_equal_lines_keep_their_names_when_all_move() -> None:
    def names(shift: int) -> set[str]:
        places = [Location("a", line + shift, 16, line + shift, 33) for line in (3, 9, 27)]
        return {each["fingerprint"] for each in read(*(replace(PURGE, location=place) for place in places))}

    assert names(0) == names(40)


def test_thirty_thousand_findings_have_as_many_names() -> None:
    found = [replace(PURGE, location=Location(f"{n % 1000}.yaml", n + 1, 16, n + 1, 33)) for n in range(30_000)]
    names = {each["fingerprint"] for each in json.loads(code_quality(found))}
    assert len(names) == 30_000


def test_hostile_text_stays_on_its_line() -> None:
    assert all(each["description"].isprintable() for each in read(*of_run(HOSTILE_RUN)))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            Finding,
            st.sampled_from(["timeout-missing", "x"]),
            st.sampled_from(list(Severity)),
            st.text(),
            st.builds(Location, st.text(st.characters(exclude_characters="./")), *[st.integers(0, 400)] * 4),
            st.text(),
            st.none() | st.integers(1, 2000),
            st.integers(0, 100),
            st.text(),
        ),
        max_size=5,
    )
)
def test_anything_that_a_finding_holds_gives_entries_that_gitlab_takes(found: list[Finding]) -> None:
    assert len(read(*found)) <= len(found)
