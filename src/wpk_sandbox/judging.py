"""What is said of each package before anything runs: load → check → decide, beside what it was at the base."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wpk_sandbox.finding import Finding, Location
from wpk_sandbox.package.attached import with_files
from wpk_sandbox.package.beside import Beside
from wpk_sandbox.package.case import case_paths, load_cases
from wpk_sandbox.package.committed import not_as_committed
from wpk_sandbox.package.load import load_file
from wpk_sandbox.package.package import Case, Package
from wpk_sandbox.package.problems import fatal
from wpk_sandbox.package.selection import Selection, normal
from wpk_sandbox.package.source import read_file
from wpk_sandbox.rules.hiding import Hiding
from wpk_sandbox.rules.judgement import Before, judged_before, judgement
from wpk_sandbox.rules.masking import hidden_of, hidden_values, masked
from wpk_sandbox.rules.naming import name_taken
from wpk_sandbox.rules.policy import Decision, FileWaiver, Outcome, weighed
from wpk_sandbox.rules.waivers import about_policy
from wpk_sandbox.settings import Settings

if TYPE_CHECKING:
    from wpk_sandbox.package.earlier import Earlier
    from wpk_sandbox.sandbox.guard import Guard
    from wpk_sandbox.sandbox.ledger import Ledger

KEPT_FOR = timedelta(hours=24)
# Beyond the time for all packages: rollbacks may outlast it, and what has expired the next run takes away.
GRACE = timedelta(hours=1)

# Seconds that things are asked to end, where they are not to be killed at once; Docker's own.
END_GRACE = 10.0


@dataclass(frozen=True)
class Request:
    """What one call is asked to do. `root` is the repository that all paths are relative to.

    `earlier` is what a change is measured against, where it is known; `today` is the day that waivers end by.
    """

    root: Path
    selection: Selection
    settings: Settings
    run_id: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    event: Mapping[str, Any] = field(default_factory=dict)
    keep: bool = False
    earlier: "Earlier | None" = None
    today: date = field(default_factory=lambda: datetime.now(UTC).date())

    @property
    def expires(self) -> datetime:
        """When whatever is left of the run may be removed by anyone who sweeps."""
        life = KEPT_FOR if self.keeps else timedelta(seconds=self.settings["timeouts.run"]) + GRACE
        return datetime.now(UTC) + life

    def hidden(self, package: Package, case: Case) -> Hiding:
        """What nothing may show of a package in a case: its secrets, and those that it is given."""
        given = (self.parameters, self.event, case.parameters, case.event, *case.objects)
        return hidden_of([package]) | hidden_values(*given)

    def ledger(self, guard: "Guard") -> "Ledger":
        """A ledger for one package, with somebody who goes on when we cannot."""
        timeout = self.settings["sandbox.cleanup.cleanup_timeout"]
        grace = 0.0 if self.settings["sandbox.cleanup.force_cleanup"] else END_GRACE
        return guard.ledger(self.run_id, self.expires, keep=self.keeps, timeout=timeout, grace=grace)

    @property
    def wants_guard(self) -> bool:
        """True when somebody is to wait beside the run, for the case that it is killed."""
        return not self.keeps and self.settings["sandbox.cleanup.reaper"] == "auto"

    @property
    def keeps(self) -> bool:
        """True when what is made stays after the run."""
        return self.keep or not self.settings["sandbox.cleanup.auto_cleanup"]


@dataclass(frozen=True)
class Judged:
    """A package in one case, with all that is known before anything runs."""

    package: Package
    case: Case
    findings: tuple[Finding, ...]
    decision: Decision
    base_risk: int | None = None
    risk_changes: tuple[str, ...] = ()


def judge(request: Request, loose: list[Finding]) -> Iterator[Judged]:
    """Load, check and decide on each package; findings that belong to no package are added to `loose`."""
    policy = request.settings.policy
    loose += weighed(request.selection.findings, policy)
    used: frozenset[FileWaiver] = frozenset()
    befores: dict[tuple[str, int], Before] = {}
    taken: dict[str, Location] = {}
    read: set[str] = {each for path in request.selection.files for each in (path, *case_paths(path))}
    beside = Beside(request.root, request.selection.beside)
    for path in request.selection.files:
        home = _home(path, request.root)
        loaded = load_file(request.root / path, display=path, root=home)
        about_file = masked(loaded.findings, loaded.packages)
        if not loaded.packages:
            loose += about_file
        for index, alone in enumerate(loaded.packages):
            package, about_named = with_files(alone, partial(_read, home))
            read |= {normal(name) for name in package.files}
            cases, about_cases = load_cases(package, request.root)
            before = _before(package, cases, about_cases, request, befores)
            told_once = about_file if index == 0 else ()
            about_name = name_taken(package, taken, beside.named)
            further = (*told_once, *masked(about_named, ()), *about_cases, *about_name)
            made = judgement(package, further, policy, request.today, before, cases=cases)
            used |= made.used
            for case in cases:
                yield Judged(package, case, made.findings, made.decision, made.base_risk, made.risk_changes)
    if request.earlier is not None:
        loose += not_as_committed(request.earlier.repository, sorted(read))
    loose += about_policy(policy, request.selection.files, used, request.today)


def _before(
    package: Package,
    cases: tuple[Case, ...],
    about_cases: tuple[Finding, ...],
    request: Request,
    befores: dict[tuple[str, int], Before],
) -> Before | None:
    """The base version, judged once for all that come from it; its cases are taken as they are now."""
    if request.earlier is None:
        return None
    version = request.earlier.version_of(package)
    if version is None:
        return Before()
    there, about_file = version
    place = (there.path, there.document.index)
    if place not in befores:
        there, about_named = with_files(there, request.earlier.read)
        further = (*about_file, *masked(about_named, ()), *about_cases)
        befores[place] = judged_before(there, further, request.settings.policy, request.today, cases=cases)
    return befores[place]


def _home(path: str, root: Path) -> Path:
    """Where the files that a package names are: the repository; its own folder for one outside of it."""
    return Path(path).parent if os.path.isabs(path) else root


def _read(root: Path, path: str) -> bytes | Finding:
    return read_file(root / path, path, root)


def refusal(judged: Judged, settings: Settings) -> str:
    """Why a package may not start, or nothing."""
    decision = judged.decision
    if decision.outcome in settings.failing_outcomes:
        asked = "blocked" if decision.outcome is Outcome.BLOCK else f"{decision.outcome} (`policy.fail_on`)"
        return f"{asked} before it started: {decision.reason}"
    broken = next((each for each in judged.findings if fatal(each.severity) and _about_files(each)), None)
    return f"{broken.location}: {broken.message}" if broken else ""


def _about_files(finding: Finding) -> bool:
    """True for the loader's findings: a high one means that what the author wrote could not be understood."""
    from wpk_sandbox.package.problems import LOAD_RULES  # noqa: PLC0415 -- only needed when there are findings

    return any(rule.id == finding.rule for rule in LOAD_RULES)
