"""`policy.inline_waivers`: which comments of a change count, and that none counts without being shown everywhere."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from pull_requests import ALLOW, HARMLESS, POLICY, PURGE, WIPE, PullRequest, Said, handler, package, rules

from wpk_sandbox import checking
from wpk_sandbox.finding import Severity
from wpk_sandbox.pipeline import try_packages
from wpk_sandbox.publish import github
from wpk_sandbox.report.codequality import code_quality
from wpk_sandbox.report.fingerprint import of_run
from wpk_sandbox.report.html import html
from wpk_sandbox.report.json import to_json
from wpk_sandbox.report.junit import junit
from wpk_sandbox.report.sarif import sarif
from wpk_sandbox.report.summary import summary
from wpk_sandbox.report.text import text
from wpk_sandbox.run.result import RunResult

CLEAN = "ops/clean.wpk.yaml"
DATA, SYSTEM = "shell-destroy-data", "shell-destroy-system"
CLEARED = handler("purge", PURGE, ALLOW.format(DATA))
WORDS = "waived in this change by its author"


def changed(folder: Path, mode: str, before: str, after: str) -> tuple[PullRequest, str]:
    """A pull request under a policy with this mode, and its base."""
    change = PullRequest(folder)
    base = change.commit({POLICY: f"policy: {{inline_waivers: {mode}}}\n" if mode else "", CLEAN: before})
    change.commit({CLEAN: after})
    return change, base


def said(folder: Path, mode: str, before: str, after: str) -> Said:
    change, base = changed(folder, mode, before, after)
    return change.said(base)


@pytest.mark.parametrize(
    ("mode", "told", "risk"),
    [("", {DATA, "waiver-new"}, 30), ("base", {DATA, "waiver-new"}, 30), ("any", {"waiver-new"}, 0)],
)
def test_a_waiver_that_comes_with_its_finding(tmp_path: Path, mode: str, told: set[str], risk: int) -> None:
    (judged,) = said(tmp_path, mode, package(handler("look", HARMLESS)), package(CLEARED)).packages
    assert (rules(judged), judged.decision.risk) == (told, risk)
    waivers = [finding.waiver for finding in judged.findings if finding.waiver]
    assert [waiver.new for waiver in waivers] == [True] * (mode == "any")


@pytest.mark.parametrize("mode", ["base", "any"])
def test_a_waiver_that_the_base_has_too_is_nothing_new(tmp_path: Path, mode: str) -> None:
    after = package(handler("look", HARMLESS), CLEARED)
    (judged,) = said(tmp_path, mode, package(CLEARED), after).packages
    assert (rules(judged), judged.decision.risk) == (set(), 0)
    assert [str(finding.waiver) for finding in judged.findings] == [
        "waived until 2027-01-31 by @ops: the machine is thrown away"
    ]


@pytest.mark.parametrize("mode", ["base", "any", "none"])
def test_a_critical_finding_is_waived_by_no_comment_of_its_own_change(tmp_path: Path, mode: str) -> None:
    after = package(handler("wipe", WIPE, ALLOW.format(SYSTEM)))
    (judged,) = said(tmp_path, mode, package(handler("look", HARMLESS)), after).packages
    assert {SYSTEM, "waiver-refused"} <= rules(judged)
    assert judged.decision.blocked


def test_where_comments_waive_nothing_those_of_the_base_do_not_either(tmp_path: Path) -> None:
    (judged,) = said(tmp_path, "none", package(CLEARED), package(handler("look", HARMLESS), CLEARED)).packages
    assert rules(judged) == {DATA, "waiver-refused"}


def test_a_change_that_waives_for_itself_cannot_let_itself(tmp_path: Path) -> None:
    change = PullRequest(tmp_path)
    base = change.commit({CLEAN: package(handler("look", HARMLESS))})
    change.commit({POLICY: "policy: {inline_waivers: any}\n", CLEAN: package(CLEARED)})
    assert DATA in rules(change.one(base))


@pytest.fixture
def result(tmp_path: Path) -> RunResult:
    """The run of a change that waives one of its findings and is refused for others, so that nothing starts."""
    before, after = package(handler("look", HARMLESS)), package(CLEARED, handler("wipe", WIPE))
    change, base = changed(tmp_path, "any", before, after)
    return try_packages(change.request(change.environment(base)))[0]


FORMS: dict[str, Callable[[RunResult], str]] = {
    "json": to_json,
    "sarif": lambda result: sarif(of_run(result)),
    "gitlab": lambda result: code_quality(of_run(result)),
    "junit": junit,
    "html": html,
    "summary": summary,
    "text": text,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_what_the_author_waived(result: RunResult, form: str) -> None:
    assert WORDS in FORMS[form](result)


def test_it_is_an_annotation_of_the_line_too(result: RunResult, tmp_path: Path) -> None:
    stream = io.StringIO()
    environment = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary"), "GITHUB_OUTPUT": str(tmp_path / "output")}
    github.publish(result, summary(result), None, environment, stream)
    (line,) = [line for line in stream.getvalue().splitlines() if WORDS in line]
    assert line.startswith("::warning ")
    assert f"file={CLEAN}" in line


@pytest.mark.parametrize("form", ["text", "json", "sarif", "gitlab", "github", "junit"])
def test_check_says_it_as_well(tmp_path: Path, form: str) -> None:
    change, base = changed(tmp_path, "any", package(handler("look", HARMLESS)), package(CLEARED))
    stream = io.StringIO()
    assert checking.check(change.request(change.environment(base)), form, stream) == 0
    assert WORDS in stream.getvalue()


def test_it_is_worth_a_look_and_no_points(result: RunResult) -> None:
    (finding,) = [each for each in result.packages[0].findings if each.rule == "waiver-new"]
    assert (finding.severity, finding.points) == (Severity.LOW, 0)
