"""Parameters: which `${NAME}` of a package are ours to fill, with what, and filling them.

The fill is literal text, as a runbook engine does it: what a value holds is not looked at again. In a shell
command (and in the `command` and `args` of a container) a name belongs to the shell, and is left alone, when the
text itself assigns it (`NAME=`, `for NAME in`, `read NAME`, …), when it is used in a form that only a shell knows
(`${NAME:-default}`, `${NAME%.gz}`), when the container's own `env` has it, or when each shell sets it (`${HOME}`).
What somebody gave is in the shell's environment too (`Plan.environment`), so these forms see it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from wpk_sandbox.package.package import (
    Action,
    ApiAction,
    ContainerAction,
    KubernetesAction,
    ManifestAction,
    Package,
    Reference,
    ShellAction,
)

Lookup = Callable[[str], str | None]

_PARAMETER = re.compile(r"(?<![\\$])\$\{([A-Za-z_][A-Za-z0-9_.-]*)\}")
# To a shell `${NAME-default}` is a form of its own.
_IN_SHELL = re.compile(r"(?<![\\$])\$\{([A-Za-z_][A-Za-z0-9_.]*)\}")
_SHELL_FORM = re.compile(r"\$\{[#!]?([A-Za-z_][A-Za-z0-9_]*)[^}A-Za-z0-9_]")
_ASSIGNMENTS = re.compile(
    r"(?:^|[;&|({\n]|\b(?:if|elif|while|until|then|do|else|export|local|readonly|declare|typeset)\b(?:\s+-\w+)*)\s*"
    r"((?:[A-Za-z_]\w*\+?=(?:\"[^\"]*\"|'[^']*'|\$\([^)]*\)|[^\s;&|\"'])*[ \t]*)+)"
)
_ASSIGNED = re.compile(r"(?:^|[ \t])([A-Za-z_]\w*)\+?=")
_BOUND = re.compile(
    r"\b(?:for|select|printf\s+-v|getopts\s+\S+)\s+([A-Za-z_]\w*)"
    r"|\b(?:read|mapfile|readarray)\b((?:[ \t]+(?:-[a-z][ \t]*\d+|-\w+|[A-Za-z_]\w*))+)"
)
_OF_EVERY_SHELL = frozenset(
    {
        *(
            "BASH",
            "BASHPID",
            "BASH_SOURCE",
            "BASH_VERSION",
            "EUID",
            "FUNCNAME",
            "HOME",
            "HOSTNAME",
            "IFS",
            "LINENO",
        ),
        *(
            "LOGNAME",
            "OLDPWD",
            "OPTARG",
            "OPTIND",
            "PATH",
            "PIPESTATUS",
            "PPID",
            "PWD",
            "RANDOM",
            "REPLY",
            "SECONDS",
        ),
        *("SHELL", "SHLVL", "TMPDIR", "UID", "USER"),
    }
)
# Under these keys a number is still text: `data: {PORT: "${PORT}"}` must stay a string for the API server.
_TEXT_MAPS = frozenset({"data", "stringData", "annotations", "labels", "matchLabels", "nodeSelector"})
_TEXT_KEYS = frozenset({"value", "name", "command", "args", "namespace", "selector", "annotation"})


def used_names(package: Package, told: Iterable[str] = ()) -> tuple[str, ...]:
    """The parameters that the package wants filled, in the order in which they appear."""
    seen: dict[str, None] = {}
    given = frozenset(told)

    def record(name: str) -> None:
        if name not in _OF_EVERY_SHELL or name in given:
            seen[name] = None

    for handler in (*package.handlers, *package.rollback.handlers):
        for step in handler.steps:
            fill_action(step.action, record)
    return tuple(seen)


def fill_action(action: Action, lookup: Lookup) -> Action:
    """The action with its parameters filled; where `lookup` answers None the text stays as it is."""
    match action:
        case ShellAction():
            return ShellAction(fill_shell(action.command, lookup))
        case KubernetesAction():
            return replace(
                action,
                reference=_fill_reference(action.reference, lookup),
                options=_fill_map(action.options, lookup),
            )
        case ManifestAction():
            return ManifestAction(_fill_map(action.manifest, lookup))
        case ContainerAction():
            return _fill_container(action, lookup)
        case ApiAction():
            return replace(
                action,
                url=fill_text(action.url, lookup),
                headers={name: fill_text(value, lookup) for name, value in action.headers.items()},
                payload=_fill(action.payload, lookup, text=True),
            )
        case _:
            return action


def fill_text(text: str, lookup: Lookup, keep: Iterable[str] = (), pattern: re.Pattern[str] = _PARAMETER) -> str:
    """Plain text with each `${NAME}` replaced, but for the names to keep."""
    kept = frozenset(keep)

    def value(match: re.Match[str]) -> str:
        found = None if match[1] in kept and not _assigns_itself(text, match) else lookup(match[1])
        return match[0] if found is None else found

    return pattern.sub(value, text)


def fill_shell(command: str, lookup: Lookup) -> str:
    """A shell command with the parameters replaced that are not the shell's own."""
    return fill_text(command, lookup, names_of_the_shell(command), _IN_SHELL)


