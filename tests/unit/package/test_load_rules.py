"""The rules of reading are complete, and high means that there is no package."""

import re
from pathlib import Path

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.package import problems

SOURCES = Path(problems.__file__).parent


def test_ids_are_unique_words_joined_by_hyphens() -> None:
    ids = [rule.id for rule in problems.LOAD_RULES]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in ids)


def test_every_rule_is_listed_and_used() -> None:
    named = {name: rule for name, rule in vars(problems).items() if isinstance(rule, Rule)}
    assert set(named.values()) == set(problems.LOAD_RULES)
    code = "".join(path.read_text() for path in SOURCES.glob("*.py") if path.name != "problems.py")
    assert [name for name in named if f"problems.{name}" not in code] == []


def test_every_rule_says_why_and_what_to_do() -> None:
    for rule in problems.LOAD_RULES:
        assert rule.title
        assert rule.why.endswith(".")
        assert rule.fix.endswith(".")
        assert 0 <= rule.points <= 10
        assert rule.severity is not Severity.CRITICAL


def test_weaknesses_are_named_where_one_fits() -> None:
    numbers = {rule.id: rule.cwe for rule in problems.LOAD_RULES}
    assert numbers["yaml-duplicate-key"] == 694
    assert numbers["yaml-alias-bomb"] == 776
    assert numbers["yaml-recursion"] == 674
    assert numbers["yaml-bidi"] == 1007
    assert numbers["yaml-control-character"] == 150
