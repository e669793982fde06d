"""Waivers as comments: `# wpk-sandbox: allow RULE -- reason (until 2027-01-31, @owner)`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from wpk_sandbox.finding import Finding, Waiver
from wpk_sandbox.package.package import Document
from wpk_sandbox.package.validate import value_at
from wpk_sandbox.rules.comments import Comment, comments

_MARK = re.compile(r"#\s*wpk-sandbox\s*:\s*(.*)", re.IGNORECASE | re.ASCII)
_ALLOW = re.compile(r"allow\s+(?P<rule>[a-z0-9-]+)\s*(?:--\s*(?P<rest>.*))?")
_TERMS = re.compile(r"(?P<reason>.*?)\s*\((?P<terms>[^()]*)\)\s*")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OWNER = re.compile(r"@[A-Za-z0-9][A-Za-z0-9_./-]*")


@dataclass(frozen=True)
class Written:
    """A waiver in the file of a package. `about` is the line that it speaks of; `problem` says what it lacks."""

    rule: str
    waiver: Waiver
    about: int
    problem: str = ""

    def covers(self, finding: Finding, document: Document) -> bool:
        """True for a finding of the rule that starts on the line, or in a text that starts there."""
        if finding.rule != self.rule or finding.location.path != document.path:
            return False
        line = finding.location.line
        return self.about == line or (self.about < line and self.about == _text_start(finding, document))


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


def _text_start(finding: Finding, document: Document) -> int:
    """The line on which the text of several lines begins that a finding lies in; else the finding's own."""
    place = finding.location
    for pointer, whole in document.places.items():
        inside = whole.line < place.line <= whole.end_line
        if inside and isinstance(value_at(document.data, pointer), str):
            return whole.line
    return place.line
