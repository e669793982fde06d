"""From findings to a decision: thresholds, the stricter neighbour of automatic packages, critical findings."""

import pytest

from wpk_sandbox.finding import Finding, Location, Severity
from wpk_sandbox.rules.policy import POINTS, Outcome, Policy, decide

POLICY = Policy()


def finding(points: int, severity: Severity = Severity.MEDIUM, line: int = 1, rule: str = "a-rule") -> Finding:
    return Finding(rule, severity, "it is so", Location("a.wpk.yaml", line), points=points)


@pytest.mark.parametrize(
    ("points", "outcome", "automatic_outcome"),
    [
        (0, Outcome.APPROVE, Outcome.APPROVE),
        (24, Outcome.APPROVE, Outcome.APPROVE),
        (25, Outcome.REVIEW, Outcome.PERSON),
        (49, Outcome.REVIEW, Outcome.PERSON),
        (50, Outcome.PERSON, Outcome.BLOCK),
        (75, Outcome.PERSON, Outcome.BLOCK),
        (76, Outcome.BLOCK, Outcome.BLOCK),
        (100, Outcome.BLOCK, Outcome.BLOCK),
    ],
)
def test_the_sum_decides_and_automatic_packages_get_the_stricter_neighbour(
    points: int, outcome: Outcome, automatic_outcome: Outcome
) -> None:
    assert decide([finding(points)], POLICY, automatic=False).outcome is outcome
    assert decide([finding(points)], POLICY, automatic=True).outcome is automatic_outcome


def test_the_reason_says_that_automatic_mode_made_it_stricter() -> None:
    assert "mode: auto" in decide([finding(30)], POLICY, automatic=True).reason
    assert "mode: auto" not in decide([finding(30)], POLICY, automatic=False).reason
    assert "mode: auto" not in decide([finding(10)], POLICY, automatic=True).reason


def test_points_add_up_to_at_most_100() -> None:
    assert decide([finding(30), finding(10)], POLICY, automatic=False).risk == 40
    assert decide([finding(60)] * 3, POLICY, automatic=False).risk == 100


def test_a_critical_finding_blocks_whatever_the_sum_and_the_policy_say() -> None:
    generous = Policy(review_from=98, person_from=99, block_from=100)
    decision = decide([finding(1, Severity.CRITICAL, 7, "a-danger")], generous, automatic=False)
    assert decision.blocked
    assert decision.reason == "a-danger at line 7 is critical"
    assert not decide([finding(1, Severity.HIGH)], generous, automatic=False).blocked


def test_the_table_explains_the_sum_worst_first_and_leaves_out_what_adds_nothing() -> None:
    found = [finding(3, Severity.LOW, 1), finding(0, Severity.INFO, 2), finding(30, Severity.HIGH, 3)]
    decision = decide(found, POLICY, automatic=False)
    assert [(item.points, item.location.line) for item in decision.items] == [(30, 3), (3, 1)]
    assert sum(item.points for item in decision.items) == decision.risk


def test_no_finding_is_no_risk() -> None:
    decision = decide([], POLICY, automatic=True)
    assert (decision.risk, decision.outcome, decision.items) == (0, Outcome.APPROVE, ())


def test_the_points_fit_the_scale() -> None:
    def outcome(*severities: Severity) -> Outcome:
        return decide([finding(POINTS[each]) for each in severities], POLICY, automatic=False).outcome

    assert POINTS[Severity.CRITICAL] >= POLICY.block_from
    assert outcome(Severity.HIGH) is Outcome.REVIEW
    assert outcome(Severity.HIGH, Severity.HIGH) is Outcome.PERSON
    assert outcome(*[Severity.HIGH] * 3) is Outcome.BLOCK
    assert outcome(*[Severity.MEDIUM] * 2) is Outcome.APPROVE
    assert outcome(*[Severity.MEDIUM] * 3) is Outcome.REVIEW
    assert outcome(*[Severity.INFO] * 99) is Outcome.APPROVE
