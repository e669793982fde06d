"""Which names and labels the API server takes.

https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from wpk_sandbox.pattern import Pattern
from wpk_sandbox.rules.kubernetes.problem import Problem
from wpk_sandbox.rules.subject import as_mapping, escaped

_PARAMETER = Pattern(r"\$\{[^}]*\}")
_LABEL_NAME = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_DOMAIN = Pattern(rf"{_LABEL_NAME}(?:\.{_LABEL_NAME})*")
_LABEL = Pattern(_LABEL_NAME)
_VALUE = Pattern(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
# Kinds whose names are single DNS labels, and kinds with names of their own; all others are named like domains.
_SHORT = frozenset({"Namespace", "Service"})
_ANY = frozenset({"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "ClusterTrustBundle", "IPAddress"})
_LONGEST_DOMAIN, _LONGEST_LABEL = 253, 63


def problems(kind: str, data: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    """A name or a label that is refused; what a parameter brings is not known yet."""
    metadata = as_mapping(data.get("metadata"))
    name = metadata.get("name")
    if isinstance(name, str) and name and kind not in _ANY:
        short = kind in _SHORT
        longest = _LONGEST_LABEL if short else _LONGEST_DOMAIN
        if not (_LABEL if short else _DOMAIN).fullmatch(_known(name)) or len(_known(name)) > longest:
            allowed = "lower-case letters, digits and `-`" if short else "lower-case letters, digits, `-` and `.`"
            message = f"the name `{name[:60]}` is refused: a {kind} is named with {allowed}, at most {longest}"
            yield Problem(f"{pointer}/metadata/name", message, f"Write `{_mended(name)}`, for example.")
    for key, value in as_mapping(metadata.get("labels")).items():
        if isinstance(value, str) and (not _VALUE.fullmatch(_known(value)) or len(_known(value)) > _LONGEST_LABEL):
            message = f"the value of the label `{key}` is refused: letters, digits, `-`, `_` and `.`, at most 63"
            yield Problem(
                f"{pointer}/metadata/labels/{escaped(key)}",
                message,
                "Write it as an annotation, which takes any text.",
            )


def _known(text: str) -> str:
    return _PARAMETER.sub("x", text)


def _mended(name: str) -> str:
    return re.sub(r"[^-a-z0-9]+", "-", name.lower()).strip("-")[:_LONGEST_LABEL] or "name"
