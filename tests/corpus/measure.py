"""Precision and recall of the rules over the labelled corpus, per family: `make corpus`.

Each script stands in a minimal package, as the one command of a shell step; nothing is ever run. What counts is a
pair of an entry and a rule: found (the rule was due and raised), missed (due, not raised) or false (raised, and the
label neither asks for it nor allows it). A pair belongs to the family of its rule. Ends with 1 when a family is
below the bar in either.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from textwrap import indent
from typing import Any

import yaml
from families import LOOSE, OF_RULE, PACKAGES, SHELL
from page import page, table, told

from wpk_sandbox.finding import Location
from wpk_sandbox.package.load import load_bytes
from wpk_sandbox.rules.judgement import Before, judged_before, judgement
from wpk_sandbox.rules.naming import name_taken
from wpk_sandbox.rules.policy import FileWaiver, Policy
from wpk_sandbox.rules.waivers import about_policy
from wpk_sandbox.settings import resolve

BAR = 0.97
CORPUS = Path(__file__).parent
ROOT = CORPUS.parents[1]
PAGE = ROOT / "docs" / "precision.md"
FIRST_SIGHT = CORPUS / "first-sight" / "measured.yaml"

# What the corpus was labelled for: its own registries are known ones, and its waivers are read on this day.
OWN = ("registry.example.com", "registry.example.com:5000", "mirror.example.com:8443")
RENTED = ("docker.io", "ghcr.io/example", "europe-docker.pkg.dev/shop-prod", "public.ecr.aws/example")
POLICY = Policy(allowed_registries=(*RENTED, *OWN))
TODAY = date(2026, 12, 1)

# Stands in the made-up keys of the corpus, so that no scanner of pushed secrets takes them for real ones.
SEAM = "¦"

FILE, SAME = "corpus.wpk.yaml", "same"

WRAPPER = """\
apiVersion: v1
kind: WorkflowPackage
metadata: {{name: script, version: 1.0.0, description: One script., author: platform-team@example.com}}
spec:
  runtime: {{type: shell}}
  safety: {{mode: manual, approval_required: true, dry_run_required: true, rollback_enabled: false}}
  triggers: []
  handlers:
    - name: work
      type: shell
      timeout: 60s
      config:
        command: |-
{script}
  rollback: {{enabled: false}}
  validation: {{schema_version: "1.0", required_permissions: [], resource_limits: {{}}}}
  monitoring: {{metrics_enabled: true, logging_level: info, alerts: []}}
"""


@dataclass(frozen=True)
class Entry:
    """One labelled text. `must` holds alternatives: of each, at least one rule has to be raised.

    `base` is what the base branch holds (`same`: just this), and `policy` the settings file with its waivers.
    """

    place: str
    family: str
    text: str
    why: str
    must: tuple[tuple[str, ...], ...] = ()
    may: tuple[str, ...] = ()
    must_not: tuple[str, ...] = ()
    base: str = ""
    policy: str = ""

    @property
    def script(self) -> bool:
        """True for a shell script, False for a whole package."""
        return self.family in SHELL

    @property
    def document(self) -> str:
        """The package to check."""
        return WRAPPER.format(script=indent(self.text, " " * 10)) if self.script else self.text

    @property
    def fair(self) -> frozenset[str]:
        """The rules that may be raised without being wrong."""
        return frozenset(self.may).union(*self.must)

    def judges(self, rule: str) -> bool:
        """True when the label says whether the rule is right here: a script's says nothing of its package."""
        if not self.script or rule in self.must_not:
            return True
        return rule not in LOOSE and OF_RULE.get(rule) not in PACKAGES


Checker = Callable[[Entry], frozenset[str]]


@dataclass(frozen=True)
class Miss:
    """A rule that was due and not raised (`missed`), or raised and not due."""

    entry: Entry
    family: str
    rule: str
    missed: bool


@dataclass
class Score:
    """The counts of one family."""

    dangerous: int = 0
    harmless: int = 0
    found: int = 0
    missed: int = 0
    false: int = 0

    @property
    def precision(self) -> float:
        """The share of findings that are right; 1 where nothing is found, since nothing is wrong then."""
        return self.found / (self.found + self.false) if self.found + self.false else 1.0

    @property
    def recall(self) -> float:
        """The share of what is due that is found; 1 where nothing is due."""
        return self.found / (self.found + self.missed) if self.found + self.missed else 1.0

    @property
    def touched(self) -> bool:
        """True when there is anything to say of the family."""
        return self != Score()

    @property
    def good(self) -> bool:
        """True when both reach the bar."""
        return min(self.precision, self.recall) >= BAR


