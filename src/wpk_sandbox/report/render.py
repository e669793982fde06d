"""Fills templates, ours or a user's, in a Jinja sandbox where every value is escaped unless it says it is safe."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import (
    ChoiceLoader,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.sandbox import SandboxedEnvironment

from wpk_sandbox.errors import SettingsError

OURS = Path(__file__).parent / "templates"


def environment(
    templates: Path | None,
    *,
    autoescape: bool,
    finalize: Callable[[object], object],
    filters: Mapping[str, Callable[..., object]],
) -> SandboxedEnvironment:
    """Templates of the user's folder before ours; ours stay reachable as `ours/NAME`, to be extended.

    `finalize` sees every value that a template prints.
    """
    if templates is not None and not templates.is_dir():
        raise SettingsError(f"there is no folder {templates}", "name a folder that holds summary.md.j2")
    ours = FileSystemLoader(OURS)
    theirs = [FileSystemLoader(templates)] if templates else []
    # Bandit's rule wants autoescape for HTML; Markdown has its own escape, in `finalize`.
    made = SandboxedEnvironment(
        loader=ChoiceLoader([*theirs, ours, PrefixLoader({"ours": ours})]),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalize,
    )
    made.filters.update(filters)
    return made


def render(env: SandboxedEnvironment, name: str, context: Mapping[str, Any]) -> str:
    """Fill a template; raises `SettingsError` with its name and line when it cannot be filled."""
    try:
        return env.get_template(name).render(context)
    except TemplateSyntaxError as error:
        place = f"{error.filename or error.name or name}:{error.lineno}"
        raise SettingsError(f"{place}: the template cannot be read: {error.message}", _REMEDY) from error
    except TemplateNotFound as error:
        raise SettingsError(f"{name}: there is no template {error.message}", _REMEDY) from error
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        place = f"{name}:{_line(error)}"
        raise SettingsError(f"{place}: the template cannot be filled: {error}", _REMEDY) from error


_REMEDY = "mend the template, or leave `templates` out to use the built-in one"


def _line(error: BaseException) -> int:
    """The template's line on which a value could not be filled in: Jinja rewrites tracebacks to show it."""
    trace, line = error.__traceback__, 0
    while trace:
        if trace.tb_frame.f_code.co_filename.endswith(".j2"):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
