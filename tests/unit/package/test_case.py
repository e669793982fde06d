"""The situations that a case file describes, and what is wrong with one."""

from pathlib import Path

import pytest

from package.text_of import PACKAGE
from wpk_sandbox.errors import UsageError
from wpk_sandbox.finding import Finding
from wpk_sandbox.package.case import case_paths, load_cases, load_event
from wpk_sandbox.package.load import load_file
from wpk_sandbox.package.mock import Mock
from wpk_sandbox.package.package import Case

DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"
CASES = """\
cases:
  - name: unhealthy
    event: {namespace: shop, deployment: web}
    parameters: {ALERT_URL: "https://alerts.example/x", COUNT: 3, DRY: true}
    objects:
      - objects/web.yaml
      - {apiVersion: v1, kind: Secret, metadata: {name: token}}
  - name: nothing there
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "repository/books/objects").mkdir(parents=True)
    root = tmp_path / "repository"
    (root / "books/web.wpk.yaml").write_text(PACKAGE)
    (root / "books/objects/web.yaml").write_text(f"{DEPLOYMENT}---\n{CONFIG}")
    (tmp_path / "outside.yaml").write_text(DEPLOYMENT)
    return root


def cases_of(root: Path, text: str | None) -> tuple[tuple[Case, ...], tuple[Finding, ...]]:
    if text is not None:
        (root / "books/web.wpk.test.yaml").write_text(text)
    loaded = load_file(root / "books/web.wpk.yaml", display="books/web.wpk.yaml", root=root)
    return load_cases(loaded.packages[0], root)


def found(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(finding.rule, str(finding.location)) for finding in findings]


def test_without_a_case_file_there_is_one_empty_case(repository: Path) -> None:
    assert cases_of(repository, None) == ((Case(),), ())


def test_a_case_has_its_event_parameters_and_objects(repository: Path) -> None:
    (first, second), findings = cases_of(repository, CASES)
    assert findings == ()
    assert first.name == "unhealthy"
    assert first.event == {"namespace": "shop", "deployment": "web"}
    assert first.parameters == {"ALERT_URL": "https://alerts.example/x", "COUNT": "3", "DRY": "true"}
    assert [thing["kind"] for thing in first.objects] == ["Deployment", "ConfigMap", "Secret"]
    assert second == Case("nothing there")


def test_a_list_of_objects_stands_for_its_items(repository: Path) -> None:
    (repository / "books/objects/web.yaml").write_text(
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n"
    )
    (first, _), findings = cases_of(repository, CASES)
    assert findings == ()
    assert [thing["kind"] for thing in first.objects] == ["ConfigMap", "Secret"]


def test_expectations_are_understood_and_noted(repository: Path) -> None:
    text = (
        "cases:\n- name: a\n  mocks: [{request: {method: POST, url: 'https://x/*'}, response: {status: 202}}]\n"
        "  expect:\n    verdict: pass\n    rollback: restored\n"
        "    objects: [{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 3}}]\n"
    )
    cases, findings = cases_of(repository, text)
    assert [case.name for case in cases] == ["a"]
    assert found(findings) == [("case-not-used", "books/web.wpk.test.yaml:4:3")]


def test_mocks_belong_to_their_case(repository: Path) -> None:
    text = (
        "cases:\n- name: a\n  mocks:\n  - request: {method: POST, url: 'https://x.example/*'}\n"
        "    response: {status: 202, body: {id: 1}}\n- name: b\n"
    )
    (first, second), findings = cases_of(repository, text)
    assert findings == ()
    headers = {"Content-Type": "application/json"}
    assert first.mocks == (Mock("https://x.example/*", "POST", 202, headers, b'{"id": 1}'),)
    assert second.mocks == ()


# What is wrong, the case file, the rule, the place.
WRONG = [
    ("no mapping", "- name: a\n", "case-invalid", "1:1"),
    ("no cases", "case: []\n", "case-invalid", "1:1"),
    ("cases are no list", "cases: {}\n", "case-invalid", "1:8"),
    ("no case", "cases: []\n", "case-invalid", "1:8"),
    ("no name", "cases:\n- event: {a: b}\n", "case-invalid", "2:3"),
    ("the event is a list", "cases:\n- name: a\n  event: [b]\n", "case-invalid", "3:10"),
    ("a parameter is a list", "cases:\n- name: a\n  parameters: {B: [c]}\n", "case-invalid", "3:19"),
    ("a mock of no address", "cases:\n- name: a\n  mocks: [{request: {url: x}}]\n", "case-invalid", "3:27"),
    ("a mock of no request", "cases:\n- name: a\n  mocks: [{response: {}}]\n", "case-invalid", "3:11"),
    ("a misspelt field", "cases:\n- name: a\n  parametres: {B: c}\n", "unknown-field", "3:3"),
    ("an object is a number", "cases:\n- name: a\n  objects: [1]\n", "case-invalid", "3:13"),
    (
        "an object has no name",
        "cases:\n- name: a\n  objects: [{apiVersion: v1, kind: Pod}]\n",
        "case-object",
        "3:13",
    ),
    ("a manifest is missing", "cases:\n- name: a\n  objects: [web.yaml]\n", "file-unreadable", "3:13"),
    (
        "a manifest is outside",
        "cases:\n- name: a\n  objects: [../../outside.yaml]\n",
        "file-outside-repository",
        "3:13",
    ),
    ("a manifest is absolute", "cases:\n- name: a\n  objects: [/etc/passwd]\n", "file-outside-repository", "3:13"),
    ("a verdict is unknown", "cases:\n- name: a\n  expect: {verdict: passed}\n", "case-invalid", "3:21"),
    ("two of a name", "cases:\n- name: a\n- name: a\n", "case-invalid", "3:9"),
    ("a duplicate key", "cases:\n- name: a\n  name: b\n", "yaml-duplicate-key", "3:3"),
    ("two documents", "cases: [{name: a}]\n---\ncases: [{name: b}]\n", "case-invalid", "1:1"),
    ("empty", "", "case-invalid", "1:1"),
]


@pytest.mark.parametrize(
    ("text", "rule", "place"), [entry[1:] for entry in WRONG], ids=[entry[0] for entry in WRONG]
)
def test_a_mistake_is_found_where_it_stands_and_a_case_remains(
    repository: Path, text: str, rule: str, place: str
) -> None:
    cases, findings = cases_of(repository, text)
    assert (rule, f"books/web.wpk.test.yaml:{place}") in found(findings)
    assert cases


def test_a_mistake_in_a_manifest_is_found_there(repository: Path) -> None:
    (repository / "books/objects/web.yaml").write_text(f"{DEPLOYMENT}---\nkind: Pod\n")
    cases, findings = cases_of(repository, CASES)
    assert found(findings) == [("case-object", "books/objects/web.yaml:5:1")]
    assert "`apiVersion`, `metadata.name`" in findings[0].message
    assert [case.name for case in cases] == ["nothing there"]


def test_a_manifest_that_is_a_link_out_of_the_repository_is_refused(repository: Path) -> None:
    (repository / "books/objects/web.yaml").unlink()
    (repository / "books/objects/web.yaml").symlink_to("../../../outside.yaml")
    _, findings = cases_of(repository, CASES)
    assert found(findings) == [("file-outside-repository", "books/web.wpk.test.yaml:6:9")]


def test_a_wrong_case_leaves_the_others(repository: Path) -> None:
    cases, findings = cases_of(repository, CASES.replace("event: {", "event: [").replace("deployment: web}", "a]"))
    assert len(findings) == 1
    assert [case.name for case in cases] == ["nothing there"]


def test_a_package_outside_of_the_root_has_its_case_beside_it(repository: Path, tmp_path: Path) -> None:
    (repository / "books/web.wpk.test.yaml").write_text(CASES)
    package = load_file(repository / "books/web.wpk.yaml").packages[0]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    cases, findings = load_cases(package, elsewhere)
    assert findings == ()
    assert [case.name for case in cases] == ["unhealthy", "nothing there"]


@pytest.mark.parametrize(
    ("package", "case"),
    [
        ("a/web.wpk.yaml", "a/web.wpk.test.yaml"),
        ("a/web.wpk.yml", "a/web.wpk.test.yaml"),
        ("web.yaml", "web.wpk.test.yaml"),
        ("web", "web.wpk.test.yaml"),
    ],
)
def test_the_case_file_is_called_like_the_package(package: str, case: str) -> None:
    assert case_paths(package)[0] == case


@pytest.mark.parametrize(
    ("name", "text"),
    [("e.json", '{"deployment": "web"}'), ("e.yaml", "deployment: web\n"), ("e", "{deployment: web}")],
)
def test_an_event_is_read_from_json_and_yaml(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert load_event(tmp_path / name) == {"deployment": "web"}


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("e.json", "{", "is not JSON"),
        ("e.json", "[" * 100_000, "is not JSON"),
        ("e.json", "[1]", "must be a mapping"),
        ("e.yaml", "a: 1\na: 2\n", "stands already"),
        ("e.yaml", "- a\n", "must be a mapping"),
        ("e.yaml", "a: 1\n---\na: 2\n", "one document"),
        ("e.yaml", "", "one document"),
    ],
)
def test_an_event_that_is_no_mapping_is_refused(tmp_path: Path, name: str, text: str, says: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=says):
        load_event(tmp_path / name)


def test_a_missing_event_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        load_event(tmp_path / "e.yaml")
