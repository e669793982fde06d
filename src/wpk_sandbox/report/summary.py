"""The result as Markdown, for a job summary or a pull request's comment: the answer, what to do, then the proof."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wpk_sandbox.report import escape, phrases, seen
from wpk_sandbox.report.findings import caret_parts
from wpk_sandbox.report.fit import fit, rooms
from wpk_sandbox.report.lines import width
from wpk_sandbox.report.render import environment, render
from wpk_sandbox.run.result import Change, Effect, RunResult

# GitHub drops a whole summary of 1 MiB; what other steps wrote before us counts too.
MOST_BYTES = 900 * 1024
LOG_CHARACTERS = 32 * 1024
TEMPLATE = "summary.md.j2"


def summary(result: RunResult, templates: Path | None = None, *, limit: int = MOST_BYTES) -> str:
    """The Markdown, at most `limit` bytes (a comment takes 60,000): details go first, the worst package last.

    `templates` is a folder whose `summary.md.j2` replaces ours. Raises `SettingsError` when it cannot be filled.
    """
    env = environment(templates, autoescape=False, finalize=escape.markdown, filters=_FILTERS)
    context = {"result": result, "packages": phrases.worst_first(result.packages), "say": phrases, "seen": seen}
    choices = rooms(len(result.packages), LOG_CHARACTERS)
    text = fit(lambda room: _tidy(render(env, TEMPLATE, {**context, "room": room})), choices, limit)
    return _cut(text, limit)


def _tidy(text: str) -> str:
    return text.strip("\n") + "\n"


def _cut(text: str, limit: int) -> str:
    """The last resort, when a template does not keep to its `room`: whole lines, and a line that says so."""
    data = text.encode("utf-8", "replace")
    if len(data) <= limit:
        return data.decode()
    note = "\n\n(cut here: the summary was longer than its reader takes)\n"
    kept = data[: max(0, limit - len(note))].decode("utf-8", "ignore")
    return kept.rpartition("\n")[0] + note


def _log(text: str, characters: int) -> escape.Markdown:
    return escape.fence(escape.head_and_tail(text, characters), "text")


def _diff(effects: Sequence[Effect]) -> escape.Markdown:
    """Effects as a diff, which GitHub and GitLab colour."""
    lines: list[str] = []
    last = ""
    for effect in effects:
        where, field, before, after = map(escape.one_line, phrases.effect_fields(effect))
        if where != last:
            lines.append(f"  {where}")
            last = where
        if effect.change is not Change.ADDED:
            lines.append(f"- {field} {before}")
        if effect.change is not Change.REMOVED:
            lines.append(f"+ {field} {after}")
    return escape.fence("\n".join(lines), "diff")


def _excerpt(finding: Any) -> escape.Markdown:
    """The source line of a finding with carets under the place."""
    before, marked, after = caret_parts(finding)
    carets = " " * width(before) + "^" * max(1, width(marked))
    return escape.fence(f"{before}{marked}{after}\n{carets}", "yaml")


_FILTERS: Mapping[str, Callable[..., object]] = {
    "md": escape.markdown,
    "code": escape.code,
    "fence": escape.fence,
    "html": escape.html,
    "log": _log,
    "diff": _diff,
    "excerpt": _excerpt,
}
