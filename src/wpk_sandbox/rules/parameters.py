"""Parameters of which nobody can tell what belongs into them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.package.event import read_event
from wpk_sandbox.package.kinds import resource_kind
from wpk_sandbox.package.parameters import used_names
from wpk_sandbox.rules.place import Span
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.shell.options import names
from wpk_sandbox.rules.subject import Subject, escaped

UNEXPLAINED = Rule(
    "parameter-unexplained",
    Severity.LOW,
    "Nothing says what belongs into a parameter",
    "The format declares no parameters, so who fires the runbook learns of `${TARGET}` from its failure, and fills"
    " in what they guess. The dry run guesses too, and proves less than it seems.",
    "Say it in a comment beside it or in the `description`, give a value in the case file, or a default in the"
    " script (`${TARGET:-web}`).",
    points=POINTS[Severity.LOW],
)

RULES = (UNEXPLAINED,)

_COMMENT = re.compile(r"(?:^|\s)#(.*)")
# What alerts and engines tell beside the kinds of Kubernetes.
_TOLD = names(
    "namespace ns instance alertname alert severity service cluster container environment env region zone host"
    " timestamp date time run execution workflow"
)
# A name of several words that ends in one of these says what it is: `DB_HOST`, `SLACK_WEBHOOK_URL`.
_SPEAKING = names(
    "url uri endpoint host hostname address addr port user username password passwd secret token key email"
    " namespace image tag version bucket path file dir directory folder region zone channel topic queue"
    " database db table count replicas limit max min size days hours minutes seconds percent timeout interval"
    " threshold level date time number webhook registry repository repo branch commit domain cluster node pod"
    " deployment service job reason message enabled"
)
# Words of a name that say nothing by themselves.
_EMPTY = names("new old the my target value name id param arg var")


def check(subject: Subject) -> Iterator[Finding]:
    """One finding, at the first use, for all parameters that are explained nowhere."""
    unknown = [name for name in used_names(subject.package) if not _explained(name, subject)]
    found = next((place for name in unknown if (place := _first_use(name, subject))), None)
    if found is None:
        return
    pointer, text, span = found
    several = ", ".join(f"`${{{name}}}`" for name in unknown)
    yield subject.in_text(UNEXPLAINED, pointer, text, span, f"nothing says what belongs into {several}")


def _explained(name: str, subject: Subject) -> bool:
    """True when the name speaks, the event or a case tells it, or the text says something of it."""
    words = [word for word in re.split(r"[_.-]+", name.lower()) if word]
    words = words[1:] if words[0] in ("event", "trigger", "alert") and len(words) > 1 else words
    own = [word for word in words if word not in _EMPTY]
    if len(own) > 1 and own[-1] in _SPEAKING:
        return True
    if own and all(word in _TOLD or (len(words) > 1 and word in _SPEAKING) or resource_kind(word) for word in own):
        return True
    if any(name in case.parameters or name.lower() in read_event(case.event).values for case in subject.cases):
        return True
    return _said(name, own, subject)


def _said(name: str, words: list[str], subject: Subject) -> bool:
    """True when prose names it or all of its words, a script has a default, or a comment stands beside it."""
    scripts = (part for text in subject.scripts for part in text.texts)
    lines = "\n".join((subject.package.document.text, *scripts)).splitlines()
    comments = [match[1] if (match := _COMMENT.search(line)) else "" for line in lines]
    prose = " ".join((subject.package.description, *comments)).lower()
    if name.lower() in prose or (words and all(word in prose for word in words)):
        return True
    use = re.compile(rf"\$\{{{re.escape(name)}\}}")
    default = re.compile(rf"\$\{{{re.escape(name)}:?[-=?+]")
    for number, line in enumerate(lines):
        if default.search(line):
            return True
        beside = comments[number] or (number and lines[number - 1].lstrip().startswith("#"))
        if use.search(line) and beside:
            return True
    return False


def _first_use(name: str, subject: Subject) -> tuple[str, str, Span] | None:
    mark = f"${{{name}}}"
    for part in ("handlers", "rollback"):
        for pointer, text in _texts(subject.written(f"/spec/{part}"), f"/spec/{part}"):
            if (start := text.find(mark)) >= 0:
                return pointer, text, (start, start + len(mark))
    return None


def _texts(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, f"{pointer}/{escaped(key)}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{pointer}/{index}")
