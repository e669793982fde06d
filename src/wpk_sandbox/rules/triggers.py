"""Triggers that can never fire."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.package.package import Trigger
from wpk_sandbox.package.units import seconds
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules import promql
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell.options import names
from wpk_sandbox.rules.subject import Subject

TRIGGER_INVALID = Rule(
    "trigger-invalid",
    Severity.MEDIUM,
    "A trigger can never fire",
    "The runbook is approved, merged and trusted, and nothing happens on the day when it is needed: the schedule is"
    " refused, the query does not parse, or no request ever arrives at the path.",
    "Correct the expression; `crontab.guru`, `promtool check rules` and a request by hand show whether it works.",
    points=POINTS[Severity.MEDIUM],
)

RULES = (TRIGGER_INVALID,)

_CRON_KEYS = ("cron", "schedule", "cron_expression")
# https://pkg.go.dev/github.com/robfig/cron/v3, which Kubernetes reads schedules with
_CRON_WORDS = names("@reboot @yearly @annually @monthly @weekly @daily @midnight @hourly")
_CRON_EVERY = Pattern(r"@every\s+(?:\d+(?:\.\d+)?(?:ms|s|m|h))+")
_TIME_ZONE = Pattern(r"^(?:CRON_)?TZ=\S+\s+")
_FIELDS = ("minute", "hour", "day-of-month", "month", "day-of-week")
_LONGEST = 500
_PROMETHEUS = Pattern(r"prom|alertmanager|thanos|mimir|cortex|victoria", re.IGNORECASE)
_PROMETHEUS_DURATION = Pattern(r"(?:\d+(?:ms|[smhdwy]))+")


def check(subject: Subject) -> Iterator[Finding]:
    """What is wrong with the triggers."""
    for trigger in subject.package.triggers:
        for find in _CHECKS.get(trigger.type, ()):
            for key, message in find(trigger):
                pointer = f"{trigger.pointer}/config/{key}".rstrip("/")
                yield subject.finding(TRIGGER_INVALID, pointer, message, _FIXES[find])


Problems = Iterator[tuple[str, str]]


def _cron(trigger: Trigger) -> Problems:
    key = next((key for key in _CRON_KEYS if key in trigger.config), None)
    if key is None:
        # The format leaves `config` free: an engine may know `interval: 5m`.
        if not any(_is_duration(value) for value in trigger.config.values()):
            yield "", "the schedule says no time: it has no `cron`"
        return
    text = trigger.config[key]
    if not isinstance(text, str):
        yield key, f"the schedule is {text!r}, which is no cron expression such as `0 4 * * 1`"
    elif "${" not in text and (problem := cron_problem(text)):
        yield key, f"the schedule `{text[:60]}` {problem}"


def cron_problem(text: str) -> str:
    """Why a cron expression never fires, for after its name; empty for one that does.

    Five fields, or six with the seconds first, as https://man7.org/linux/man-pages/man5/crontab.5.html has them.
    """
    text = _TIME_ZONE.sub("", text.strip())
    if text.startswith("@"):
        return "" if text in _CRON_WORDS or _CRON_EVERY.fullmatch(text) else "is a word that cron does not know"
    if len(text) > _LONGEST:
        return "is too long for cron"
    fields = text.split()
    if len(fields) not in (5, 6):
        return f"has {len(fields)} field{'s' * (len(fields) != 1)}; a cron expression has 5"
    # Quartz writes `?` for any day.
    plain = [field.replace("?", "*") for field in fields]
    wrong = _refused(plain)
    if wrong == "day-of-month" and not _refused([*plain[:-2], "*", plain[-1]]):
        return "names a day that never comes"
    if wrong in _FIELDS:
        return f"has no valid {wrong}: `{fields[_FIELDS.index(wrong) + len(fields) - 5][:40]}`"
    return f"cannot be read: {wrong}" if wrong else ""


def _refused(fields: list[str]) -> str:
    """The field for which a schedule is refused, or why else; empty for one that fires."""
    from datetime import UTC, datetime  # noqa: PLC0415 -- few packages have a schedule

    from cronsim import CronSim, CronSimError  # noqa: PLC0415 - only packages with a schedule load it

    try:
        next(CronSim(" ".join(fields), datetime(2026, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        return str(error).removeprefix("Bad ")
    except StopIteration:
        return "it never fires"
    return ""


def _path(trigger: Trigger) -> Problems:
    path = trigger.config.get("path")
    if path is None or (isinstance(path, str) and path.startswith("${")):
        return
    if not isinstance(path, str) or not path:
        yield "path", "the path of the webhook must be a text such as `/restart`"
    elif "://" in path:
        yield "path", f"`{path[:60]}` is an address; the path of a webhook begins with `/`"
    elif not path.startswith("/"):
        yield "path", f"the path of the webhook `{path[:60]}` does not begin with `/`"
    elif re.search(r"\s", path):
        yield "path", f"the path of the webhook `{path[:60]}` has a space in it, which no request has"
    elif "?" in path or "#" in path:
        yield "path", f"the path of the webhook `{path[:60]}` has a query or fragment, which is not part of a path"
    elif ".." in path.split("/"):
        yield "path", f"the path of the webhook `{path[:60]}` has `..` in it, which clients resolve before they ask"


def _condition(trigger: Trigger) -> Problems:
    source, condition = trigger.config.get("source"), trigger.config.get("condition")
    if not isinstance(condition, str) or not isinstance(source, str) or not _PROMETHEUS.search(source):
        return
    if problem := promql.problem(condition):
        yield "condition", f"the condition is no PromQL: {problem}"


def _duration(trigger: Trigger) -> Problems:
    value = trigger.config.get("duration")
    if value is not None and not _is_duration(value):
        yield "duration", f"the duration is {str(value)[:60]!r}; write for example `30s`, `5m` or `1h30m`"


def _is_duration(value: Any) -> bool:
    """True for a duration of the format or of Prometheus, and for what a parameter decides."""
    if isinstance(value, str) and ("${" in value or _PROMETHEUS_DURATION.fullmatch(value)):
        return True
    try:
        seconds(value)
    except (ValueError, TypeError, AttributeError):
        return False
    return True


_CHECKS: dict[str, tuple[Callable[[Trigger], Problems], ...]] = {
    "schedule": (_cron,),
    "webhook": (_path,),
    "event": (_condition, _duration),
}
_FIXES: dict[Callable[[Trigger], Problems], str] = {
    _cron: 'Write minute, hour, day, month and weekday: `cron: "0 4 * * 1"`; crontab.guru explains it.',
    _path: "Write the path alone, as in `path: /restart`; try it with a request by hand.",
    _condition: "Correct the query; `promtool check rules` or Prometheus' own page shows whether it works.",
    _duration: "Write for example `duration: 5m`.",
}
