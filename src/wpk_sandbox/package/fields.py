"""The kinds of values that the fields of a package take, each with its check and its JSON Schema."""

import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from wpk_sandbox.package import kinds, units

PARAMETER = r"\$\{[A-Za-z_][A-Za-z0-9_.-]*\}"
_PARAMETER = re.compile(f"^{PARAMETER}$")
_DURATION = r"^([0-9]+(\.[0-9]+)?(ms|[smhd]))+$|^[0-9]{1,9}(\.[0-9]+)?$"
_QUANTITY = r"^[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+|m|[kMGTPE]|[KMGTPE]i)?$"
_NUMBER, _PART = r"(0|[1-9]\d*)", r"[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*"
# https://semver.org
_SEMVER = rf"^{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-{_PART})?(\+{_PART})?$"
_PARAMETER_SCHEMA = {"type": "string", "pattern": f"^{PARAMETER}$", "description": "A parameter, `${NAME}`."}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Closed(BaseModel):
    """A mapping that takes the fields named here and no others, each exactly of its type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Free(BaseModel):
    """A mapping in which the fields named here are checked, and others are free."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True, defer_build=True)


def invalid(message: str) -> PydanticCustomError:
    """What a check raises; the message reads well after the name of the field."""
    return PydanticCustomError("invalid", "{message}", {"message": message})


def incomplete(message: str) -> PydanticCustomError:
    """What a check raises for a mapping that lacks one of several fields."""
    return PydanticCustomError("incomplete", "{message}", {"message": message})


def is_parameter(value: Any) -> bool:
    """True for a text that is one parameter and nothing else."""
    return isinstance(value, str) and _PARAMETER.match(value) is not None


def _duration(value: Any) -> Any:
    try:
        units.seconds(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise invalid(f"is not a duration between 0 and a year: {_shown(value)}; write 30s, 5m or 1h30m") from error
    return value


def _quantity(value: Any) -> Any:
    try:
        if not isinstance(value, str | int | float):
            raise TypeError
        if not math.isfinite(units.quantity(value)):
            raise OverflowError
    except (ValueError, TypeError, ArithmeticError) as error:
        raise invalid(f"is not a quantity: {_shown(value)}; write 500m, 2, 256Mi or 4Gi") from error
    return value


def _count(*words: str, least: int = 0) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if type(value) is int and value >= least:
            return value
        if isinstance(value, str) and (value in words or is_parameter(value)):
            return value
        also = "".join(f", `{word}`" for word in words)
        raise invalid(f"must be a whole number from {least}{also} or a parameter `${{NAME}}`, not {_shown(value)}")

    return check


def _flag(value: Any) -> Any:
    if isinstance(value, bool) or is_parameter(value):
        return value
    raise invalid(f"must be `true` or `false`, not {_shown(value)}")


def _factor(value: Any) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1000
    if number or is_parameter(value):
        return value
    raise invalid(f"must be a number above 0 and at most 1000, or a parameter `${{NAME}}`, not {_shown(value)}")


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, list | dict):
        raise invalid(f"must be a text, a number or a truth value, not {_shown(value)}")
    return value


def _status(value: Any) -> Any:
    for status in value if isinstance(value, list) else [value]:
        if not is_parameter(status) and not (type(status) is int and 100 <= status <= 599):
            raise invalid(f"must be an HTTP status from 100 to 599 or a list of them, not {_shown(status)}")
    return value


def _method(value: Any) -> Any:
    if is_parameter(value) or (isinstance(value, str) and value.upper() in METHODS):
        return value
    raise invalid(f"must be one of {', '.join(METHODS)}, not {_shown(value)}")


def _resource_type(value: Any) -> Any:
    if not isinstance(value, str):
        raise invalid(f"must be the name of a Kubernetes kind, not {_shown(value)}")
    if "${" not in value and kinds.resource_kind(value) is None:
        context = {"value": value, "known": list(kinds.known_names())}
        raise PydanticCustomError("unknown_type", "is no kind that we know: {value}", context)
    return value


def _moment(value: Any) -> Any:
    try:
        datetime.fromisoformat(value)
    except (ValueError, TypeError) as error:
        raise invalid(f"is not a date of ISO 8601 such as 2025-01-31T12:00:00Z: {_shown(value)}") from error
    return value


