"""Makes the examples of `rules/examples.py` from the golden folders of the rules.

The two packages of a folder differ in little: that is the example. What `expected.txt` says is found tells where.
"""

import difflib
import json
import re
import textwrap
from collections.abc import Sequence
from pathlib import Path

from wpk_sandbox.rules.examples import Example

MOST_LINES = 8
# These differ because the packages say what they are for.
_NAMING = re.compile(r"#|  (?:name|description): ")

Change = tuple[range, range]


def examples_json(golden: Path) -> str:
    """The examples of all folders below `tests/golden/rules`, by the ids of their rules."""
    made = {folder.name: _example(folder) for folder in sorted(golden.iterdir()) if folder.is_dir()}
    document = {name: vars(each) for name, each in made.items() if each}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _example(folder: Path) -> Example | None:
    """None where the two packages differ in nothing that would say much."""
    names = ("hit.wpk.yaml", "near-miss.wpk.yaml", "expected.txt")
    hit, near, said = ((folder / name).read_text(encoding="utf-8").split("\n") for name in names)
    place = re.search(rf":(\d+):\d+: \w+ {folder.name}: ", "\n".join(said))
    if place is None:
        raise ValueError(f"{folder}/expected.txt has no finding of the rule")
    line = int(place[1]) - 1
    chosen = _telling(_changes(hit, near), line, hit, near)
    return chosen and Example(_shown(hit, chosen[0]), _shown(near, chosen[1]))


def _telling(changes: Sequence[Change], line: int, hit: Sequence[str], near: Sequence[str]) -> Change | None:
    """The change that says most of a finding on that line: its own, or one close by, or the likeliest elsewhere."""
    own = [each for each in changes if line in each[0]]
    two_sided = [each for each in changes if each[0] and each[1]]
    for group in (own, two_sided):
        close = [each for each in group if _distance(each[0], line) < MOST_LINES]
        if close:
            return _from(line, min(close, key=lambda each: _distance(each[0], line)))
    if two_sided:
        ours, theirs = max(two_sided, key=lambda each: _likeness(hit[each[0].start], near[each[1].start]))
        return ours, theirs[: len(ours)]
    added = [each for each in changes if _distance(each[0], line) < MOST_LINES]
    return _from(line, added[0]) if added else None


def _from(line: int, change: Change) -> Change:
    """The change with the lines between it and the finding, which both packages have."""
    ours, theirs = change
    above, below = max(0, ours.start - line), max(0, line + 1 - ours.stop)
    return range(ours.start - above, ours.stop + below), range(theirs.start - above, theirs.stop + below)


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


def _changes(hit: Sequence[str], near: Sequence[str]) -> list[Change]:
    """The ranges of lines in which the two packages differ."""
    codes = difflib.SequenceMatcher(None, hit, near, autojunk=False).get_opcodes()
    changes = [(range(*code[1:3]), range(*code[3:5])) for code in codes if code[0] != "equal"]
    return [each for each in changes if not _only_naming(each, hit, near)]


def _only_naming(change: Change, hit: Sequence[str], near: Sequence[str]) -> bool:
    ours, theirs = change
    return all(_NAMING.match(text) for text in [*hit[ours.start : ours.stop], *near[theirs.start : theirs.stop]])


def _distance(lines: range, line: int) -> int:
    if line in lines:
        return 0
    return 1 + min((abs(each - line) for each in lines), default=abs(lines.start - line))


def _shown(lines: Sequence[str], of: range) -> str:
    """So many of the lines as an example has room for, without their common indentation."""
    chosen = [lines[index] for index in of][:MOST_LINES]
    more = ["…"] if len(of) > MOST_LINES else []
    return "\n".join([*textwrap.dedent("\n".join(chosen)).split("\n"), *more]).strip("\n")
