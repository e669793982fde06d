"""Keeps secrets out of findings: a report must not spread what it warns of."""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import chain
from typing import Any
from urllib.parse import quote, quote_plus

from wpk_sandbox.finding import Finding
from wpk_sandbox.package.package import Document, Package
from wpk_sandbox.rules import secrets
from wpk_sandbox.rules.hiding import Hiding
from wpk_sandbox.rules.place import Places
from wpk_sandbox.rules.secrets import Secret

LONGEST_EXCERPT = 4096
# Less of a base64 text is no sign of what was encoded.
_LEAST_ENCODED = 8
# In a file that cannot be read as a package nothing is known but its lines.
_NAMED = re.compile(
    r"(?:passw|pwd|secret|token|credential|(?:api|access|account|private)[_-]?key)[\w.-]*[\"']?\s*[:=]\s*[\"']?"
    r"(?!\$|\s)([^\s\"',;|&}]{3,})",
    re.IGNORECASE,
)


def hidden_in(documents: Iterable[Document]) -> Hiding:
    """What no finding may show of these documents: their secrets, however they are spelled."""
    distinct = {id(document): document for document in documents}
    return Hiding(chain.from_iterable(map(_texts, distinct.values())))


def hidden_of(packages: Iterable[Package]) -> Hiding:
    """The same of packages and the files that they name."""
    return hidden_in(chain.from_iterable(map(documents_of, packages)))


def hidden_values(*data: Any) -> Hiding:
    """The same of plain values: a mapping of parameters, an event, objects."""
    return Hiding(text for secret in secrets.in_data(list(data)) for text in _spelled(secret.value))


def documents_of(package: Package) -> Iterator[Document]:
    """The document of a package, and those of the files that it names."""
    yield package.document
    for documents in package.files.values():
        yield from documents


def _texts(document: Document) -> Iterator[str]:
    places = Places(document)
    for secret in secrets.in_document(document):
        yield from _spelled(secret.value)
        yield from _written(places, secret)


def _written(places: Places, secret: Secret) -> Iterator[str]:
    place = places.locate(secret.pointer, secret.text, secret.span)
    yield from (line.strip() for line in places.written(place).split("\n"))


def _spelled(value: str) -> Iterator[str]:
    """A secret as it is, each of its lines, all of them in one, and what becomes of it in URLs, JSON and base64."""
    yield from (value, " ".join(value.split()), *value.splitlines(), *value.split("\n"))
    plain = _decoded(value)
    for each in (value, plain) if plain else (value,):
        yield from (each, *each.split("\n"), quote(each, errors="replace"), quote(each, safe="", errors="replace"))
        yield from (quote_plus(each, errors="replace"), json.dumps(each)[1:-1])
        yield from (json.dumps(each, ensure_ascii=False)[1:-1], *_encoded(each.encode("utf-8", "replace")))


def _encoded(data: bytes) -> Iterator[str]:
    """What all base64 texts have in common that hold the data, at each of the three places where it may begin.

    The characters at both ends depend on what stands beside it.
    """
    yield base64.b64encode(data).decode().rstrip("=")
    for before in range(3):
        text = base64.b64encode(bytes(before) + data).decode().rstrip("=")
        text = text[(0, 2, 3)[before] : len(text) - 1 if (before + len(data)) % 3 else None]
        if len(text) >= _LEAST_ENCODED:
            yield from (text, text.replace("+", "-").replace("/", "_"))


def _decoded(value: str) -> str:
    """What a base64 text says, if it says something for people."""
    try:
        plain = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return plain if plain.replace("\n", "").isprintable() else ""


def masked(findings: Sequence[Finding], packages: Iterable[Package]) -> tuple[Finding, ...]:
    """The findings of loading a file without the secrets of its packages, or of its lines where it has none."""
    packages = tuple(packages) if findings else ()
    if not packages:
        return tuple(without(finding, Hiding(_NAMED.findall(finding.excerpt))) for finding in findings)
    hidden = hidden_of(packages)
    lines = cache(Places(packages[0].document).line)  # all packages of a file have its text
    return tuple(shown(finding, finding.excerpt and lines(finding.location.line), hidden) for finding in findings)


def shown(finding: Finding, line: str, hidden: Hiding) -> Finding:
    """The finding with the source line that it points at; cut last, or half of a secret might stay."""
    whole = without(replace(finding, excerpt=line), hidden)
    return replace(whole, excerpt=whole.excerpt[:LONGEST_EXCERPT])


def without(finding: Finding, hidden: Hiding) -> Finding:
    """The finding with these texts starred out; its excerpt keeps its length, so that columns stay true."""
    if not hidden:
        return finding
    excerpt, message, fix = hidden.line(finding.excerpt), hidden.told(finding.message), hidden.told(finding.fix)
    waiver = finding.waiver and replace(finding.waiver, reason=hidden.told(finding.waiver.reason))
    return replace(finding, excerpt=excerpt, message=message, fix=fix, waiver=waiver)
