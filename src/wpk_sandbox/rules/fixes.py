"""What can be corrected mechanically: an edit of a few characters where the problem is, never a rewritten file.

Each fix says which value the file has after it. `fixes` gives back only those after which the file really has these
values and no other changed, whatever way it is written: anchors, flow style, quotes and comments.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from wpk_sandbox.finding import Finding
from wpk_sandbox.package.package import Package
from wpk_sandbox.package.source import parse
from wpk_sandbox.rules.corrections import Change, Fix, corrections
from wpk_sandbox.rules.edit import Edit, apply, overlapping
from wpk_sandbox.rules.spelling import spellings

BYTE_ORDER_MARK = "\ufeff"
# The rules of which every finding has a fix, if its place can be edited at all.
FIXABLE = frozenset({"timeout-missing", "yaml-byte-order-mark", "yaml-line-endings"})


def fixes(
    text: str, packages: Sequence[Package], findings: Sequence[Finding], *, timeout: float = 300
) -> tuple[Fix, ...]:
    """The fixes of a file that do not touch one another, in its order.

    `text` is what the file holds, with its byte order mark; `packages` and `findings` are those of the file, and
    `timeout` is what a handler gets that names none, in seconds.
    """
    shift = len(text) - len(text.removeprefix(BYTE_ORDER_MARK))
    found = [_moved(fix, shift) for package in packages for fix in corrections(package, findings, timeout)]
    found += [_moved(fix, shift) for package in packages for fix in spellings(package, findings)]
    found += _of_text(text, findings)
    path = packages[0].path if packages else ""
    return _sound(text, _apart(sorted(found, key=lambda each: (each.edits, each.name))), path)


def _apart(ordered: Sequence[Fix]) -> Sequence[Fix]:
    """The fixes whose edits do not overlap; of two that do, the first: the other's turn comes when it is made."""
    if not overlapping(sorted(edit for fix in ordered for edit in fix.edits)):
        return ordered
    kept: list[Fix] = []
    for fix in ordered:
        others = (edit for other in kept for edit in other.edits)
        if not any(mine.overlaps(edit) for edit in others for mine in fix.edits):
            kept.append(fix)
    return kept


def _sound(text: str, chosen: Sequence[Fix], path: str) -> tuple[Fix, ...]:
    """The fixes that do what they promise; the others are found by halving, since they are few if any."""
    if not chosen or _holds(text, chosen, path):
        return tuple(chosen)
    if len(chosen) == 1:
        return ()
    middle = len(chosen) // 2
    both = (*_sound(text, chosen[:middle], path), *_sound(text, chosen[middle:], path))
    return both if _holds(text, both, path) else ()


def _holds(text: str, chosen: Sequence[Fix], path: str) -> bool:
    """Whether the file then says what the fixes promise, and everything else as before."""
    expected = _data(text, path)
    changes = [fix.change for fix in chosen if fix.change]
    # A key is renamed last, the innermost first: until then every pointer is that of the file.
    for change in sorted(changes, key=lambda each: (each.key, -each.pointer.count("/"))):
        _set(expected[change.index], change)
    return _data(apply(text, (edit for fix in chosen for edit in fix.edits)), path) == expected


def _data(text: str, path: str) -> dict[int, Any]:
    return {document.index: document.data for document in parse(text.encode("utf-8", "replace"), path).documents}


def _set(data: Any, change: Change) -> None:
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in change.pointer.split("/")[1:]]
    for part in way:
        data = data[int(part)] if isinstance(data, list) else data[part]
    if change.key:
        data[change.value] = data.pop(last)
    else:
        data[int(last) if isinstance(data, list) else last] = change.value


def _moved(fix: Fix, shift: int) -> Fix:
    edits = tuple(Edit(edit.start + shift, edit.end + shift, edit.replacement) for edit in fix.edits)
    return replace(fix, edits=edits)


def _of_text(text: str, findings: Sequence[Finding]) -> Iterator[Fix]:
    """The file's own form: its byte order mark and its line ends."""
    for finding in findings:
        if finding.rule == "yaml-byte-order-mark" and text.startswith(BYTE_ORDER_MARK):
            yield Fix(finding.rule, "removed the byte order mark", finding.location, (Edit(0, 1, ""),))
        if finding.rule == "yaml-line-endings":
            edits = tuple(Edit(*each.span(), "\n") for each in re.finditer(r"\r\n?", text))
            yield Fix(finding.rule, "ended each line with a line feed", finding.location, edits)