def read(corpus: Path = CORPUS) -> list[Entry]:
    """Every entry of the corpus, in the order of files and lines."""
    patterns = ("shell/*.yaml", "packages/*.yaml", "first-sight/?-*.yaml")
    files = [file for pattern in patterns for file in sorted(corpus.glob(pattern))]
    return [entry for file in files for entry in _entries(file, f"{file.parent.name}/{file.name}")]


def _entries(file: Path, name: str) -> Iterator[Entry]:
    text = file.read_text(encoding="utf-8").replace(SEAM, "")
    nodes: Any = yaml.compose(text, Loader=yaml.CSafeLoader)
    for node, data in zip(nodes.value, yaml.load(text, Loader=yaml.CSafeLoader), strict=True):
        yield Entry(
            place=f"{name}:{node.start_mark.line + 1}",
            family=file.stem[2:] if file.parent.name == "first-sight" else file.stem,
            text=data.get("script") or data["package"],
            why=data["why"],
            must=tuple(tuple(rule.strip() for rule in each.split("|")) for each in data.get("must", ())),
            may=tuple(data.get("may", ())),
            must_not=tuple(data.get("must_not", ())),
            base=data.get("base", ""),
            policy=data.get("policy", ""),
        )


def raised(entry: Entry) -> frozenset[str]:
    """The rules whose findings a file gets in a pull request, and no waiver excuses."""
    policy = _policy(entry.policy)
    loaded = load_bytes(entry.document.encode(), FILE)
    findings, taken = list(loaded.findings), dict[str, Location]()
    used: frozenset[FileWaiver] = frozenset()
    for package in loaded.packages:
        further = tuple(name_taken(package, taken))
        made = judgement(package, further, policy, TODAY, _before(entry, policy))
        findings += made.findings
        used |= made.used
    findings += about_policy(policy, [FILE], used, TODAY)
    return frozenset(finding.rule for finding in findings if finding.waiver is None)


def _policy(text: str) -> Policy:
    """That of the corpus, with the waivers of a settings file."""
    return replace(POLICY, waivers=resolve(file=text.encode()).policy.waivers) if text else POLICY


def _before(entry: Entry, policy: Policy) -> Before:
    """The base branch's version; an entry without one is new."""
    if not entry.base:
        return Before()
    text = entry.document if entry.base == SAME else entry.base
    (package,) = load_bytes(text.encode(), FILE).packages
    return judged_before(package, (), policy, TODAY)


def measure(entries: Iterable[Entry], checker: Checker) -> tuple[dict[str, Score], list[Miss]]:
    """The score of every family that the entries or their findings touch, and what went wrong."""
    scores = {family: Score() for family in SHELL | PACKAGES}
    misses: list[Miss] = []
    for entry in entries:
        own = scores[entry.family]
        own.dangerous += bool(entry.must)
        own.harmless += not entry.must
        rules = checker(entry)
        for due in entry.must:
            family = _family(due[0], entry)
            score = scores[family]
            if rules.isdisjoint(due):
                score.missed += 1
                misses.append(Miss(entry, family, " or ".join(due), missed=True))
            else:
                score.found += 1
        for rule in sorted(rules - entry.fair):
            if entry.judges(rule):
                family = _family(rule, entry)
                scores[family].false += 1
                misses.append(Miss(entry, family, rule, missed=False))
    return {family: score for family, score in scores.items() if score.touched}, misses


def _family(rule: str, entry: Entry) -> str:
    return OF_RULE.get(rule, entry.family)


def written(scores: dict[str, Score], misses: Sequence[Miss]) -> str:
    """The page as it should stand in `docs/`."""
    first_sight: list[Any] = yaml.load(FIRST_SIGHT.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return page(scores, misses, first_sight, BAR)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and with `--write` renew the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"renew {PAGE.relative_to(ROOT)}")
    parser.add_argument("family", nargs="*", help="only the entries of these families")
    asked = parser.parse_args(arguments)
    if asked.write and asked.family:
        parser.error("the page is about all families: leave them out with --write")
    entries = [entry for entry in read() if not asked.family or entry.family in asked.family]
    scores, misses = measure(entries, raised)
    print("\n".join([*table(scores), "", *map(told, misses)]))
    if asked.write:
        PAGE.write_text(written(scores, misses), encoding="utf-8")
    weak = [family for family, score in scores.items() if not score.good]
    print(f"below {BAR:.2f}: {', '.join(weak)}" if weak else f"every family reaches {BAR:.2f}")
    return 1 if weak else 0


if __name__ == "__main__":
    sys.exit(main())
