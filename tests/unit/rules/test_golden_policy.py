"""Each rule about policies and waivers has a folder of its own, with the policy that its two packages are held to."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from wpk_sandbox.finding import Finding
from wpk_sandbox.package.load import load_file
from wpk_sandbox.report.findings import finding_lines
from wpk_sandbox.report.lines import plain
from wpk_sandbox.rules.catalogue import POLICY_RULES
from wpk_sandbox.rules.judgement import Before, judged_before, judgement
from wpk_sandbox.rules.policy import Policy
from wpk_sandbox.settings import resolve

FOLDER = Path(__file__).parents[2] / "golden" / "rules"
IDS = sorted(rule.id for rule in POLICY_RULES)
TODAY = date(2026, 11, 23)


def findings(rule: str, file: str) -> tuple[Finding, ...]:
    loaded = load_file(FOLDER / rule / file, display=f"{rule}/{file}", root=FOLDER)
    assert [finding.message for finding in loaded.findings] == []
    policy = resolve(file=(FOLDER / rule / "policy.yaml").read_bytes()).policy
    (package,) = loaded.packages
    return judgement(package, (), policy, TODAY, before(rule, policy)).findings


def before(rule: str, policy: Policy) -> Before | None:
    """The base version, for a rule about changes."""
    path = FOLDER / rule / "base.wpk.yaml"
    if not path.exists():
        return None
    (package,) = load_file(path, display=f"{rule}/base.wpk.yaml", root=FOLDER).packages
    return judged_before(package, (), policy, TODAY)


@pytest.mark.parametrize("rule", IDS)
def test_a_package_that_breaks_the_rule_is_told_so(rule: str, golden: Callable[[str, str], None]) -> None:
    found = findings(rule, "hit.wpk.yaml")
    assert rule in {finding.rule for finding in found}
    golden(f"rules/{rule}/expected.txt", plain(finding_lines(found)))


@pytest.mark.parametrize("rule", IDS)
def test_a_package_that_nearly_breaks_the_rule_is_not(rule: str) -> None:
    found = findings(rule, "near-miss.wpk.yaml")
    assert rule not in {finding.rule for finding in found}
    assert all(finding.waiver for finding in found if rule.startswith("waiver-"))
