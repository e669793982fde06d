"""The result for programs."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from report.hostile import HOSTILE_PACKAGE, HOSTILE_RUN
from report.parts import run
from report.sample import EMPTY, EVERYTHING
from report.watched import WATCHED
from wpk_sandbox.errors import UsageError
from wpk_sandbox.report.json import from_json, result_schema, to_json
from wpk_sandbox.run.result import RunResult

SCHEMA = Path(__file__).parents[3] / "schema" / "result.schema.json"


def test_what_was_watched_reads_as_agreed(golden: Callable[[str, str], None]) -> None:
    golden("report/watched.json", to_json(WATCHED))


def test_everything_reads_as_agreed(golden: Callable[[str, str], None]) -> None:
    golden("report/everything.json", to_json(EVERYTHING))


def test_the_published_schema_is_fresh(request: pytest.FixtureRequest) -> None:
    fresh = json.dumps(result_schema(), indent=2, ensure_ascii=False) + "\n"
    if request.config.getoption("--update-golden"):
        SCHEMA.write_text(fresh)
    assert SCHEMA.read_text() == fresh, "run pytest tests/unit/report --update-golden"


@pytest.mark.parametrize("result", [EVERYTHING, EMPTY, HOSTILE_RUN], ids=["everything", "empty", "hostile"])
def test_a_result_fits_the_published_schema(result: RunResult) -> None:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(to_json(result)), schema, jsonschema.Draft202012Validator)


def test_the_schema_refuses_what_is_no_result() -> None:
    document = json.loads(to_json(EVERYTHING))
    document["packages"][0]["verdict"] = "splendid"
    with pytest.raises(jsonschema.ValidationError, match="splendid"):
        jsonschema.validate(document, json.loads(SCHEMA.read_text()), jsonschema.Draft202012Validator)


def test_keys_keep_the_order_of_the_classes() -> None:
    assert list(json.loads(to_json(EMPTY)))[:5] == ["run_id", "tool_version", "started", "seconds", "verdict"]


def test_what_was_written_can_be_read_again() -> None:
    assert from_json(to_json(EVERYTHING)) == EVERYTHING


def test_hostile_text_is_kept_as_it_was_but_for_lone_surrogates() -> None:
    back = from_json(to_json(HOSTILE_RUN)).packages[0]
    assert back.notes[0] == HOSTILE_PACKAGE.notes[0].replace("\ud800", "?")
    assert "\x00" in back.notes[0]


def test_it_is_utf_8() -> None:
    assert to_json(HOSTILE_RUN).encode("utf-8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "schema version 'none'"),
        (to_json(replace(EMPTY, schema_version="2.0")), "schema version '2.0'"),
        (to_json(run()).replace('"verdict": "pass"', '"verdict": "splendid"'), "at verdict"),
    ],
)
def test_what_is_no_result_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        from_json(text)


def test_a_newer_result_with_more_fields_can_be_read() -> None:
    document = {**json.loads(to_json(EMPTY)), "schema_version": "1.7", "news": 1}
    assert from_json(json.dumps(document)).run_id == EMPTY.run_id
