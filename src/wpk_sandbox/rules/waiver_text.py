"""Waivers as comments: `# wpk-sandbox: allow RULE -- reason (until 2027-01-31, @owner)`."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from wpk_sandbox.finding import Finding, Waiver
from wpk_sandbox.package.package import Document
from wpk_sandbox.package.validate import value_at
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.comments import Comment, comments

_MARK = Pattern(r"#\s*wpk-sandbox\s*:\s*(.*)", re.IGNORECASE | re.ASCII)
_ALLOW = Pattern(r"allow\s+(?P<rule>[a-z0-9-]+)\s*(?:--\s*(?P<rest>.*))?")
_TERMS = Pattern(r"(?P<reason>.*?)\s*\((?P<terms>[^()]*)\)\s*")
_DATE = Pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OWNER = Pattern(r"@[A-Za-z0-9][A-Za-z0-9_./-]*")


@dataclass(frozen=True)
class Written:
    """A waiver in the file of a package. `about` is the line that it speaks of; `problem` says what it lacks."""

    rule: str
    waiver: Waiver
    about: int
    problem: str = ""


class Live:
    """The comments of a document that may waive something, by what they are about."""

    def __init__(self, waivers: Iterable[Written], document: Document) -> None:
        self._path = document.path
        self._waivers: dict[tuple[str, int], list[Written]] = {}
        for each in waivers:
            self._waivers.setdefault((each.rule, each.about), []).append(each)
        # Texts of several lines, which do not overlap: the lines on which they begin and end.
        self._texts = _texts(document) if self._waivers else []

    def about(self, finding: Finding) -> Iterator[Written]:
        """Those of the finding's rule for the line that it starts on, or for a text around it that starts there."""
        if self._waivers and finding.location.path == self._path:
            line = finding.location.line
            index = bisect_left(self._texts, (line, 0)) - 1
            if index >= 0 and line <= self._texts[index][1]:
                yield from self._waivers.get((finding.rule, self._texts[index][0]), ())
            yield from self._waivers.get((finding.rule, line), ())


def _texts(document: Document) -> list[tuple[int, int]]:
    return sorted(
        (whole.line, whole.end_line)
        for pointer, whole in document.places.items()
        if whole.line < whole.end_line and isinstance(value_at(document.data, pointer), str)
    )


def written(document: Document) -> Iterator[Written]:
    """The waivers in a document, well written or not."""
    if "wpk-sandbox" not in document.text.lower():
        return
    for comment in comments(document):
        if mark := _MARK.match(comment.text):
            yield _waiver(mark[1], comment)


def problem_of(reason: str, until: str, owner: str) -> str:
    """What a waiver lacks, or nothing."""
    if not reason.strip():
        return "has no reason"
    if not " ".join((reason, until, owner)).replace("\t", " ").isprintable():
        return "holds characters that cannot be seen"
    if not until:
        return "does not say until when: `until 2027-01-31`"
    if not is_date(until):
        return f"ends on `{until[:40]}`, which is no day such as 2027-01-31"
    if not owner:
        return "has no owner: `@name`"
    return "" if _OWNER.fullmatch(owner) else f"names `{owner[:40]}` as its owner, which is not of the form `@name`"


def is_date(text: str) -> bool:
    """True for a day that exists, as ISO 8601 writes it."""
    try:
        return bool(_DATE.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _waiver(text: str, comment: Comment) -> Written:
    allowed = _ALLOW.fullmatch(text.strip())
    if not allowed:
        return Written(
            "", Waiver("", "", "", comment.location), comment.about, "is not of the form `allow RULE -- …`"
        )
    reason, until, owner = _parts(allowed["rest"] or "")
    waiver = Waiver(reason, until, owner, comment.location)
    return Written(allowed["rule"], waiver, comment.about, problem_of(reason, until, owner))


def _parts(rest: str) -> tuple[str, str, str]:
    """Reason, end and owner, as far as they are there; of two ends or owners both, so that neither counts."""
    match = _TERMS.fullmatch(rest)
    if not match:
        return rest, "", ""
    terms = [term.strip() for term in match["terms"].split(",")]
    until = (term.removeprefix("until").strip() for term in terms if term.startswith("until"))
    owner = (term for term in terms if term.startswith("@"))
    return match["reason"], " and ".join(until), " and ".join(owner)
