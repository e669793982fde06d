"""Findings with their source line."""

from dataclasses import replace

from report.sample import BLOCKED, FAILING, HOSTILE_PACKAGE, UNREADABLE
from wpk_sandbox.finding import Finding, Location, Severity
from wpk_sandbox.report.findings import finding_lines, one_finding
from wpk_sandbox.report.lines import plain

PURGE = BLOCKED.findings[0]


def test_the_caret_stands_under_the_place() -> None:
    assert plain(one_finding(PURGE)).splitlines() == [
        "playbooks/purge.wpk.yaml:24:16: critical shell-destroy-data: "
        "deletes everything under $DIR, which may be empty",
        '   24 |       command: rm -rf "${DIR}/"*',
        "      |                ^^^^^^^^^^^^^^^^^",
        '   fix: rm -rf "${DIR:?}/"*                   CWE-78 · wpk-sandbox explain shell-destroy-data',
    ]


def test_the_worst_comes_first() -> None:
    lines = plain(finding_lines([*FAILING.findings, PURGE]))
    assert lines.index("critical") < lines.index("medium")


def test_a_place_without_an_end_gets_one_caret() -> None:
    assert plain(one_finding(replace(PURGE, location=Location("a", 24, 16)))).splitlines()[2].count("^") == 1


def test_a_range_over_several_lines_marks_to_the_end_of_the_first() -> None:
    spread = replace(PURGE, location=Location("a", 24, 16, 26, 3))
    assert plain(one_finding(spread)).splitlines()[2].count("^") == len('rm -rf "${DIR}/"*')


def test_wide_characters_before_the_place_move_the_caret() -> None:
    wide = replace(PURGE, excerpt="日本: x", location=Location("a", 1, 5, 1, 6))
    source, caret = plain(one_finding(wide)).splitlines()[1:3]
    assert caret.index("^") == source.index("x") + 2


def test_characters_that_show_their_code_move_the_caret() -> None:
    sly = replace(PURGE, excerpt="a\u202eb: x", location=Location("a", 1, 6, 1, 7))
    source, caret = plain(one_finding(sly)).splitlines()[1:3]
    assert caret.index("^") == source.index("x")


def test_a_tab_takes_one_column() -> None:
    assert plain(one_finding(UNREADABLE)).splitlines()[1:3] == ["    7 |  name: broken", "      | ^"]


def test_a_long_line_is_cut_around_the_place() -> None:
    long = replace(PURGE, excerpt="x" * 5000 + "HERE" + "y" * 5000, location=Location("a", 1, 5001, 1, 5005))
    source, caret = plain(one_finding(long)).splitlines()[1:3]
    assert len(source) < 120
    assert source[caret.index("^") : caret.rindex("^") + 1] == "HERE"


def test_a_finding_without_source_has_no_caret() -> None:
    bare = Finding("no-rollback", Severity.LOW, "there is no way back", Location("a.wpk.yaml"))
    assert plain(one_finding(bare)) == (
        "a.wpk.yaml:1:1: low no-rollback: there is no way back\n   wpk-sandbox explain no-rollback\n"
    )


def test_a_fix_of_several_lines_is_indented() -> None:
    lines = plain(one_finding(replace(PURGE, fix="rollback:\n  enabled: true"))).splitlines()
    assert lines[3:5] == ["   fix: rollback:", "          enabled: true"]


def test_a_hostile_finding_stays_in_its_lines() -> None:
    assert len(plain(finding_lines(HOSTILE_PACKAGE.findings)).splitlines()) == 5


def test_a_place_beyond_the_line_does_not_break() -> None:
    assert "^" in plain(one_finding(replace(PURGE, location=Location("a", 1, 900, 1, 950))))
