"""Passwords, tokens and keys in the file. Their values are never shown: neither here nor in any other finding."""

import base64
import binascii
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wpk_sandbox.finding import Finding, Rule, Severity
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


# Forms that the issuers themselves describe, so that a match is a secret whatever stands around it.
_ISSUED: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (what, re.compile(pattern))
    for what, pattern in (
        ("an AWS access key", r"\b((?:AKIA|ASIA)[0-9A-Z]{16})\b"),
        ("a GitHub token", r"\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})\b"),
        ("a GitLab token", r"\b(gl(?:pat|dt|rt|cbt|ptt)-[A-Za-z0-9_-]{20,})"),
        ("a Slack token", r"\b(xox[abeoprs]-[A-Za-z0-9-]{10,})"),
        ("a Slack webhook", r"hooks\.slack\.com/services/(T[A-Za-z0-9]+/B[A-Za-z0-9]+/[A-Za-z0-9]{16,})"),
        ("a Google API key", r"\b(AIza[0-9A-Za-z_-]{35})"),
        ("a Stripe key", r"\b([sr]k_live_[0-9A-Za-z]{20,})"),
        ("an npm token", r"\b(npm_[A-Za-z0-9]{36})\b"),
        ("a private key", r"(-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z ]*-----|\Z))"),
        ("a JSON web token", r"(?<![A-Za-z0-9_-])(eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})"),
    )
)
# What all of them, and the assignments below, have in common: one cheap look passes over ordinary text.
_HINT = re.compile(
    r"AKIA|ASIA|gh[pousr]_|github_pat|gl(?:pat|dt|rt|cbt|ptt)-|xox|hooks\.slack|AIza|_live_|npm_|PRIVATE KEY|eyJ"
    r"|://[^/\s]*@|passw|pwd|secret|token|(?:api|access|account)_?-?key|credential|bearer|basic |mysql|mariadb|curl"
    r"|redis-cli|sshpass|login",
    re.IGNORECASE,
)
_WORDS = (
    r"(?:password|passwd|passphrase|pwd|secret|token|credentials?"
    r"|(?:api|access|account|private|secret)[_-]?key)"
)
_NAME = re.compile(rf"(?:^|[_.-]|(?<=[a-z])(?=[A-Z])){_WORDS}$", re.IGNORECASE)
# The words between a program and its option: of the same command, and not many, so that a long text costs no more
# than its length.
_WORD = r"(?:[^\s|;&'\"\\]++|'[^']{0,400}'|\"[^\"]{0,400}\"|\\\S)++"
_THEN = rf"(?:[ \t]++(?:\\\n\s*+)?{_WORD}){{0,30}}?[ \t]++(?:\\\n\s*+)?"
# The value of an option, without the quotes around it.
_VALUE = r"['\"]?((?<=')[^'\n]{3,}|(?<=\")[^\"\n]{3,}|[^\s'\"|;&]{3,})"
_LOGIN = (
    r"\b(?:docker|podman|nerdctl|buildah|skopeo|oras|crane|helm|oc|az|cf)"
    r"(?:[ \t]++(?!login\b)[^\s|;&]++){0,4}[ \t]++login"
)
_MYSQL = r"(?<![\w./-])(?:/usr/(?:local/)?bin/)?(?:mysql|mariadb)[a-z-]*+"
# By convention an option that begins so switches something, and takes no value.
_SWITCH = r"(?!(?:no|without|with|ask|prompt|show|skip|disable|generate)-)"
_BASIC = "a basic authorization"
_IN_TEXT: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (what, re.compile(pattern, re.IGNORECASE))
    for what, pattern in (
        ("a password in a URL", r"(?<=[a-z0-9])://[^/\s:@'\"]*:([^/\s@'\"]{3,})@"),
        ("a bearer token", r"\bbearer\s+([A-Za-z0-9._~+/=-]{12,})"),
        (_BASIC, r"\bbasic\s+([A-Za-z0-9+/]{8,}={0,2})"),
        (
            "a password of `-u`",
            rf"\bcurl{_THEN}(?:-[a-z]{{0,9}}u|--(?:proxy-)?user)[\s=]*['\"]?(?:\$\w+|\$\{{[^}}\s]*\}}|[^\s:'\"$]+):([^\s'\"]{{3,}})",
        ),
        ("a password of a database client", rf"{_MYSQL}{_THEN}(?-i:-p){_VALUE}"),
        ("a password of a database client", rf"\bredis-cli{_THEN}(?:(?-i:-a)\s|--pass[\s=])\s*{_VALUE}"),
        ("a password of a login", rf"\bsshpass\s+(?:-[veh]+\s+|(?-i:-[Pd])\s*\S+\s+){{0,4}}(?-i:-p)\s*{_VALUE}"),
        ("a password of a login", rf"{_LOGIN}{_THEN}(?-i:-p)[\s=]+{_VALUE}"),
        ("an assigned secret", rf"(?<![a-z0-9_$])[a-z0-9_]*{_WORDS}=[\"']?([^\s\"'&|;]+)"),
        (
            "a secret in an option",
            rf"\s--?(?!-){_SWITCH}[a-z0-9-]*{_WORDS}\s+[\"']?([^\s\"'&|;<>-][^\s\"'&|;]+)",
        ),
        ("a secret in JSON", rf"\"[a-z0-9_-]*{_WORDS}\"\s*:\s*\"([^\"]+)\""),
    )
)
# Forms that only the name before the value tells from ordinary text, so that the value must look random too.
_BY_NAME = frozenset({"an assigned secret", "a secret in an option", "a secret in JSON"})
_PLACEHOLDER = re.compile(
    r"\$|\{\{|^`|^ENC\[|^<.*>$|^\[.*\]$|^\*+$|^x{3,}$|change-?_?me|example|placeholder|redacted|dummy|replace|your[-_]|insert|todo"
    r"|^(?:none|null|true|false|yes|no|original|previous|unset|undefined|empty|string|secret|password|token)$|\.\.\.",
    re.IGNORECASE,
)
# The name of something that holds a secret, or of what an earlier handler produced: `new_credentials`, `db-token`.
_PLAIN_NAME = re.compile(r"[a-z]+(?:[-_.][a-z]+)*")
_PATH = re.compile(r"(?:~|\.{0,2})/[\w./-]+|@\S+")
# Names that hold a password even when it is an ordinary word.
_SURELY = re.compile(r"passw|pwd|passphrase", re.IGNORECASE)
_RANDOM_BITS = 3.0


