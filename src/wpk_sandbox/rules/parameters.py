"""Parameters of which nobody can tell what belongs into them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.package.event import read_event
from wpk_sandbox.package.kinds import resource_kind
from wpk_sandbox.package.parameters import used_names
from wpk_sandbox.pattern import Pattern
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

_MOST_NAMED = 5
_SHORTEST, _LONGEST = 4, 20
_USE = Pattern(r"\$\{([A-Za-z_][\w.-]*)\}")
_DEFAULT = Pattern(r"\$\{([A-Za-z_]\w*):?[-=?+]")
_WORD = Pattern(r"[a-z0-9_]+")
_COMMENT = Pattern(r"(?:^|\s)#(.*)")
# What alerts and engines tell beside the kinds of Kubernetes.
_TOLD = names(
    "namespace ns instance alertname alert severity service cluster container environment env region zone host"
    " timestamp date time run execution workflow version tag image"
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


@dataclass(frozen=True)
class _Said:
    """What a package says of its parameters: words of its prose, and names with a comment or a default.

    Beginnings of words are among the words: a `certificate` explains `CERT_NAME`.
    """

    words: frozenset[str]
    names: frozenset[str]


def check(subject: Subject) -> Iterator[Finding]:
    """One finding, at the first use, for all parameters that are explained nowhere."""
    used = used_names(subject.package)
    said = _read(subject) if used else _Said(frozenset(), frozenset())
    unknown = [name for name in used if not _explained(name, said)]
    found = next((place for name in unknown if (place := _first_use(name, subject))), None)
    if found is None:
        return
    pointer, text, span = found
    several = ", ".join(f"`${{{name}}}`" for name in unknown[:_MOST_NAMED])
    more = f" and {len(unknown) - _MOST_NAMED} others" if len(unknown) > _MOST_NAMED else ""
    yield subject.in_text(UNEXPLAINED, pointer, text, span, f"nothing says what belongs into {several}{more}")


def _explained(name: str, said: _Said) -> bool:
    """True when the name speaks, the event or a case tells it, or the text says something of it."""
    if name in said.names or name.lower() in said.names or name.lower() in said.words:
        return True
    words = [word for word in re.split(r"[_.-]+", name.lower()) if word]
    words = words[1:] if words[:1] in (["event"], ["trigger"], ["alert"]) and len(words) > 1 else words
    own = [word for word in words if word not in _EMPTY]
    if len(own) > 1 and own[-1] in _SPEAKING:
        return True
    if own and all(word in _TOLD or (len(words) > 1 and word in _SPEAKING) or resource_kind(word) for word in own):
        return True
    return bool(own) and all(word in said.words for word in own)


def _read(subject: Subject) -> _Said:
    """Everything that the text and the cases say, read once for all parameters."""
    scripts = (part for text in subject.scripts for part in text.texts)
    prose, names, before = [subject.package.description], _told_by_cases(subject), ""
    for line in "\n".join((subject.package.document.text, *scripts)).splitlines():
        comment = _COMMENT.search(line)
        prose += [comment[1]] if comment else []
        if comment or before.startswith("#"):
            names.update(_USE.findall(line))
        names.update(_DEFAULT.findall(line))
        before = line.lstrip()
    words = set(_WORD.findall(" ".join(prose).lower()))
    beginnings = {word[:length] for word in words for length in range(_SHORTEST, min(len(word), _LONGEST) + 1)}
    return _Said(frozenset(words | beginnings), frozenset(names))


def _told_by_cases(subject: Subject) -> set[str]:
    told: set[str] = set()
    for case in subject.cases:
        told |= {*case.parameters, *read_event(case.event).values}
    return told


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
