"""Expressions of the Common Expression Language over a package's plain data, bounded in what they may take.

https://github.com/google/cel-spec. The C++ implementation stops an expression after 10,000 iterations and at 32
levels of nesting, and matches regular expressions in linear time, so that no package can make a rule run for long.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from wpk_sandbox.errors import ProgramMissingError
from wpk_sandbox.pattern import Pattern

NAMES = ("apiVersion", "kind", "metadata", "spec", "path")
_PLACE = Pattern(r"ERROR: <input>:(\d+):(\d+): ([^\n]*)")
_MISSING = Pattern(r'Key not found in map : "([^"]*)"')


class ExpressionError(ValueError):
    """An expression that cannot be read, or that has no answer for a package."""


@dataclass(frozen=True)
class Expression:
    """An expression that was read; `holds` asks it."""

    program: Any

    def holds(self, data: Mapping[str, Any], path: str = "") -> bool:
        """True or false of a package; raises `ExpressionError` when it is neither."""
        empty: dict[str, Any] = {"apiVersion": "", "kind": "", "metadata": {}, "spec": {}}
        try:
            answer = self.program.eval(data={name: data.get(name, empty.get(name, path)) for name in NAMES})
            value = answer.value()
        except (RuntimeError, ValueError, TypeError, OverflowError) as error:
            raise ExpressionError(_reason(str(error))) from error
        if not isinstance(value, bool):
            raise ExpressionError(_reason(str(value)) if answer.type().name() == "ERROR" else "it is no yes or no")
        return value


def read(text: str) -> Expression:
    """An expression from its text; raises `ExpressionError` with the line and column of a mistake in it."""
    environment, truths = _environment()
    try:
        program = environment.compile(text)
    except (RuntimeError, ValueError, TypeError) as error:
        raise ExpressionError(_reason(str(error))) from error
    if program.return_type() not in truths:
        raise ExpressionError(f"it gives {program.return_type().name()}, where a condition gives true or false")
    return Expression(program)


@cache
def _environment() -> tuple[Any, tuple[Any, ...]]:
    try:
        cel: Any = import_module("cel_expr_python.cel")  # only a policy with rules of its own needs it
    except ImportError as error:
        remedy = "install it: `pip install 'wpk-sandbox[cel]'`"
        raise ProgramMissingError("rules in the policy need the library cel-expr-python", remedy) from error
    return cel.NewEnv(variables=dict.fromkeys(NAMES, cel.Type.DYN)), (cel.Type.BOOL, cel.Type.DYN)


def _reason(told: str) -> str:
    """The library's words without its own codes and drawings."""
    if place := _PLACE.search(told):
        line, column, what = place.groups()
        return f"line {line}, column {column}: {what.removesuffix(' (in container )')}".replace(
            " (in container '')", ""
        )
    if missing := _MISSING.search(told):
        name = missing[1]
        return f"there is no `{name}`; ask with `has(….{name}) && …` first"
    if "Iteration budget exceeded" in told:
        return "it takes more than 10,000 iterations"
    return told.partition("\n")[0].removesuffix("]").rpartition(" [")[0] or told[:200]
