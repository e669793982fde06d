"""Findings with their source line."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from report.hostile import HOSTILE_PACKAGE
from report.sample import BLOCKED, FAILING, UNREADABLE
from wpk_sandbox.finding import Finding, Location, Severity, Waiver
from wpk_sandbox.report.escape import one_line
from wpk_sandbox.report.findings import caret_parts, finding_lines, one_finding
from wpk_sandbox.report.lines import plain, width

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
    carets = plain(one_finding(spread)).splitlines()[2]
    assert carets.count("^") == len('rm -rf "${DIR}/"*')
    assert carets.endswith("^ to line 26")


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


def test_a_mark_on_a_character_takes_no_column() -> None:
    marked = replace(PURGE, excerpt="cafe\u0301\ufe0f: x", location=Location("a", 1, 9, 1, 10))
    source, caret = plain(one_finding(marked)).splitlines()[1:3]
    assert caret.index("^") == source.index("x") - 2


def test_a_range_longer_than_the_line_shows_its_beginning() -> None:
    long = replace(PURGE, excerpt="a: " + "z" * 500, location=Location("a", 1, 4, 1, 504))
    source, caret = plain(one_finding(long)).splitlines()[1:3]
    assert source.endswith("z…")
    assert source[caret.index("^") : caret.rindex("^") + 1] == "z" * 60


def test_a_waived_finding_says_who_answers_for_it() -> None:
    waiver = Waiver("the folder is scratch", "2027-01-31", "@ops", Location("a", 3))
    text = plain(one_finding(replace(PURGE, waiver=waiver)))
    assert "   waived until 2027-01-31 by @ops: the folder is scratch\n" in text
    assert "waived" not in plain(one_finding(PURGE))


def lines_at(columns: int, **changed: object) -> list[str]:
    found = replace(PURGE, **changed)  # type: ignore[arg-type]
    return plain(one_finding(found, columns)).splitlines()


LONG = "command: " + "true && " * 20 + "rm -rf $目録/*" + " && true" * 20
PROSE = "one command deletes everything that lies under a folder, whose name may turn out to be empty, 目録"


@pytest.mark.parametrize("columns", range(55, 140, 3))
def test_on_a_terminal_nothing_is_wider_than_it(columns: int) -> None:
    place = Location("a.wpk.yaml", 7, 170, 7, 183)
    waiver = Waiver("the folder is scratch, as everybody here knows", "2027-01-31", "@ops", Location("a", 3))
    lines = lines_at(columns, message=PROSE, excerpt=LONG, location=place, fix=PROSE, waiver=waiver)
    assert max(map(width, lines)) <= columns
    assert " ".join(line.strip() for line in lines).count("目録") == 3, "message, source and fix are all there"


def test_on_a_terminal_words_stay_whole_and_stand_below_one_another() -> None:
    place = Location("a.wpk.yaml", 7, 10, 7, 13)
    assert lines_at(
        50, message=PROSE, location=place, excerpt="", fix="Name the one folder, and stop if it is empty."
    ) == [
        "a.wpk.yaml:7:10: critical shell-destroy-data: one",
        "   command deletes everything that lies under a",
        "   folder, whose name may turn out to be empty,",
        "   目録",
        "   fix: Name the one folder, and stop if it is",
        "        empty.",
        "   CWE-78 · wpk-sandbox explain shell-destroy-data",
    ]


def test_elsewhere_a_message_is_one_line_that_can_be_searched_for() -> None:
    (head, *_) = plain(one_finding(replace(PURGE, message=PROSE * 5))).splitlines()
    assert head.endswith(PROSE * 5)


def test_a_kind_of_finding_is_shown_whole_three_times_in_a_file_and_always_named() -> None:
    places = [Location(path, line, 16, line, 33) for path in ("a", "b") for line in range(1, 6)]
    text = plain(finding_lines([replace(PURGE, location=place) for place in places]))
    assert text.count("^") == 2 * 3 * len('rm -rf "${DIR}/"*')
    assert text.count("   fix: ") == 2 * 3
    for place in places:
        assert f"\n{place}: critical shell-destroy-data: " in "\n" + text


def test_who_waives_is_said_of_each() -> None:
    waiver = Waiver("scratch", "2027-01-31", "@ops", Location("a", 3))
    found = [replace(PURGE, location=Location("a", line, 16), waiver=waiver) for line in range(1, 6)]
    assert plain(finding_lines(found)).count("   waived until 2027-01-31 by @ops: scratch\n") == 5


LINES = st.text(st.characters(exclude_categories=("Cs",)) | st.sampled_from("\t日é\u0301\x1b\u202e "), max_size=300)


@settings(max_examples=300, deadline=None)
@given(LINES, st.integers(1, 320), st.integers(0, 320), st.sampled_from([0, 1, 2]))
def test_the_carets_are_exactly_under_the_marked_text(text: str, column: int, end: int, end_line: int) -> None:
    found = replace(PURGE, excerpt=text, location=Location("a", 1, column, end_line, end))
    before, marked, after = caret_parts(found)
    shown = before + marked + after
    assert shown.isprintable()
    assert width(shown) <= 101
    lines = plain(one_finding(found)).splitlines()
    if text.strip():
        caret = lines[2]
        assert caret.startswith("      | " + " " * width(before) + "^" * max(1, width(marked)))
    source = text.rstrip("\r\n").replace("\t", " ")
    start = min(column - 1, len(source))
    assert one_line(source[start:]).startswith(marked)
    assert one_line(source[:start]).endswith(before.removeprefix("…"))


NASTY = (
    replace(PURGE, excerpt="\t\tcommand: rm -rf $DIR/*", location=Location("tabs.wpk.yaml", 3, 12, 3, 24)),
    replace(PURGE, excerpt="      名前: rm -rf $目録/*", location=Location("wide.wpk.yaml", 4, 11, 4, 22)),
    replace(PURGE, excerpt="command: \x1b[2Jrm \u202e-rf /", location=Location("control.wpk.yaml", 5, 10, 5, 22)),
    replace(
        PURGE,
        excerpt="command: " + "true && " * 40 + "rm -rf $DIR/*" + " && true" * 40,
        location=Location("long.wpk.yaml", 123456, 330, 123456, 343),
    ),
    replace(
        PURGE, excerpt="command: rm -rf $A/* " + "$B/* " * 60, location=Location("range.wpk.yaml", 7, 10, 7, 322)
    ),
    replace(PURGE, excerpt="  - name: |", location=Location("below.wpk.yaml", 8, 5, 12, 9)),
    replace(
        PURGE,
        location=Location("waived.wpk.yaml", 24, 16, 24, 33),
        waiver=Waiver("the folder is scratch", "2027-01-31", "@ops", Location("waived.wpk.yaml", 23, 7)),
    ),
    replace(PURGE, excerpt="", location=Location("bare.wpk.yaml")),
)


def test_nasty_lines_are_shown_as_they_should_be(golden: Callable[[str, str], None]) -> None:
    golden("report/findings.txt", plain(finding_lines(NASTY)))
