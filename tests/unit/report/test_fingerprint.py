"""Names of findings that outlive edits of the file."""

from dataclasses import replace

from report.parts import run
from report.sample import EVERYTHING, FAILING, PASSING
from wpk_sandbox.finding import Finding, Location, Severity
from wpk_sandbox.report.fingerprint import named, of_run

FOUND = Finding(
    "image-unpinned",
    Severity.MEDIUM,
    "`nginx` may be another image tomorrow",
    Location("a.wpk.yaml", 10, 8, 10, 13),
    excerpt="image: nginx",
)


def names(*findings: Finding) -> list[str]:
    return [each.fingerprint for each in named(findings)]


def moved(finding: Finding, lines: int) -> Finding:
    place = finding.location
    return replace(finding, location=replace(place, line=place.line + lines, end_line=place.end_line + lines))


def test_a_line_that_moves_keeps_its_name() -> None:
    assert names(moved(FOUND, 7)) == names(FOUND)


def test_another_indentation_keeps_the_name() -> None:
    place = replace(FOUND.location, column=12, end_column=17)
    assert names(replace(FOUND, excerpt="    image: nginx", location=place)) == names(FOUND)


def test_another_rule_file_or_line_is_another_finding() -> None:
    others = [
        replace(FOUND, rule="image-not-allowed"),
        replace(FOUND, location=replace(FOUND.location, path="b.wpk.yaml")),
        replace(FOUND, excerpt="image: redis"),
    ]
    assert len({*names(FOUND), *(name for other in others for name in names(other))}) == 4


def test_equal_lines_are_told_apart_by_their_order() -> None:
    first, second = names(moved(FOUND, 20), FOUND)
    assert first.partition(":")[0] == second.partition(":")[0]
    assert (first[-2:], second[-2:]) == (":1", ":2")


def test_two_places_of_one_line_are_told_apart() -> None:
    other = replace(FOUND, location=Location("a.wpk.yaml", 10, 1, 10, 6))
    assert len({name.partition(":")[0] for name in names(FOUND, other)}) == 2


def test_without_a_line_the_message_names_it() -> None:
    bare = replace(FOUND, excerpt="", location=Location("a.wpk.yaml"))
    assert names(bare) != names(replace(bare, message="something else"))
    assert names(bare) == names(replace(bare, location=Location("a.wpk.yaml", 9)))


def test_the_same_finding_twice_is_one() -> None:
    assert len(named([FOUND, FOUND])) == 1


def test_a_package_tried_in_two_cases_has_its_findings_once() -> None:
    twice = run(FAILING, replace(FAILING, case="other"), PASSING)
    assert len([found for found in of_run(twice) if found in FAILING.findings]) == len(FAILING.findings)


def test_findings_of_no_package_are_there_too() -> None:
    assert set(EVERYTHING.findings) < set(of_run(EVERYTHING))
