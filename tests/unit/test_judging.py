"""What the checks are told of beside the package itself: its cases, and the packages that are checked with it."""

from pathlib import Path

from wpk_sandbox.finding import Finding
from wpk_sandbox.judging import Judged, Request, judge
from wpk_sandbox.package.selection import find
from wpk_sandbox.settings import resolve

NIGHTLY = """\
apiVersion: v1
kind: WorkflowPackage
metadata: {name: NAME, version: 1.0.0}
spec:
  runtime: {type: k8s}
  triggers: [{type: schedule, config: {cron: "0 3 * * *"}}]
  handlers:
    - name: restart
      type: k8s
      timeout: 1m
      config: {action: restart, resource_type: deployment}
    - name: work
      type: shell
      timeout: 1m
      config: {command: "work ${LEVEL}"}
"""
CASE = "cases: [{name: one, event: {deployment: web}, parameters: {LEVEL: '5'}}]\n"


def judged(folder: Path) -> tuple[list[Judged], list[Finding]]:
    loose: list[Finding] = []
    request = Request(folder, find(["."], root=folder), resolve(), "run-1")
    return list(judge(request, loose)), loose


def rules(one: Judged) -> set[str]:
    return {finding.rule for finding in one.findings}


def test_a_case_file_tells_the_target_and_the_parameters(tmp_path: Path) -> None:
    (tmp_path / "alone.wpk.yaml").write_text(NIGHTLY.replace("NAME", "alone"))
    (tmp_path / "told.wpk.yaml").write_text(NIGHTLY.replace("NAME", "told"))
    (tmp_path / "told.wpk.test.yaml").write_text(CASE)
    (alone, told), _ = judged(tmp_path)
    unknown = {"target-unknown", "parameter-unexplained"}
    assert rules(alone) & unknown == unknown
    assert rules(told) & unknown == set()


def test_a_name_is_taken_across_files_and_counts_into_the_risk_of_the_second(tmp_path: Path) -> None:
    for file, name in (("a", "same"), ("b", "other"), ("c", "same")):
        (tmp_path / f"{file}.wpk.yaml").write_text(NIGHTLY.replace("NAME", name))
    (first, other, second), _ = judged(tmp_path)
    assert ["name-taken" in rules(each) for each in (first, other, second)] == [False, False, True]
    (finding,) = [each for each in second.findings if each.rule == "name-taken"]
    assert finding.message == "a.wpk.yaml:3 is called `same` too"
    assert finding.excerpt == "metadata: {name: same, version: 1.0.0}"
    assert second.decision.risk == first.decision.risk + finding.points


def test_several_cases_of_one_package_take_its_name_once(tmp_path: Path) -> None:
    (tmp_path / "a.wpk.yaml").write_text(NIGHTLY.replace("NAME", "same"))
    (tmp_path / "a.wpk.test.yaml").write_text("cases: [{name: one}, {name: two}]\n")
    (one, two), _ = judged(tmp_path)
    assert "name-taken" not in rules(one) | rules(two)


APPLIES = """\
apiVersion: v1
kind: WorkflowPackage
metadata: {name: apply, version: 1.0.0}
spec:
  runtime: {type: k8s}
  handlers:
    - {name: roll-out, type: k8s, timeout: 1m, config: {action: apply, manifest: PATH}}
"""
HOST = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {hostPID: true, containers: []}\n"


def test_a_manifest_beside_the_package_counts_into_its_risk(tmp_path: Path) -> None:
    (tmp_path / "apply.wpk.yaml").write_text(APPLIES.replace("PATH", "k8s/web.yaml"))
    (tmp_path / "k8s").mkdir()
    (tmp_path / "k8s" / "web.yaml").write_text(HOST)
    (one,), _ = judged(tmp_path)
    assert str(one.decision.outcome) == "block"
    (finding,) = [each for each in one.findings if each.rule == "host-namespace"]
    assert str(finding.location) == "k8s/web.yaml:4:8"


def test_a_manifest_is_not_read_from_outside_of_the_repository(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    root.mkdir()
    (tmp_path / "web.yaml").write_text(HOST)
    (root / "link.yaml").symlink_to(tmp_path / "web.yaml")
    for number, path in enumerate(("../web.yaml", "link.yaml", str(tmp_path / "web.yaml"))):
        (root / f"{number}.wpk.yaml").write_text(APPLIES.replace("PATH", path))
    ones, _ = judged(root)
    assert len(ones) == 3
    for one in ones:
        assert "host-namespace" not in rules(one)
        (finding,) = [each for each in one.findings if each.rule == "file-outside-repository"]
        assert (finding.location.path, finding.location.line) == (one.package.path, 7)


def test_a_manifest_that_is_not_there_is_told_where_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "apply.wpk.yaml").write_text(APPLIES.replace("PATH", "k8s/web.yaml"))
    (one,), _ = judged(tmp_path)
    (finding,) = [each for each in one.findings if each.rule == "file-unreadable"]
    assert finding.message == "`k8s/web.yaml` cannot be read: no such file or directory"
    assert finding.excerpt[finding.location.column - 1 :].startswith("k8s/web.yaml")
