"""The JSON Schemas: fresh, described, and of one mind with the loader."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from package.test_load import MISTAKES
from package.text_of import PACKAGE, changed
from wpk_sandbox.package import schema
from wpk_sandbox.package.actions import KUBERNETES_ACTIONS
from wpk_sandbox.package.source import parse

ROOT = Path(__file__).parents[3]
PACKAGE_VALIDATOR = jsonschema.Draft202012Validator(schema.package_schema())
CASE_VALIDATOR = jsonschema.Draft202012Validator(schema.case_schema())
# What a schema cannot say, or says to people only: names of kinds, dates, the bounds of numbers in text.
BEYOND_A_SCHEMA = ("did you mean `deployment`?", "ISO 8601", "a year", "'1e999'")


def data_of(text: str) -> Any:
    return parse(text.encode(), "x").documents[0].data


@pytest.mark.parametrize("name", [schema.PACKAGE_FILE, schema.CASE_FILE])
def test_the_committed_schema_is_fresh(name: str, tmp_path: Path) -> None:
    schema.write_schemas(tmp_path)
    written = (tmp_path / name).read_text()
    assert (ROOT / "schema" / name).read_text() == written, "run `python -m wpk_sandbox.package.schema schema`"


@pytest.mark.parametrize("made", [schema.package_schema(), schema.case_schema()])
def test_the_schema_is_one_of_draft_2020_12(made: dict[str, Any]) -> None:
    assert made["$schema"].endswith("2020-12/schema")
    jsonschema.Draft202012Validator.check_schema(made)


def test_a_correct_package_is_valid() -> None:
    assert list(PACKAGE_VALIDATOR.iter_errors(data_of(PACKAGE))) == []


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.wpk.yaml")), ids=lambda path: path.name)
def test_the_examples_are_valid(path: Path) -> None:
    assert list(PACKAGE_VALIDATOR.iter_errors(data_of(path.read_text()))) == []


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.wpk.test.yaml")), ids=lambda path: path.name)
def test_the_case_files_of_the_examples_are_valid(path: Path) -> None:
    assert list(CASE_VALIDATOR.iter_errors(data_of(path.read_text()))) == []


@pytest.mark.parametrize(("old", "new", "rule", "place", "says"), MISTAKES)
def test_what_the_loader_finds_is_invalid(old: str, new: str, rule: str, place: str, says: str) -> None:
    errors = list(PACKAGE_VALIDATOR.iter_errors(data_of(changed(old, new))))
    assert bool(errors) != (says in BEYOND_A_SCHEMA)


def test_every_action_has_its_own_closed_or_free_form() -> None:
    definitions = schema.package_schema()["$defs"]
    for action, model in KUBERNETES_ACTIONS.items():
        form = definitions[model.__name__]
        assert form["properties"]["action"]["const"] == action
        free = action in ("copy", "restore", "run", "create")
        assert form["additionalProperties"] is free


@pytest.mark.parametrize("made", [schema.package_schema(), schema.case_schema()])
def test_every_definition_and_nearly_every_field_is_described(made: dict[str, Any]) -> None:
    assert all(form.get("description") for form in [made, *made["$defs"].values()])
    plain = {
        "name",
        "action",
        "type",
        "config",
        "shell",
        "container",
        "kubernetes",
        "metadata",
        "request",
        "response",
    }
    silent = [path for path, field in fields(made) if not {"description", "$ref"} & set(field)]
    assert [path for path in silent if path.split(".")[1] not in plain] == []


def fields(made: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for owner, form in {"": made, **made["$defs"]}.items():
        for name, field in form.get("properties", {}).items():
            yield f"{owner}.{name}", field


def test_the_schema_is_the_same_each_time() -> None:
    assert json.dumps(schema.package_schema()) == json.dumps(schema.package_schema())
