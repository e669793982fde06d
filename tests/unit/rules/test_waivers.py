"""Waivers: what they cover, what they lack, when they end, and what they cannot excuse."""

from dataclasses import replace
from datetime import date

import pytest

from wpk_sandbox.finding import Finding, Location, Severity, Waiver
from wpk_sandbox.package.load import load_bytes
from wpk_sandbox.package.package import Package
from wpk_sandbox.rules.check import check
from wpk_sandbox.rules.policy import FileWaiver, Policy, decide, weighed
from wpk_sandbox.rules.waivers import about_policy, waive

TODAY = date(2026, 11, 23)
POLICY = Policy()
GOOD = "# wpk-sandbox: allow shell-destroy-data -- a copy is kept (until 2026-11-23, @ops)"
TEXT = """\
apiVersion: v1
kind: WorkflowPackage
metadata: {{name: a, version: 1.0.0}}
spec:
  runtime: {{type: shell}}
  handlers:
    - name: purge
      type: shell
      timeout: 5s
      {above}
      config: {{command: rm -rf /srv/data}}  {beside}
      {below}
    - name: script
      type: shell
      timeout: 5s
      config:
        command: |  {header}
          {inside}
          rm -rf /srv/data
"""


def package(**places: str) -> Package:
    empty = dict.fromkeys(("above", "beside", "below", "header", "inside"), "")
    (made,) = load_bytes(TEXT.format(**empty | places).encode(), "ops/p.wpk.yaml").packages
    return made


def judged(made: Package, policy: Policy = POLICY, today: date = TODAY) -> tuple[Finding, ...]:
    return waive(made.document, weighed(check(made, policy), policy), policy, today).findings


def waived(findings: tuple[Finding, ...]) -> list[int]:
    return [finding.location.line for finding in findings if finding.waiver]


def about(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.rule for finding in findings if finding.rule.startswith("waiver-")]


def test_without_a_waiver_both_findings_count() -> None:
    findings = judged(package())
    assert [(each.rule, each.location.line) for each in findings] == [
        ("shell-destroy-data", 11),
        ("shell-destroy-data", 19),
    ]
    assert (waived(findings), decide(findings, Policy(), automatic=False).risk) == ([], 60)


@pytest.mark.parametrize(("place", "line"), [("above", 11), ("beside", 11), ("header", 19)])
def test_a_waiver_covers_the_finding_of_its_line_and_nothing_else(place: str, line: int) -> None:
    findings = judged(package(**{place: GOOD}))
    assert (waived(findings), about(findings)) == ([line], [])
    assert decide(findings, Policy(), automatic=False).risk == 30


def test_a_waiver_below_its_finding_covers_nothing_and_is_told_so() -> None:
    findings = judged(package(below=GOOD))
    assert (waived(findings), about(findings)) == ([], ["waiver-unused"])


def test_a_comment_in_a_script_is_the_scripts() -> None:
    findings = judged(package(inside=GOOD))
    assert (waived(findings), about(findings)) == ([], [])


def test_a_waiver_keeps_the_finding_with_who_when_and_why() -> None:
    (finding,) = (each for each in judged(package(above=GOOD)) if each.waiver)
    assert (finding.severity, finding.points) == (Severity.HIGH, 0)
    assert finding.waiver == Waiver(
        "a copy is kept", "2026-11-23", "@ops", Location("ops/p.wpk.yaml", 10, 7, 10, 89)
    )
    assert str(finding.waiver) == "waived until 2026-11-23 by @ops: a copy is kept"


def test_a_waiver_holds_on_its_last_day_and_not_on_the_next() -> None:
    made = package(above=GOOD)
    assert waived(judged(made, today=date(2026, 11, 23))) == [11]
    over = judged(made, today=date(2026, 11, 24))
    assert (waived(over), about(over)) == ([], ["waiver-expired"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# wpk-sandbox: allow shell-destroy-data (until 2027-01-31, @ops)", "is not of the form"),
        ("# wpk-sandbox: allow shell-destroy-data -- (until 2027-01-31, @ops)", "has no reason"),
        ("# wpk-sandbox: allow shell-destroy-data -- r", "does not say until when"),
        ("# wpk-sandbox: allow shell-destroy-data -- r (@ops)", "does not say until when"),
        ("# wpk-sandbox: allow shell-destroy-data -- r (until 2027-02-30, @ops)", "`2027-02-30`, which is no day"),
        ("# wpk-sandbox: allow shell-destroy-data -- r (until 20270130, @ops)", "which is no day"),
        ("# wpk-sandbox: allow shell-destroy-data -- r (until 2027-01-31)", "has no owner"),
        (
            "# wpk-sandbox: allow shell-destroy-dat -- r (until 2027-01-31, @ops)",
            "did you mean `shell-destroy-data`?",
        ),
        ("# wpk-sandbox: ignore shell-destroy-data -- r (until 2027-01-31, @ops)", "is not of the form"),
    ],
)
def test_a_waiver_that_lacks_something_is_told_what_and_covers_nothing(text: str, words: str) -> None:
    findings = judged(package(above=text))
    assert (waived(findings), about(findings)) == ([], ["waiver-invalid"])
    assert words in next(each.message for each in findings if each.rule == "waiver-invalid")


