"""The list of rules, what is told of each, and the page that is made of them."""

import re
import textwrap
from pathlib import Path

import pytest

from wpk_sandbox.finding import Rule, Severity
from wpk_sandbox.generated_examples import examples_json
from wpk_sandbox.package.problems import LOAD_RULES
from wpk_sandbox.package.source import parse
from wpk_sandbox.rules.catalogue import ALL_RULES, CHANGE_RULES, CHECK_RULES, POLICY_RULES, nearest, rule
from wpk_sandbox.rules.explain import explain, may_be_waived, rules_page
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.sources import SOURCES
from wpk_sandbox.rules.waiver_text import written

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
    assert max(len(line) for line in text.splitlines() if not re.match(r".*https://|  \| ", line)) <= 80
    assert ("To let it stand" in text) == may_be_waived(each)
    assert all(source in text for source in SOURCES.get(each.id, ()))


@pytest.mark.parametrize("width", [50, 60])
def test_an_explanation_fits_a_narrow_terminal(width: int) -> None:
    lines = explain(ALL_RULES[40], width).splitlines()
    assert max(len(line) for line in lines if not re.match(r".*https://|  \| |  # ", line)) <= width


def test_what_cannot_be_waived_is_not_said_to_be() -> None:
    waivable = {each.id for each in ALL_RULES if may_be_waived(each)}
    assert {"shell-destroy-data", "shell-fork-bomb", "timeout-missing", "yaml-bidi"} <= waivable
    assert not waivable & {"yaml-syntax", "missing-field", "waiver-expired", "waiver-refused"}
    assert not waivable & {each.id for each in CHANGE_RULES}, "these are about no package"


def test_a_critical_rule_offers_no_comment_because_it_would_not_count_in_a_change() -> None:
    for each in ALL_RULES:
        if may_be_waived(each):
            offered = f"# wpk-sandbox: allow {each.id} -- " in explain(each)
            assert offered == (each.severity is not Severity.CRITICAL)


def test_the_comment_that_is_offered_is_one_that_waives() -> None:
    found = re.search(r"#.*wpk-sandbox:.*", explain(by_id("shell-destroy-data")))
    assert found
    said = found[0].replace("YYYY-MM-DD", "2027-01-31")
    (document,) = parse(f"kind: x {said}\n".encode(), "a.wpk.yaml").documents
    (comment,) = written(document)
    assert (comment.rule, comment.problem) == ("shell-destroy-data", "")


def test_each_source_belongs_to_a_rule_and_is_a_page() -> None:
    assert {each.id for each in ALL_RULES} >= SOURCES.keys()
    assert all(re.fullmatch(r"https://[^\s()]+", page) for pages in SOURCES.values() for page in pages)
    assert all(len(pages) == len(set(pages)) for pages in SOURCES.values())


def test_the_explanation_of_a_rule_reads_well() -> None:
    assert explain(by_id("resources-too-large")) == (
        "resources-too-large (medium, 10 points)\n"
        "More CPU or memory is asked for than the policy allows\n"
        "\n"
        "Why\n"
        + "\n".join(
            textwrap.wrap(by_id("resources-too-large").why, 80, initial_indent="  ", subsequent_indent="  ")
        )
        + "\n\n"
        "Found in\n"
        "  | resources: {limits: {cpu: 500m, memory: 16Gi}}\n"
        "\n"
        "Not found in\n"
        '  | resources: {limits: {cpu: "2", memory: 8Gi}}\n'
        "\n"
        "What to do\n"
        + "\n".join(
            textwrap.wrap(by_id("resources-too-large").fix, 80, initial_indent="  ", subsequent_indent="  ")
        )
        + "\n\n"
        "To let it stand\n"
        "  An entry of `policy.waivers`, or in a package this comment on the line of the\n"
        "  finding or right above it:\n"
        "  # wpk-sandbox: allow resources-too-large -- WHY (until YYYY-MM-DD, @WHO)\n"
        "\n"
        "More\n"
        "  CWE-400: https://cwe.mitre.org/data/definitions/400.html\n"
        "  https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/\n"
    )


def by_id(identifier: str) -> Rule:
    found = rule(identifier)
    assert found
    return found


def test_examples_are_fresh(request: pytest.FixtureRequest) -> None:
    path = ROOT / "src/wpk_sandbox/rules/examples.json"
    made = examples_json(ROOT / "tests/golden/rules")
    if request.config.getoption("--update-golden"):
        path.write_text(made, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == made, "run python -m wpk_sandbox.generated"


def test_the_page_of_rules_is_fresh(request: pytest.FixtureRequest) -> None:
    page = ROOT / "docs" / "rules.md"
    if request.config.getoption("--update-golden"):
        page.write_text(rules_page(), encoding="utf-8")
    assert page.read_text(encoding="utf-8") == rules_page(), "run python -m wpk_sandbox.generated"


@each_rule
def test_each_rule_has_its_own_heading_on_the_page(each: Rule) -> None:
    assert rules_page().count(f"\n### {each.id}\n") == 1
