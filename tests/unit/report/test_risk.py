"""What a change does to the risk, and what is waived, in the reports that people read."""

from dataclasses import replace

from report.sample import PASSING
from wpk_sandbox.finding import Finding, Location, Severity, Waiver
from wpk_sandbox.publish.github import annotations
from wpk_sandbox.report.summary import summary
from wpk_sandbox.report.text import text
from wpk_sandbox.run.result import PackageResult, RunResult, Verdict

WAIVER = Waiver("a copy is kept", "2027-01-31", "@ops", Location("a.wpk.yaml", 8, 3))
WAIVED = Finding(
    "shell-destroy-data", Severity.HIGH, "deletes", Location("a.wpk.yaml", 9), fix="Copy.", waiver=WAIVER
)
RISEN = replace(
    PASSING, base_risk=5, risk_changes=("step `purge` is new (shell-destroy-data)", "image-unpinned is new")
)


def result(*packages: PackageResult) -> RunResult:
    return RunResult("run", "1", "2026-11-23T00:00:00Z", 1.0, Verdict.PASS, packages)


def test_text_says_what_the_change_does_to_the_risk() -> None:
    risk = PASSING.decision.risk
    words = f"  Risk      5 → {risk}: step `purge` is new (shell-destroy-data); image-unpinned is new"
    assert words in text(result(RISEN)).split("\n")


def test_summary_says_it_in_the_table_and_below() -> None:
    made = summary(result(RISEN))
    assert f"5 → {PASSING.decision.risk}, {PASSING.decision.outcome}" in made
    assert "is new (shell-destroy-data)" in made


def test_a_package_without_a_base_or_without_a_difference_says_nothing() -> None:
    same = replace(PASSING, base_risk=PASSING.decision.risk)
    for package in (PASSING, same):
        assert "  Risk  " not in text(result(package))
        assert "→" not in summary(result(package)).split("| risk |")[1].split("<details>")[0].split("changes")[0]


def test_the_name_of_a_step_cannot_command_a_terminal_or_write_markdown() -> None:
    hostile = replace(PASSING, base_risk=1, risk_changes=("step `a` \x1b[2J](javascript:x)<img src=x> `b` is new",))
    assert "\x1b" not in text(result(hostile))
    made = summary(result(hostile))
    assert "<img" not in made
    assert "\x1b" not in made


def test_a_waived_finding_is_in_the_reports_with_its_waiver_and_is_no_annotation() -> None:
    waived = replace(PASSING, findings=(WAIVED,))
    words = "waived until 2027-01-31 by @ops: a copy is kept"
    assert words in text(result(waived))
    assert "a copy is kept" in summary(result(waived))
    assert annotations(result(waived)) == []
    assert len(annotations(result(replace(PASSING, findings=(replace(WAIVED, waiver=None),))))) == 1


def test_a_finding_about_the_policy_is_not_called_an_unreadable_package() -> None:
    about = Finding("waiver-expired", Severity.MEDIUM, "ran out", Location(".wpk-sandbox.yaml", 3))
    made = summary(replace(result(PASSING), findings=(about,)))
    assert "ran out" in made
    assert "cannot be read as a package" not in made
    broken = summary(replace(result(PASSING), findings=(replace(about, severity=Severity.HIGH),)))
    assert "cannot be read as a package" in broken
