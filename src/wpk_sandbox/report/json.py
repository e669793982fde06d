"""The result as JSON: the form that programs read, with a published schema (`schema/result.schema.json`)."""

import json
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from wpk_sandbox.errors import UsageError
from wpk_sandbox.run.result import SCHEMA_VERSION, RunResult

SCHEMA_ID = "urn:wpk-sandbox:schema:result:1"


@cache
def _adapter() -> TypeAdapter[RunResult]:
    return TypeAdapter(RunResult)


def to_json(result: RunResult) -> str:
    """The whole result, its keys in the order of the classes, texts as they were but for lone surrogates."""
    document = _adapter().dump_python(result, mode="python")
    return json.dumps(_clean(document), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def from_json(text: str) -> RunResult:
    """A result that `to_json` wrote, to be reported or published again.

    Raises `UsageError` when it is something else or of another schema version.
    """
    try:
        document = json.loads(text)
        version = str(document.get("schema_version", "none")) if isinstance(document, dict) else "none"
        if version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
            raise UsageError(
                f"the result has schema version {version!r}, and this version reads {SCHEMA_VERSION!r}",
                "use the version of wpk-sandbox that wrote it",
            )
        return _adapter().validate_json(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"the result is not JSON: {error}", "name a result.json of wpk-sandbox") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "its root"
        message = f"the result does not fit its schema at {place}: {first['msg']}"
        raise UsageError(message, "name a result.json of wpk-sandbox") from error


def _clean(value: Any) -> Any:
    """The same data without lone surrogates, which no UTF-8 file can hold."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_clean(key): _clean(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(each) for each in value]
    return value


def result_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of what `to_json` writes."""
    schema = _adapter().json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **schema,
        "title": "Result of a wpk-sandbox run",
    }