def _selector(value: Any) -> Any:
    plain = isinstance(value, dict) and all(isinstance(item, str | int | float) for item in value.values())
    matches = isinstance(value, dict) and list(value) == ["matchLabels"] and isinstance(value["matchLabels"], dict)
    if plain or matches or (isinstance(value, str) and value.strip()):
        return value
    raise invalid(f"must be labels such as `app=web` or a mapping of labels, not {_shown(value)}")


def _shown(value: Any) -> str:
    kind = {dict: "a mapping", list: "a list", type(None): "nothing"}.get(type(value))
    return kind or repr(value)[:60]


def _matching(pattern: str, says: str) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if isinstance(value, str) and len(value) <= 253 and re.fullmatch(pattern, value):
            return value
        raise invalid(f"{says}, not {_shown(value)}")

    return check


def _count_schema(*words: str, least: int = 0) -> dict[str, Any]:
    forms: list[dict[str, Any]] = [{"type": "integer", "minimum": least}]
    if words:
        forms.append({"enum": list(words), "description": "The value before the run."})
    return {"anyOf": [*forms, _PARAMETER_SCHEMA]}


_LABELS = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}

Name = Annotated[
    str,
    PlainValidator(_matching(r"[a-z0-9-]+", "must consist of lower-case letters, digits and hyphens")),
    WithJsonSchema({"type": "string", "pattern": "^[a-z0-9-]+$", "maxLength": 253}),
]
SemanticVersion = Annotated[
    str,
    PlainValidator(_matching(_SEMVER, "must be a semantic version in quotes where needed, such as 1.2.0")),
    WithJsonSchema({"type": "string", "pattern": _SEMVER}),
]
Moment = Annotated[str, PlainValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
Duration = Annotated[
    str | int | float,
    PlainValidator(_duration),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": _DURATION}, {"type": "number", "minimum": 0}]}),
]
Quantity = Annotated[
    str | int | float,
    PlainValidator(_quantity),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": _QUANTITY}, {"type": "number", "minimum": 0}]}),
]
Count = Annotated[int | str, PlainValidator(_count()), WithJsonSchema(_count_schema())]
Positive = Annotated[int | str, PlainValidator(_count(least=1)), WithJsonSchema(_count_schema(least=1))]
Replicas = Annotated[int | str, PlainValidator(_count("original")), WithJsonSchema(_count_schema("original"))]
Revision = Annotated[
    int | str,
    PlainValidator(_count("previous", "original")),
    WithJsonSchema(_count_schema("previous", "original")),
]
Flag = Annotated[
    bool | str, PlainValidator(_flag), WithJsonSchema({"anyOf": [{"type": "boolean"}, _PARAMETER_SCHEMA]})
]
Factor = Annotated[
    float | str,
    PlainValidator(_factor),
    WithJsonSchema({"anyOf": [{"type": "number", "exclusiveMinimum": 0, "maximum": 1000}, _PARAMETER_SCHEMA]}),
]
Scalar = Annotated[
    str | int | float | bool, PlainValidator(_scalar), WithJsonSchema({"type": ["string", "number", "boolean"]})
]
Status = Annotated[
    int | str | list[int],
    PlainValidator(_status),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 100, "maximum": 599},
                {"type": "array", "items": {"type": "integer", "minimum": 100, "maximum": 599}},
                _PARAMETER_SCHEMA,
            ]
        }
    ),
]
Method = Annotated[
    str,
    PlainValidator(_method),
    WithJsonSchema({"anyOf": [{"enum": [*METHODS, *map(str.lower, METHODS)]}, _PARAMETER_SCHEMA]}),
]
ResourceType = Annotated[
    str,
    PlainValidator(_resource_type),
    WithJsonSchema({"type": "string", "examples": [kind.kind.lower() for kind in kinds.RESOURCE_KINDS]}),
]
Selector = Annotated[
    str | dict[str, Any],
    PlainValidator(_selector),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1, "examples": ["app=web,tier=front"]},
                {"type": "object", "properties": {"matchLabels": _LABELS}, "required": ["matchLabels"]},
                _LABELS,
            ]
        }
    ),
]
Text = Annotated[str, Field(max_length=64 * 1024)]
FilledText = Annotated[str, Field(min_length=1)]
