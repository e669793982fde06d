"""What the `text` of a policy's waiver must be: a line for what is lesser, the whole for what is critical."""

from datetime import date

import pytest

from wpk_sandbox.finding import Finding, Location, Waiver
from wpk_sandbox.package.attached import with_files
from wpk_sandbox.package.load import load_bytes
from wpk_sandbox.package.package import Package
from wpk_sandbox.rules.judgement import judgement
from wpk_sandbox.rules.policy import FileWaiver, Policy

TODAY = date(2026, 11, 23)
STEP = """\
    - name: roll
      type: k8s
      timeout: 5s
      config:
        action: apply
        manifest:
          apiVersion: v1
          kind: Pod
          metadata: {name: web, namespace: shop}
          spec:
            hostPID: true
            containers: [{name: web, image: registry.example.com/web:1.2.0}]
"""
HEAD = """\
apiVersion: v1
kind: WorkflowPackage
metadata: {name: a, version: 1.0.0}
spec:
  runtime: {type: k8s}
  handlers:
"""
APPLIES = "    - {name: roll, type: k8s, timeout: 5s, config: {action: apply, manifest: k8s/web.yaml}}\n"
FIRST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: shop}\n"
POD = (
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec:\n  hostPID: true\n  containers: []\n"
)
COMMAND = """\
    - name: wipe
      type: shell
      timeout: 5s
      config:
        command: |
          cd /
          rm -rf *
    - {name: look, type: shell, timeout: 5s, config: {command: ls}}
"""


def package(steps: str, **files: str) -> Package:
    (made,) = load_bytes((HEAD + steps).encode(), "ops/p.wpk.yaml").packages
    return with_files(made, lambda path: files[path].encode() if path in files else None)[0]


def waived(made: Package, rule: str, text: str, path: str = "ops/p.wpk.yaml") -> bool:
    """Whether all findings of a rule are waived by an entry with a text."""
    waiver = Waiver("r", "2027-01-31", "@ops", Location(".wpk-sandbox.yaml", 3))
    policy = Policy(waivers=(FileWaiver(rule, path, waiver, text),))
    found: list[Finding] = [each for each in judgement(made, (), policy, TODAY).findings if each.rule == rule]
    assert found
    return all(each.waiver for each in found)


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        (STEP, True),
        ("\n".join(line.strip() for line in STEP.splitlines()), True),
        (STEP.replace("web:1.2.0", "web:1.3.0"), False),
        ("hostPID: true", False),
        ("true", False),
    ],
)
def test_for_a_critical_field_it_is_the_whole_handler(text: str, counts: bool) -> None:
    assert waived(package(STEP), "host-namespace", text) is counts


@pytest.mark.parametrize(
    ("text", "counts"), [(POD, True), ("hostPID: true", False), (POD.replace("[]", "[{}]"), False), (FIRST, False)]
)
def test_for_a_critical_field_of_a_manifest_beside_it_is_the_whole_document(text: str, counts: bool) -> None:
    made = package(APPLIES, **{"k8s/web.yaml": f"{FIRST}---\n{POD}"})
    assert waived(made, "host-namespace", text, "k8s/web.yaml") is counts


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("cd /\nrm -rf *", True),
        ("  cd   /\n\n  rm -rf *\n", True),
        ("rm -rf *", False),
        ("cd / rm -rf *", False),
        ("cd /\nrm -rf *\nls", False),
        (COMMAND.partition("    - {name: look")[0], True),
    ],
)
def test_for_a_critical_command_it_is_all_of_the_command_line_by_line(text: str, counts: bool) -> None:
    assert waived(package(COMMAND), "shell-destroy-system", text) is counts


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("ops/p.wpk.yaml", True),
        ("ops/*.wpk.yaml", True),
        ("**/p.wpk.yaml", True),
        ("*.wpk.yaml", False),
        ("*", False),
    ],
)
def test_for_what_is_lesser_a_pattern_will_do_and_a_star_stays_in_its_folder(path: str, counts: bool) -> None:
    made = package(
        COMMAND.replace("cd /\n", "").replace("rm -rf *", "rm -rf /srv/data").replace("          \n", "")
    )
    made = package(COMMAND.replace("          cd /\n", "").replace("rm -rf *", "rm -rf /srv/data"))
    assert waived(made, "shell-destroy-data", "", path) is counts
