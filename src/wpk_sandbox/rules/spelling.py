"""Corrections of words that are only written in another way: `maxAttempts`, `Auto`, `"3"` and `yes`.

A word is exchanged only for one of the same letters, or a value for the same in the form of the field; and only if
the loader has nothing more to say of the place then. What is misspelt, a person has to read.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from wpk_sandbox.finding import Finding, Location
from wpk_sandbox.package.load import load_bytes
from wpk_sandbox.package.package import Document, Package
from wpk_sandbox.package.slips import alike, meanings
from wpk_sandbox.package.validate import value_at
from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.corrections import Change, Fix
from wpk_sandbox.rules.edit import Edit, apply
from wpk_sandbox.rules.place import Places

# Each one is loaded again.
MOST = 20
_OF_KEYS = "unknown-field"
_OF_VALUES = frozenset({"invalid-value", "unknown-type", "unknown-action"})
_PROPOSED = Pattern(r"Write `(?:\w+: )?([\w.-]+)`")
_QUOTED = Pattern(r"'([^'\\\n]*)'|\"([^\"\\\n]*)\"")
_PLAIN = Pattern(r"[A-Za-z0-9_.+-]+")
# A package is known by its name: another spelling is another package.
_IDENTITY = "/metadata/name"


def spellings(package: Package, findings: Sequence[Finding]) -> Iterator[Fix]:
    """What could be spelt right in a document of a file; `findings` are those of the file."""
    document = package.document
    asked = [each for each in findings if each.rule in _OF_VALUES or each.rule == _OF_KEYS]
    if not asked:
        return
    values = {place: pointer for pointer, place in document.places.items()}
    keys = {place: pointer for pointer, place in document.keys.items()}
    for finding in asked[:MOST]:
        if finding.waiver:
            continue
        if finding.rule == _OF_KEYS and finding.location in keys:
            yield from _key(document, keys[finding.location], finding)
        elif finding.location in values and values[finding.location] != _IDENTITY:
            yield from _value(document, values[finding.location], finding)


def _key(document: Document, pointer: str, finding: Finding) -> Iterator[Fix]:
    above, _, last = pointer.rpartition("/")
    found = _PROPOSED.match(finding.fix)
    siblings = value_at(document.data, above)
    if not found or not alike(found[1], last) or not isinstance(siblings, dict) or found[1] in siblings:
        return
    edit = _edit(document, finding.location, found[1])
    if edit and _helps(document, edit, finding):
        change = Change(document.index, pointer, found[1], key=True)
        yield Fix(finding.rule, f"`{last}` is `{found[1]}`", finding.location, (edit,), change)


def _value(document: Document, pointer: str, finding: Finding) -> Iterator[Fix]:
    value = value_at(document.data, pointer)
    for meaning in (*_proposed(value, finding), *meanings(value)):
        edit = _edit(document, finding.location, meaning)
        if edit and _helps(document, edit, finding):
            change = Change(document.index, pointer, meaning)
            message = f"`{document.text[edit.start : edit.end]}` is `{edit.replacement}`"
            yield Fix(finding.rule, message, finding.location, (edit,), change)
            return
    if isinstance(value, int | float):
        yield from _as_text(document, pointer, finding)


def _proposed(value: Any, finding: Finding) -> Iterator[str]:
    """The word that the finding itself proposes, if it is the same in other letters."""
    found = _PROPOSED.match(finding.fix)
    if found and isinstance(value, str) and alike(found[1], value):
        yield found[1]


def _as_text(document: Document, pointer: str, finding: Finding) -> Iterator[Fix]:
    """A number or a truth value in quotes, where a text belongs; as it is written, so that 1.10 stays 1.10."""
    start, end = Places(document).range(finding.location)
    written = document.text[start:end]
    edit = Edit(start, end, f'"{written}"')
    if _PLAIN.fullmatch(written) and _helps(document, edit, finding):
        change = Change(document.index, pointer, written)
        yield Fix(finding.rule, f"`{written}` is the text `{edit.replacement}`", finding.location, (edit,), change)


def _edit(document: Document, location: Location, meaning: str | int | bool) -> Edit | None:
    """The words in the quotes that stood there; a truth value and a number have none."""
    start, end = Places(document).range(location)
    written = document.text[start:end]
    text = meaning if isinstance(meaning, str) else str(meaning).lower()
    quoted = _QUOTED.fullmatch(written)
    if not _PLAIN.fullmatch(text) or not (quoted or _PLAIN.fullmatch("".join(written.split()))):
        return None
    quote = written[0] if quoted and isinstance(meaning, str) else ""
    return Edit(start, end, f"{quote}{text}{quote}")


def _helps(document: Document, edit: Edit, finding: Finding) -> bool:
    """True when the loader then has nothing more to say of the place, and reads as many packages.

    It may say more of what belongs to it: until a handler's type is known nobody looks into the handler.
    """
    before = load_bytes(document.text.encode("utf-8", "replace"), document.path)
    after = load_bytes(apply(document.text, (edit,)).encode("utf-8", "replace"), document.path)
    here = (finding.rule, finding.location.line, finding.location.column)
    told = [(each.rule, each.location.line, each.location.column) for each in after.findings]
    return here not in told and len(after.packages) == len(before.packages)
