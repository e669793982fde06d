"""Passwords, tokens and keys in the file. Their values are never shown: neither here nor in any other finding."""

import base64
import binascii
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from wpk_sandbox.finding import Finding, Rule, Severity
from wpk_sandbox.package.package import Document
from wpk_sandbox.rules import secret_forms as forms
from wpk_sandbox.rules.place import Span
from wpk_sandbox.rules.policy import POINTS
from wpk_sandbox.rules.subject import Subject, escaped

HARD_CODED = Rule(
    "hard-coded-secret",
    Severity.HIGH,
    "A secret stands in the file",
    "Everybody who can read the repository, its history or a fork has the secret, and changing it means changing"
    " the runbook.",
    "Write `${NAME}` and let the secret be filled in when the runbook fires, or read it from a Kubernetes Secret."
    " Revoke the one that stood here: it remains in the history.",
    cwe=798,
    points=POINTS[Severity.HIGH],
)

RULES = (HARD_CODED,)

# A name can be as long as a file, and a cache would keep thousands of them.
_LONGEST_KEPT = 100


@dataclass(frozen=True)
class Secret:
    """A secret at a range of a text value. `what` names its kind, and never the value."""

    what: str
    pointer: str
    text: str
    span: Span

    @property
    def value(self) -> str:
        """The secret itself: to be hidden, never to be shown."""
        return self.text[self.span[0] : self.span[1]]


def check(subject: Subject) -> Iterator[Finding]:
    """Every secret of the package, without its value."""
    for secret in found(subject):
        yield subject.in_text(HARD_CODED, secret.pointer, secret.text, secret.span, f"{secret.what} stands here")


def found(subject: Subject) -> Iterator[Secret]:
    """Every secret in the document, wherever it stands."""
    document = subject.package.document
    if isinstance(document.data, Mapping):
        yield from in_document(document)


def in_document(document: Document) -> Iterator[Secret]:
    """The same of a document, which may be a list of objects."""
    yield from in_data(document.data)


def in_data(data: Any) -> Iterator[Secret]:
    """The same of plain values, such as the parameters of a case."""
    yield from _within(data, "", "")


def _within(value: Any, pointer: str, name: str) -> Iterator[Secret]:
    """The secrets of a value; `name` is what it is called: its key, or the `name` beside a `value` or `default`."""
    if isinstance(value, str):
        yield from _text(value, pointer, name)
    elif isinstance(value, Mapping):
        if value.get("kind") == "Secret":
            yield from _kubernetes_secret(value, pointer)
            return
        value = _unsealed(value)
        own = value.get("annotation") or value.get("name")
        for key, item in value.items():
            called = own if key in ("value", "default") and isinstance(own, str) else key
            if _may_hold(item, called):
                yield from _within(item, f"{pointer}/{escaped(key)}", called)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if _may_hold(item, name):
                yield from _within(item, f"{pointer}/{index}", name)
    elif isinstance(value, int) and not isinstance(value, bool) and _is_named(name) and forms.SURELY.search(name):
        text = str(value)
        yield Secret(f"the value of `{name}`", pointer, text, (0, len(text)))


def _may_hold(value: Any, name: str) -> bool:
    """False for what holds no secret whatever else is there: most values, which nobody then needs the place of."""
    if isinstance(value, str):
        return _is_named(name) or _is_hinted(value)
    return isinstance(value, (dict, list, Mapping)) or (isinstance(value, int) and _is_named(name))


def _is_named(name: str) -> bool:
    """True for the name of what is secret; packages have the same few names, and each is looked at once."""
    return _is_known_name(name) if len(name) <= _LONGEST_KEPT else forms.NAME.search(name) is not None


@lru_cache(maxsize=4096)
def _is_known_name(name: str) -> bool:
    return forms.NAME.search(name) is not None


def _is_hinted(text: str) -> bool:
    return len(text) >= 8 and forms.HINT.search(text.lower()) is not None


def _text(text: str, pointer: str, name: str) -> Iterator[Secret]:
    if _is_named(name) and _is_secret(text, sure=bool(forms.SURELY.search(name))):
        yield Secret(f"the value of `{name}`", pointer, text, (0, len(text)))
        return
    if not _is_hinted(text):
        return
    taken = bytearray(len(text))
    for what, (start, end) in _candidates(text):
        if not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            yield Secret(what, pointer, text, (start, end))


def _candidates(text: str) -> Iterator[tuple[str, Span]]:
    """Ranges that hold a secret, the surest forms first; they may overlap."""
    for what, pattern in forms.ISSUED:
        for match in pattern.finditer(text):
            if not _stands_for_another(match[1]):
                yield what, match.span(1)
    for what, pattern in forms.IN_TEXT:
        for match in pattern.finditer(text):
            name = text[match.start() : match.start(1)]
            if what in forms.PAIRS:
                if _is_pair(match[1]):
                    yield what, match.span(1)
            elif what in forms.BY_NAME and forms.LABEL.fullmatch(match[1]):
                continue
            elif _is_secret(match[1], sure=what not in forms.BY_NAME or bool(forms.SURELY.search(name))):
                yield what, match.span(1)


def _is_pair(encoded: str) -> bool:
    """True for the base64 of `user:password` (RFC 7617) where the password is no placeholder."""
    user, colon, password = _decoded(encoded).partition(":")
    return bool(colon and password and (user + password).isprintable() and not forms.PLACEHOLDER.search(password))


def _unsealed(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """A mapping without what is encrypted for the cluster, and so made to be committed."""
    spec = value.get("spec")
    if value.get("kind") != "SealedSecret" or not isinstance(spec, Mapping):
        return value
    return {**value, "spec": {key: item for key, item in spec.items() if key != "encryptedData"}}


def _kubernetes_secret(manifest: Mapping[str, Any], pointer: str) -> Iterator[Secret]:
    for part, encoded in (("data", True), ("stringData", False)):
        values = manifest.get(part)
        for key, value in values.items() if isinstance(values, Mapping) else ():
            plain = _decoded(value) if encoded and isinstance(value, str) else value
            if isinstance(plain, str) and _is_kept(str(key), plain):
                place = f"{pointer}/{part}/{escaped(key)}"
                yield Secret(f"the value of `{key}` of a Secret", place, value, (0, len(value)))


def _is_kept(key: str, plain: str) -> bool:
    """True for a value of a Secret that is to be kept: not for a user's name, a certificate or a placeholder."""
    if any(_candidates(plain)):
        return True
    public = forms.PUBLIC.fullmatch(key) is not None or plain.lstrip().startswith("-----BEGIN CERT")
    return bool(plain) and not public and not _stands_for_another(plain)


def _stands_for_another(value: str) -> bool:
    """True for a placeholder, and for a text with a variable in it."""
    return bool(forms.PLACEHOLDER.search(value) or forms.VARIABLE.search(value))


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return value


def _is_secret(value: str, *, sure: bool) -> bool:
    """True for a text that looks like a secret rather than like a placeholder, a path or a name."""
    value = value.strip()
    if len(value) < 4 or _stands_for_another(value) or forms.PATH.fullmatch(value):
        return False
    if " " in value and not sure:
        return False
    if sure:
        return not (("_" in value or "-" in value) and forms.PLAIN_NAME.fullmatch(value))
    return not forms.PLAIN_NAME.fullmatch(value) and len(value) >= 8 and entropy(value) >= forms.RANDOM_BITS


def entropy(text: str) -> float:
    """Shannon entropy in bits a character: about 2.5 for words, above 3 for random letters and digits."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
