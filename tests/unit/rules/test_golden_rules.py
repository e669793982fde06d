"""Each rule has a folder of its own: a package that breaks it, one that nearly does, and what is said of the first."""

from collections.abc import Callable
from pathlib import Path

import pytest

from wpk_sandbox.finding import Finding, Location
from wpk_sandbox.package.load import load_file
from wpk_sandbox.rules.catalogue import CHECK_RULES, POLICY_RULES
from wpk_sandbox.rules.check import check
from wpk_sandbox.rules.naming import name_taken
from wpk_sandbox.rules.policy import Policy

FOLDER = Path(__file__).parents[2] / "golden" / "rules"
POLICY = Policy(allowed_registries=("docker.io", "registry.example.com", "registry.example.com:5000"))
IDS = sorted(rule.id for rule in CHECK_RULES)


def findings(rule: str, file: str) -> tuple[Finding, ...]:
    loaded = load_file(FOLDER / rule / file, display=f"{rule}/{file}", root=FOLDER)
    assert [finding.message for finding in loaded.findings] == []
    assert loaded.packages
    taken: dict[str, Location] = {}
    found = [(*check(package, POLICY), *name_taken(package, taken)) for package in loaded.packages]
    return tuple(finding for each in found for finding in each)


def told(finding: Finding) -> str:
    place = finding.location
    marked = finding.excerpt[place.column - 1 : place.end_column - 1 if place.end_line == place.line else None]
    return (
        f"{place}: {finding.severity} {finding.rule}: {finding.message}\n"
        f"  at: {marked}\n"
        f"  fix: {finding.fix}\n"
        f"  CWE: {finding.cwe or 'none'}, points: {finding.points}\n"
    )


def test_each_rule_has_its_folder_and_each_folder_its_rule() -> None:
    others = [rule.id for rule in POLICY_RULES]  # test_golden_policy.py
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted([*IDS, *others])


@pytest.mark.parametrize("rule", IDS)
def test_a_package_that_breaks_the_rule_is_told_so(rule: str, golden: Callable[[str, str], None]) -> None:
    found = findings(rule, "hit.wpk.yaml")
    assert rule in {finding.rule for finding in found}
    golden(f"rules/{rule}/expected.txt", "".join(told(finding) for finding in found))


@pytest.mark.parametrize("rule", IDS)
def test_a_package_that_nearly_breaks_the_rule_is_not(rule: str) -> None:
    assert rule not in {finding.rule for finding in findings(rule, "near-miss.wpk.yaml")}
