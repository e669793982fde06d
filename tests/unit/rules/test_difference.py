"""What a change does to the risk, in words."""

from dataclasses import replace

from wpk_sandbox.finding import Finding, Waiver
from wpk_sandbox.package.load import load_bytes
from wpk_sandbox.package.package import Package
from wpk_sandbox.rules.check import check
from wpk_sandbox.rules.difference import MOST, risk_changes
from wpk_sandbox.rules.policy import Policy

Side = tuple[Package, tuple[Finding, ...]]


def side(*commands: str, mode: str = "manual") -> Side:
    steps = "".join(
        f"    - {{name: s{number}, type: shell, timeout: 5s, config: {{command: '{command}'}}}}\n"
        for number, command in enumerate(commands)
    )
    head = f"apiVersion: v1\nkind: WorkflowPackage\nmetadata: {{name: a, version: 1.0.0}}\nspec:\n  safety: {{mode: {mode}}}\n"
    text = head + "  runtime: {type: shell}\n  handlers:\n" + steps
    (package,) = load_bytes(text.encode(), "a.wpk.yaml").packages
    return package, check(package, Policy())


def waived(whole: Side) -> Side:
    waiver = Waiver("r", "2027-01-31", "@ops", whole[1][0].location)
    return whole[0], tuple(replace(each, waiver=waiver, points=0) for each in whole[1])


def test_nothing_to_compare_with_is_nothing_to_say() -> None:
    assert risk_changes(None, side("rm -rf /srv/data")) == ()


def test_a_step_that_is_new_gone_or_changed() -> None:
    harmless, harmful = side("ls"), side("ls", "rm -rf /srv/data")
    assert risk_changes(harmless, harmful) == ("step `s1` is new (shell-destroy-data)",)
    assert risk_changes(harmful, harmless) == ("step `s1` is gone (shell-destroy-data)",)
    assert risk_changes(harmless, side("rm -rf /srv/data")) == ("step `s0` now has shell-destroy-data",)
    assert risk_changes(side("rm -rf /srv/data"), harmless) == ("step `s0` no longer has shell-destroy-data",)


def test_a_second_step_that_does_the_same_is_a_difference() -> None:
    one, two = side("rm -rf /srv/data"), side("rm -rf /srv/data", "rm -rf /srv/data")
    assert risk_changes(one, two) == ("step `s1` is new (shell-destroy-data)",)


def test_what_is_waived_now_is_told_so() -> None:
    before = side("rm -rf /srv/data")
    assert risk_changes(before, waived(before)) == ("step `s0` no longer has shell-destroy-data (waived)",)
    assert risk_changes(waived(before), before) == ("step `s0` now has shell-destroy-data",)


def test_another_mode_is_told_because_the_score_does_not_show_it() -> None:
    assert risk_changes(side("ls"), side("ls", mode="auto")) == ("`mode` was manual, and is auto",)


def test_a_long_list_is_cut_and_says_by_how_much() -> None:
    lines = risk_changes(side("ls"), side(*["rm -rf /srv/data"] * 20))
    assert len(lines) == MOST + 1
    assert lines[-1] == "and 12 more"
