"""The files that a package names are read once, and what cannot be read is told where it is named."""

import json
from typing import Any

import pytest

from wpk_sandbox.finding import Finding, Location
from wpk_sandbox.package import problems
from wpk_sandbox.package.attached import MOST_FILES, Reader, with_files
from wpk_sandbox.package.load import load_bytes
from wpk_sandbox.package.package import Package

CONFIG = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"


def package(*handlers: tuple[str, dict[str, Any]], undo: tuple[tuple[str, dict[str, Any]], ...] = ()) -> Package:
    def made(each: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        return {"name": "act", "type": "k8s", "timeout": "1m", "config": {"action": each[0], **each[1]}}

    spec = {
        "handlers": [made(each) for each in handlers],
        "rollback": {"enabled": True, "handlers": [made(each) for each in undo]},
    }
    whole = {"apiVersion": "v1", "kind": "WorkflowPackage", "metadata": {"name": "sample"}, "spec": spec}
    (one,) = load_bytes(json.dumps(whole, indent=1).encode(), "sample.wpk.yaml").packages
    return one


def reader(**files: bytes) -> Reader:
    return lambda path: files.get(path.partition(".")[0])


def test_the_files_of_all_verbs_are_read_once_and_those_of_the_rollback_too() -> None:
    asked: list[str] = []

    def read(path: str) -> bytes:
        asked.append(path)
        return CONFIG

    one = package(
        ("apply", {"manifest": "a.yaml"}),
        ("apply", {"manifest": "a.yaml"}),
        ("run", {"file": "b.yml"}),
        ("create", {"resource_type": "job", "template": "c.json"}),
        ("create", {"resource_type": "job", "template": "cronjob/nightly"}),
        ("patch", {"resource_type": "configmap", "name": "x", "data": {"file": "not-this.yaml"}}),
        ("apply", {"manifest": "${ENVIRONMENT}/d.yaml"}),
        undo=(("apply", {"manifest": "e.yaml"}),),
    )
    whole, findings = with_files(one, read)
    assert asked == ["a.yaml", "b.yml", "c.json", "e.yaml"]
    assert list(whole.files) == asked
    assert findings == ()


def test_a_file_may_hold_several_documents_and_has_places_of_its_own() -> None:
    whole, _ = with_files(package(("apply", {"manifest": "./k8s.yaml"})), lambda _: CONFIG + b"---\n" + CONFIG)
    first, second = whole.files["./k8s.yaml"]
    assert first.locate("/metadata/name") == Location("k8s.yaml", 3, 18, 3, 26)
    assert second.locate("/kind").line == 6


def test_a_file_that_cannot_be_had_is_told_where_the_package_names_it() -> None:
    missing = problems.FILE_UNREADABLE.at(Location("gone.yaml"), "`gone.yaml` cannot be read: no such file")
    whole, (finding,) = with_files(package(("apply", {"manifest": "gone.yaml"})), lambda _: missing)
    assert (finding.rule, finding.location.path) == ("file-unreadable", "sample.wpk.yaml")
    assert finding.excerpt[finding.location.column - 1 : finding.location.end_column - 1] == '"gone.yaml"'
    assert whole.files == {"gone.yaml": ()}


def test_what_is_wrong_in_the_file_is_told_there() -> None:
    _, (finding,) = with_files(package(("apply", {"manifest": "bad.yaml"})), lambda _: b"kind: x\nkind: y\n")
    assert (finding.rule, str(finding.location)) == ("yaml-duplicate-key", "bad.yaml:2:1")


def test_a_file_that_nobody_asks_for_is_no_problem() -> None:
    whole, findings = with_files(package(("apply", {"manifest": "gone.yaml"})), lambda _: None)
    assert (whole.files, findings) == ({"gone.yaml": ()}, ())


def test_no_more_files_are_read_than_anybody_reviews() -> None:
    handlers = [("apply", {"manifest": f"{number}.yaml"}) for number in range(MOST_FILES + 2)]
    whole, (finding,) = with_files(package(*handlers), lambda _: CONFIG)
    assert len(whole.files) == MOST_FILES
    assert finding.rule == "yaml-too-large"


@pytest.mark.parametrize("verb", ["get", "delete", "restart"])
def test_other_verbs_name_no_files(verb: str) -> None:
    def read(_: str) -> Finding:
        raise AssertionError("nothing is to be read")

    assert with_files(package((verb, {"name": "web.yaml"})), read)[1] == ()
