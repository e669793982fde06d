"""The list of rules, what is told of each, and the page that is made of them."""

import re
from pathlib import Path

import pytest

from wpk_sandbox.finding import Rule
from wpk_sandbox.package.problems import LOAD_RULES
from wpk_sandbox.rules.catalogue import ALL_RULES, CHANGE_RULES, CHECK_RULES, POLICY_RULES, nearest, rule
from wpk_sandbox.rules.explain import explain, rules_page
from wpk_sandbox.rules.policy import POINTS

ROOT = Path(__file__).parents[3]
each_rule = pytest.mark.parametrize("each", ALL_RULES, ids=lambda each: each.id)


def test_the_list_holds_the_rules_of_reading_and_of_checking_once() -> None:
    ids = [each.id for each in ALL_RULES]
    parts = (LOAD_RULES, CHECK_RULES, POLICY_RULES, CHANGE_RULES)
    assert len(ids) == len(set(ids)) == sum(map(len, parts))


def test_a_rule_is_found_by_its_id_and_by_nothing_else() -> None:
    assert all(rule(each.id) is each for each in ALL_RULES)
    assert rule("shell-destroy-sistem") is None
    assert rule("") is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("shell-destroy-sistem", "shell-destroy-system"),
        ("Privileged_Container", "privileged-container"),
        ("yaml-tags", "yaml-tag"),
        ("hardcoded-secret", "hard-coded-secret"),
        ("zzzzzz", None),
    ],
)
def test_the_nearest_rule_is_offered(written: str, meant: str | None) -> None:
    assert nearest(written) == meant


@each_rule
def test_a_rule_says_what_why_and_what_to_do(each: Rule) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", each.id)
    assert each.title[:1].isupper()
    assert not each.title.endswith(".")
    for text in (each.why, each.fix):
        assert text.endswith("."), text
        assert " ".join(text.split()) == text
    assert 0 <= each.points <= 100


@pytest.mark.parametrize("each", CHECK_RULES, ids=lambda each: each.id)
def test_a_rule_of_checking_weighs_what_its_severity_weighs(each: Rule) -> None:
    assert each.points == POINTS[each.severity]


@each_rule
def test_an_explanation_has_everything_and_fits_the_terminal(each: Rule) -> None:
    text = explain(each)
    flat = " ".join(text.split())
    assert flat.startswith(f"{each.id} ({each.severity}, ")
    for part in (each.title, each.why, each.fix):
        assert " ".join(part.split()) in flat
    assert (f"CWE-{each.cwe}" in flat) == (each.cwe is not None)
    assert max(len(line) for line in text.splitlines() if "https://" not in line) <= 80


def test_the_explanation_of_a_rule_reads_well() -> None:
    found = rule("shell-fork-bomb")
    assert found is not None
    assert explain(found) == (
        "shell-fork-bomb (critical, 80 points)\n"
        "A command starts processes without end\n"
        "\n"
        "Why\n"
        "  Each copy starts further copies in the background, until the machine can start\n"
        "  no process at all, not even the one that would stop it.\n"
        "\n"
        "What to do\n"
        "  Start a fixed number of processes, and `wait` for them.\n"
        "\n"
        "CWE-400: https://cwe.mitre.org/data/definitions/400.html\n"
    )


def test_the_page_of_rules_is_fresh(request: pytest.FixtureRequest) -> None:
    page = ROOT / "docs" / "rules.md"
    if request.config.getoption("--update-golden"):
        page.write_text(rules_page(), encoding="utf-8")
    assert page.read_text(encoding="utf-8") == rules_page(), (
        "run python -m wpk_sandbox.rules.explain > docs/rules.md"
    )


@each_rule
def test_each_rule_has_its_own_heading_on_the_page(each: Rule) -> None:
    assert rules_page().count(f"\n### {each.id}\n") == 1
