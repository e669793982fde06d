"""The parts of a policy that are more than a value: severities, rules of the repository's own, and waivers."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from wpk_sandbox.finding import Location, Severity, Waiver
from wpk_sandbox.package.problems import LOAD_RULES
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules import cel
from wpk_sandbox.rules.catalogue import nearest, rule
from wpk_sandbox.rules.policy import CustomRule, FileWaiver
from wpk_sandbox.rules.waiver_text import problem_of

Locate = Callable[[str], Location]
_ID = Pattern(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
_FIELD = Pattern(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_/-]+)*")
_RULE_KEYS = ("id", "when", "message", "severity", "fix", "at", "examples")
_WAIVER_KEYS = ("rule", "path", "reason", "until", "owner", "text")


class PolicyError(ValueError):
    """A mistake in a policy; `pointer` leads to it from the setting that it is in."""

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.pointer = pointer


def severities(value: Any, _: Locate) -> Mapping[str, Severity | None]:
    """Rule ids to severities, None for `off`.

    A critical rule can be made high, never less: one waiver excuses one place, an override would excuse them all.
    What says that a file cannot be understood stays as it is, because there is no package to judge then.
    """
    found: dict[str, Severity | None] = {}
    for name, word in _mapping(value, "", ()).items():
        pointer = f"/{name}"
        known = rule(name)
        if known is None:
            raise PolicyError(f"there is no rule `{name}`{_hint(name)}", pointer)
        # YAML 1.1 reads a bare `off` as false.
        severity = None if word in (False, "off") else _severity(word, pointer)
        if known in LOAD_RULES and known.severity.rank >= Severity.HIGH.rank and severity is not known.severity:
            raise PolicyError(
                f"`{name}` says that there is no package to judge, so it stays {known.severity}", pointer
            )
        if known.severity is Severity.CRITICAL and (severity is None or severity.rank < Severity.HIGH.rank):
            remedy = "waive the one place instead, with a reason, an end and an owner"
            raise PolicyError(f"`{name}` is critical, and can be made `high` at the least; {remedy}", pointer)
        found[name] = severity
    return found


def required_fields(value: Any, _: Locate) -> tuple[str, ...]:
    """Dotted paths such as `metadata.owner`."""
    names = []
    for index, name in enumerate(_list(value)):
        if not isinstance(name, str) or not _FIELD.fullmatch(name):
            raise PolicyError(f"{name!r} is not the path of a field, such as `metadata.author`", f"/{index}")
        names.append(name)
    return tuple(names)


def custom_rules(value: Any, _: Locate) -> tuple[CustomRule, ...]:
    """Rules with an expression that can be read; no id twice, none of ours."""
    rules: dict[str, CustomRule] = {}
    for index, item in enumerate(_list(value)):
        made = _custom_rule(item, f"/{index}")
        if made.id in rules or rule(made.id):
            whose = "another rule of this policy" if made.id in rules else "one of wpk-sandbox's own rules"
            raise PolicyError(f"`{made.id}` is {whose}", f"/{index}/id")
        rules[made.id] = made
    return tuple(rules.values())


def waivers(value: Any, locate: Locate) -> tuple[FileWaiver, ...]:
    """Waivers; one that lacks a reason, an end or an owner is kept, to be reported."""
    return tuple(_waiver(item, f"/{index}", locate) for index, item in enumerate(_list(value)))


def _custom_rule(item: Any, pointer: str) -> CustomRule:
    data = _mapping(item, pointer, _RULE_KEYS)
    identifier, when = _text(data, "id", pointer), _text(data, "when", pointer)
    if not _ID.fullmatch(identifier):
        raise PolicyError(
            f"`{identifier}` is not lower-case words joined by hyphens, such as `our-owner`", f"{pointer}/id"
        )
    try:
        cel.read(when)
    except cel.ExpressionError as error:
        raise PolicyError(f"the expression of `{identifier}` cannot be read: {error}", f"{pointer}/when") from error
    examples = _mapping(data.get("examples", {}), f"{pointer}/examples", ("hit", "miss"))
    at = str(data.get("at", "metadata.name"))
    return CustomRule(
        id=identifier,
        when=when,
        message=_text(data, "message", pointer),
        severity=_severity(data.get("severity", "medium"), f"{pointer}/severity"),
        fix=_text(data, "fix", pointer) if "fix" in data else "",
        at="/" + at.strip("/").replace(".", "/"),
        hits=tuple(_examples(examples, "hit", pointer)),
        misses=tuple(_examples(examples, "miss", pointer)),
    )


def _examples(examples: Mapping[str, Any], name: str, pointer: str) -> Iterator[Mapping[str, Any]]:
    """One package, or a list of some; each whole or only the part that matters."""
    value = examples.get(name, [])
    for item in value if isinstance(value, list) else [value]:
        yield _mapping(item, f"{pointer}/examples/{name}", cel.NAMES)


def _waiver(item: Any, pointer: str, locate: Locate) -> FileWaiver:
    data = _mapping(item, pointer, _WAIVER_KEYS)
    reason, until, owner = (str(data.get(key) or "") for key in ("reason", "until", "owner"))
    waiver = Waiver(reason, until, owner, locate(pointer))
    name, path = _text(data, "rule", pointer), _text(data, "path", pointer)
    problem = problem_of(reason, until, owner)
    text = _text(data, "text", pointer) if "text" in data else ""
    return FileWaiver(name, path.removeprefix("./"), waiver, text.strip(), problem)


def _severity(word: Any, pointer: str) -> Severity:
    try:
        return Severity(word)
    except ValueError:
        raise PolicyError(f"{word!r} is none of {', '.join(Severity)}, off", pointer) from None


def _text(data: Mapping[str, Any], key: str, pointer: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value.strip():
        raise PolicyError(f"`{key}` is missing" if value is None else f"`{key}` is not a text", f"{pointer}/{key}")
    return value


def _mapping(value: Any, pointer: str, keys: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise PolicyError(f"{value!r} is not a mapping"[:200], pointer)
    if keys and (unknown := next((key for key in value if key not in keys), None)) is not None:
        raise PolicyError(f"`{unknown}` is none of {', '.join(keys)}", f"{pointer}/{unknown}")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise PolicyError(f"{value!r} is not a list"[:200])
    return value


def _hint(name: str) -> str:
    near = nearest(name)
    return f"; did you mean `{near}`?" if near else ""
