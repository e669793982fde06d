"""Holds a document against the format, and says what does not fit in words that its author understands."""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from pydantic import BaseModel, Tag, ValidationError
from pydantic_core import ErrorDetails

from wpk_sandbox.finding import Finding, Rule
from wpk_sandbox.package import problems
from wpk_sandbox.package.actions import KUBERNETES_ACTIONS
from wpk_sandbox.package.composer import escaped
from wpk_sandbox.package.format import HANDLER_TYPES, STEP_ACTIONS
from wpk_sandbox.package.package import Document
from wpk_sandbox.package.slips import meanings

_MISSING = object()
# Each one takes another look at the whole document.
MOST_TRIED = 20
_LOOKS_LIKE_ANOTHER = re.compile(r"(?i:true|false|null|~)|[-+]?\d+(?:\.\d+)?")
_INDEX = re.compile("[0-9]{1,6}")
# What authors write who think of another tool; difflib cannot know these.
_SYNONYMS = {
    "kubernetes": "k8s",
    "kubectl": "k8s",
    "kube": "k8s",
    "http": "api",
    "rest": "api",
    "webhook": "api",
    "bash": "shell",
    "sh": "shell",
    "script": "shell",
    "command": "shell",
    "docker": "container",
    "approval": "approval_required",
    "cron": "schedule",
    "remove": "delete",
    "log": "logs",
    "undo": "rollback",
    "describe": "get",
    "replica": "replicas",
    "cmd": "command",
    "kind": "resource_type",
    "type": "resource_type",
    "resource_name": "name",
    "ns": "namespace",
    "labels": "selector",
    "grace": "grace_period",
    "promql": "query",
    "kill": "delete",
    "reboot": "restart",
    "watch": "wait",
    "set": "patch",
    "edit": "patch",
    "update": "patch",
    "label": "patch",
    "cordon": "patch",
    "replace": "apply",
}
_SHAPES = {
    "string_type": "a text",
    "bool_type": "`true` or `false`",
    "int_type": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


@dataclass(frozen=True)
class Problem:
    """One thing in a document that does not fit.

    `at_key` places it at the key instead of the value; `lacks` is the field that is missing in the mapping.
    """

    rule: Rule
    pointer: str
    message: str
    fix: str = ""
    at_key: bool = False
    lacks: str = ""

    @property
    def place(self) -> str:
        """The pointer of what is unfit: of a missing field, where it would be."""
        return f"{self.pointer}/{self.lacks}" if self.lacks else self.pointer

    def finding(self, document: Document) -> Finding:
        """The problem at its place in the file."""
        locate = document.locate_key if self.at_key else document.locate
        place = locate(self.pointer)
        return self.rule.at(place, self.message, fix=self.fix, excerpt=document.line(place.line)[:200])


def check(data: Any, model: type[BaseModel]) -> list[Problem]:
    """Everything in plain data that does not fit the model, each place once, in the order of the document."""
    try:
        model.model_validate(data)
    except ValidationError as error:
        details = error.errors(include_url=False)
    else:
        return []
    places: dict[tuple[str, str], list[ErrorDetails]] = {}
    for detail in details:
        pointer = _pointer(detail["loc"], data)
        kind = detail["type"] if detail["type"] == "extra_forbidden" else ""
        places.setdefault((pointer, kind), []).append(detail)
    found = [_problem(pointer, found, model, data) for (pointer, _), found in places.items()]
    return [*(_with_remedy(each, data, model) for each in found[:MOST_TRIED]), *found[MOST_TRIED:]]


def _with_remedy(problem: Problem, data: Any, model: type[BaseModel]) -> Problem:
    """The problem with what to write instead, if what was meant is a value that the field takes."""
    if problem.rule is not problems.INVALID_VALUE or problem.fix or problem.lacks:
        return problem
    for meaning in meanings(value_at(data, problem.pointer)):
        if _takes(meaning, problem.pointer, data, model):
            plain = "" if isinstance(meaning, str) else ", without quotes"
            return replace(problem, fix=f"Write `{str(meaning) if plain == '' else str(meaning).lower()}`{plain}.")
    return problem


def _takes(value: Any, pointer: str, data: Any, model: type[BaseModel]) -> bool:
    """True when the document fits in this place once the value stands there."""
    above, _, last = pointer.rpartition("/")
    parent = value_at(data, above)
    key: Any = int(last) if isinstance(parent, list) else last.replace("~1", "/").replace("~0", "~")
    before = parent[key]
    parent[key] = value
    try:
        model.model_validate(data)
    except ValidationError as error:
        return all(_pointer(each["loc"], data) != pointer for each in error.errors(include_url=False))
    finally:
        parent[key] = before
    return True


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant, if there is one."""
    names = list(known)
    if (synonym := _SYNONYMS.get(name.lower())) in names:
        return synonym
    lowered = {candidate.lower(): candidate for candidate in names}
    found = difflib.get_close_matches(name.lower()[:80], lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else None


def meant(name: str, known: Sequence[str]) -> str:
    """`did you mean …?`, or the list of what is known."""
    suggestion = nearest(name, known)
    if suggestion:
        return f"did you mean `{suggestion}`?"
    return f"known are {', '.join(f'`{candidate}`' for candidate in known)}" if known else ""


def shown(value: Any) -> str:
    """A value for a message: its shape, or its text cut short."""
    shapes = {dict: "a mapping", list: "a list", type(None): "nothing"}
    if isinstance(value, str) and _LOOKS_LIKE_ANOTHER.fullmatch(value):
        return f"the text `{value[:60]}`"
    return shapes.get(type(value)) or (f"`{value[:60]}`" if isinstance(value, str) else f"`{value}`")


def value_at(data: Any, pointer: str) -> Any:
    """The value at a JSON pointer, or None."""
    for part in pointer.split("/")[1:]:
        if isinstance(data, list):
            data = data[int(part)] if _INDEX.fullmatch(part) and int(part) < len(data) else None
        elif isinstance(data, dict):
            data = data.get(part.replace("~1", "/").replace("~0", "~"))
        else:
            return None
    return data


def _pointer(loc: tuple[int | str, ...], data: Any) -> str:
    """The place of an error; the names of union members in its path stand for nothing in the data."""
    pointer, node = "", data
    for index, part in enumerate(loc):
        if isinstance(node, dict) and part in node:
            pointer, node = f"{pointer}/{escaped(str(part))}", node[part]
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            pointer, node = f"{pointer}/{part}", node[part]
        elif index == len(loc) - 1 and isinstance(node, dict) and not str(part).startswith("<"):
            pointer, node = f"{pointer}/{escaped(str(part))}", _MISSING
    return pointer


def _problem(pointer: str, details: list[ErrorDetails], model: type[BaseModel], data: Any) -> Problem:
    detail = details[0]
    kind, name = detail["type"], _subject(pointer)
    if kind == "extra_forbidden":
        return _unknown_field(pointer, detail, model)
    if kind == "missing":
        return _missing(*pointer.rpartition("/")[::2])
    if kind.startswith("union_tag"):
        return _unknown_form(pointer, value_at(data, pointer))
    if kind == "incomplete":
        return Problem(problems.INCOMPLETE_PART, pointer, f"{name} {detail['msg']}", at_key=True)
    if kind == "unknown_type" or (kind == "literal_error" and pointer.endswith("/type")):
        known = detail.get("ctx", {}).get("known") or _expected(detail)
        return _unknown_type(pointer, str(detail["input"]), known, name)
    fix = _quotes(details) or _word(details)
    return Problem(problems.INVALID_VALUE, pointer, f"{name} {_does_not_fit(details)}", fix)


def _does_not_fit(details: list[ErrorDetails]) -> str:
    """What a value must be; a value that may have several shapes has an error for each of them."""
    detail = details[0]
    context, value = detail.get("ctx", {}), detail["input"]
    shapes = [_SHAPES[each["type"]] for each in details if each["type"] in _SHAPES]
    if len(shapes) == len(details):
        return f"must be {' or '.join(dict.fromkeys(shapes))}, not {shown(value)}"
    texts = {
        "string_too_short": "must not be empty",
        "too_short": "must not be empty",
        "string_too_long": f"must have at most {context.get('max_length')} characters",
        "greater_than_equal": f"must be at least {context.get('ge')}, not {shown(value)}",
        "less_than_equal": f"must be at most {context.get('le')}, not {shown(value)}",
    }
    other = next(each for each in details if each["type"] not in _SHAPES)
    if other["type"] == "literal_error":
        expected = _expected(other)
        guess = nearest(str(value), expected)
        choice = f"did you mean `{guess}`?" if guess else ""
        return f"must be one of {', '.join(expected)}, not {shown(value)}; {choice}".rstrip("; ")
    return texts.get(other["type"]) or other["msg"]


def _quotes(details: list[ErrorDetails]) -> str:
    value = details[0]["input"]
    wants_text = any(each["type"] == "string_type" for each in details)
    return "Put the value in quotes." if wants_text and isinstance(value, int | float) else ""


def _word(details: list[ErrorDetails]) -> str:
    """The word that was meant, of those that a field takes."""
    literal = next((each for each in details if each["type"] == "literal_error"), None)
    guess = nearest(str(literal["input"]), _expected(literal)) if literal else None
    return f"Write `{guess}`." if guess else ""


def _missing(parent: str, field: str) -> Problem:
    message = f"{_subject(parent)} lacks `{field}`"
    return Problem(problems.INCOMPLETE_PART, parent, message, f"Add `{field}`.", at_key=True, lacks=field)


def _unknown_field(pointer: str, detail: ErrorDetails, model: type[BaseModel]) -> Problem:
    field, known = str(detail["loc"][-1]), _known_fields(model, detail["loc"][:-1])
    owner = _subject(pointer.rpartition("/")[0])
    fix = f"Write `{guess}`." if (guess := nearest(field, known)) else ""
    message = f"{owner} takes no field `{field[:80]}`; {meant(field, known)}"
    return Problem(problems.UNKNOWN_FIELD, pointer, message.rstrip("; "), fix, at_key=True)


def _unknown_type(pointer: str, value: str, known: Sequence[str], name: str) -> Problem:
    guess = nearest(value, known)
    choice = meant(value, known) if guess or len(known) < 20 else ""
    message = f"{name} `{value[:80]}` is unknown; {choice}".rstrip("; ")
    return Problem(problems.UNKNOWN_TYPE, pointer, message, f"Write `{guess}`." if guess else "")


def _unknown_form(pointer: str, value: Any) -> Problem:
    """A handler, a step or an action of which it is not even clear what it wants to be."""
    name = _subject(pointer)
    if pointer.endswith("/config"):
        return _unknown_choice(problems.UNKNOWN_ACTION, pointer, value, "action", tuple(KUBERNETES_ACTIONS))
    if not pointer.rpartition("/")[0].endswith("/steps"):
        problem = _unknown_choice(problems.UNKNOWN_TYPE, pointer, value, "type", HANDLER_TYPES)
        if isinstance(value, dict) and "type" not in value:
            return Problem(problem.rule, pointer, f"{name} has neither `type` nor `steps`", at_key=True)
        return problem
    several = [key for key in STEP_ACTIONS if key in value]
    if len(several) > 1:
        both = " and ".join(f"`{key}`" for key in several)
        return Problem(problems.AMBIGUOUS_STEP, pointer, f"{name} has {both}; it can have one", at_key=True)
    return _no_action(pointer, value, name)


def _no_action(pointer: str, value: dict[str, Any], name: str) -> Problem:
    others = [key for key in value if key not in ("name", "timeout", "retry")]
    if not others:
        message = f"{name} does nothing; give it one of {', '.join(STEP_ACTIONS)}"
        return Problem(problems.INCOMPLETE_PART, pointer, message, at_key=True)
    if "type" in value:
        message = f"{name} has a `type`, which a step does not take; give it one of {', '.join(STEP_ACTIONS)}"
        return Problem(problems.UNKNOWN_ACTION, f"{pointer}/type", message, at_key=True)
    close = next((key for key in others if nearest(key, STEP_ACTIONS)), others[0])
    message = f"the action `{close[:80]}` is unknown; {meant(close, STEP_ACTIONS)}"
    return Problem(problems.UNKNOWN_ACTION, f"{pointer}/{escaped(close)}", message, at_key=True)


def _unknown_choice(rule: Rule, pointer: str, value: Any, field: str, known: tuple[str, ...]) -> Problem:
    """An `action` or `type` that is not one of the known ones, or that is not there."""
    name = _subject(pointer)
    if not isinstance(value, dict):
        return Problem(problems.INVALID_VALUE, pointer, f"{name} must be a mapping, not {shown(value)}")
    choice = value.get(field)
    if field not in value:
        return Problem(problems.INCOMPLETE_PART, pointer, f"{name} lacks `{field}`", f"Add `{field}`.", at_key=True)
    if not isinstance(choice, str):
        return Problem(rule, f"{pointer}/{field}", f"the {field} must be a text, not {shown(choice)}")
    message = f"the {field} `{choice[:80]}` is unknown; {meant(choice, known)}"
    guess = nearest(choice, known)
    return Problem(rule, f"{pointer}/{field}", message, f"Write `{field}: {guess}`." if guess else "")


def _expected(detail: ErrorDetails) -> list[str]:
    """The words of a Literal: pydantic tells them as one sentence."""
    sentence = str(detail.get("ctx", {}).get("expected", ""))
    return [word for word in sentence.split("'")[1::2] if word]


def _subject(pointer: str) -> str:
    """What a message calls the value at a pointer."""
    parts = pointer.split("/")
    if parts == [""]:
        return "the document"
    name = parts[-1].replace("~1", "/").replace("~0", "~")[:80]
    if _INDEX.fullmatch(name) and len(parts) > 2:
        return f"item {int(name) + 1} of `{parts[-2]}`"
    return f"`{name}`"


def _known_fields(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The fields that the mapping at an error's path takes."""
    found: list[tuple[str | None, type[BaseModel]]] = [(None, model)]
    for part in loc:
        if isinstance(part, str) and part.startswith("<"):
            found = [entry for entry in found if entry[0] == part]
            continue
        fields = [field for _, each in found for field in _named(each, part)]
        if fields:
            found = [entry for field in fields for entry in _models(field.annotation)]
    return [field.alias or name for _, each in found for name, field in each.model_fields.items()]


def _named(model: type[BaseModel], part: int | str) -> list[Any]:
    return [field for name, field in model.model_fields.items() if part in (name, field.alias)]


def _models(annotation: Any, tag: str | None = None) -> list[tuple[str | None, type[BaseModel]]]:
    """The models in an annotation, each with its tag in a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [(tag, annotation)]
    arguments = get_args(annotation)
    tag = next((each.tag for each in arguments if isinstance(each, Tag)), tag)
    return [entry for each in arguments if not isinstance(each, Tag) for entry in _models(each, tag)]
