"""The result as one HTML file: no network, no script, light and dark, for a screen, a phone and paper."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from wpk_sandbox.report import chart, phrases, seen
from wpk_sandbox.report.escape import head_and_tail, visible
from wpk_sandbox.report.findings import caret_parts
from wpk_sandbox.report.fit import fit, rooms
from wpk_sandbox.report.render import environment, render
from wpk_sandbox.run.result import Effect, RunResult, StepResult

MOST_BYTES = 20 * 1024 * 1024
LOG_CHARACTERS = 256 * 1024
TEMPLATE = "report.html.j2"


@dataclass(frozen=True)
class Bar:
    """A step's place on its package's time line, in percent of the whole."""

    step: StepResult
    start: float
    width: float


def html(result: RunResult) -> str:
    """The whole report. Output of steps is cut when the file would grow beyond what a browser opens gladly."""
    env = environment(None, autoescape=True, finalize=_harmless, filters=_FILTERS)
    context = {"result": result, "packages": phrases.worst_first(result.packages), "say": phrases, "seen": seen}
    choices = rooms(len(result.packages), LOG_CHARACTERS)
    return fit(lambda room: render(env, TEMPLATE, {**context, "room": room}), choices, MOST_BYTES)


def _harmless(value: object) -> object:
    """Jinja escapes HTML; controls and marks that turn the reading direction are made visible here."""
    return value if isinstance(value, Markup) else visible(str(value))


def bars(steps: Sequence[StepResult]) -> list[Bar]:
    """The steps that ran, one after the other; each bar is wide enough to be seen."""
    ran = [step for step in steps if phrases.ran(step)]
    whole = sum(step.seconds for step in ran) or 1.0
    result, start = [], 0.0
    for step in ran:
        width = max(100 * step.seconds / whole, 0.6)
        result.append(Bar(step, min(round(start, 2), 99.4), round(min(width, 100 - min(start, 99.4)), 2)))
        start += 100 * step.seconds / whole
    return result


def by_object(effects: Sequence[Effect]) -> list[tuple[str, list[tuple[str, str, str, str]]]]:
    """Effects of each object as rows: field, before, after, and what became of it."""
    rows = [(phrases.effect_fields(effect), str(effect.change)) for effect in effects]
    return [
        (where, [(field, before, after, change) for (_, field, before, after), change in group])
        for where, group in groupby(rows, key=lambda row: row[0][0])
    ]


def prose(text: str) -> Markup:
    """A sentence in which pairs of backticks mark code."""
    parts = re.split("`([^`]+)`", visible(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in enumerate(parts)
    )


def anchor(number: int) -> str:
    """The id of a package's section; numbers, because names are not ours."""
    return f"package-{number}"


def _sentence(text: str) -> str:
    """The text with a capital at its start, the rest as it is."""
    return text[:1].upper() + text[1:]


_FILTERS: Mapping[str, Callable[..., object]] = {
    "log": head_and_tail,
    "bars": bars,
    "chart": chart.chart,
    "by_object": by_object,
    "caret": caret_parts,
    "anchor": anchor,
    "sentence": _sentence,
    "prose": prose,
}