def check(subject: Subject) -> Iterator[Finding]:
    """Every secret of the package, without its value."""
    for secret in found(subject):
        yield subject.in_text(HARD_CODED, secret.pointer, secret.text, secret.span, f"{secret.what} stands here")


def found(subject: Subject) -> Iterator[Secret]:
    """Every secret in the document, wherever it stands."""
    data = subject.package.document.data
    if isinstance(data, Mapping):
        yield from _within(data, "", "")


def _within(value: Any, pointer: str, name: str) -> Iterator[Secret]:
    """The secrets of a value; `name` is what it is called: its key, or the `name` beside a `value`."""
    if isinstance(value, str):
        yield from _text(value, pointer, name)
    elif isinstance(value, Mapping):
        if value.get("kind") == "Secret":
            yield from _kubernetes_secret(value, pointer)
            return
        value = _unsealed(value)
        own = value.get("name")
        for key, item in value.items():
            called = own if key == "value" and isinstance(own, str) else key
            yield from _within(item, f"{pointer}/{escaped(key)}", called)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _within(item, f"{pointer}/{index}", name)
    elif isinstance(value, int) and not isinstance(value, bool) and _SURELY.search(name) and _NAME.search(name):
        text = str(value)
        yield Secret(f"the value of `{name}`", pointer, text, (0, len(text)))


def _text(text: str, pointer: str, name: str) -> Iterator[Secret]:
    if _NAME.search(name) and _is_secret(text, sure=bool(_SURELY.search(name))):
        yield Secret(f"the value of `{name}`", pointer, text, (0, len(text)))
        return
    if len(text) < 8 or not _HINT.search(text):
        return
    taken: list[Span] = []
    for what, span in _candidates(text):
        if not any(start < span[1] and span[0] < end for start, end in taken):
            taken.append(span)
            yield Secret(what, pointer, text, span)


def _candidates(text: str) -> Iterator[tuple[str, Span]]:
    """Ranges that hold a secret, the surest forms first; they may overlap."""
    for what, pattern in _ISSUED:
        for match in pattern.finditer(text):
            if not _PLACEHOLDER.search(match[1]):
                yield what, match.span(1)
    for what, pattern in _IN_TEXT:
        for match in pattern.finditer(text):
            name = text[match.start() : match.start(1)]
            if what == _BASIC and not _is_pair(match[1]):
                continue
            if _is_secret(match[1], sure=what not in _BY_NAME or bool(_SURELY.search(name))):
                yield what, match.span(1)


def _is_pair(encoded: str) -> bool:
    """True for the base64 of `user:password` (RFC 7617) where the password is no placeholder."""
    user, colon, password = _decoded(encoded).partition(":")
    return bool(colon and password and (user + password).isprintable() and not _PLACEHOLDER.search(password))


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
            if isinstance(plain, str) and plain and not _PLACEHOLDER.search(plain):
                place = f"{pointer}/{part}/{escaped(key)}"
                yield Secret(f"the value of `{key}` of a Secret", place, value, (0, len(value)))


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return value


def _is_secret(value: str, *, sure: bool) -> bool:
    """True for a text that looks like a secret rather than like a placeholder, a path or a name."""
    value = value.strip()
    if len(value) < 4 or _PLACEHOLDER.search(value) or _PATH.fullmatch(value):
        return False
    if " " in value and not sure:
        return False
    if sure:
        return not (("_" in value or "-" in value) and _PLAIN_NAME.fullmatch(value))
    return not _PLAIN_NAME.fullmatch(value) and len(value) >= 8 and entropy(value) >= _RANDOM_BITS


def entropy(text: str) -> float:
    """Shannon entropy in bits a character: about 2.5 for words, above 3 for random letters and digits."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