def names_of_the_shell(command: str) -> frozenset[str]:
    """The names in a command that the shell itself gives a value."""
    names = set(_SHELL_FORM.findall(command))
    for assignments in _ASSIGNMENTS.findall(command):
        names.update(_ASSIGNED.findall(assignments))
    for one, several in _BOUND.findall(command):
        names.update([one] if one else [word for word in several.split() if not word.startswith("-")])
    return frozenset(names)


def _assigns_itself(text: str, match: re.Match[str]) -> bool:
    """`LEVEL="${LEVEL}"` takes the parameter over into the shell: the right side is ours to fill."""
    return re.search(rf"(?<!\w){match[1]}=[\"']?[^\s;\"']*$", text[: match.start()]) is not None


def _fill_reference(reference: Reference, lookup: Lookup) -> Reference:
    def filled(value: str | None) -> str | None:
        return value if value is None else fill_text(value, lookup)

    return Reference(
        filled(reference.resource_type),
        filled(reference.name),
        filled(reference.namespace),
        filled(reference.selector),
    )


def _fill_container(action: ContainerAction, lookup: Lookup) -> ContainerAction:
    keep = names_of_the_shell("\n".join((*action.command, *action.args))) | frozenset(action.env)
    return ContainerAction(
        image=fill_text(action.image, lookup),
        command=tuple(fill_text(word, lookup, keep) for word in action.command),
        args=tuple(fill_text(word, lookup, keep) for word in action.args),
        env={name: fill_text(value, lookup) for name, value in action.env.items()},
        raw=_fill_map(action.raw, lookup),
    )


def _fill_map(data: Mapping[str, Any], lookup: Lookup) -> dict[str, Any]:
    filled = _fill(data, lookup)
    assert isinstance(filled, dict)
    return filled


def _fill(data: Any, lookup: Lookup, *, text: bool = False, keep: frozenset[str] = frozenset()) -> Any:
    """Any value with its strings filled; `text` says that a number given for one stays a string."""
    if isinstance(data, str):
        filled = fill_text(data, lookup, keep)
        whole = _PARAMETER.fullmatch(data) is not None and filled != data
        return _number(filled) if whole and not text else filled
    if isinstance(data, Mapping):
        keep = keep | _names_of_a_container(data)
        return {key: _fill_member(key, value, lookup, text, keep) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_fill(item, lookup, text=text, keep=keep) for item in data]
    return data


def _fill_member(key: Any, value: Any, lookup: Lookup, text: bool, keep: frozenset[str]) -> Any:
    name = fill_text(key, lookup) if isinstance(key, str) else key
    if name in _TEXT_MAPS and isinstance(value, Mapping):
        return {
            inner: _fill_member(inner, item, lookup, isinstance(item, str), frozenset())
            for inner, item in value.items()
        }
    shell = name in ("command", "args")
    return _fill(value, lookup, text=text or name in _TEXT_KEYS, keep=keep if shell else frozenset())


def _names_of_a_container(data: Mapping[str, Any]) -> frozenset[str]:
    words = [word for key in ("command", "args") if isinstance(data.get(key), list) for word in data[key]]
    env = data.get("env")
    named = [entry.get("name") for entry in env if isinstance(entry, Mapping)] if isinstance(env, list) else []
    return names_of_the_shell("\n".join(map(str, words))) | frozenset(map(str, named)) if words else frozenset()


def _number(text: str) -> str | int:
    """`replicas: ${REPLICAS}` is a number once it is filled."""
    return int(text) if re.fullmatch(r"-?\d{1,18}", text) else text