@pytest.mark.parametrize("text", ["# see wpk-sandbox: allow is explained there", "# wpk-sandbox is good", "#"])
def test_other_comments_are_no_waivers(text: str) -> None:
    assert about(judged(package(above=text))) == []


def test_a_waiver_of_a_waivers_finding_counts_for_nothing() -> None:
    over = GOOD.replace("2026-11-23", "2026-01-01")
    excuse = GOOD.replace("shell-destroy-data", "waiver-expired")
    findings = judged(package(beside=over, above=excuse))
    assert "waiver-expired" in about(findings)
    assert waived(findings) == []


def entry(
    rule: str = "shell-destroy-data", path: str = "ops/*.wpk.yaml", text: str = "", problem: str = ""
) -> FileWaiver:
    return FileWaiver(rule, path, Waiver("r", "2026-11-23", "@ops", Location("s.yaml", 3)), text, problem)


@pytest.mark.parametrize(
    ("waiver", "lines"),
    [
        (entry(), [11, 19]),
        (entry(text="rm -rf /srv/data"), [11, 19]),
        (entry(text="config:  {command: rm -rf /srv/data}"), [11]),
        (entry(text="rm -rf"), []),
        (entry(path="ops/p.wpk.yaml"), [11, 19]),
        (entry(path="other/*"), []),
        (entry(rule="external-call"), []),
        (entry(problem="has no owner"), []),
        (replace(entry(), waiver=Waiver("r", "2026-11-22", "@ops", Location("s.yaml"))), []),
    ],
)
def test_a_waiver_of_the_policy_covers_its_rule_path_and_text(waiver: FileWaiver, lines: list[int]) -> None:
    assert waived(judged(package(), Policy(waivers=(waiver,)))) == lines


def test_a_rule_that_the_policy_made_milder_stays_critical_for_waivers() -> None:
    policy = Policy(severity={"shell-destroy-system": Severity.HIGH}, waivers=(entry("shell-destroy-system"),))
    (made,) = load_bytes(
        TEXT.replace("/srv/data", "/").format(above="", beside="", below="", header="", inside="").encode(),
        "ops/p.wpk.yaml",
    ).packages
    findings = judged(made, policy)
    assert "waiver-refused" in about(findings)
    assert waived(findings) == []
    assert decide(findings, policy, automatic=False).risk == 70


def test_a_file_that_cannot_be_understood_cannot_be_waived() -> None:
    made = package()
    broken = Finding(
        "yaml-duplicate-key", Severity.HIGH, "m", Location("ops/p.wpk.yaml", 3), excerpt="x", points=10
    )
    found = waive(made.document, [broken], Policy(waivers=(entry("yaml-duplicate-key"),)), TODAY).findings
    assert [each.rule for each in found] == ["yaml-duplicate-key", "waiver-refused"]
    assert waived(found) == []


def test_an_unused_waiver_of_the_policy_is_named_only_where_its_files_were_judged() -> None:
    policy = Policy(waivers=(entry(),))
    named = list(about_policy(policy, ["ops/p.wpk.yaml"], frozenset(), TODAY))
    assert [(each.rule, str(each.location)) for each in named] == [("waiver-unused", "s.yaml:3:1")]
    assert list(about_policy(policy, ["elsewhere/p.wpk.yaml"], frozenset(), TODAY)) == []
    assert list(about_policy(policy, ["ops/p.wpk.yaml"], frozenset(policy.waivers), TODAY)) == []


def test_a_finding_about_a_waiver_shows_no_secret_that_stands_before_it() -> None:
    text = TEXT.format(above="", beside="", below="", header="", inside="")
    secret = "AKIA" + "Q3EGRIZ7K2MVB4TX"
    text = text.replace("config: {command: rm -rf /srv/data}", f"config: {{command: login {secret}}}  {GOOD}")
    (made,) = load_bytes(text.encode(), "ops/p.wpk.yaml").packages
    (unused,) = (each for each in judged(made) if each.rule == "waiver-unused")
    assert unused.excerpt.strip() == GOOD
    assert unused.excerpt.index("#") == unused.location.column - 1
